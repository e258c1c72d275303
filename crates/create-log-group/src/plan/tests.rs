use super::*;

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1";
const OTHER: &str = "arn:aws:kms:us-east-1:123456789012:key/2";

fn desired() -> Desired {
    Desired {
        name: "a".into(),
        retention: None,
        key: None,
        class: None,
        tags: Tags::new(),
    }
}

fn observed() -> Observed {
    Observed {
        retention: Some(30),
        account_policy: None,
        key: Some(KEY.into()),
        class: "STANDARD".into(),
        tags: Tags::from([("app".into(), "old".into()), ("owner".into(), "somebody".into())]),
        created: None,
    }
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.changes().iter().map(ToString::to_string).collect()
}

#[test]
fn what_the_file_does_not_name_stays() {
    assert_eq!(plan(&desired(), Some(&observed())).unwrap(), Plan::Nothing);
}

#[test]
fn what_is_right_stays() {
    let desired = Desired {
        retention: Some(Retention::Days(30)),
        key: Some(Key::Arn(KEY.into())),
        class: Some(LogClass::Standard),
        tags: Tags::from([("app".into(), "old".into())]),
        ..desired()
    };
    assert_eq!(plan(&desired, Some(&observed())).unwrap(), Plan::Nothing);
}

#[test]
fn a_new_group_gets_all_that_the_file_names() {
    let desired = Desired {
        retention: Some(Retention::Days(1)),
        key: Some(Key::Arn(KEY.into())),
        class: Some(LogClass::InfrequentAccess),
        tags: Tags::from([("app".into(), "x".into())]),
        ..desired()
    };
    let found = plan(&desired, None).unwrap();
    assert_eq!(found.verb(), "create");
    assert_eq!(
        shown(&found),
        [
            format!("kms_key: (none) -> {KEY}"),
            "class: (none) -> INFREQUENT_ACCESS".to_owned(),
            "tags.app: (none) -> x".to_owned(),
            "retention_days: (none) -> 1".to_owned(),
        ]
    );
    let deeds: Vec<Action> = found.steps().iter().map(|step| step.action.clone()).collect();
    assert_eq!(
        deeds,
        [Action::Retain {
            days: 1,
            shorter: false
        }]
    );
    assert_eq!(deletes_after(&found), None);
    // To take away what a new group does not have is no change.
    let without = Desired {
        key: Some(Key::None),
        ..self::desired()
    };
    assert_eq!(
        plan(&without, None).unwrap(),
        Plan::Create(Vec::new(), Vec::new())
    );
    // It keeps its events for ever unless it is told otherwise.
    let never = Desired {
        retention: Some(Retention::Never),
        ..self::desired()
    };
    let found = plan(&never, None).unwrap();
    assert_eq!(shown(&found), ["retention_days: (none) -> never"]);
    assert_eq!(found.steps(), []);
}

#[test]
fn only_a_shorter_retention_deletes() {
    for (from, to, action, line) in [
        (
            Some(30),
            Retention::Days(1),
            Action::Retain {
                days: 1,
                shorter: true,
            },
            "30 -> 1",
        ),
        (
            None,
            Retention::Days(3653),
            Action::Retain {
                days: 3653,
                shorter: true,
            },
            "never -> 3653",
        ),
        (
            Some(1),
            Retention::Days(30),
            Action::Retain {
                days: 30,
                shorter: false,
            },
            "1 -> 30",
        ),
        (Some(30), Retention::Never, Action::RetainForEver, "30 -> never"),
    ] {
        let desired = Desired {
            retention: Some(to),
            ..desired()
        };
        let observed = Observed {
            retention: from,
            ..observed()
        };
        let found = plan(&desired, Some(&observed)).unwrap();
        let deletes = matches!(action, Action::Retain { shorter: true, .. });
        assert_eq!(deletes_after(&found).is_some(), deletes, "{line}");
        assert_eq!(shown(&found), [format!("retention_days: {line}")]);
        let Plan::Update(steps) = found else {
            panic!("an update")
        };
        assert_eq!(steps[0].action, action);
    }
    let never = Desired {
        retention: Some(Retention::Never),
        ..desired()
    };
    let kept = Observed {
        retention: None,
        ..observed()
    };
    assert_eq!(plan(&never, Some(&kept)).unwrap(), Plan::Nothing);
}

#[test]
fn a_key_is_set_replaced_and_taken_away() {
    let other = Action::Associate {
        key: OTHER.into(),
        old: Some(KEY.into()),
    };
    let first = Action::Associate {
        key: KEY.into(),
        old: None,
    };
    let none = Action::Disassociate { old: KEY.into() };
    for (from, to, action) in [
        (Some(KEY), Key::Arn(OTHER.into()), Some(other)),
        (None, Key::Arn(KEY.into()), Some(first)),
        (Some(KEY), Key::None, Some(none)),
        (None, Key::None, None),
        (Some(KEY), Key::Arn(KEY.into()), None),
    ] {
        let desired = Desired {
            key: Some(to),
            ..desired()
        };
        let observed = Observed {
            key: from.map(str::to_owned),
            ..observed()
        };
        let found = match plan(&desired, Some(&observed)).unwrap() {
            Plan::Update(mut steps) => steps.pop().map(|step| step.action),
            Plan::Nothing => None,
            Plan::Create(..) => panic!("it is there"),
        };
        assert_eq!(found, action);
    }
}

#[test]
fn tags_of_others_stay() {
    let desired = Desired {
        tags: Tags::from([("app".into(), "new".into()), ("env".into(), "dev".into())]),
        ..desired()
    };
    let found = plan(&desired, Some(&observed())).unwrap();
    assert_eq!(shown(&found), ["tags.app: old -> new", "tags.env: (none) -> dev"]);
    let Plan::Update(steps) = found else {
        panic!("an update")
    };
    assert_eq!(
        steps,
        [Step {
            action: Action::Tag(desired.tags),
            changes: steps[0].changes.clone()
        }]
    );
}

#[test]
fn all_that_differs_is_changed_in_one_run() {
    let desired = Desired {
        retention: Some(Retention::Days(7)),
        key: Some(Key::None),
        tags: Tags::from([("app".into(), "new".into())]),
        ..desired()
    };
    let found = plan(&desired, Some(&observed())).unwrap();
    assert_eq!(
        shown(&found),
        [
            "retention_days: 30 -> 7".to_owned(),
            format!("kms_key: {KEY} -> (none)"),
            "tags.app: old -> new".to_owned()
        ]
    );
}

#[test]
fn what_cannot_be_changed_is_an_error_that_says_so() {
    let class = Desired {
        class: Some(LogClass::InfrequentAccess),
        ..desired()
    };
    assert_eq!(
        plan(&class, Some(&observed())).unwrap_err().to_string(),
        "failed to change the class of log group `a` from STANDARD to INFREQUENT_ACCESS: a class is chosen for good when the group is made"
    );
    let retention = Desired {
        retention: Some(Retention::Days(1)),
        ..desired()
    };
    let governed = Observed {
        account_policy: Some("whole-account".into()),
        ..observed()
    };
    assert_eq!(
        plan(&retention, Some(&governed)).unwrap_err().to_string(),
        "failed to change the retention of log group `a`: the account's retention policy `whole-account` decides it"
    );
    // What that policy happens to say is no difference.
    let same = Desired {
        retention: Some(Retention::Days(30)),
        ..desired()
    };
    assert_eq!(plan(&same, Some(&governed)).unwrap(), Plan::Nothing);
}

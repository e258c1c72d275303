use super::*;

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1";
const OTHER: &str = "arn:aws:kms:us-east-1:123456789012:key/2";

fn wanted() -> Wanted {
    Wanted {
        name: "a".into(),
        retention: None,
        key: None,
        class: None,
        tags: Tags::new(),
    }
}

fn current() -> Current {
    Current {
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
    assert_eq!(plan(&wanted(), Some(&current())).unwrap(), Plan::Nothing);
}

#[test]
fn what_is_right_stays() {
    let wanted = Wanted {
        retention: Some(Retention::Days(30)),
        key: Some(Key::Arn(KEY.into())),
        class: Some(LogClass::Standard),
        tags: Tags::from([("app".into(), "old".into())]),
        ..wanted()
    };
    assert_eq!(plan(&wanted, Some(&current())).unwrap(), Plan::Nothing);
}

#[test]
fn a_new_group_gets_all_that_the_file_names() {
    let wanted = Wanted {
        retention: Some(Retention::Days(1)),
        key: Some(Key::Arn(KEY.into())),
        class: Some(LogClass::InfrequentAccess),
        tags: Tags::from([("app".into(), "x".into())]),
        ..wanted()
    };
    let found = plan(&wanted, None).unwrap();
    assert_eq!(found.action(), "create");
    assert_eq!(
        shown(&found),
        [
            format!("kms_key: (none) -> {KEY}"),
            "class: (none) -> INFREQUENT_ACCESS".to_owned(),
            "tags.app: (none) -> x".to_owned(),
            "retention_days: (none) -> 1".to_owned(),
        ]
    );
    let deeds: Vec<Deed> = found.steps().iter().map(|step| step.deed.clone()).collect();
    assert_eq!(
        deeds,
        [Deed::Retain {
            days: 1,
            shorter: false
        }]
    );
    assert_eq!(deletes_after(&found), None);
    // To take away what a new group does not have is no change.
    let without = Wanted {
        key: Some(Key::None),
        ..self::wanted()
    };
    assert_eq!(
        plan(&without, None).unwrap(),
        Plan::Create(Vec::new(), Vec::new())
    );
    // It keeps its events for ever unless it is told otherwise.
    let never = Wanted {
        retention: Some(Retention::Never),
        ..self::wanted()
    };
    let found = plan(&never, None).unwrap();
    assert_eq!(shown(&found), ["retention_days: (none) -> never"]);
    assert_eq!(found.steps(), []);
}

#[test]
fn only_a_shorter_retention_deletes() {
    for (from, to, deed, line) in [
        (
            Some(30),
            Retention::Days(1),
            Deed::Retain {
                days: 1,
                shorter: true,
            },
            "30 -> 1",
        ),
        (
            None,
            Retention::Days(3653),
            Deed::Retain {
                days: 3653,
                shorter: true,
            },
            "never -> 3653",
        ),
        (
            Some(1),
            Retention::Days(30),
            Deed::Retain {
                days: 30,
                shorter: false,
            },
            "1 -> 30",
        ),
        (Some(30), Retention::Never, Deed::RetainForEver, "30 -> never"),
    ] {
        let wanted = Wanted {
            retention: Some(to),
            ..wanted()
        };
        let current = Current {
            retention: from,
            ..current()
        };
        let found = plan(&wanted, Some(&current)).unwrap();
        let deletes = matches!(deed, Deed::Retain { shorter: true, .. });
        assert_eq!(deletes_after(&found).is_some(), deletes, "{line}");
        assert_eq!(shown(&found), [format!("retention_days: {line}")]);
        let Plan::Update(steps) = found else {
            panic!("an update")
        };
        assert_eq!(steps[0].deed, deed);
    }
    let never = Wanted {
        retention: Some(Retention::Never),
        ..wanted()
    };
    let kept = Current {
        retention: None,
        ..current()
    };
    assert_eq!(plan(&never, Some(&kept)).unwrap(), Plan::Nothing);
}

#[test]
fn a_key_is_set_replaced_and_taken_away() {
    let other = Deed::Associate {
        key: OTHER.into(),
        old: Some(KEY.into()),
    };
    let first = Deed::Associate {
        key: KEY.into(),
        old: None,
    };
    let none = Deed::Disassociate { old: KEY.into() };
    for (from, to, deed) in [
        (Some(KEY), Key::Arn(OTHER.into()), Some(other)),
        (None, Key::Arn(KEY.into()), Some(first)),
        (Some(KEY), Key::None, Some(none)),
        (None, Key::None, None),
        (Some(KEY), Key::Arn(KEY.into()), None),
    ] {
        let wanted = Wanted {
            key: Some(to),
            ..wanted()
        };
        let current = Current {
            key: from.map(str::to_owned),
            ..current()
        };
        let found = match plan(&wanted, Some(&current)).unwrap() {
            Plan::Update(mut steps) => steps.pop().map(|step| step.deed),
            Plan::Nothing => None,
            Plan::Create(..) => panic!("it is there"),
        };
        assert_eq!(found, deed);
    }
}

#[test]
fn tags_of_others_stay() {
    let wanted = Wanted {
        tags: Tags::from([("app".into(), "new".into()), ("env".into(), "dev".into())]),
        ..wanted()
    };
    let found = plan(&wanted, Some(&current())).unwrap();
    assert_eq!(shown(&found), ["tags.app: old -> new", "tags.env: (none) -> dev"]);
    let Plan::Update(steps) = found else {
        panic!("an update")
    };
    assert_eq!(
        steps,
        [Step {
            deed: Deed::Tag(wanted.tags),
            changes: steps[0].changes.clone()
        }]
    );
}

#[test]
fn all_that_differs_is_changed_in_one_run() {
    let wanted = Wanted {
        retention: Some(Retention::Days(7)),
        key: Some(Key::None),
        tags: Tags::from([("app".into(), "new".into())]),
        ..wanted()
    };
    let found = plan(&wanted, Some(&current())).unwrap();
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
    let class = Wanted {
        class: Some(LogClass::InfrequentAccess),
        ..wanted()
    };
    assert_eq!(
        plan(&class, Some(&current())).unwrap_err().to_string(),
        "failed to change the class of log group `a` from STANDARD to INFREQUENT_ACCESS: a class is chosen for good when the group is made"
    );
    let retention = Wanted {
        retention: Some(Retention::Days(1)),
        ..wanted()
    };
    let governed = Current {
        account_policy: Some("whole-account".into()),
        ..current()
    };
    assert_eq!(
        plan(&retention, Some(&governed)).unwrap_err().to_string(),
        "failed to change the retention of log group `a`: the account's retention policy `whole-account` decides it"
    );
    // What that policy happens to say is no difference.
    let same = Wanted {
        retention: Some(Retention::Days(30)),
        ..wanted()
    };
    assert_eq!(plan(&same, Some(&governed)).unwrap(), Plan::Nothing);
}

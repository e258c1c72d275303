use super::*;

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1";
const OTHER: &str = "arn:aws:kms:us-east-1:123456789012:key/2";

fn desired(group: LogGroup) -> Desired {
    let target = AwsTarget {
        account: "123456789012".into(),
        region: "us-east-1".into(),
    };
    let name = "a".into();
    Desired::new(LogGroup { name, ..group }, Tags::new(), &target)
}

fn observed() -> Observed {
    Observed {
        log_group_name: "a".into(),
        retention_in_days: Some(30),
        kms_key_id: Some(KEY.into()),
        log_group_class: Some("STANDARD".into()),
        tags: Tags::from([("app".into(), "old".into()), ("owner".into(), "other".into())]),
        ..Observed::default()
    }
}

fn named(key: &str, value: &str) -> Tags {
    Tags::from([(key.into(), value.into())])
}

/// The operation and the body of each call.
fn calls(plan: &Plan) -> Vec<(&'static str, Value)> {
    let steps = plan.steps().iter();
    steps
        .map(|step| (step.action.operation, step.action.body.clone()))
        .collect()
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.changes().iter().map(ToString::to_string).collect()
}

#[test]
fn what_the_file_does_not_name_stays() {
    let desired = desired(LogGroup::default());
    assert_eq!(plan(&desired, Some(&observed())).unwrap(), Plan::Nothing);
}

#[test]
fn equal_fields_are_not_changed() {
    let mut desired = desired(LogGroup {
        retention_days: Some(Retention::Days(30)),
        kms_key: Some(KEY.into()),
        class: Some(LogClass::Standard),
        ..LogGroup::default()
    });
    desired.tags = named("app", "old");
    assert_eq!(plan(&desired, Some(&observed())).unwrap(), Plan::Nothing);
    let without_class = Observed {
        log_group_class: None,
        ..observed()
    };
    assert_eq!(plan(&desired, Some(&without_class)).unwrap(), Plan::Nothing);
}

#[test]
fn a_new_group_gets_all_that_the_file_names() {
    let mut all = desired(LogGroup {
        retention_days: Some(Retention::Days(1)),
        kms_key: Some(KEY.into()),
        class: Some(LogClass::InfrequentAccess),
        ..LogGroup::default()
    });
    all.tags = named("app", "x");
    let found = plan(&all, None).unwrap();
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
    let retention = json!({"logGroupName": "a", "retentionInDays": 1});
    assert_eq!(calls(&found), [("PutRetentionPolicy", retention)]);
    assert_eq!(deletes_after(&found), None);
    assert_eq!(
        all.creation(),
        json!({"logGroupName": "a", "kmsKeyId": KEY, "logGroupClass": "INFREQUENT_ACCESS", "tags": {"app": "x"}})
    );
    // To remove what a new group does not have is no change.
    let without = desired(LogGroup {
        kms_key: Some(NO_KEY.into()),
        ..LogGroup::default()
    });
    assert_eq!(
        plan(&without, None).unwrap(),
        Plan::Create(Vec::new(), Vec::new())
    );
    assert_eq!(without.creation(), json!({"logGroupName": "a"}));
    // Events of a new group never expire, which needs no call.
    let never = desired(LogGroup {
        retention_days: Some(Retention::Never),
        ..LogGroup::default()
    });
    let found = plan(&never, None).unwrap();
    assert_eq!(shown(&found), ["retention_days: (none) -> never"]);
    assert_eq!(found.steps(), []);
}

#[test]
fn only_a_shorter_retention_deletes() {
    for (from, to, deletes, line) in [
        (Some(30), Retention::Days(1), Some(1), "30 -> 1"),
        (None, Retention::Days(3653), Some(3653), "never -> 3653"),
        (Some(1), Retention::Days(30), None, "1 -> 30"),
        (Some(30), Retention::Never, None, "30 -> never"),
    ] {
        let desired = desired(LogGroup {
            retention_days: Some(to),
            ..LogGroup::default()
        });
        let observed = Observed {
            retention_in_days: from,
            ..observed()
        };
        let found = plan(&desired, Some(&observed)).unwrap();
        assert_eq!(deletes_after(&found), deletes, "{line}");
        assert_eq!(shown(&found), [format!("retention_days: {line}")]);
        let call = match to {
            Retention::Days(days) => {
                let body = json!({"logGroupName": "a", "retentionInDays": days});
                ("PutRetentionPolicy", body)
            }
            Retention::Never => ("DeleteRetentionPolicy", json!({"logGroupName": "a"})),
        };
        assert_eq!(calls(&found), [call]);
    }
    let never = desired(LogGroup {
        retention_days: Some(Retention::Never),
        ..LogGroup::default()
    });
    let kept = Observed {
        retention_in_days: None,
        ..observed()
    };
    assert_eq!(plan(&never, Some(&kept)).unwrap(), Plan::Nothing);
}

#[test]
fn a_key_is_set_replaced_and_removed() {
    for (from, to, operation) in [
        (Some(KEY), OTHER, Some("AssociateKmsKey")),
        (None, KEY, Some("AssociateKmsKey")),
        (Some(KEY), NO_KEY, Some("DisassociateKmsKey")),
        (None, NO_KEY, None),
        (Some(KEY), KEY, None),
    ] {
        let desired = desired(LogGroup {
            kms_key: Some(to.into()),
            ..LogGroup::default()
        });
        let observed = Observed {
            kms_key_id: from.map(str::to_owned),
            ..observed()
        };
        let found = plan(&desired, Some(&observed)).unwrap();
        let action = found.steps().first().map(|step| step.action.clone());
        assert_eq!(action.as_ref().map(|action| action.operation), operation);
        if let Some(action) = action {
            assert_eq!(action.old_key.as_deref(), from);
            let key = action.body.get("kmsKeyId").and_then(Value::as_str);
            assert_eq!(key, Some(to).filter(|key| *key != NO_KEY));
        }
    }
}

#[test]
fn deletion_protection_is_set_and_removed() {
    for (from, to, change) in [
        (None, true, Some("false -> true")),
        (Some(false), true, Some("false -> true")),
        (Some(true), false, Some("true -> false")),
        (Some(true), true, None),
        (None, false, None),
    ] {
        let desired = desired(LogGroup {
            deletion_protection: Some(to),
            ..LogGroup::default()
        });
        let observed = Observed {
            deletion_protection_enabled: from,
            ..observed()
        };
        let found = plan(&desired, Some(&observed)).unwrap();
        let line = change.map(|change| format!("deletion_protection: {change}"));
        assert_eq!(shown(&found), line.into_iter().collect::<Vec<_>>());
        let body = json!({"logGroupIdentifier": "a", "deletionProtectionEnabled": to});
        let call = change.map(|_| ("PutLogGroupDeletionProtection", body));
        assert_eq!(calls(&found), call.into_iter().collect::<Vec<_>>());
        assert_eq!(desired.creation()["deletionProtectionEnabled"], json!(to));
        assert_eq!(deletes_after(&found), None);
    }
    let protected = Observed {
        deletion_protection_enabled: Some(true),
        ..observed()
    };
    assert_eq!(
        plan(&desired(LogGroup::default()), Some(&protected)).unwrap(),
        Plan::Nothing
    );
}

#[test]
fn tags_that_the_file_does_not_name_stay() {
    let mut desired = desired(LogGroup::default());
    desired.tags = Tags::from([("app".into(), "new".into()), ("env".into(), "dev".into())]);
    let found = plan(&desired, Some(&observed())).unwrap();
    assert_eq!(shown(&found), ["tags.app: old -> new", "tags.env: (none) -> dev"]);
    let body = json!({
        "resourceArn": "arn:aws:logs:us-east-1:123456789012:log-group:a",
        "tags": {"app": "new", "env": "dev"},
    });
    assert_eq!(calls(&found), [("TagResource", body)]);
}

#[test]
fn all_that_differs_is_changed_in_one_run() {
    let mut desired = desired(LogGroup {
        retention_days: Some(Retention::Days(7)),
        kms_key: Some(NO_KEY.into()),
        ..LogGroup::default()
    });
    desired.tags = named("app", "new");
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
fn a_field_that_cannot_be_changed_is_an_error() {
    let class = desired(LogGroup {
        class: Some(LogClass::InfrequentAccess),
        ..LogGroup::default()
    });
    assert_eq!(
        plan(&class, Some(&observed())).unwrap_err().to_string(),
        "failed to change the class of log group `a` from STANDARD to INFREQUENT_ACCESS: a class is set only at creation"
    );
    let with_days = |days| {
        desired(LogGroup {
            retention_days: Some(Retention::Days(days)),
            ..LogGroup::default()
        })
    };
    let governed = Observed {
        retention_policy_name: Some("whole-account".into()),
        ..observed()
    };
    assert_eq!(
        plan(&with_days(1), Some(&governed)).unwrap_err().to_string(),
        "failed to change the retention of log group `a`: the account's retention policy `whole-account` overrides it"
    );
    // The same retention by that policy is no difference.
    assert_eq!(plan(&with_days(30), Some(&governed)).unwrap(), Plan::Nothing);
}

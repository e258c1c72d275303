//! `create-log-group`: describe, compare, change only what differs, ask before events are lost.

mod calls;
mod cloudwatch;
mod failures;
mod interrupted;
mod lost;
mod retention;
mod sandbox;

pub(crate) use calls::calls;
use cloudwatch::{ARN, Group, KEY, Logs, keeping, writes};
use serde_json::{Value, json};
use support::Tool;
use support::aws::{FakeAws, logs};

const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
tags = { app = "e2e" }
[log_group]
name = "cruddur"
retention_days = 1
"#;

fn tool(aws: &FakeAws) -> Tool {
    aws.tool("create-log-group").config_text(CONFIG)
}

fn with_line(aws: &FakeAws, line: &str) -> Tool {
    aws.tool("create-log-group")
        .config_text(&format!("{CONFIG}{line}\n"))
}

fn with_retention(aws: &FakeAws, value: &str) -> Tool {
    let config = CONFIG.replace("retention_days = 1", &format!("retention_days = {value}"));
    aws.tool("create-log-group").config_text(&config)
}

#[test]
fn makes_it_on_a_clean_account_and_leaves_it_alone_the_second_time() {
    let (aws, _) = Logs::with([]);
    assert_eq!(
        tool(&aws).transcript(),
        format!(
            "exit: 0\n\
             --- stdout\n\
             {ARN}\n\
             --- stderr\n\
             create-log-group: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n\
             cruddur: created\n  \
             tags.app: (none) -> e2e\n  \
             retention_days: (none) -> 1\n"
        )
    );
    assert_eq!(
        aws.bodies(logs("CreateLogGroup")),
        [json!({"logGroupName": "cruddur", "tags": {"app": "e2e"}})]
    );
    assert_eq!(
        aws.bodies(logs("PutRetentionPolicy")),
        [json!({"logGroupName": "cruddur", "retentionInDays": 1})]
    );
    assert_eq!(writes(&aws), ["CreateLogGroup", "PutRetentionPolicy"]);

    aws.forget();
    let second = tool(&aws)
        .args(["-o", "json"])
        .run()
        .exits(0)
        .says("cruddur: unchanged");
    let document = second.json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(
        document["items"],
        json!([{"kind": "log-group", "name": "cruddur", "action": "none", "changes": [], "arn": ARN}])
    );
    assert_eq!(writes(&aws), [""; 0]);
    assert_eq!(aws.requests().len(), 3, "{:?}", aws.targets());
}

#[test]
fn a_group_whose_name_begins_alike_is_another_one() {
    let mut others = Group::right();
    others.retention = Some(30);
    let (aws, logs_) = Logs::with([("cruddur-frontend", others.clone()), ("cruddur/x", others)]);
    tool(&aws).run().exits(0).says("cruddur: created");
    assert_eq!(logs_.group().retention, Some(1));
    assert_eq!(logs_.lock()["cruddur-frontend"].retention, Some(30));
}

#[test]
fn looks_through_all_pages_for_the_exact_name() {
    let (aws, _) = Logs::with([("cruddur", Group::right())]);
    aws.answer_with(logs("DescribeLogGroups"), |body| {
        let page = |name: &str| vec![Group::right().described(name)];
        match body["nextToken"].as_str() {
            None => (200, json!({"logGroups": page("cruddur-a"), "nextToken": "two"})),
            Some("two") => (200, json!({"logGroups": [], "nextToken": "three"})),
            _ => (200, json!({"logGroups": page("cruddur")})),
        }
    });
    tool(&aws).run().exits(0).says("cruddur: unchanged");
    let tokens: Vec<Value> = aws
        .bodies(logs("DescribeLogGroups"))
        .iter()
        .map(|body| body["nextToken"].clone())
        .collect();
    assert_eq!(tokens, [Value::Null, json!("two"), json!("three")]);
}

#[test]
fn a_plan_on_a_clean_account_sends_no_writing_call() {
    let (aws, _) = Logs::with([]);
    tool(&aws)
        .arg("--dry-run")
        .run()
        .exits(0)
        .prints(ARN)
        .says("cruddur: would be created\n  tags.app: (none) -> e2e\n  retention_days: (none) -> 1\n");
    let checked = tool(&aws).args(["--check", "-o", "json"]).run().exits(1);
    assert_eq!(checked.json()["outcome"], "planned");
    assert_eq!(writes(&aws), [""; 0]);
    let (aws, _) = Logs::with([("cruddur", Group::right())]);
    tool(&aws)
        .arg("--check")
        .run()
        .exits(0)
        .says("cruddur: unchanged");
}

#[test]
fn what_the_file_does_not_name_stays() {
    let (aws, logs_) = Logs::with([(
        "cruddur",
        Group {
            key: Some(KEY.into()),
            class: Some("INFREQUENT_ACCESS".into()),
            ..keeping(Some(731))
        },
    )]);
    let config = "version = 1\napp = { name = \"e2e\" }\nlog_group = { name = \"cruddur\" }\n";
    aws.tool("create-log-group")
        .config_text(config)
        .run()
        .exits(0)
        .says("cruddur: unchanged");
    assert_eq!(logs_.group().retention, Some(731));
    // Without tags in the file they are not read.
    assert_eq!(aws.bodies(logs("ListTagsForResource")), [Value::Null; 0]);
}

#[test]
fn tags_are_set_and_those_of_others_stay() {
    let mut group = Group::right();
    group.tags.insert("app".into(), json!("other"));
    let (aws, logs_) = Logs::with([("cruddur", group)]);
    tool(&aws)
        .run()
        .exits(0)
        .says("cruddur: updated\n  tags.app: other -> e2e\n");
    assert_eq!(
        aws.bodies(logs("TagResource")),
        [json!({"resourceArn": ARN, "tags": {"app": "e2e"}})]
    );
    assert_eq!(json!(logs_.group().tags), json!({"app": "e2e", "owner": "other"}));
}

#[test]
fn a_key_is_set_replaced_and_taken_away() {
    let (aws, logs_) = Logs::with([("cruddur", Group::right())]);
    let set = format!("kms_key = \"{KEY}\"");
    let output = with_line(&aws, &set).run().exits(0);
    let output = output.says(&format!("  kms_key: (none) -> {KEY}\n"));
    assert!(!output.stderr.contains("warning"), "{}", output.stderr);
    assert_eq!(
        aws.bodies(logs("AssociateKmsKey")),
        [json!({"logGroupName": "cruddur", "kmsKeyId": KEY})]
    );
    with_line(&aws, &set).run().exits(0).says("cruddur: unchanged");

    let other = KEY.replace("11111111", "99999999");
    with_line(&aws, &format!("kms_key = \"{other}\""))
        .run()
        .exits(0)
        .says(&format!("  kms_key: {KEY} -> {other}\n"))
        .says(&format!(
            "warning: existing events remain encrypted with {KEY}; do not delete it"
        ));

    with_line(&aws, "kms_key = \"none\"")
        .run()
        .exits(0)
        .says(&format!("  kms_key: {other} -> (none)\n"))
        .says("do not delete it");
    assert_eq!(logs_.group().key, None);
    aws.forget();
    with_line(&aws, "kms_key = \"none\"")
        .run()
        .exits(0)
        .says("cruddur: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_new_group_gets_key_and_class_at_creation() {
    let (aws, logs_) = Logs::with([]);
    let lines = format!("kms_key = \"{KEY}\"\nclass = \"INFREQUENT_ACCESS\"");
    with_line(&aws, &lines).run().exits(0);
    assert_eq!(
        aws.bodies(logs("CreateLogGroup")),
        [
            json!({"logGroupName": "cruddur", "kmsKeyId": KEY, "logGroupClass": "INFREQUENT_ACCESS", "tags": {"app": "e2e"}})
        ]
    );
    assert_eq!(writes(&aws), ["CreateLogGroup", "PutRetentionPolicy"]);
    assert_eq!(logs_.group().class.as_deref(), Some("INFREQUENT_ACCESS"));
    with_line(&aws, &lines).run().exits(0).says("cruddur: unchanged");
}

#[test]
fn deletion_protection_is_set_and_removed_and_stays_without_the_field() {
    let (aws, all) = Logs::with([("cruddur", Group::right())]);
    let says = |line: &str, words: &str| {
        with_line(&aws, line).run().exits(0).says(words);
        with_line(&aws, line).run().exits(0).says("cruddur: unchanged");
    };
    says(
        "deletion_protection = true",
        "cruddur: updated\n  deletion_protection: false -> true\n",
    );
    assert_eq!(all.group().protected, Some(true));
    says("", "cruddur: unchanged");
    says(
        "deletion_protection = false",
        "cruddur: updated\n  deletion_protection: true -> false\n",
    );
    let body = |enabled: bool| json!({"logGroupIdentifier": "cruddur", "deletionProtectionEnabled": enabled});
    assert_eq!(
        aws.bodies(logs("PutLogGroupDeletionProtection")),
        [body(true), body(false)]
    );

    let (aws, _) = Logs::with([]);
    with_line(&aws, "deletion_protection = true")
        .run()
        .exits(0)
        .says("  deletion_protection: (none) -> true\n");
    assert_eq!(
        aws.bodies(logs("CreateLogGroup")),
        [json!({"logGroupName": "cruddur", "deletionProtectionEnabled": true, "tags": {"app": "e2e"}})]
    );
    assert_eq!(writes(&aws), ["CreateLogGroup", "PutRetentionPolicy"]);
}

#[test]
fn a_key_that_cloudwatch_may_not_use_gets_a_hint() {
    let (aws, _) = Logs::with([("cruddur", Group::right())]);
    aws.refuse(
        logs("AssociateKmsKey"),
        "InvalidParameterException",
        "The specified KMS key does not exist or is not allowed to be used with LogGroup",
    );
    let line = format!("kms_key = \"{KEY}\"");
    with_line(&aws, &line)
        .run()
        .exits(2)
        .says("failed to set the KMS key of log group `cruddur`: logs:AssociateKmsKey failed: InvalidParameterException: The specified KMS key")
        .says("hint: the key must be symmetric, enabled and in this region, and its policy must let logs.us-east-1.amazonaws.com use it");
}

#[test]
fn works_in_another_region_and_for_another_app() {
    let aws = FakeAws::start();
    Logs::default().answer(&aws);
    let config =
        "version = 1\napp = { name = \"other\" }\n[log_group]\nname = \"/ecs/${STAGE}-${AWS_REGION}\"\n";
    let tool = aws
        .tool("create-log-group")
        .config_text(config)
        .env("STAGE", "dev")
        .args(["--region", "cn-north-1"]);
    tool.run()
        .exits(0)
        .prints("arn:aws-cn:logs:cn-north-1:123456789012:log-group:/ecs/dev-cn-north-1");
    assert_eq!(
        aws.bodies(logs("CreateLogGroup")),
        [json!({"logGroupName": "/ecs/dev-cn-north-1"})]
    );
    assert_eq!(writes(&aws), ["CreateLogGroup"]);
}

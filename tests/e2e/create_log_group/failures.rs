//! Failures: errors of the file, refused calls, throttling, other runs, invalid responses.

use super::cloudwatch::{Group, Logs, keeping, writes};
use super::{CONFIG, tool, with_line};
use serde_json::json;
use std::time::Duration;
use support::aws::{FakeAws, logs};

#[test]
fn what_cannot_be_changed_is_an_error_before_any_write() {
    let mut group = keeping(Some(30));
    group.tags.clear();
    let (aws, _) = Logs::with([("cruddur", group.clone())]);
    for argument in ["--yes", "--dry-run", "--check"] {
        with_line(&aws, "class = \"INFREQUENT_ACCESS\"")
            .args([argument])
            .run()
            .exits(2)
            .says("failed to change the class of log group `cruddur` from STANDARD to INFREQUENT_ACCESS: a class is set only at creation")
            .says("hint: take `class` out of [log_group]");
    }
    assert_eq!(writes(&aws), [""; 0]);

    group.policy = Some("whole-account".into());
    let (aws, _) = Logs::with([("cruddur", group)]);
    tool(&aws)
        .arg("--yes")
        .run()
        .exits(2)
        .says("failed to change the retention of log group `cruddur`: the account's retention policy `whole-account` overrides it");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn errors_of_the_file_are_reported_before_the_first_call() {
    let aws = FakeAws::start();
    let cases = [
        (
            CONFIG.replace("retention_days = 1", "retention_days = 2"),
            "ops.toml:8:18`: CloudWatch Logs has no retention of 2 days, expected `retention_days` as one of 1, 3, 5, 7,",
        ),
        (
            CONFIG.replace("retention_days = 1", "retention_days = \"1\""),
            "ops.toml:8:18`: a text that is not \"never\", expected `retention_days`",
        ),
        (
            CONFIG.replace("\"cruddur\"", "\"aws/cruddur\""),
            "failed to use the log group name `aws/cruddur`",
        ),
        (
            CONFIG.replace("\"cruddur\"", "\"crud dur\""),
            "failed to use the log group name `crud dur`",
        ),
        (
            format!("{CONFIG}kms_key = \"alias/x\"\n"),
            "failed to use `kms_key` of log group `cruddur`: `alias/x`",
        ),
        (
            format!("{CONFIG}class = \"CHEAP\"\n"),
            "ops.toml:9:9`: unknown variant, expected one of `STANDARD`",
        ),
        (
            format!("{CONFIG}class = \"DELIVERY\"\n"),
            "failed to use `retention_days` of log group `cruddur`",
        ),
        (
            format!("{CONFIG}retention = 1\n"),
            "ops.toml:9:1`: unknown key `retention`",
        ),
        (
            CONFIG.replace("app = \"e2e\"", "app = \"${NOT_SET_ANYWHERE}\""),
            "NOT_SET_ANYWHERE",
        ),
        (
            "version = 1\napp = { name = \"e2e\" }\n".to_owned(),
            "failed to find `[log_group]` in `",
        ),
    ];
    for (text, words) in cases {
        aws.tool("create-log-group")
            .config_text(&text)
            .run()
            .exits(2)
            .says(words);
    }
    assert_eq!(aws.requests(), []);
}

#[test]
fn changes_before_a_refused_call_are_reported() {
    let (aws, logs_) = Logs::with([]);
    aws.refuse(logs("PutRetentionPolicy"), "AccessDeniedException", "no");
    let output = tool(&aws).args(["-o", "json"]).run().exits(4);
    let document = output.json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["items"][0]["action"], "create");
    assert_eq!(
        document["items"][0]["changes"],
        json!([{"path": "tags.app", "from": null, "to": "e2e"}])
    );
    assert_eq!(document["error"]["code"], "AccessDeniedException");
    output.says("hint: grant `logs:PutRetentionPolicy`");
    assert_eq!(logs_.group().retention, None);
}

#[test]
fn two_requests_that_meet_are_tried_again_within_bounds() {
    let (aws, logs_) = Logs::with([]);
    for operation in ["CreateLogGroup", "PutRetentionPolicy"] {
        aws.refuse_once(logs(operation), "OperationAbortedException", "meanwhile");
    }
    tool(&aws).run().exits(0);
    assert_eq!(logs_.group().retention, Some(1));
    assert_eq!(
        writes(&aws),
        [
            "CreateLogGroup",
            "CreateLogGroup",
            "PutRetentionPolicy",
            "PutRetentionPolicy"
        ]
    );

    // The retries of a lasting error are bounded.
    let (aws, _) = Logs::with([]);
    aws.refuse(logs("CreateLogGroup"), "OperationAbortedException", "forever");
    let output = tool(&aws).run().exits(2);
    let output = output.says("logs:CreateLogGroup failed: OperationAbortedException: forever");
    assert!(output.elapsed < Duration::from_secs(15), "{:?}", output.elapsed);
    let tries = aws.bodies(logs("CreateLogGroup")).len();
    assert!((5..20).contains(&tries), "{tries}");
}

#[test]
fn a_new_group_that_is_not_known_everywhere_yet_is_waited_for() {
    let (aws, logs_) = Logs::with([]);
    aws.refuse_once(logs("PutRetentionPolicy"), "ResourceNotFoundException", "not yet");
    tool(&aws).run().exits(0).says("cruddur: created");
    assert_eq!(logs_.group().retention, Some(1));
    // For a group that existed before, the error is not retried.
    let (aws, _) = Logs::with([("cruddur", keeping(Some(30)))]);
    aws.refuse(logs("PutRetentionPolicy"), "ResourceNotFoundException", "gone");
    tool(&aws)
        .arg("--yes")
        .run()
        .exits(2)
        .says("ResourceNotFoundException: gone");
    assert_eq!(writes(&aws).len(), 1);
}

#[test]
fn a_group_that_is_known_to_one_call_and_not_to_the_next_is_waited_for() {
    let (aws, _) = Logs::with([]);
    // The first read finds nothing, and neither do several reads after the creation.
    for _ in 0..8 {
        aws.refuse_once(
            logs("ListTagsForResource"),
            "ResourceNotFoundException",
            "not yet",
        );
    }
    tool(&aws).run().exits(0).says_once("cruddur: created\n");
    // An existing group is not taken for a new one because of that error.
    let (aws, _) = Logs::with([("cruddur", Group::right())]);
    aws.refuse_once(logs("ListTagsForResource"), "ResourceNotFoundException", "gone");
    tool(&aws).run().exits(0).says("cruddur: unchanged");
    aws.refuse(logs("ListTagsForResource"), "ResourceNotFoundException", "gone");
    tool(&aws)
        .run()
        .exits(2)
        .says("failed to describe log group `cruddur`: AWS returned inconsistent reads")
        .says("hint: retry in a few seconds: it is being created or deleted");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn waits_until_the_change_is_to_be_seen() {
    let (aws, _) = Logs::with([]);
    let stale = json!({"logGroups": []});
    // The first read, and two after the creation.
    for _ in 0..3 {
        aws.answer_once(logs("DescribeLogGroups"), 200, stale.clone());
    }
    tool(&aws).run().exits(0).says("cruddur: created");
    assert_eq!(writes(&aws), ["CreateLogGroup", "PutRetentionPolicy"]);
    assert_eq!(aws.bodies(logs("DescribeLogGroups")).len(), 4);
}

#[test]
fn another_caller_who_makes_it_at_the_same_time_is_no_error() {
    let (aws, _) = Logs::with([("cruddur", Group::right())]);
    aws.answer_once(logs("DescribeLogGroups"), 200, json!({"logGroups": []}));
    let output = tool(&aws).args(["-o", "json"]).run().exits(0);
    assert_eq!(output.json()["outcome"], "unchanged");
    assert_eq!(writes(&aws), ["CreateLogGroup"]);

    // The other run has not set the retention yet.
    let mut group = keeping(None);
    group.has_events = false;
    let (aws, logs_) = Logs::with([("cruddur", group)]);
    aws.answer_once(logs("DescribeLogGroups"), 200, json!({"logGroups": []}));
    tool(&aws).run().exits(0);
    assert_eq!(logs_.group().retention, Some(1));
}

#[test]
fn runs_at_the_same_time_all_go_well() {
    let (aws, logs_) = Logs::with([]);
    let running: Vec<_> = (0..4).map(|_| tool(&aws).spawn()).collect();
    for child in running {
        child.wait().exits(0);
    }
    let group = logs_.group();
    assert_eq!(
        (group.retention, json!(group.tags)),
        (Some(1), json!({"app": "e2e"}))
    );
    aws.forget();
    tool(&aws).run().exits(0).says("cruddur: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn answers_that_make_no_sense_are_errors_and_write_nothing() {
    for answer in [json!({}), json!({"logGroups": null})] {
        let (aws, _) = Logs::with([]);
        aws.answer(logs("DescribeLogGroups"), 200, answer.clone());
        tool(&aws).run().exits(2).says(
            "failed to describe log group `cruddur`: logs:DescribeLogGroups response omitted `logGroups`",
        );
        assert_eq!(writes(&aws), [""; 0]);
    }
    for text in ["", "[]", "{\"logGroups\": [{\"logGroupName\": 1}]}", "{\"half\":"] {
        let (aws, _) = Logs::with([]);
        aws.answer_text(logs("DescribeLogGroups"), 200, text, "application/x-amz-json-1.1");
        tool(&aws)
            .run()
            .exits(2)
            .says("create-log-group: error: failed to describe log group `cruddur`");
        assert_eq!(writes(&aws), [""; 0]);
    }
}

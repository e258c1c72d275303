//! The report of a run that the deadline or Ctrl-C interrupts.

use super::cloudwatch::{ARN, Logs, keeping};
use super::tool;
use serde_json::json;
use support::aws::logs;

const UNKNOWN: &str = "got no response; it may have been applied";

#[test]
fn a_deadline_between_two_calls_reports_the_changes() {
    let (aws, _) = Logs::with([]);
    aws.refuse(
        logs("PutRetentionPolicy"),
        "OperationAbortedException",
        "meanwhile",
    );
    let output = tool(&aws)
        .args(["--timeout", "1s", "-o", "json"])
        .run()
        .exits(3)
        .says_once("cruddur: created\n  tags.app: (none) -> e2e\n")
        .does_not_say("retention_days")
        .does_not_say(UNKNOWN);
    let document = output.json();
    assert_eq!(document["outcome"], "timeout");
    assert_eq!(document["account"], "123456789012");
    assert_eq!(
        document["items"],
        json!([{
            "kind": "log-group", "name": "cruddur", "action": "create", "arn": ARN,
            "changes": [{"path": "tags.app", "from": null, "to": "e2e"}],
        }])
    );

    let mut group = keeping(Some(30));
    group.tags.clear();
    let (aws, _) = Logs::with([("cruddur", group)]);
    aws.stall(logs("TagResource"));
    let tool = tool(&aws).args(["--yes", "--timeout", "1s", "-o", "json"]);
    let output = tool.run().exits(3);
    let document = output.json();
    assert_eq!(document["items"][0]["action"], "update");
    assert_eq!(
        document["items"][0]["changes"],
        json!([{"path": "retention_days", "from": 30, "to": 1}])
    );
    output
        .says_once("cruddur: updated\n  retention_days: 30 -> 1\n")
        .says_once(&format!(
            "warning: logs:TagResource for log group `cruddur` {UNKNOWN}\n"
        ));
}

#[test]
fn a_deadline_before_the_change_is_visible_reports_all_of_it() {
    let (aws, _) = Logs::with([]);
    aws.answer(logs("DescribeLogGroups"), 200, json!({"logGroups": []}));
    let output = tool(&aws)
        .args(["--timeout", "1s", "-o", "json"])
        .run()
        .exits(3)
        .says_once("cruddur: created\n")
        .does_not_say(UNKNOWN);
    let document = output.json();
    assert_eq!(document["items"][0]["changes"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_interrupted_second_call_is_reported_with_the_first() {
    let (aws, _) = Logs::with([]);
    aws.stall(logs("PutRetentionPolicy"));
    aws.interrupt_at(logs("PutRetentionPolicy"), tool(&aws))
        .says_once("cruddur: created\n  tags.app: (none) -> e2e\n")
        .says_once(&format!(
            "warning: logs:PutRetentionPolicy for log group `cruddur` {UNKNOWN}\n"
        ));
}

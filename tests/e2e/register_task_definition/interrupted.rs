//! The report of a run that the deadline or Ctrl-C interrupts while a call is in flight.

use super::{Account, arn, registered, tool};
use serde_json::json;
use support::aws::ecs;

const UNKNOWN: &str = "got no response; it may have been applied";

#[test]
fn a_deadline_during_the_registration_reports_an_unknown_result() {
    let (aws, _account) = Account::ready();
    aws.stall(ecs("RegisterTaskDefinition"));
    let output = tool(&aws)
        .args(["--timeout", "1s", "-o", "json"])
        .run()
        .exits(3)
        .says_once(&format!(
            "warning: ecs:RegisterTaskDefinition for task definition `web` {UNKNOWN}\n"
        ))
        .does_not_say("created");
    let document = output.json();
    assert_eq!(document["outcome"], "timeout");
    assert_eq!(document["account"], "123456789012");
    assert_eq!(document["items"], json!([]));
}

#[test]
fn an_interrupted_call_may_have_been_applied() {
    let (aws, _account) = Account::ready();
    aws.stall(ecs("RegisterTaskDefinition"));
    aws.interrupt_at(ecs("RegisterTaskDefinition"), tool(&aws))
        .says_once(&format!(
            "warning: ecs:RegisterTaskDefinition for task definition `web` {UNKNOWN}\n"
        ));
    let (aws, _account) = registered(|body| body["tags"] = json!([]));
    aws.stall(ecs("TagResource"));
    aws.interrupt_at(ecs("TagResource"), tool(&aws))
        .says_once(&format!(
            "warning: ecs:TagResource for task definition `{}` {UNKNOWN}\n",
            arn(1)
        ));
}

#[test]
fn a_deadline_after_a_lost_response_reports_an_unknown_result() {
    let (aws, _account) = Account::ready();
    let missing = json!({"__type": "ClientException", "message": "Unable to describe task definition."});
    aws.answer_once(ecs("DescribeTaskDefinition"), 400, missing);
    aws.stall(ecs("DescribeTaskDefinition"));
    aws.cut(ecs("RegisterTaskDefinition"));
    tool(&aws)
        .args(["--timeout", "2s"])
        .run()
        .exits(3)
        .says_once(&format!(
            "warning: ecs:RegisterTaskDefinition for task definition `web` {UNKNOWN}\n"
        ));
    assert_eq!(aws.bodies(ecs("RegisterTaskDefinition")).len(), 1);
}

#[test]
fn an_interrupted_check_has_changed_nothing() {
    let (aws, _account) = Account::ready();
    aws.stall("GetRole");
    aws.interrupt_at("GetRole", tool(&aws)).does_not_say(UNKNOWN);
}

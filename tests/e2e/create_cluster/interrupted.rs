//! The report of a run that the deadline or Ctrl-C interrupts.

use super::ecs::{ARN, Ecs, iam_makes_the_role, iam_refuses, right, with};
use super::{tool, with_line};
use serde_json::json;
use support::aws::ecs;

const UNKNOWN: &str = "got no response; it may have been applied";

#[test]
fn a_deadline_between_two_calls_reports_the_changes() {
    let (aws, _) = Ecs::start(Some(right()));
    // The first change keeps the cluster busy.
    let busy = with("attachmentsStatus", json!("UPDATE_IN_PROGRESS"));
    aws.answer_once(ecs("DescribeClusters"), 200, json!({"clusters": [right()]}));
    aws.answer(ecs("DescribeClusters"), 200, json!({"clusters": [busy]}));
    let lines = "container_insights = \"enabled\"\ncapacity_providers = [\"FARGATE\"]";
    let output = with_line(&aws, lines)
        .args(["--timeout", "1s", "-o", "json"])
        .run()
        .exits(3)
        .says_once("cruddur: updated\n  container_insights: disabled -> enabled\n")
        .does_not_say("capacity_providers")
        .does_not_say(UNKNOWN);
    let document = output.json();
    assert_eq!(document["outcome"], "timeout");
    assert_eq!(document["region"], "us-east-1");
    assert_eq!(
        document["items"],
        json!([{
            "kind": "cluster", "name": "cruddur", "action": "update", "arn": ARN,
            "changes": [{"path": "container_insights", "from": "disabled", "to": "enabled"}],
        }])
    );
}

#[test]
fn a_deadline_while_the_cluster_is_provisioning_reports_its_creation() {
    let (aws, all) = Ecs::start(None);
    all.lock().busy = usize::MAX;
    iam_refuses(&aws, "GetRole", 404, "NoSuchEntity", "none");
    iam_makes_the_role(&aws);
    let output = tool(&aws).args(["--timeout", "1s", "-o", "json"]).run().exits(3);
    let document = output.json();
    assert_eq!(document["items"][0]["name"], "AWSServiceRoleForECS");
    assert_eq!(document["items"][1]["name"], "cruddur");
    assert_eq!(document["items"][1]["action"], "create");
    assert_eq!(document["items"].as_array().map(Vec::len), Some(2));
    output
        .says_once("AWSServiceRoleForECS: created\n")
        .says_once("cruddur: PROVISIONING\n")
        .says_once("cruddur: created\n  service_connect_namespace: (none) -> cruddur\n")
        .does_not_say(UNKNOWN);
}

#[test]
fn the_service_linked_role_is_reported_too() {
    let (aws, _) = Ecs::start(None);
    iam_refuses(&aws, "GetRole", 404, "NoSuchEntity", "none");
    aws.stall("CreateServiceLinkedRole");
    aws.interrupt_at("CreateServiceLinkedRole", tool(&aws))
        .says_once(&format!(
            "warning: iam:CreateServiceLinkedRole for `AWSServiceRoleForECS` {UNKNOWN}\n"
        ));
    iam_makes_the_role(&aws);
    aws.stall(ecs("CreateCluster"));
    aws.interrupt_at(ecs("CreateCluster"), tool(&aws))
        .says_once("AWSServiceRoleForECS: created\n")
        .says_once(&format!(
            "warning: ecs:CreateCluster for cluster `cruddur` {UNKNOWN}\n"
        ));
}

//! The report of a run that the deadline or Ctrl-C interrupts.

use super::documents::{LIFECYCLE, LINES, POLICY};
use super::ecr::{Ecr, preview_shows, repository};
use super::{tool, with_lines};
use serde_json::json;
use support::Tool;
use support::aws::{FakeAws, ecr};

const UNKNOWN: &str = "got no response; it may have been applied";

const URI: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/one";

fn with_policies(aws: &FakeAws) -> Tool {
    with_lines(aws, LINES)
        .file("aws/policy.json", POLICY)
        .file("aws/lifecycle.json", LIFECYCLE)
}

#[test]
fn a_deadline_between_two_calls_reports_the_changes() {
    let (aws, _) = Ecr::with([]);
    aws.refuse(
        ecr("SetRepositoryPolicy"),
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
    );
    let output = with_policies(&aws)
        .args(["--timeout", "1s", "-o", "json"])
        .run()
        .exits(3)
        .says_once("one: created\n  tag_mutability: (none) -> MUTABLE\n")
        .does_not_say("policy: (none)")
        .does_not_say(UNKNOWN);
    let document = output.json();
    assert_eq!(document["outcome"], "timeout");
    assert_eq!(document["account"], "123456789012");
    let item = &document["items"][0];
    assert_eq!(
        (&item["kind"], &item["name"], &item["action"], &item["uri"]),
        (&json!("repository"), &json!("one"), &json!("create"), &json!(URI))
    );
    let paths: Vec<_> = item["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["path"])
        .collect();
    assert_eq!(paths, ["tag_mutability", "scan_on_push", "tags.app"]);
}

#[test]
fn a_repository_that_was_finished_before_is_reported_once() {
    let (aws, _) = Ecr::with([("one", repository("IMMUTABLE", false))]);
    aws.stall(ecr("CreateRepository"));
    let output = tool(&aws).args(["--timeout", "1s", "-o", "json"]).run().exits(3);
    let document = output.json();
    assert_eq!(
        document["items"],
        json!([{
            "kind": "repository", "name": "one", "action": "update", "uri": URI,
            "changes": [{"path": "tag_mutability", "from": "IMMUTABLE", "to": "MUTABLE"}],
        }])
    );
    output
        .says_once("one: updated\n  tag_mutability: IMMUTABLE -> MUTABLE\n")
        .says_once(&format!(
            "warning: ecr:CreateRepository for repository `two` {UNKNOWN}\n"
        ));
}

#[test]
fn the_images_that_a_lifecycle_policy_deletes_stay_in_the_report() {
    let (aws, _) = Ecr::with([("one", repository("MUTABLE", false))]);
    preview_shows(&aws, &[("sha256:1", &["old"])]);
    aws.stall(ecr("PutLifecyclePolicy"));
    let output = with_policies(&aws)
        .args(["--yes", "--timeout", "1s", "-o", "json"])
        .run()
        .exits(3)
        .says_once("one: updated\n  policy: (none) -> ")
        .says_once(&format!(
            "warning: ecr:PutLifecyclePolicy for repository `one` {UNKNOWN}\n"
        ));
    let item = &output.json()["items"][0];
    assert_eq!(item["changes"].as_array().map(Vec::len), Some(1));
    assert_eq!(item["lifecycle_preview"]["deletes"], 1);
}

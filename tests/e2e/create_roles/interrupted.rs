//! The report of a run that the deadline or Ctrl-C interrupts.

use super::iam::{Iam, Role, X_RAY};
use super::tool;
use serde_json::json;

const UNKNOWN: &str = "got no response; it may have been applied";

#[test]
fn a_deadline_between_two_calls_reports_the_changes() {
    let (aws, _) = Iam::with([]);
    aws.refuse_query(
        "AttachRolePolicy",
        "NoSuchEntity",
        "The role with name Two cannot be found.",
    );
    let output = tool(&aws)
        .args(["two", "--timeout", "1s", "-o", "json"])
        .run()
        .exits(3)
        .says_once("Two: created\n  trust: (none) -> ")
        .does_not_say("managed")
        .does_not_say(UNKNOWN);
    let document = output.json();
    assert_eq!(document["outcome"], "timeout");
    assert_eq!(document["account"], "123456789012");
    assert_eq!(document["items"].as_array().map(Vec::len), Some(1));
    let item = &document["items"][0];
    assert_eq!(
        (&item["kind"], &item["name"], &item["action"], &item["arn"]),
        (
            &json!("role"),
            &json!("Two"),
            &json!("create"),
            &json!("arn:aws:iam::123456789012:role/Two")
        )
    );
    let paths: Vec<_> = item["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["path"])
        .collect();
    assert_eq!(paths, ["trust", "tags.app"]);
}

#[test]
fn a_role_that_was_finished_before_is_reported_once() {
    let mut one = Role::one();
    one.tags.clear();
    let two = Role {
        managed: Vec::new(),
        tags: [].into(),
        ..Role::two()
    };
    let (aws, _) = Iam::with([("One", one), ("Two", two)]);
    aws.stall("AttachRolePolicy");
    let output = tool(&aws).args(["--timeout", "1s", "-o", "json"]).run().exits(3);
    let document = output.json();
    assert_eq!(document["items"].as_array().map(Vec::len), Some(1), "{document}");
    assert_eq!(document["items"][0]["key"], "one");
    assert_eq!(
        document["items"][0]["changes"],
        json!([{"path": "tags.app", "from": null, "to": "e2e"}])
    );
    output
        .says_once("One: updated\n  tags.app: (none) -> e2e\n")
        .says_once(&format!(
            "warning: iam:AttachRolePolicy of `{X_RAY}` for role `Two` {UNKNOWN}\n"
        ));
}

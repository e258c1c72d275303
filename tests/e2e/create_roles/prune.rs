//! What is on a role and not in the file: listed, and removed only on demand.

use super::iam::{Iam, Role, forms, writes};
use super::tool;
use serde_json::json;
use support::aws::FakeAws;

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

fn with_more() -> (FakeAws, Iam) {
    let mut two = Role::two();
    two.inline.insert("Old".into(), super::READ.into());
    two.managed.push(READ_ONLY.into());
    Iam::with([("One", Role::one()), ("Two", two)])
}

#[test]
fn it_is_listed_and_is_no_difference() {
    let (aws, _) = with_more();
    for arguments in [vec!["--check"], vec![], vec!["--dry-run"]] {
        let output = tool(&aws).args(&arguments).args(["-o", "json"]).run().exits(0);
        let document = output.json();
        assert_eq!(document["outcome"], "unchanged");
        assert_eq!(
            document["items"][1]["unnamed"],
            json!({"inline": ["Old"], "managed": [READ_ONLY]})
        );
        assert_eq!(document["items"][0].get("unnamed"), None);
        output
            .says("Two: unchanged\n  also has inline policy `Old`, which ops.toml does not name; --prune removes it\n")
            .says(&format!("  also has managed policy `{READ_ONLY}`, which ops.toml does not name; --prune removes it\n"));
    }
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn prune_says_what_it_would_do_and_wants_a_yes() {
    let (aws, _) = with_more();
    let dry = tool(&aws).args(["--prune", "--dry-run"]).run().exits(0);
    dry.says(&format!(
        "Two: would be updated\n  managed: {READ_ONLY} -> (none)\n  inline: Old -> (none)\n"
    ));
    tool(&aws).args(["--prune", "--check"]).run().exits(1);
    let refused = tool(&aws).arg("--prune").run().exits(2);
    refused
        .says(&format!(
            "create-roles: error: refused to detach `{READ_ONLY}` from role `Two`, delete inline policy `Old` of role `Two`: there is no terminal to ask on, and no --yes"
        ))
        .says("hint: give --yes if that is what you want");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn prune_removes_it_when_somebody_says_yes() {
    let (aws, iam) = with_more();
    tool(&aws).args(["--prune", "--yes"]).run().exits(0);
    assert_eq!(writes(&aws), ["DetachRolePolicy Two", "DeleteRolePolicy Two"]);
    assert_eq!(
        forms(&aws, "DeleteRolePolicy"),
        [json!({"RoleName": "Two", "PolicyName": "Old"})]
    );
    assert_eq!(iam.roles()["Two"], Role::two());
    aws.forget();
    // Nothing to remove, nothing to ask.
    tool(&aws).arg("--prune").run().exits(0).says("Two: unchanged\n");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn on_a_terminal_it_asks_before_anything_is_changed() {
    for (typed, code) in [("n\n", 2), ("\n", 2), ("y\n", 0)] {
        let (aws, iam) = with_more();
        iam.roles().get_mut("One").unwrap().tags.clear();
        let output = tool(&aws).arg("--prune").on_a_terminal(typed).run();
        assert_eq!(output.code, Some(code), "{}", output.transcript());
        assert!(
            output.stdout.contains("this will detach `"),
            "{}",
            output.transcript()
        );
        assert_eq!(writes(&aws).is_empty(), code == 2, "{:?}", writes(&aws));
    }
}

#[test]
fn what_somebody_else_has_removed_meanwhile_is_no_error() {
    let (aws, _) = with_more();
    aws.refuse_query("DetachRolePolicy", "NoSuchEntity", "Policy is not attached.");
    aws.refuse_query(
        "DeleteRolePolicy",
        "NoSuchEntity",
        "The role policy cannot be found.",
    );
    tool(&aws).args(["--prune", "--yes"]).run().exits(0);
}

//! What is on a role and not in the file: listed, and removed only on demand.

use super::iam::{Iam, Role, X_RAY, forms, writes, xml};
use super::tool;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::aws::{FakeAws, xml_refusal};

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
fn prune_removes_it_when_it_is_confirmed() {
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

/// IAM shows these managed policies: one answer after the other, and the last one from then on.
fn attached(aws: &FakeAws, answers: Vec<Vec<&'static str>>) {
    let asked = AtomicUsize::new(0);
    aws.answer_query_with("ListAttachedRolePolicies", move |form| {
        let two = form["RoleName"] == "Two";
        let at = if two {
            asked.fetch_add(1, Ordering::SeqCst)
        } else {
            0
        };
        let arns = answers.get(at).or(answers.last()).filter(|_| two);
        let member =
            |arn: &&str| format!("<member><PolicyName>x</PolicyName><PolicyArn>{arn}</PolicyArn></member>");
        let members: String = arns.into_iter().flatten().map(member).collect();
        let result =
            format!("<AttachedPolicies>{members}</AttachedPolicies><IsTruncated>false</IsTruncated>");
        (200, xml("ListAttachedRolePolicies", &result))
    });
}

#[test]
fn it_waits_until_iam_shows_that_they_are_gone() {
    let (aws, _) = with_more();
    let (before, after) = (vec![X_RAY, READ_ONLY], vec![X_RAY]);
    attached(&aws, vec![before.clone(), before.clone(), before.clone(), after]);
    let output = tool(&aws).args(["two", "--prune", "--yes", "-v"]).run().exits(0);
    output
        .says("role `Two` has not converged yet: trying again in ")
        .says_once("Two: updated\n")
        .does_not_say("also has");
    assert_eq!(aws.bodies("ListAttachedRolePolicies").len(), 4);
    assert_eq!(writes(&aws), ["DetachRolePolicy Two", "DeleteRolePolicy Two"]);

    // A policy that IAM continues to show.
    let (aws, _) = with_more();
    attached(&aws, vec![before]);
    let tool = tool(&aws).args(["two", "--prune", "--yes", "--timeout", "1500ms", "-o", "json"]);
    let document = tool.run().exits(3).json();
    assert_eq!(
        document["items"][0]["changes"],
        json!([
            {"path": "managed", "from": READ_ONLY, "to": null},
            {"path": "inline", "from": "Old", "to": null},
        ])
    );
}

#[test]
fn what_another_caller_attaches_meanwhile_is_not_waited_for() {
    let (aws, _) = with_more();
    let other = "arn:aws:iam::aws:policy/Other";
    attached(&aws, vec![vec![X_RAY, READ_ONLY], vec![X_RAY, other]]);
    tool(&aws)
        .args(["two", "--prune", "--yes"])
        .run()
        .exits(0)
        .says(&format!(
            "  also has managed policy `{other}`, which ops.toml does not name"
        ));
    assert_eq!(aws.bodies("ListAttachedRolePolicies").len(), 2);
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
fn what_another_caller_has_removed_meanwhile_is_no_error() {
    let (aws, iam) = with_more();
    for action in ["DetachRolePolicy", "DeleteRolePolicy"] {
        let iam = iam.clone();
        aws.answer_query_with(action, move |_| {
            iam.roles().insert("Two".into(), Role::two());
            (404, xml_refusal("NoSuchEntity", "The policy cannot be found."))
        });
    }
    tool(&aws).args(["--prune", "--yes"]).run().exits(0);
    assert_eq!(writes(&aws), ["DetachRolePolicy Two", "DeleteRolePolicy Two"]);
}

//! Failures during the run: refused calls, throttling, invalid responses, partial results.

use super::iam::{Iam, Role, writes, xml};
use super::{CONFIG, tool, with_config};
use serde_json::json;

#[test]
fn changes_before_a_refused_call_are_reported() {
    let (aws, iam) = Iam::with([]);
    aws.refuse_query(
        "AttachRolePolicy",
        "LimitExceeded",
        "Cannot exceed quota for PoliciesPerRole: 10",
    );
    let output = tool(&aws).args(["-o", "json"]).run().exits(4);
    let document = output.json();
    let actions: Vec<_> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["name"], &item["action"]))
        .collect();
    assert_eq!(
        actions,
        [
            (&json!("One"), &json!("create")),
            (&json!("Two"), &json!("create"))
        ]
    );
    // What was not done is not among the changes.
    assert!(!document["items"][1]["changes"].to_string().contains("managed"));
    assert_eq!(iam.roles().len(), 2);
    aws.forget();
    let (again, _) = Iam::with([
        ("One", Role::one()),
        (
            "Two",
            Role {
                managed: Vec::new(),
                ..Role::two()
            },
        ),
    ]);
    tool(&again).run().exits(0).says("Two: updated");
    assert_eq!(writes(&again), ["AttachRolePolicy Two"]);
}

#[test]
fn a_policy_of_the_account_that_is_missing_is_found_before_any_write() {
    let config = CONFIG.replace(
        "arn:${AWS_PARTITION}:iam::aws:policy/AWSXRayDaemonWriteAccess",
        "arn:aws:iam::${AWS_ACCOUNT_ID}:policy/Mine",
    );
    let (aws, _) = Iam::with([]);
    aws.refuse_query("GetPolicy", "NoSuchEntity", "Policy was not found.");
    let output = with_config(&aws, &config).run().exits(2);
    output.says("failed to find policy `arn:aws:iam::123456789012:policy/Mine` for role `Two`");
    assert_eq!(writes(&aws), [""; 0]);
    with_config(&aws, &config).arg("--check").run().exits(2);
    // Without permission for the check, the run prints a warning and continues.
    aws.refuse_query("GetPolicy", "AccessDenied", "no");
    let output = with_config(&aws, &config).run().exits(0);
    output.says("create-roles: warning: not judged: whether `arn:aws:iam::123456789012:policy/Mine` exists (iam:GetPolicy was denied)");
}

#[test]
fn answers_without_sense_are_errors() {
    let cases = [
        (
            "GetRole",
            xml(
                "GetRole",
                "<Role><Path>/</Path><RoleName>One</RoleName><RoleId>x</RoleId><Arn>x</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>",
            ),
            "iam:GetRole response omitted `AssumeRolePolicyDocument`",
        ),
        (
            "GetRolePolicy",
            xml(
                "GetRolePolicy",
                "<RoleName>One</RoleName><PolicyName>Read</PolicyName><PolicyDocument>%7B</PolicyDocument>",
            ),
            "failed to read inline policy `Read` of role `One`: failed to use `answer of iam:GetRolePolicy:1:2`",
        ),
        (
            "ListRolePolicies",
            "<html>".to_owned(),
            "failed to list the inline policies of role `One`: iam:ListRolePolicies",
        ),
    ];
    for (action, answer, words) in cases {
        let (aws, _) = Iam::with([("One", Role::one()), ("Two", Role::two())]);
        aws.answer_query(action, 200, &answer);
        tool(&aws).run().exits(2).says(words);
        assert_eq!(writes(&aws), [""; 0], "{action}");
    }
}

#[test]
fn long_lists_are_read_to_their_end() {
    let (aws, _) = Iam::with([("One", Role::one()), ("Two", Role::two())]);
    aws.answer_query_with("ListAttachedRolePolicies", |form| {
        let (arn, more) = match form["Marker"].as_str() {
            None => (
                "arn:aws:iam::aws:policy/ReadOnlyAccess",
                "<IsTruncated>true</IsTruncated><Marker>next</Marker>",
            ),
            Some(_) => (super::X_RAY, "<IsTruncated>false</IsTruncated>"),
        };
        let member = format!("<member><PolicyName>x</PolicyName><PolicyArn>{arn}</PolicyArn></member>");
        (
            200,
            xml(
                "ListAttachedRolePolicies",
                &format!("<AttachedPolicies>{member}</AttachedPolicies>{more}"),
            ),
        )
    });
    tool(&aws)
        .arg("two")
        .run()
        .exits(0)
        .says("Two: unchanged\n  also has managed policy `arn:aws:iam::aws:policy/ReadOnlyAccess`");
}

#[test]
fn a_signal_in_the_middle_leaves_what_is_done_and_the_next_run_ends_it() {
    use rustix::process::Signal;
    use std::time::Duration;
    let (aws, iam) = Iam::with([]);
    let slow = xml("PutRolePolicy", "");
    aws.answer_query_with("PutRolePolicy", move |_| {
        std::thread::sleep(Duration::from_millis(700));
        (200, slow.clone())
    });
    let running = tool(&aws).spawn();
    support::wait_for("CreateRole", || {
        aws.targets().contains(&"CreateRole".to_owned()).then_some(())
    });
    running.signal(Signal::INT);
    running.wait().ends_by(Signal::INT);
    assert!(!iam.roles().contains_key("Two"));
    let (rest, _) = Iam::with([("One", iam.roles()["One"].clone())]);
    tool(&rest).run().exits(0);
    assert_eq!(
        writes(&rest),
        ["PutRolePolicy One", "CreateRole Two", "AttachRolePolicy Two"]
    );
}

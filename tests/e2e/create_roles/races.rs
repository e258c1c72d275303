//! Inconsistent reads of IAM, and other callers that change the same roles.

use super::iam::{Iam, Role, TRUST, writes};
use super::{CONFIG, tool, with_config};
use std::time::Duration;

#[test]
fn a_new_role_that_is_not_shown_yet_is_waited_for() {
    let (aws, iam) = Iam::with([]);
    // The first read behind the creation still says that it is not there.
    let tool = tool(&aws).args(["two", "-v"]);
    aws.refuse_once(
        "AttachRolePolicy",
        "NoSuchEntity",
        "The role with name Two cannot be found.",
    );
    aws.refuse_once(
        "AttachRolePolicy",
        "NoSuchEntity",
        "The role with name Two cannot be found.",
    );
    tool.run()
        .exits(0)
        .says("create-roles: IAM has not propagated the new role yet: trying again in ");
    assert_eq!(iam.roles()["Two"], Role::two());
    assert_eq!(aws.bodies("AttachRolePolicy").len(), 3);
}

#[test]
fn it_waits_until_iam_shows_what_was_set() {
    let (aws, _) = Iam::with([(
        "Two",
        Role {
            managed: Vec::new(),
            ..Role::two()
        },
    )]);
    let empty = super::iam::xml(
        "ListAttachedRolePolicies",
        "<AttachedPolicies/><IsTruncated>false</IsTruncated>",
    );
    aws.answer_query("ListAttachedRolePolicies", 200, &empty);
    let output = tool(&aws)
        .args(["two", "-v", "--timeout", "1500ms"])
        .run()
        .exits(3);
    output
        .says("create-roles: role `Two` has not converged yet: trying again in ")
        .says("not done after 1.5 s");
    assert_eq!(writes(&aws), ["AttachRolePolicy Two"]);
}

#[test]
fn a_policy_that_does_not_exist_is_not_waited_for() {
    let (aws, _) = Iam::with([]);
    aws.refuse_query(
        "AttachRolePolicy",
        "NoSuchEntity",
        "Policy arn:aws:iam::aws:policy/X does not exist or is not attachable.",
    );
    let output = tool(&aws).args(["two", "-o", "json"]).run().exits(4);
    assert!(output.elapsed < Duration::from_secs(5), "{:?}", output.elapsed);
    let document = output.json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["items"][0]["action"], "create");
    assert_eq!(document["items"][0]["changes"].as_array().unwrap().len(), 2);
    assert_eq!(document["error"]["code"], "NoSuchEntity");
    output.says("failed to attach `arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess` to role `Two`: iam:AttachRolePolicy failed: NoSuchEntity: Policy arn:aws:iam::aws:policy/X does not exist");
}

#[test]
fn a_principal_that_was_made_a_moment_ago_is_waited_for() {
    let (aws, _) = Iam::with([]);
    aws.refuse_once(
        "CreateRole",
        "MalformedPolicyDocument",
        "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:role/New\"",
    );
    tool(&aws).arg("two").run().exits(0);
    let (aws, _) = Iam::with([]);
    aws.refuse(
        "CreateRole",
        "MalformedPolicyDocument",
        "Syntax errors in policy.",
    );
    tool(&aws)
        .run()
        .exits(2)
        .says("failed to create role `One`: iam:CreateRole failed: MalformedPolicyDocument: Syntax errors in policy.");
}

#[test]
fn requests_that_met_are_sent_again() {
    for code in ["ConcurrentModification", "DeleteConflict"] {
        let (aws, iam) = Iam::with([]);
        for action in ["CreateRole", "AttachRolePolicy"] {
            aws.refuse_once(action, code, "Please retry.");
        }
        tool(&aws).arg("two").run().exits(0);
        assert_eq!(iam.roles()["Two"], Role::two());
    }
}

#[test]
fn another_caller_who_makes_it_at_the_same_time_is_no_error() {
    let (aws, iam) = Iam::with([(
        "Two",
        Role {
            hidden: 3,
            ..Role::two()
        },
    )]);
    let output = tool(&aws).args(["two", "-o", "json"]).run().exits(0);
    assert_eq!(output.json()["outcome"], "unchanged");
    assert_eq!(writes(&aws), ["CreateRole Two"]);
    // A role of another caller with other contents: differences are set, and nothing is removed without confirmation.
    let other = Role {
        trust: TRUST.replace("ecs-tasks", "ec2"),
        managed: vec![
            super::X_RAY.into(),
            "arn:aws:iam::aws:policy/ReadOnlyAccess".into(),
        ],
        hidden: 3,
        ..Role::two()
    };
    iam.roles().insert("Two".into(), other);
    aws.forget();
    let output = tool(&aws).args(["two", "--prune", "-o", "json"]).run().exits(0);
    assert_eq!(output.json()["outcome"], "changed");
    assert_eq!(writes(&aws), ["CreateRole Two", "UpdateAssumeRolePolicy Two"]);
}

#[test]
fn what_this_run_has_made_is_created_though_the_answer_was_lost() {
    let lost = |made: Role| {
        let (aws, iam) = Iam::with([]);
        let all = iam.clone();
        aws.lose_once("CreateRole", move |_| {
            all.roles().insert("Two".into(), made.clone());
            (200, serde_json::Value::Null)
        });
        (aws, iam)
    };
    // The role as it is at creation, which IAM does not show at once.
    let (aws, iam) = lost(Role {
        managed: Vec::new(),
        hidden: 3,
        ..Role::two()
    });
    tool(&aws).arg("two").run().exits(0).says_once("Two: created\n");
    assert_eq!(
        writes(&aws),
        ["CreateRole Two", "CreateRole Two", "AttachRolePolicy Two"]
    );
    assert_eq!(iam.roles()["Two"], Role::two());

    // Another caller is in the way when the call is sent again.
    let (aws, _) = lost(Role {
        managed: Vec::new(),
        ..Role::two()
    });
    aws.refuse_once("CreateRole", "ConcurrentModification", "Try again.");
    tool(&aws).arg("two").run().exits(0).says_once("Two: created\n");
    let bodies = aws.bodies("CreateRole");
    assert_eq!(bodies.len(), 3);
    // What the file does not name is not sent, not even empty.
    let fields: Vec<&String> = bodies[0].as_object().unwrap().keys().collect();
    let expected = [
        "Action",
        "Version",
        "RoleName",
        "Path",
        "AssumeRolePolicyDocument",
        "Tags.member.1.Key",
        "Tags.member.1.Value",
    ];
    assert_eq!(fields, expected);

    // A role of another caller may have another trust policy.
    let (aws, _) = lost(Role {
        trust: TRUST.replace("ecs-tasks", "ec2"),
        ..Role::two()
    });
    tool(&aws)
        .arg("two")
        .run()
        .exits(0)
        .says_once("Two: updated\n")
        .does_not_say("created");
}

#[test]
fn what_another_caller_made_a_moment_ago_is_new_to_iam_as_well() {
    let missing = "The role with name Two cannot be found.";
    let (aws, iam) = Iam::with([(
        "Two",
        Role {
            managed: Vec::new(),
            hidden: 3,
            ..Role::two()
        },
    )]);
    for _ in 0..2 {
        aws.refuse_once("AttachRolePolicy", "NoSuchEntity", missing);
    }
    tool(&aws)
        .args(["two", "-v"])
        .run()
        .exits(0)
        .says("IAM has not propagated the new role yet: trying again in ");
    assert_eq!(iam.roles()["Two"], Role::two());
    assert_eq!(aws.bodies("AttachRolePolicy").len(), 3);

    // A role that existed before is not waited for.
    let (aws, _) = Iam::with([(
        "Two",
        Role {
            managed: Vec::new(),
            ..Role::two()
        },
    )]);
    aws.refuse_query("AttachRolePolicy", "NoSuchEntity", missing);
    tool(&aws)
        .arg("two")
        .run()
        .exits(2)
        .says(&format!("iam:AttachRolePolicy failed: NoSuchEntity: {missing}"));
    assert_eq!(aws.bodies("AttachRolePolicy").len(), 1);
}

#[test]
fn a_role_that_is_known_to_one_call_and_not_to_the_next_is_waited_for() {
    let missing = "The role with name Two cannot be found.";
    for action in ["ListRolePolicies", "ListAttachedRolePolicies"] {
        let (aws, iam) = Iam::with([]);
        // The first read finds nothing, and neither do several reads after the creation.
        for _ in 0..8 {
            aws.refuse_once(action, "NoSuchEntity", missing);
        }
        tool(&aws).arg("two").run().exits(0).says_once("Two: created\n");
        assert_eq!(iam.roles()["Two"], Role::two());

        // An existing role is not taken for a new one because of that error.
        let (aws, _) = Iam::with([("Two", Role::two())]);
        aws.refuse_once(action, "NoSuchEntity", missing);
        tool(&aws).args(["two", "--check"]).run().exits(0);
    }
}

#[test]
fn a_name_that_differs_only_in_case_is_an_error() {
    let (aws, _) = Iam::with([("TWO", Role::two())]);
    let output = tool(&aws)
        .arg("two")
        .limit(Duration::from_secs(60))
        .run()
        .exits(2);
    output
        .says("failed to use the role name `Two`: IAM has a role `TWO`, and ignores case")
        .says("hint: write `TWO` in ops.toml, or use another name");
    aws.refuse_query("ListRoles", "AccessDenied", "no");
    let output = tool(&aws)
        .arg("two")
        .limit(Duration::from_secs(60))
        .run()
        .exits(2);
    output
        .says("failed to create role `Two`: IAM answers that it exists, and does not return it")
        .says("hint: another role may have this name in another case");
}

#[test]
fn two_runs_at_the_same_time_both_end_well() {
    let (aws, iam) = Iam::with([]);
    let runs: Vec<_> = (0..4).map(|_| tool(&aws).spawn()).collect();
    for run in runs {
        run.wait().exits(0);
    }
    assert_eq!(iam.roles()["Two"], Role::two());
    assert_eq!(iam.roles().len(), 2);
    aws.forget();
    with_config(&aws, CONFIG).arg("--check").run().exits(0);
}

//! Errors that are retried, and errors that are not.

use super::account::register;
use super::{Account, arn, expanded, registered, tool, writes};
use serde_json::json;
use std::time::Duration;
use support::aws::{ecr, ecs, logs, ssm, xml_refusal};

const PASS_ROLE: &str = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: iam:PassRole on resource: \
                         arn:aws:iam::123456789012:role/Task because no identity-based policy allows the iam:PassRole action";

const CONCURRENT: &str = "Too many concurrent attempts to create a new revision of the specified family.";

/// The roles were made a moment ago, as far as IAM can say.
fn new_roles(account: &Account) {
    let now = std::process::Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .unwrap();
    let now = String::from_utf8(now.stdout).unwrap().trim().to_owned();
    let mut state = account.state();
    state.roles.get_mut("Task").unwrap().1 = now;
}

#[test]
fn a_new_role_is_waited_for() {
    for (code, message) in [
        ("ClientException", "Role is not valid"),
        ("AccessDeniedException", PASS_ROLE),
    ] {
        let (aws, account) = Account::ready();
        new_roles(&account);
        aws.refuse_once(ecs("RegisterTaskDefinition"), code, message);
        aws.refuse_once(ecs("RegisterTaskDefinition"), code, message);
        tool(&aws)
            .arg("-v")
            .run()
            .exits(0)
            .prints(&arn(1))
            .says("the new role is not visible to ECS everywhere yet: trying again in ");
        assert_eq!(writes(&aws), ["RegisterTaskDefinition"; 3]);
    }
}

#[test]
fn a_role_of_unknown_age_is_waited_for_a_little() {
    let (aws, _account) = Account::ready();
    aws.refuse_query("GetRole", "AccessDenied", "User: ci may not");
    aws.refuse_once(ecs("RegisterTaskDefinition"), "AccessDeniedException", PASS_ROLE);
    tool(&aws).run().exits(0).prints(&arn(1));
    aws.refuse(ecs("RegisterTaskDefinition"), "AccessDeniedException", PASS_ROLE);
    let file = super::FILE.replace("\"512\"", "\"1024\"");
    let output = super::with_file(&aws, &file).run().exits(2);
    assert!(output.elapsed < Duration::from_secs(15), "{:?}", output.elapsed);
    output.says("hint: grant `iam:PassRole` on the two roles");
}

#[test]
fn an_old_role_is_not_waited_for() {
    for (code, message) in [
        ("ClientException", "Role is not valid"),
        ("AccessDeniedException", PASS_ROLE),
    ] {
        let (aws, _account) = Account::ready();
        aws.refuse(ecs("RegisterTaskDefinition"), code, message);
        let output = tool(&aws).run().exits(2);
        assert!(output.elapsed < Duration::from_secs(3), "{:?}", output.elapsed);
        assert_eq!(writes(&aws), ["RegisterTaskDefinition"]);
        let output = output.says(&format!("ecs:RegisterTaskDefinition failed: {code}: {message}"));
        if code == "AccessDeniedException" {
            output.says("hint: grant `iam:PassRole` on the two roles");
        }
    }
}

#[test]
fn other_refusals_are_not_tried_again() {
    let (aws, account) = Account::ready();
    new_roles(&account);
    aws.refuse(
        ecs("RegisterTaskDefinition"),
        "ClientException",
        "Invalid 'cpu' setting for task.",
    );
    tool(&aws).run().exits(2).says("Invalid 'cpu' setting for task.");
    assert_eq!(writes(&aws), ["RegisterTaskDefinition"]);
}

#[test]
fn the_wait_ends_with_the_timeout() {
    let (aws, account) = Account::ready();
    new_roles(&account);
    aws.refuse(
        ecs("RegisterTaskDefinition"),
        "ClientException",
        "Role is not valid",
    );
    let output = tool(&aws).args(["--timeout", "1500ms"]).run().exits(3);
    assert!(output.elapsed < Duration::from_secs(4), "{:?}", output.elapsed);
    assert!(writes(&aws).len() > 1);
}

#[test]
fn two_runs_that_meet_register_it_once() {
    // The other one is registering the very same.
    let (aws, account) = Account::ready();
    let other = account.clone();
    aws.answer_with(ecs("RegisterTaskDefinition"), move |_| {
        register(&mut other.state(), &expanded());
        (400, json!({"__type": "ClientException", "message": CONCURRENT}))
    });
    tool(&aws).run().exits(0).prints(&arn(1)).says("web: unchanged");
    assert_eq!(account.state().revisions.len(), 1);

    // The other one is registering something else.
    let (aws, _account) = Account::ready();
    aws.refuse_once(ecs("RegisterTaskDefinition"), "ClientException", CONCURRENT);
    tool(&aws)
        .arg("-v")
        .run()
        .exits(0)
        .prints(&arn(1))
        .says("another caller is registering a revision: trying again in ");
}

#[test]
fn a_revision_whose_answer_was_lost_is_found_and_not_registered_again() {
    // Behind a connection that was cut.
    let (aws, account) = Account::ready();
    let cut = account.clone();
    aws.lose_once(ecs("RegisterTaskDefinition"), move |body| {
        register(&mut cut.state(), body)
    });
    let output = tool(&aws).args(["-v", "-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(document["items"][0]["action"], "create");
    assert_eq!(document["items"][0]["arn"], arn(1));
    output
        .says("no response to ecs:RegisterTaskDefinition: it was applied\n")
        .says_once("web: created\n");
    assert_eq!(writes(&aws), ["RegisterTaskDefinition"]);
    assert_eq!(account.state().revisions.len(), 1);

    // Behind an error of ECS itself.
    for status in [500, 503] {
        let (aws, account) = registered(|body| body["cpu"] = json!("512"));
        let broken = account.clone();
        aws.answer_with(ecs("RegisterTaskDefinition"), move |body| {
            register(&mut broken.state(), body);
            (
                status,
                json!({"__type": "ServerException", "message": "Service Unavailable."}),
            )
        });
        let output = tool(&aws).args(["-o", "json"]).run().exits(0);
        assert_eq!(output.json()["items"][0]["action"], "register");
        output.says_once("web: updated\n  cpu: 512 -> 256\n");
        assert_eq!(writes(&aws), ["RegisterTaskDefinition"]);
        assert_eq!(account.state().revisions.len(), 2);
    }
}

#[test]
fn a_revision_that_was_not_registered_is_sent_again_but_not_for_ever() {
    let (aws, account) = Account::ready();
    aws.cut_once(ecs("RegisterTaskDefinition"));
    tool(&aws)
        .run()
        .exits(0)
        .prints(&arn(1))
        .says_once("web: created\n");
    assert_eq!(writes(&aws), ["RegisterTaskDefinition"; 2]);
    assert_eq!(account.state().revisions.len(), 1);

    let (aws, _account) = Account::ready();
    aws.cut(ecs("RegisterTaskDefinition"));
    let output = tool(&aws).run().exits(2);
    assert!(output.elapsed < Duration::from_secs(10), "{:?}", output.elapsed);
    output
        .says("failed to register task definition `web`: ecs:RegisterTaskDefinition got no answer: ")
        .says("hint: the change may have been applied; re-run to check and continue\n");
    assert_eq!(writes(&aws), ["RegisterTaskDefinition"; 3]);
    // There is a look after the last attempt too.
    assert_eq!(aws.bodies(ecs("DescribeTaskDefinition")).len(), 4);
}

#[test]
fn without_permission_to_look_the_call_is_not_sent_again() {
    let (aws, account) = Account::ready();
    let lost = account.clone();
    let missing = json!({"__type": "ClientException", "message": "Unable to describe task definition."});
    aws.answer_once(ecs("DescribeTaskDefinition"), 400, missing);
    aws.refuse(
        ecs("DescribeTaskDefinition"),
        "AccessDeniedException",
        "no longer",
    );
    aws.lose_once(ecs("RegisterTaskDefinition"), move |body| {
        register(&mut lost.state(), body)
    });
    tool(&aws)
        .run()
        .exits(2)
        .says("failed to register task definition `web`: ecs:RegisterTaskDefinition got no answer: ")
        .says("hint: the change may have been applied; re-run to check and continue\n");
    assert_eq!(writes(&aws), ["RegisterTaskDefinition"]);
    assert_eq!(account.state().revisions.len(), 1);
}

#[test]
fn what_is_lost_while_another_run_registers_is_found_as_well() {
    let (aws, account) = Account::ready();
    let lost = account.clone();
    aws.cut_once(ecs("RegisterTaskDefinition"));
    // The first call is still being processed.
    aws.answer_with(ecs("RegisterTaskDefinition"), move |_| {
        register(&mut lost.state(), &expanded());
        (400, json!({"__type": "ClientException", "message": CONCURRENT}))
    });
    tool(&aws)
        .run()
        .exits(0)
        .prints(&arn(1))
        .says_once("web: created\n");
    assert_eq!(writes(&aws), ["RegisterTaskDefinition"; 2]);
}

#[test]
fn a_throttled_registration_is_sent_again_without_a_look() {
    let (aws, account) = Account::ready();
    for _ in 0..4 {
        aws.refuse_once(
            ecs("RegisterTaskDefinition"),
            "ThrottlingException",
            "Rate exceeded",
        );
    }
    tool(&aws)
        .arg("-v")
        .run()
        .exits(0)
        .prints(&arn(1))
        .says("ECS is throttling: trying again in ");
    assert_eq!(writes(&aws), ["RegisterTaskDefinition"; 5]);
    assert_eq!(aws.bodies(ecs("DescribeTaskDefinition")).len(), 1);
    assert_eq!(account.state().revisions.len(), 1);
}

#[test]
fn throttling_and_cut_connections_are_tried_again() {
    let targets = [
        ecs("DescribeTaskDefinition"),
        ecs("RegisterTaskDefinition"),
        ecr("BatchGetImage"),
        ecr("GetDownloadUrlForLayer"),
        logs("DescribeLogGroups"),
        ssm("GetParameters"),
    ];
    for target in &targets {
        let (aws, account) = Account::ready();
        aws.refuse_once(target, "ThrottlingException", "Rate exceeded");
        tool(&aws).run().exits(0).prints(&arn(1));
        assert_eq!(aws.bodies(target).len(), 2, "{target}");
        assert_eq!(account.state().revisions.len(), 1);
    }
    let (aws, _account) = Account::ready();
    for target in &targets {
        aws.cut_once(target);
    }
    tool(&aws).run().exits(0).prints(&arn(1));
}

#[test]
fn throttling_without_end_says_so() {
    for (target, operation) in [
        (ecs("DescribeTaskDefinition"), "ecs:DescribeTaskDefinition"),
        (ecs("RegisterTaskDefinition"), "ecs:RegisterTaskDefinition"),
        (ecr("BatchGetImage"), "ecr:BatchGetImage"),
        (logs("DescribeLogGroups"), "logs:DescribeLogGroups"),
        (ssm("GetParameters"), "ssm:GetParameters"),
    ] {
        let (aws, account) = Account::ready();
        aws.refuse(&target, "ThrottlingException", "Rate exceeded");
        tool(&aws)
            .run()
            .exits(2)
            .says(&format!("{operation} failed: ThrottlingException: Rate exceeded"))
            .says("hint: throttled; safe to re-run");
        assert_eq!(account.state().revisions.len(), 0);
    }
    let (aws, _account) = Account::ready();
    aws.answer_query("GetRole", 400, &xml_refusal("Throttling", "Rate exceeded"));
    tool(&aws)
        .run()
        .exits(2)
        .says("failed to describe role `Execution`: iam:GetRole failed: Throttling: Rate exceeded");
}

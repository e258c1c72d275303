//! An account that is new to ECS.

use super::ecs::{Ecs, iam_makes_the_role, iam_refuses, right, with, writes};
use super::{tool, with_line};
use serde_json::json;
use std::time::Duration;
use support::aws::{FakeAws, ecs};

const UNABLE: &str =
    "Unable to assume the service linked role. Please verify that the ECS service linked role exists.";

fn without_the_role() -> (FakeAws, Ecs) {
    let (aws, all) = Ecs::start(None);
    iam_refuses(&aws, "GetRole", 404, "NoSuchEntity", "The role cannot be found.");
    iam_makes_the_role(&aws);
    (aws, all)
}

#[test]
fn an_account_without_the_role_gets_it_before_the_cluster() {
    let (aws, _) = without_the_role();
    let plan = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0);
    assert_eq!(plan.json()["items"][0]["kind"], "service_linked_role");
    plan.says("AWSServiceRoleForECS: would be created\ncruddur: would be created\n");
    assert_eq!(writes(&aws), [""; 0]);

    let output = tool(&aws).args(["-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(
        document["items"][0],
        json!({"kind": "service_linked_role", "name": "AWSServiceRoleForECS", "action": "create", "changes": []})
    );
    assert_eq!(document["items"][1]["name"], "cruddur");
    output.says("AWSServiceRoleForECS: created\ncruddur: created\n");
    assert_eq!(writes(&aws), ["CreateServiceLinkedRole", "CreateCluster"]);
    assert_eq!(
        aws.bodies("CreateServiceLinkedRole")[0]["AWSServiceName"],
        "ecs.amazonaws.com"
    );
}

#[test]
fn a_role_that_somebody_else_has_just_made_is_fine() {
    let taken = "Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix.";
    for (code, message) in [("InvalidInput", taken), ("EntityAlreadyExists", "there")] {
        let (aws, _) = without_the_role();
        iam_refuses(&aws, "CreateServiceLinkedRole", 400, code, message);
        let output = tool(&aws).run().exits(0).says("cruddur: created");
        assert!(
            !output.stderr.contains("AWSServiceRoleForECS: created"),
            "{}",
            output.stderr
        );
    }
    let (aws, _) = without_the_role();
    iam_refuses(
        &aws,
        "CreateServiceLinkedRole",
        400,
        "InvalidInput",
        "something else",
    );
    tool(&aws)
        .run()
        .exits(2)
        .says("iam:CreateServiceLinkedRole refused with InvalidInput: something else");
    assert_eq!(writes(&aws), ["CreateServiceLinkedRole"]);
}

#[test]
fn a_role_that_may_not_be_made_is_an_error_before_the_cluster() {
    let (aws, _) = without_the_role();
    iam_refuses(
        &aws,
        "CreateServiceLinkedRole",
        403,
        "AccessDenied",
        "User: ci is not authorized",
    );
    tool(&aws)
        .run()
        .exits(2)
        .says("failed to create the service-linked role `AWSServiceRoleForECS`: iam:CreateServiceLinkedRole refused with AccessDenied: User: ci")
        .says("hint: allow `iam:CreateServiceLinkedRole`");
    assert_eq!(writes(&aws), ["CreateServiceLinkedRole"]);
}

#[test]
fn who_may_not_look_for_the_role_is_told_and_goes_on() {
    let (aws, _) = Ecs::start(None);
    iam_refuses(&aws, "GetRole", 403, "AccessDenied", "User: ci is not authorized");
    tool(&aws)
        .run()
        .exits(0)
        .says("warning: service-linked role `AWSServiceRoleForECS` not judged: iam:GetRole refused with AccessDenied")
        .says("cruddur: created");
    let (aws, _) = Ecs::start(None);
    iam_refuses(&aws, "GetRole", 500, "ServiceFailure", "broken");
    tool(&aws)
        .run()
        .exits(2)
        .says("failed to look for the service-linked role");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_role_that_is_not_usable_yet_is_waited_for() {
    let (aws, _) = Ecs::start(None);
    iam_makes_the_role(&aws);
    for _ in 0..3 {
        aws.refuse_once(ecs("CreateCluster"), "InvalidParameterException", UNABLE);
    }
    let output = tool(&aws).arg("-v").run().exits(0);
    output
        .says("the service-linked role `AWSServiceRoleForECS` is not usable yet: trying again in ")
        .says("AWSServiceRoleForECS: created\n")
        .says("cruddur: created\n");
    // Made once, however often ECS refuses.
    let expected = [
        "CreateCluster",
        "CreateServiceLinkedRole",
        "CreateCluster",
        "CreateCluster",
        "CreateCluster",
    ];
    assert_eq!(writes(&aws), expected);
}

#[test]
fn the_same_holds_for_an_update() {
    let (aws, _) = Ecs::start(Some(right()));
    iam_makes_the_role(&aws);
    aws.refuse_once(
        ecs("PutClusterCapacityProviders"),
        "InvalidParameterException",
        UNABLE,
    );
    with_line(&aws, "capacity_providers = [\"FARGATE\"]")
        .run()
        .exits(0);
    let expected = [
        "PutClusterCapacityProviders",
        "CreateServiceLinkedRole",
        "PutClusterCapacityProviders",
    ];
    assert_eq!(writes(&aws), expected);
}

#[test]
fn a_refused_role_gives_ecs_a_moment_and_then_names_the_cause() {
    let (aws, _) = Ecs::start(None);
    aws.refuse(ecs("CreateCluster"), "InvalidParameterException", UNABLE);
    iam_refuses(
        &aws,
        "CreateServiceLinkedRole",
        403,
        "AccessDenied",
        "User: ci is not authorized",
    );
    let output = tool(&aws).run().exits(2);
    assert!(output.elapsed < Duration::from_secs(15), "{:?}", output.elapsed);
    output
        .says(&format!(
            "failed to create cluster `cruddur`: ecs:CreateCluster refused with InvalidParameterException: {UNABLE}: \
             failed to create the service-linked role `AWSServiceRoleForECS`: iam:CreateServiceLinkedRole refused with AccessDenied"
        ))
        .says("hint: allow `iam:CreateServiceLinkedRole`");
    assert_eq!(aws.bodies("CreateServiceLinkedRole").len(), 1);
    let tries = aws.bodies(ecs("CreateCluster")).len();
    assert!((4..15).contains(&tries), "{tries}");
}

#[test]
fn a_refusal_with_another_text_is_not_tried_again() {
    let (aws, _) = Ecs::start(None);
    aws.refuse(
        ecs("CreateCluster"),
        "InvalidParameterException",
        "Some other parameter.",
    );
    tool(&aws)
        .run()
        .exits(2)
        .says("InvalidParameterException: Some other parameter.");
    assert_eq!(writes(&aws), ["CreateCluster"]);
    let (aws, _) = Ecs::start(Some(with("tags", json!([]))));
    aws.refuse(
        ecs("TagResource"),
        "InvalidParameterException",
        "Some other parameter.",
    );
    tool(&aws).run().exits(2);
    assert_eq!(writes(&aws), ["TagResource"]);
}

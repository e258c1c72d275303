//! An account that is new to ECS.

use super::ecs::{Ecs, ROLE, iam_makes_the_role, iam_refuses, right, with, writes};
use super::{tool, with_line};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::aws::{FakeAws, ecs, xml_refusal};

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
    assert_eq!(plan.json()["items"][0]["kind"], "service-linked-role");
    plan.says("AWSServiceRoleForECS: would be created\ncruddur: would be created\n");
    assert_eq!(writes(&aws), [""; 0]);

    let output = tool(&aws).args(["-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(
        document["items"][0],
        json!({"kind": "service-linked-role", "name": "AWSServiceRoleForECS", "action": "create", "changes": []})
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
fn a_role_that_another_caller_has_just_made_is_fine() {
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
}

#[test]
fn a_role_whose_answer_was_lost_is_ours() {
    let (aws, _) = without_the_role();
    iam_refuses(
        &aws,
        "CreateServiceLinkedRole",
        400,
        "EntityAlreadyExists",
        "there",
    );
    aws.cut_once("CreateServiceLinkedRole");
    tool(&aws)
        .run()
        .exits(0)
        .says("AWSServiceRoleForECS: created\ncruddur: created\n");
    assert_eq!(aws.bodies("CreateServiceLinkedRole").len(), 2);
}

#[test]
fn without_the_permission_to_create_the_role_the_cluster_is_made_and_the_role_reported() {
    let refused = |aws: &FakeAws, code: &str, message: &str| {
        iam_refuses(aws, "CreateServiceLinkedRole", 403, code, message);
    };
    let warning = "warning: could not create the service-linked role `AWSServiceRoleForECS`; ECS may create it itself\n";
    for (code, message) in [
        ("AccessDenied", "User: ci is not authorized"),
        ("InvalidInput", "something else"),
    ] {
        let (aws, _) = without_the_role();
        refused(&aws, code, message);
        let output = tool(&aws).args(["-o", "json"]).run().exits(4);
        let document = output.json();
        assert_eq!(document["outcome"], "partial");
        assert_eq!(document["error"]["code"], code);
        assert_eq!(document["items"].as_array().map(Vec::len), Some(1), "{document}");
        assert_eq!(document["items"][0]["action"], "create");
        output.says_once(warning).says("cruddur: created").says(&format!(
            "failed to create the service-linked role `AWSServiceRoleForECS`: iam:CreateServiceLinkedRole failed: {code}: {message}"
        ));
        assert_eq!(writes(&aws), ["CreateServiceLinkedRole", "CreateCluster"]);
    }

    // A cluster that is as desired is reported with the error.
    let (aws, all) = without_the_role();
    all.lock().cluster = Some(right());
    refused(&aws, "AccessDenied", "User: ci is not authorized");
    let output = tool(&aws).args(["-o", "json"]).run().exits(2);
    let document = output.json();
    assert_eq!(document["outcome"], "failed");
    assert_eq!(document["items"][0]["action"], "none");
    output
        .says("cruddur: unchanged")
        .says("hint: grant `iam:CreateServiceLinkedRole` to the caller");
    assert_eq!(writes(&aws), ["CreateServiceLinkedRole"]);

    // ECS has created the role itself.
    let (aws, _) = without_the_role();
    refused(&aws, "AccessDenied", "User: ci is not authorized");
    let missing = xml_refusal("NoSuchEntity", "The role cannot be found.");
    let looks = AtomicUsize::new(0);
    aws.answer_query_with("GetRole", move |_| match looks.fetch_add(1, Ordering::SeqCst) {
        0 => (404, missing.clone()),
        _ => (200, ROLE.to_owned()),
    });
    tool(&aws)
        .run()
        .exits(0)
        .says_once(warning)
        .says("cruddur: created");
}

#[test]
fn a_denied_look_for_the_role_is_a_warning() {
    let (aws, _) = Ecs::start(None);
    iam_refuses(&aws, "GetRole", 403, "AccessDenied", "User: ci is not authorized");
    tool(&aws)
        .run()
        .exits(0)
        .says("warning: service-linked role `AWSServiceRoleForECS` not judged: iam:GetRole failed: AccessDenied")
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
fn an_account_with_a_cluster_gets_the_role_as_well() {
    let (aws, all) = without_the_role();
    all.lock().cluster = Some(right());
    let dry = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0);
    let document = dry.json();
    assert_eq!(document["outcome"], "planned");
    assert_eq!(document["items"][0]["name"], "AWSServiceRoleForECS");
    assert_eq!(document["items"][1]["action"], "none");
    dry.says("AWSServiceRoleForECS: would be created\ncruddur: unchanged\n");
    tool(&aws).arg("--check").run().exits(1);
    assert_eq!(writes(&aws), [""; 0]);

    let output = tool(&aws).args(["-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(document["items"][0]["action"], "create");
    assert_eq!(document["items"][1]["action"], "none");
    output.says_once("AWSServiceRoleForECS: created\ncruddur: unchanged\n");
    assert_eq!(writes(&aws), ["CreateServiceLinkedRole"]);
}

#[test]
fn the_role_is_looked_for_while_the_cluster_is_described() {
    let (aws, _) = Ecs::start(Some(right()));
    aws.stall(ecs("DescribeClusters"));
    tool(&aws).args(["--timeout", "1s"]).run().exits(3);
    assert_eq!(aws.bodies("GetRole").len(), 1);
}

#[test]
fn a_denied_look_for_the_role_is_a_warning_only_when_something_changes() {
    let (aws, _) = Ecs::start(Some(right()));
    iam_refuses(&aws, "GetRole", 403, "AccessDenied", "User: ci is not authorized");
    let words = "service-linked role `AWSServiceRoleForECS` not judged: iam:GetRole failed: AccessDenied";
    for arguments in [vec![], vec!["--check"], vec!["--dry-run"]] {
        let output = tool(&aws).args(arguments).run().exits(0);
        output.says("cruddur: unchanged").does_not_say("not judged");
    }
    tool(&aws).arg("-v").run().exits(0).says(words);
    let drifted = || with_line(&aws, "container_insights = \"enabled\"");
    let warning = format!("warning: {words}");
    drifted().arg("--dry-run").run().exits(0).says_once(&warning);
    drifted()
        .run()
        .exits(0)
        .says_once(&warning)
        .says("cruddur: updated");
}

#[test]
fn an_iam_that_does_not_respond_is_no_error_for_an_existing_cluster() {
    let (aws, _) = Ecs::start(Some(right()));
    iam_refuses(&aws, "GetRole", 500, "ServiceFailure", "broken");
    tool(&aws)
        .run()
        .exits(0)
        .says("warning: service-linked role `AWSServiceRoleForECS` not judged: iam:GetRole failed: ServiceFailure: broken")
        .says("cruddur: unchanged");
    aws.stall("GetRole");
    let output = tool(&aws).run().exits(0);
    assert!(output.elapsed < Duration::from_secs(8), "{:?}", output.elapsed);
    output.says("warning: service-linked role `AWSServiceRoleForECS` not judged: iam:GetRole got no response within 5 s");
    // Where the cluster must be created, it is unknown whether that succeeds.
    let (aws, _) = Ecs::start(None);
    aws.stall("GetRole");
    tool(&aws)
        .run()
        .exits(2)
        .says("failed to look for the service-linked role `AWSServiceRoleForECS`: iam:GetRole got no response within 5 s");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_role_that_was_made_is_reported_whatever_fails_behind_it() {
    let (aws, all) = without_the_role();
    all.lock().cluster = Some(right());
    aws.refuse(ecs("UpdateCluster"), "AccessDeniedException", "no");
    let tool_ = with_line(&aws, "container_insights = \"enabled\"");
    let output = tool_.args(["-o", "json"]).run().exits(4);
    let document = output.json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["error"]["code"], "AccessDeniedException");
    assert_eq!(document["items"].as_array().map(Vec::len), Some(1), "{document}");
    assert_eq!(document["items"][0]["name"], "AWSServiceRoleForECS");
    output.says_once("AWSServiceRoleForECS: created\n");

    // The role is created during the run: the read of it was denied, and ECS misses it.
    let (aws, _) = Ecs::start(Some(right()));
    iam_refuses(&aws, "GetRole", 403, "AccessDenied", "no");
    iam_makes_the_role(&aws);
    aws.refuse_once(ecs("UpdateCluster"), "InvalidParameterException", UNABLE);
    aws.refuse(ecs("UpdateCluster"), "AccessDeniedException", "no");
    let tool_ = with_line(&aws, "container_insights = \"enabled\"");
    let document = tool_.args(["-o", "json"]).run().exits(4).json();
    assert_eq!(document["items"][0]["name"], "AWSServiceRoleForECS");

    // The cluster is being deleted, and then the caller may not read it any more.
    let (aws, _) = without_the_role();
    let going = json!({"clusters": [with("status", json!("DEPROVISIONING"))]});
    aws.answer_once(ecs("DescribeClusters"), 200, going);
    aws.refuse(ecs("DescribeClusters"), "AccessDeniedException", "no longer");
    let document = tool(&aws).args(["-o", "json"]).run().exits(4).json();
    assert_eq!(document["items"][0]["name"], "AWSServiceRoleForECS");
    assert_eq!(document["error"]["code"], "AccessDeniedException");
}

#[test]
fn no_role_is_made_for_a_cluster_that_is_failed() {
    let (aws, all) = without_the_role();
    all.lock().cluster = Some(with("status", json!("FAILED")));
    tool(&aws).run().exits(2).says("it is FAILED");
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
    // The role is created once, however often ECS refuses.
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
            "failed to create cluster `cruddur`: ecs:CreateCluster failed: InvalidParameterException: {UNABLE}: \
             failed to create the service-linked role `AWSServiceRoleForECS`: iam:CreateServiceLinkedRole failed: AccessDenied"
        ))
        .says("hint: grant `iam:CreateServiceLinkedRole`");
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

//! Answers of AWS that are out of the ordinary: none, many pages, a namespace that can't be read.

use super::fake::{self, ARN, answers, deploy, described, revision, service, tool, with, writes};
use serde_json::{Value, json};
use support::aws::{FakeAws, cloud_map, ecs};

#[test]
fn an_answer_without_services_is_not_taken_for_none() {
    for answer in [json!({}), json!({"services": null, "failures": []})] {
        let aws = fake::start();
        aws.answer(ecs("DescribeServices"), 200, answer);
        deploy(&aws, &[])
            .run()
            .exits(2)
            .says("failed to describe service `web`: ecs:DescribeServices response omitted `services`");
        assert_eq!(writes(&aws), [""; 0]);
    }
}

#[test]
fn a_creation_whose_answer_was_lost_is_sent_again_as_the_same_one() {
    let aws = fake::start();
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    aws.cut_once(ecs("CreateService"));
    aws.answer(
        ecs("CreateService"),
        200,
        json!({"service": service(&["new PRIMARY 2 IN_PROGRESS"])}),
    );
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    deploy(&aws, &[]).run().exits(0).says("web: created\n");
    let tokens: Vec<Value> = aws
        .bodies(ecs("CreateService"))
        .iter()
        .map(|body| body["clientToken"].clone())
        .collect();
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[0], tokens[1]);
    assert!(
        tokens[0].as_str().is_some_and(|token| token.len() == 32),
        "{tokens:?}"
    );
    // Another run is another request.
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    deploy(&aws, &["--no-wait"]).run().exits(0);
    let last = aws.bodies(ecs("CreateService"));
    assert_ne!(last.last().unwrap()["clientToken"], tokens[0]);
}

/// The service, which shows its namespace by this ARN.
fn connected_to(arn: &str) -> FakeAws {
    let aws = fake::start();
    let mut seen = service(&["new PRIMARY 2 COMPLETED"]);
    seen["deployments"][0]["serviceConnectConfiguration"]["namespace"] = arn.into();
    answers(&aws, &[seen]);
    aws
}

const NAMESPACE: &str = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1";

#[test]
fn a_namespace_that_the_file_names_by_its_arn_is_not_asked_for() {
    for arn in [
        NAMESPACE,
        "arn:aws:servicediscovery:us-east-1:210987654321:namespace/ns-2",
    ] {
        let aws = connected_to(arn);
        let file = fake::FILE.replace("${cluster.service_connect_namespace}", arn);
        deploy(&aws, &["--check"])
            .file("service.json", file)
            .run()
            .exits(0);
        assert!(!aws.targets().contains(&cloud_map("GetNamespace")), "{arn}");
    }
}

#[test]
fn a_namespace_that_is_gone_differs_from_any() {
    let aws = connected_to(NAMESPACE);
    aws.refuse(cloud_map("GetNamespace"), "NamespaceNotFound", "no such");
    deploy(&aws, &["--check"]).run().exits(1).says(&format!(
        "serviceConnectConfiguration.namespace: {NAMESPACE} -> apps\n"
    ));
}

#[test]
fn a_namespace_of_another_account_is_asked_for_by_its_arn() {
    let shared = "arn:aws:servicediscovery:us-east-1:210987654321:namespace/ns-2";
    let aws = connected_to(shared);
    aws.answer(
        cloud_map("GetNamespace"),
        200,
        json!({"Namespace": {"Id": "ns-2", "Arn": shared, "Name": "apps"}}),
    );
    deploy(&aws, &["--check"]).run().exits(0);
    assert_eq!(aws.bodies(cloud_map("GetNamespace")), [json!({"Id": shared})]);
}

#[test]
fn a_namespace_that_may_not_be_read_is_named_with_the_way_around() {
    let aws = connected_to(NAMESPACE);
    aws.refuse(
        cloud_map("GetNamespace"),
        "AccessDeniedException",
        "User: ci may not",
    );
    deploy(&aws, &[])
        .run()
        .exits(2)
        .says("servicediscovery:GetNamespace failed: AccessDeniedException")
        .says(&format!(
            "or name the namespace by its ARN in the file: {NAMESPACE}"
        ));
    assert_eq!(writes(&aws), [""; 0]);
}

/// A service whose stopped tasks fill more than one page; the task of this deployment is the last.
#[test]
fn the_cause_is_found_on_a_later_page() {
    let aws = fake::start();
    let begun = service(&["new PRIMARY 2 IN_PROGRESS"]);
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    aws.answer(ecs("CreateService"), 200, json!({"service": begun}));
    answers(
        &aws,
        &[begun, service(&["new PRIMARY 2 FAILED | tasks failed to start."])],
    );
    let arn = |number: usize| format!("arn:aws:ecs:us-east-1:123456789012:task/apps/{number:04}");
    aws.answer_with(ecs("ListTasks"), move |body| {
        let page = match body["nextToken"].as_str() {
            None => json!({"taskArns": (0..100).map(arn).collect::<Vec<_>>(), "nextToken": "2"}),
            Some(_) => json!({"taskArns": (100..130).map(arn).collect::<Vec<_>>()}),
        };
        (200, page)
    });
    aws.answer_with(ecs("DescribeTasks"), move |body| {
        let asked = body["tasks"].as_array().unwrap();
        if asked.len() > 100 {
            let message = "Tasks can have at most 100 items.";
            return (
                400,
                json!({"__type": "InvalidParameterException", "message": message}),
            );
        }
        let task = |name: &Value| {
            let ours = name.as_str().is_some_and(|name| name.ends_with("/0129"));
            json!({
                "taskArn": name, "lastStatus": "STOPPED",
                "startedBy": if ours { "ecs-svc/new" } else { "ecs-svc/old" },
                "stoppedReason": if ours { "CannotPullContainerError: no such image" } else { "scaled" },
                "containers": [],
            })
        };
        (200, json!({"tasks": asked.iter().map(task).collect::<Vec<_>>()}))
    });
    deploy(&aws, &[])
        .run()
        .exits(1)
        .says("task 0129 stopped: CannotPullContainerError: no such image");
    let status = tool(&aws, &["status", "-o", "json"]).run().json();
    assert_eq!(status["items"][0]["tasks"].as_array().unwrap().len(), 130);
}

#[test]
fn a_capacity_provider_strategy_is_changed_with_a_new_deployment() {
    let aws = fake::start();
    let strategy = |name: &str| json!([{"capacityProvider": name, "weight": 1, "base": 0}]);
    let on_demand = move |deployments: &[&str]| {
        let service = with(
            service(deployments),
            "capacityProviderStrategy",
            strategy("FARGATE"),
        );
        with(service, "launchType", Value::Null)
    };
    answers(&aws, &[on_demand(&["old PRIMARY 2 COMPLETED"])]);
    aws.answer_with(ecs("UpdateService"), move |body| {
        if body["forceNewDeployment"] == true {
            return (200, json!({"service": on_demand(&["new PRIMARY 2 IN_PROGRESS"])}));
        }
        let message = "When making a change to a capacity provider strategy you must force a new deployment.";
        (
            400,
            json!({"__type": "InvalidParameterException", "message": message}),
        )
    });
    let mut file: Value = serde_json::from_str(fake::FILE).unwrap();
    file.as_object_mut().unwrap().remove("launchType");
    file["capacityProviderStrategy"] = json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}]);
    let flags: [&[&str]; 2] = [&["--no-wait"], &["--no-wait", "--force-new-deployment"]];
    for flags in flags {
        deploy(&aws, flags)
            .file("service.json", file.to_string())
            .run()
            .exits(0)
            .prints(ARN);
    }
    let sent = aws.bodies(ecs("UpdateService"));
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0]["taskDefinition"], Value::Null, "{}", revision(2));
}

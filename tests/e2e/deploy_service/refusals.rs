//! Each call that `deploy-service` sends: throttled once it succeeds, denied it is named as IAM spells it.

use super::fake::{self, answers, deploy, described, service, tool, with};
use serde_json::json;
use support::Output;
use support::aws::{FakeAws, cloud_map, ecs, logs};

const TASK: &str = "arn:aws:ecs:us-east-1:123456789012:task/apps/0123abcd";
const NAMESPACE: &str = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1";

/// AWS on which every command of [`commands`] goes well: revision 1 runs without tags, and its namespace is shown by
/// its ARN. The first of the calls that `refused` names is refused.
fn ready(refused: Option<(&str, &str, &str)>) -> FakeAws {
    let aws = fake::start();
    if let Some((call, code, message)) = refused {
        aws.refuse_once(call, code, message);
    }
    let mut old = service(&["old PRIMARY 1 COMPLETED"]);
    old["tags"] = json!([]);
    old["deployments"][0]["serviceConnectConfiguration"]["namespace"] = NAMESPACE.into();
    answers(&aws, &[old, service(&["new PRIMARY 2 COMPLETED"])]);
    aws.answer(
        cloud_map("GetNamespace"),
        200,
        json!({"Namespace": {"Id": "ns-1", "Arn": NAMESPACE, "Name": "apps"}}),
    );
    aws.answer(ecs("TagResource"), 200, json!({}));
    let begun = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
    aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
    aws.answer(ecs("ListTasks"), 200, json!({"taskArns": [TASK]}));
    let task = json!({"taskArn": TASK, "lastStatus": "PROVISIONING", "containers": [{"name": "web"}]});
    aws.answer(ecs("RunTask"), 200, json!({"tasks": [task], "failures": []}));
    aws.answer(
        ecs("DescribeTasks"),
        200,
        json!({"tasks": [{
            "taskArn": TASK, "lastStatus": "STOPPED", "desiredStatus": "STOPPED", "startedBy": "another",
            "containers": [{"name": "web", "exitCode": 0}],
        }]}),
    );
    aws.answer_with(logs("GetLogEvents"), |body| {
        let line = json!({"timestamp": 1, "message": "one"});
        let events = if body["nextToken"].is_null() {
            json!([line])
        } else {
            json!([])
        };
        (200, json!({"events": events, "nextForwardToken": "f/1"}))
    });
    aws.answer(logs("FilterLogEvents"), 200, json!({"events": []}));
    aws
}

/// Each command with the calls that it needs.
fn commands() -> Vec<(Vec<&'static str>, Vec<String>)> {
    vec![
        (
            vec!["--poll", "20ms"],
            vec![
                ecs("DescribeServices"),
                ecs("DescribeTaskDefinition"),
                cloud_map("GetNamespace"),
                ecs("TagResource"),
                ecs("UpdateService"),
            ],
        ),
        (
            vec!["status"],
            vec![ecs("DescribeServices"), ecs("ListTasks"), ecs("DescribeTasks")],
        ),
        (
            vec!["run", "--poll", "20ms", "--", "true"],
            vec![ecs("DescribeTaskDefinition"), ecs("RunTask")],
        ),
        (
            vec!["logs"],
            vec![
                ecs("DescribeServices"),
                ecs("DescribeTaskDefinition"),
                logs("FilterLogEvents"),
            ],
        ),
    ]
}

/// `ecs:DescribeServices` of a target.
fn spelled(target: &str) -> String {
    let (service, operation) = target.split_once('.').unwrap();
    let service = match service.split('_').next().unwrap() {
        "Logs" => "logs",
        "Route53AutoNaming" => "servicediscovery",
        _ => "ecs",
    };
    format!("{service}:{operation}")
}

#[test]
fn a_call_that_is_throttled_once_succeeds() {
    for (arguments, calls) in commands() {
        let undisturbed = tool(&ready(None), &arguments).run();
        for call in calls {
            let aws = ready(Some((&call, "ThrottlingException", "Rate exceeded")));
            let output = tool(&aws, &arguments).run().exits(undisturbed.code.unwrap());
            assert_eq!(output.stdout, undisturbed.stdout, "{arguments:?} {call}");
            let asked = |aws: &FakeAws| aws.targets().iter().filter(|target| **target == call).count();
            assert!(asked(&aws) >= 2, "{arguments:?} {call}: {:?}", aws.targets());
        }
    }
}

#[test]
fn a_call_that_is_denied_is_named_as_iam_spells_it() {
    for (arguments, calls) in commands() {
        for call in calls {
            let aws = ready(Some((
                &call,
                "AccessDeniedException",
                "User: ci is not authorized",
            )));
            let output: Output = tool(&aws, &arguments).run();
            // The tags that were set before are reported.
            let partial = call == ecs("UpdateService");
            let output = output.exits(if partial { 4 } else { 2 });
            let name = spelled(&call);
            output
                .says(&format!(
                    "{name} failed: AccessDeniedException: User: ci is not authorized"
                ))
                .says("hint: ")
                .says(&name);
        }
    }
    // Only where ECS does not know the cluster.
    let aws = fake::start();
    aws.refuse(
        ecs("DescribeServices"),
        "ClusterNotFoundException",
        "Cluster not found.",
    );
    aws.refuse(ecs("DescribeClusters"), "AccessDeniedException", "no");
    deploy(&aws, &[])
        .run()
        .exits(2)
        .says("ecs:DescribeClusters failed: AccessDeniedException")
        .says("hint: grant `ecs:DescribeClusters` to ");
}

#[test]
fn an_update_is_retried_while_ecs_does_not_know_the_resource_yet() {
    for (code, message) in [
        (
            "ClientException",
            "ECS was unable to assume the role 'x' that was provided for this task.",
        ),
        (
            "NamespaceNotFoundException",
            "Failed to retrieve namespace for apps",
        ),
    ] {
        let aws = ready(Some((&ecs("UpdateService"), code, message)));
        deploy(&aws, &["-v"]).run().exits(0).says(": trying again in ");
        assert_eq!(aws.bodies(ecs("UpdateService")).len(), 2, "{code}");
    }
}

#[test]
fn another_region_and_another_app_are_deployed_alike() {
    let aws = fake::start();
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    let arn = "arn:aws:ecs:eu-west-1:123456789012:service/shop/front";
    let made = |deployments: &[&str]| {
        let made = with(service(deployments), "serviceName", "front".into());
        with(made, "serviceArn", arn.into())
    };
    aws.answer(
        ecs("CreateService"),
        200,
        json!({"service": made(&["new PRIMARY 2 IN_PROGRESS"])}),
    );
    answers(&aws, &[made(&["new PRIMARY 2 COMPLETED"])]);
    let config = fake::CONFIG.replace("\"apps\"", "\"shop\"").replace(
        "service_connect_namespace = \"shop\"",
        "service_connect_namespace = \"mesh\"",
    );
    let file = fake::FILE.replace("\"serviceName\": \"web\"", "\"serviceName\": \"front\"");
    tool(&aws, &["--region", "eu-west-1", "--poll", "20ms"])
        .config_text(&config)
        .file("service.json", file)
        .run()
        .exits(0)
        .prints(arn)
        .says("front: web:2 is deployed, its deployment COMPLETED");
    let body = aws.bodies(ecs("CreateService"))[0].clone();
    assert_eq!(body["cluster"], "shop");
    assert_eq!(body["serviceName"], "front");
    assert_eq!(body["serviceConnectConfiguration"]["namespace"], "mesh");
}

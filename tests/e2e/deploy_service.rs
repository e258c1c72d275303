//! `deploy-service`: describe, compare, change in one call, and wait for that very deployment.

mod answers;
mod apart;
mod failures;
mod fake;
mod hints;
mod interrupted;
mod logs;
mod one_off;
mod refusals;
mod rollback;
mod rollout;
mod sandbox;
mod stopped;

use fake::{ARN, answers, deploy, described, revision, service, tool, with, writes};
use serde_json::json;
use support::aws::{FakeAws, cloud_map, ecs};

#[test]
fn makes_it_on_a_clean_account_and_leaves_it_alone_the_second_time() {
    let aws = fake::start();
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    let begun = service(&["new PRIMARY 2 IN_PROGRESS"]);
    aws.answer(ecs("CreateService"), 200, json!({"service": begun}));
    answers(
        &aws,
        &[
            begun,
            service(&["new PRIMARY 2 COMPLETED | ECS deployment completed."]),
        ],
    );
    assert_eq!(
        deploy(&aws, &[]).transcript(),
        format!(
            "exit: 0\n\
             --- stdout\n\
             {ARN}\n\
             --- stderr\n\
             deploy-service: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n\
             web: created\n  \
             taskDefinition: (none) -> web:2\n  \
             desiredCount: (none) -> 1\n  \
             deploymentCircuitBreaker: (none) -> {{\"enable\":true,\"rollback\":true}}\n  \
             subnets: (none) -> [\"subnet-1\",\"subnet-2\"]\n  \
             securityGroups: (none) -> [\"sg-1\"]\n  \
             serviceConnectConfiguration.namespace: (none) -> apps\n  \
             tags.app: (none) -> e2e\n\
             web: web:2 IN_PROGRESS, 0 of 1 running, 1 pending\n\
             web: web:2 COMPLETED, 1 of 1 running\n\
             web: web:2 is deployed, its deployment COMPLETED\n"
        )
    );
    let mut sent = aws.bodies(ecs("CreateService"));
    sent[0].as_object_mut().unwrap().remove("clientToken").unwrap();
    assert_eq!(
        sent,
        [json!({
            "cluster": "apps",
            "serviceName": "web",
            "taskDefinition": revision(2),
            "launchType": "FARGATE",
            "desiredCount": 1,
            "propagateTags": "SERVICE",
            "networkConfiguration": {"awsvpcConfiguration": {
                "assignPublicIp": "ENABLED", "subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"],
            }},
            "serviceConnectConfiguration": {
                "enabled": true,
                "namespace": "apps",
                "services": [{"portName": "http", "discoveryName": "web", "clientAliases": [{"port": 80}]}],
            },
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": true}},
            "tags": [{"key": "app", "value": "e2e"}],
        })]
    );

    aws.forget();
    let document = deploy(&aws, &["-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(
        document["items"],
        json!([{
            "kind": "service", "name": "web", "action": "none", "changes": [], "arn": ARN,
            "task_definition": revision(2), "deployment": "ecs-svc/new",
        }])
    );
    assert_eq!(writes(&aws), [""; 0]);
    let mut targets = aws.targets();
    targets.sort();
    assert_eq!(
        targets,
        [
            ecs("DescribeServices"),
            ecs("DescribeTaskDefinition"),
            "GetCallerIdentity".to_owned(),
        ]
    );
}

/// A service at rest on revision 1, whose update starts a deployment that goes well.
fn updates() -> FakeAws {
    let aws = fake::start();
    let begun = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
    aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
    answers(
        &aws,
        &[
            service(&["old PRIMARY 1 COMPLETED"]),
            begun,
            service(&["new PRIMARY 2 COMPLETED"]),
        ],
    );
    aws
}

#[test]
fn what_differs_goes_into_one_call() {
    let aws = fake::start();
    let begun = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
    aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
    let other = with(service(&["old PRIMARY 1 COMPLETED"]), "desiredCount", 3.into());
    let other = with(other, "enableExecuteCommand", true.into());
    answers(&aws, &[other, service(&["new PRIMARY 2 COMPLETED"])]);
    deploy(&aws, &[])
        .run()
        .exits(0)
        .says("web: updated\n")
        .says("  taskDefinition: web:1 -> web:2\n")
        .says("  desiredCount: 3 -> 1\n")
        .says("  enableExecuteCommand: true -> false\n");
    assert_eq!(writes(&aws), ["UpdateService"]);
    assert_eq!(
        aws.bodies(ecs("UpdateService")),
        [json!({
            "cluster": "apps", "service": "web", "taskDefinition": revision(2), "desiredCount": 1,
            "enableExecuteCommand": false,
        })]
    );
}

#[test]
fn a_plan_sends_no_writing_call() {
    for (flags, code) in [(["--dry-run"], 0), (["--check"], 1)] {
        let aws = updates();
        let output = deploy(&aws, &flags).run().exits(code);
        output
            .says("web: would be updated\n")
            .says("  taskDefinition: web:1 -> web:2\n");
        assert_eq!(writes(&aws), [""; 0]);
    }
    let aws = fake::start();
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    deploy(&aws, &["--check"]).run().exits(0).says("web: unchanged\n");
}

#[test]
fn another_revision_can_be_named() {
    for name in ["1", "web:1", revision(1).as_str()] {
        let aws = fake::start();
        answers(&aws, &[service(&["old PRIMARY 1 COMPLETED"])]);
        deploy(&aws, &["--task-definition", name])
            .run()
            .exits(0)
            .says("web: unchanged\n");
        assert_eq!(writes(&aws), [""; 0]);
    }
    let aws = fake::start();
    answers(&aws, &[service(&["old PRIMARY 1 COMPLETED"])]);
    deploy(&aws, &["--task-definition", "web:9"])
        .run()
        .exits(2)
        .says("failed to deploy service `web`: task definition `web:9` does not exist")
        .says("hint: `aws ecs list-task-definitions --family-prefix web` shows those that do");
    let aws = fake::start();
    for name in ["web:latest", ":1", "", "web:", "web app"] {
        deploy(&aws, &["--task-definition", name])
            .run()
            .exits(2)
            .says("expected FAMILY, FAMILY:REVISION, a revision's number, or an ARN");
    }
    assert_eq!(aws.requests(), []);
}

#[test]
fn without_a_wait_the_deployment_goes_on() {
    let aws = updates();
    let output = deploy(&aws, &["--no-wait"]).run().exits(0);
    output.says(
        "web: deployment `ecs-svc/new` goes on: follow it with `deploy-service --task-definition web:2`, \
         look at it with `deploy-service status`, \
         stop it with `deploy-service rollback --task-definition web:1 --yes`\n",
    );
    assert_eq!(aws.bodies(ecs("DescribeServices")).len(), 1);
}

#[test]
fn a_new_deployment_can_be_forced() {
    let aws = fake::start();
    aws.answer(
        ecs("UpdateService"),
        200,
        json!({"service": service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 2 COMPLETED"])}),
    );
    answers(
        &aws,
        &[
            service(&["old PRIMARY 2 COMPLETED"]),
            service(&["new PRIMARY 2 COMPLETED"]),
        ],
    );
    deploy(&aws, &["--force-new-deployment"]).run().exits(0);
    assert_eq!(
        aws.bodies(ecs("UpdateService")),
        [json!({"cluster": "apps", "service": "web", "forceNewDeployment": true})]
    );
}

#[test]
fn tags_that_differ_are_set_apart() {
    let aws = fake::start();
    answers(
        &aws,
        &[with(
            service(&["new PRIMARY 2 COMPLETED"]),
            "tags",
            json!([{"key": "app", "value": "other"}]),
        )],
    );
    aws.answer(ecs("TagResource"), 200, json!({}));
    deploy(&aws, &[])
        .run()
        .exits(0)
        .says("  tags.app: other -> e2e\n");
    assert_eq!(writes(&aws), ["TagResource"]);
    // They begin no deployment.
    let output = deploy(&aws, &["--no-wait"]).run().exits(0);
    assert!(!output.stderr.contains("goes on"), "{}", output.transcript());
}

#[test]
fn a_namespace_is_the_same_by_name_and_by_arn() {
    let arn = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1";
    for (name, code) in [("apps", 0), ("other", 1)] {
        let aws = fake::start();
        let mut seen = service(&["new PRIMARY 2 COMPLETED"]);
        seen["deployments"][0]["serviceConnectConfiguration"]["namespace"] = arn.into();
        answers(&aws, &[seen]);
        aws.answer(
            cloud_map("GetNamespace"),
            200,
            json!({"Namespace": {"Id": "ns-1", "Arn": arn, "Name": name}}),
        );
        deploy(&aws, &["--check"]).run().exits(code);
    }
}

#[test]
fn service_connect_is_removed_by_an_explicit_setting() {
    let aws = updates();
    let mut file: serde_json::Value = serde_json::from_str(fake::FILE).unwrap();
    file.as_object_mut()
        .unwrap()
        .remove("serviceConnectConfiguration");
    deploy(&aws, &[])
        .file("service.json", file.to_string())
        .run()
        .exits(0);
    assert_eq!(
        aws.bodies(ecs("UpdateService"))[0]["serviceConnectConfiguration"],
        json!({"enabled": false})
    );
}

#[test]
fn a_deleted_service_is_recreated_after_its_deletion_has_ended() {
    for statuses in [vec!["INACTIVE"], vec!["DRAINING", "DRAINING", "INACTIVE"]] {
        let aws = fake::start();
        let gone: Vec<_> = statuses
            .iter()
            .map(|status| with(service(&["old PRIMARY 1 COMPLETED"]), "status", (*status).into()))
            .collect();
        let mut all = gone.clone();
        // Once more for the new plan.
        all.push(gone[gone.len() - 1].clone());
        if statuses.len() == 1 {
            all.pop();
        }
        all.push(service(&["new PRIMARY 2 COMPLETED"]));
        answers(&aws, &all);
        aws.answer(
            ecs("CreateService"),
            200,
            json!({"service": service(&["new PRIMARY 2 IN_PROGRESS"])}),
        );
        let output = deploy(&aws, &[]).run().exits(0).says("web: created\n");
        assert_eq!(
            output
                .stderr
                .contains("web: DRAINING, will be recreated once deleted"),
            statuses.len() > 1
        );
        assert_eq!(writes(&aws), ["CreateService"]);
    }
    // It does not wait for ever.
    let aws = fake::start();
    answers(
        &aws,
        &[with(
            service(&["old PRIMARY 1 COMPLETED"]),
            "status",
            "DRAINING".into(),
        )],
    );
    deploy(&aws, &["--timeout", "300ms"])
        .run()
        .exits(3)
        .says("not done after 300 ms");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn another_region_and_another_app() {
    let aws = fake::start();
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    let config = fake::CONFIG.replace("\"apps\"", "\"elsewhere\"");
    tool(&aws, &["--region", "eu-west-1", "--dry-run"])
        .config_text(&config)
        .run()
        .exits(0)
        .prints("arn:aws:ecs:eu-west-1:123456789012:service/elsewhere/web");
    assert_eq!(aws.bodies(ecs("DescribeServices"))[0]["cluster"], "elsewhere");
}

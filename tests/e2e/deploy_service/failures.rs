//! Calls that ECS refuses, errors that are retried, and errors before the first call.

use super::fake::{self, answers, deploy, described, service, stopped, tool, writes};
use serde_json::json;
use support::aws::{FakeAws, ecs, logs};

/// No service yet; CreateService goes well and so does its deployment.
fn clean() -> FakeAws {
    let aws = fake::start();
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    aws.answer(
        ecs("CreateService"),
        200,
        json!({"service": service(&["new PRIMARY 2 IN_PROGRESS"])}),
    );
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    aws
}

#[test]
fn calls_for_new_resources_are_retried() {
    for (code, message) in [
        (
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
        ),
        (
            "ClientException",
            "ECS was unable to assume the role 'x' that was provided for this task.",
        ),
        (
            "NamespaceNotFoundException",
            "Failed to retrieve namespace for apps",
        ),
        ("ClusterNotFoundException", "Cluster not found."),
    ] {
        let aws = clean();
        aws.refuse_once(ecs("CreateService"), code, message);
        let output = deploy(&aws, &["-v"]).run().exits(0);
        output.says(": trying again in ");
        assert_eq!(writes(&aws), ["CreateService", "CreateService"], "{code}");
    }
}

#[test]
fn other_refused_calls_are_not_retried() {
    let aws = clean();
    aws.refuse(
        ecs("CreateService"),
        "InvalidParameterException",
        "no such subnet",
    );
    deploy(&aws, &[])
        .run()
        .exits(2)
        .says("error: failed to create service `web`: ecs:CreateService failed: InvalidParameterException: no such subnet");
    assert_eq!(writes(&aws), ["CreateService"]);
}

#[test]
fn a_missing_cluster_differs_from_a_new_one() {
    let aws = fake::start();
    aws.refuse_once(
        ecs("DescribeServices"),
        "ClusterNotFoundException",
        "Cluster not found.",
    );
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    aws.answer(
        ecs("DescribeClusters"),
        200,
        json!({"clusters": [{"clusterName": "apps", "status": "ACTIVE"}]}),
    );
    deploy(&aws, &[]).run().exits(0).says("web: unchanged\n");

    let aws = fake::start();
    aws.refuse(
        ecs("DescribeServices"),
        "ClusterNotFoundException",
        "Cluster not found.",
    );
    aws.answer(
        ecs("DescribeClusters"),
        200,
        json!({"clusters": [], "failures": [{"reason": "MISSING"}]}),
    );
    deploy(&aws, &[])
        .run()
        .exits(2)
        .says("failed to describe service `web`: ecs:DescribeServices failed: ClusterNotFoundException")
        .says("hint: `create-cluster` makes cluster `apps`");
    let output = deploy(&aws, &["--check", "-o", "json"])
        .run()
        .exits(1)
        .says("service `web`: planned (after create-cluster)\n");
    assert_eq!(output.json()["outcome"], "planned");
    tool(&aws, &["status"])
        .run()
        .exits(1)
        .prints("service web: there is no cluster `apps`");
}

#[test]
fn without_a_task_definition_it_is_planned() {
    let aws = clean();
    aws.refuse(
        ecs("DescribeTaskDefinition"),
        "ClientException",
        "Unable to describe task definition.",
    );
    deploy(&aws, &["--dry-run"])
        .run()
        .exits(0)
        .says("service `web`: planned (after register-task-definition)\n");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn each_denied_call_is_named_as_iam_spells_it() {
    let denied = "User: ci is not authorized";
    for (operation, code) in [
        ("DescribeServices", 2),
        ("DescribeTaskDefinition", 2),
        ("CreateService", 2),
    ] {
        let aws = fake::start();
        if operation != "DescribeServices" {
            aws.answer(ecs("DescribeServices"), 200, described(&[]));
        }
        aws.refuse(ecs(operation), "AccessDeniedException", denied);
        deploy(&aws, &[])
            .run()
            .exits(code)
            .says(&format!(
                "ecs:{operation} failed: AccessDeniedException: {denied}"
            ))
            .says(&format!("hint: grant `ecs:{operation}` to "));
    }
    for operation in ["UpdateService", "TagResource"] {
        let aws = fake::start();
        let tags = if operation == "TagResource" {
            "other"
        } else {
            "e2e"
        };
        answers(&aws, &[tagged(tags)]);
        aws.refuse(ecs(operation), "AccessDeniedException", denied);
        deploy(&aws, &[])
            .run()
            .exits(2)
            .says(&format!("ecs:{operation} failed: AccessDeniedException"));
    }
}

/// On revision 1, with this value of the tag `app`.
fn tagged(value: &str) -> serde_json::Value {
    let mut old = service(&["old PRIMARY 1 COMPLETED"]);
    old["tags"] = json!([{"key": "app", "value": value}]);
    old
}

#[test]
fn tags_that_were_set_before_a_refused_call_are_reported() {
    let aws = fake::start();
    answers(&aws, &[tagged("other")]);
    aws.answer(ecs("TagResource"), 200, json!({}));
    aws.refuse(ecs("UpdateService"), "AccessDeniedException", "no");
    let output = deploy(&aws, &["-o", "json"])
        .run()
        .exits(4)
        .says("web: updated\n  tags.app: other -> e2e\n")
        .says("error: failed to update service `web`: ecs:UpdateService failed: AccessDeniedException: no\n")
        .says("hint: grant `ecs:UpdateService` to ");
    assert!(!output.stderr.contains("taskDefinition"), "{}", output.stderr);
    let document = output.json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["account"], "123456789012");
    assert_eq!(
        document["items"],
        json!([{
            "kind": "service", "name": "web", "action": "update", "arn": fake::ARN,
            "changes": [{"path": "tags.app", "from": "other", "to": "e2e"}],
        }])
    );
}

#[test]
fn tags_that_were_set_before_the_service_was_deleted_are_reported() {
    let aws = fake::start();
    aws.answer_once(ecs("DescribeServices"), 200, described(&[tagged("other")]));
    aws.refuse(ecs("DescribeServices"), "AccessDeniedException", "no");
    aws.answer(ecs("TagResource"), 200, json!({}));
    aws.refuse(ecs("UpdateService"), "ServiceNotActiveException", "it went away");
    let output = deploy(&aws, &["-o", "json"])
        .run()
        .exits(4)
        .says("web: updated\n  tags.app: other -> e2e\n")
        .says("ecs:DescribeServices failed: AccessDeniedException: no\n");
    assert_eq!(output.json()["items"][0]["changes"][0]["path"], "tags.app");
}

#[test]
fn what_can_not_be_followed_is_partly_done() {
    let aws = fake::start();
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    aws.answer(
        ecs("CreateService"),
        200,
        json!({"service": service(&["new PRIMARY 2 IN_PROGRESS"])}),
    );
    aws.refuse(ecs("DescribeServices"), "AccessDeniedException", "no");
    let output = deploy(&aws, &["-o", "json"])
        .run()
        .exits(4)
        .says("web: deployment `ecs-svc/new` goes on: follow it with `deploy-service --task-definition web:2`, ")
        .says("failed to follow service `web`: ecs:DescribeServices failed: AccessDeniedException");
    assert_eq!(output.json()["items"][0]["action"], "create");
}

#[test]
fn a_change_without_a_response_may_have_been_applied() {
    let hint = "hint: check the network; the change may have been applied: `deploy-service status --region us-east-1` shows it\n";
    let aws = clean();
    aws.cut(ecs("CreateService"));
    deploy(&aws, &["--region", "us-east-1"])
        .run()
        .exits(2)
        .says("error: failed to create service `web`: ecs:CreateService got no answer: ")
        .says(hint);
    let aws = fake::start();
    answers(&aws, &[service(&["old PRIMARY 1 COMPLETED"])]);
    aws.cut(ecs("UpdateService"));
    deploy(&aws, &["--region", "us-east-1"])
        .run()
        .exits(2)
        .says("error: failed to update service `web`: ecs:UpdateService got no answer: ")
        .says(hint);
}

#[test]
fn each_error_of_the_file_has_its_position() {
    let aws = fake::start();
    let file = |changes: &[(&str, &str)]| {
        let text = changes
            .iter()
            .fold(fake::FILE.to_owned(), |text, (from, to)| text.replace(from, to));
        deploy(&aws, &["--dry-run"])
            .file("service.json", text)
            .run()
            .exits(2)
    };
    let unset = "needs the environment variable `NOT_SET`, which is not set";
    file(&[("${cluster.name}", "${NOT_SET}")]).says(&format!("`service.json:2:14`: cluster: {unset}"));
    file(&[("  \"serviceName\": \"web\",\n", "")]).says("`service.json:1:1`: `serviceName` is missing");
    // Unset variables and missing keys hide no other error.
    file(&[("${cluster.name}", "${NOT_SET}"), ("\"FARGATE\"", "\"EC2\"")])
        .says(&format!("  service.json:2:14: cluster: {unset}\n"))
        .says("  service.json:5:17: launchType: it must be \"FARGATE\"\n")
        .says("error: 2 errors in `service.json`\n");
    file(&[("  \"serviceName\": \"web\",\n", ""), ("\"FARGATE\"", "\"EC2\"")])
        .says("  service.json:1:1: `serviceName` is missing\n")
        .says("  service.json:4:17: launchType: it must be \"FARGATE\"\n");
    for command in [&["status"][..], &["logs"], &["rollback", "--yes"]] {
        let text = fake::FILE.replace("\"web\",\n  \"task", "\"${NOT_SET}\",\n  \"task");
        let tool = tool(&aws, command).file("service.json", text);
        tool.run()
            .exits(2)
            .says(&format!("`service.json:3:18`: serviceName: {unset}"));
    }
    assert_eq!(aws.requests(), []);
}

#[test]
fn why_tasks_stop_is_not_needed() {
    for operation in [ecs("ListTasks"), ecs("DescribeTasks"), logs("GetLogEvents")] {
        let aws = clean();
        stopped(&aws);
        aws.refuse(&operation, "AccessDeniedException", "no");
        let name = operation.rsplit('.').next().unwrap_or_default();
        deploy(&aws, &[])
            .run()
            .exits(0)
            .says(": warning: ")
            .says(&format!(":{name} failed: AccessDeniedException"));
    }
}

#[test]
fn throttling_does_not_end_the_wait() {
    let aws = fake::start();
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    aws.answer(
        ecs("CreateService"),
        200,
        json!({"service": service(&["new PRIMARY 2 IN_PROGRESS"])}),
    );
    // More than the SDK itself tries again.
    for _ in 0..4 {
        aws.refuse_once(ecs("DescribeServices"), "ThrottlingException", "Rate exceeded");
    }
    aws.answer(
        ecs("DescribeServices"),
        200,
        described(&[service(&["new PRIMARY 2 COMPLETED"])]),
    );
    deploy(&aws, &[]).run().exits(0).says("web: asking again: ");
    // A call that is throttled once or twice succeeds.
    for operation in ["CreateService", "DescribeServices", "DescribeTaskDefinition"] {
        let aws = fake::start();
        aws.refuse_once(ecs(operation), "ThrottlingException", "Rate exceeded");
        aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
        aws.answer(
            ecs("CreateService"),
            200,
            json!({"service": service(&["new PRIMARY 2 IN_PROGRESS"])}),
        );
        answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
        deploy(&aws, &[]).run().exits(0).says("web: created\n");
    }
    for operation in ["UpdateService", "TagResource"] {
        let aws = fake::start();
        aws.refuse_once(ecs(operation), "ThrottlingException", "Rate exceeded");
        aws.answer(ecs("TagResource"), 200, json!({}));
        let begun = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
        aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
        answers(&aws, &[tagged("other"), service(&["new PRIMARY 2 COMPLETED"])]);
        deploy(&aws, &[]).run().exits(0).says("web: updated\n");
    }
    // The same while the tool waits for the end of the earlier service.
    let aws = fake::start();
    let draining = fake::with(service(&["old PRIMARY 1 COMPLETED"]), "status", "DRAINING".into());
    aws.answer_once(ecs("DescribeServices"), 200, described(&[draining]));
    for _ in 0..4 {
        aws.refuse_once(ecs("DescribeServices"), "ThrottlingException", "Rate exceeded");
    }
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    aws.answer(
        ecs("CreateService"),
        200,
        json!({"service": service(&["new PRIMARY 2 IN_PROGRESS"])}),
    );
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    deploy(&aws, &[]).run().exits(0).says("web: created\n");
    // Before anything was changed it is an error.
    let aws = fake::start();
    aws.refuse(ecs("DescribeServices"), "ThrottlingException", "Rate exceeded");
    deploy(&aws, &[])
        .run()
        .exits(2)
        .says("ecs:DescribeServices failed: ThrottlingException")
        .says("hint: throttled; safe to re-run");
}

#[test]
fn an_error_of_the_file_is_reported_with_its_position_before_the_first_call() {
    let aws = fake::start();
    let file = fake::FILE.replace("\"desiredCount\": 1", "\"desiredCount\": -1");
    deploy(&aws, &[])
        .file("service.json", file)
        .run()
        .exits(2)
        .says("error: failed to use `service.json:6:19`: desiredCount: it can't be negative");
    let output =
        deploy(&aws, &[]).config_text(&fake::CONFIG.replace("[service]", "[service]\ntimeout = \"soon\""));
    output.run().exits(2).says("failed to use `service.timeout` of ");
    assert_eq!(aws.requests(), []);
    // A port that the task definition does not have.
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    let file = fake::FILE.replace("\"portName\": \"http\"", "\"portName\": \"https\"");
    deploy(&aws, &[])
        .file("service.json", file)
        .run()
        .exits(2)
        .says("no port of the task definition has the name `https`")
        .says("hint: it has `http`");
}

#[test]
fn what_ecs_can_not_change_is_an_error() {
    let aws = fake::start();
    let mut other = service(&["new PRIMARY 2 COMPLETED"]);
    other["launchType"] = "EC2".into();
    answers(&aws, &[other]);
    deploy(&aws, &[])
        .run()
        .exits(2)
        .says("ECS can't change this of a service that exists: launchType: EC2 -> FARGATE")
        .says("hint: change the file, or `aws ecs delete-service --cluster apps --service web --force --region us-east-1` and run this again\n");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn without_a_table_it_says_what_to_add() {
    let aws = fake::start();
    tool(&aws, &[])
        .config_text("version = 1\n[app]\nname = \"e2e\"\n")
        .run()
        .exits(2)
        .says("failed to find `[service]` in ")
        .says("hint: add the table `[service]` with a `file`");
}

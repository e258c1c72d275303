//! `run`: a command in a task of its own.

use super::fake::{self, revision, tool};
use serde_json::{Value, json};
use support::aws::{FakeAws, ecs, logs};

const TASK: &str = "arn:aws:ecs:us-east-1:123456789012:task/apps/0123abcd";

/// A task that ends so.
fn runs(container: Value) -> FakeAws {
    let aws = fake::start();
    aws.answer(
        ecs("RunTask"),
        200,
        json!({"tasks": [{"taskArn": TASK, "lastStatus": "PROVISIONING"}], "failures": []}),
    );
    let task = |status: &str| {
        json!({"tasks": [{
            "taskArn": TASK, "lastStatus": status, "desiredStatus": status, "containers": [{"name": "web"}],
        }]})
    };
    aws.answer_once(ecs("DescribeTasks"), 200, task("RUNNING"));
    let mut last = task("STOPPED");
    last["tasks"][0]["containers"][0] = container;
    last["tasks"][0]["stoppedReason"] = "Essential container in task exited".into();
    aws.answer(ecs("DescribeTasks"), 200, last);
    let lines = json!([{"timestamp": 1, "message": "one"}, {"timestamp": 2, "message": "two"}]);
    aws.answer_once(
        logs("GetLogEvents"),
        200,
        json!({"events": lines, "nextForwardToken": "f/1"}),
    );
    aws.answer(
        logs("GetLogEvents"),
        200,
        json!({"events": [], "nextForwardToken": "f/1"}),
    );
    aws
}

#[test]
fn run_prints_the_log_and_exits_with_the_code() {
    for code in [0, 1, 7, 137] {
        let aws = runs(json!({"name": "web", "exitCode": code}));
        let output = tool(&aws, &["run", "--poll", "20ms", "--", "sh", "-c", "true"])
            .run()
            .exits(code);
        output.prints("one\ntwo");
        let mut body = aws.bodies(ecs("RunTask"))[0].clone();
        assert!(
            body["clientToken"]
                .take()
                .as_str()
                .is_some_and(|token| token.len() == 32),
            "{body}"
        );
        assert_eq!(
            body,
            json!({
                "cluster": "apps", "taskDefinition": revision(2), "count": 1, "launchType": "FARGATE",
                "startedBy": "deploy-service-run", "clientToken": null,
                "networkConfiguration": {"awsvpcConfiguration": {
                    "assignPublicIp": "ENABLED", "subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"],
                }},
                "overrides": {"containerOverrides": [{"name": "web", "command": ["sh", "-c", "true"]}]},
                "tags": [{"key": "app", "value": "e2e"}],
            })
        );
    }
    let aws = runs(json!({"name": "web", "exitCode": 7}));
    let output = tool(&aws, &["run", "--poll", "20ms", "-o", "json", "--", "x"])
        .run()
        .exits(7);
    let document = output.json();
    assert_eq!(document["exit_code"], 7);
    assert_eq!(document["log"], json!(["one", "two"]));
}

#[test]
fn a_command_that_never_started_is_told_with_its_reason() {
    let aws = runs(json!({"name": "web", "reason": "CannotPullContainerError: not found"}));
    tool(&aws, &["run", "--poll", "20ms", "--", "x"])
        .run()
        .exits(1)
        .says("failed to run the command: task 0123abcd stopped: ")
        .says("container `web` did not start: CannotPullContainerError: not found");
    aws.answer(
        ecs("RunTask"),
        200,
        json!({"tasks": [], "failures": [{"reason": "RESOURCE:ENI"}]}),
    );
    tool(&aws, &["run", "--", "x"])
        .run()
        .exits(2)
        .says("failed to run the task: ecs:RunTask started none: RESOURCE:ENI");
    aws.refuse(
        ecs("RunTask"),
        "AccessDeniedException",
        "not authorized to perform: iam:PassRole",
    );
    tool(&aws, &["run", "--", "x"])
        .run()
        .exits(2)
        .says("hint: allow `iam:PassRole` on the two roles");
}

#[test]
fn a_role_that_is_new_does_not_stop_run() {
    let aws = runs(json!({"name": "web", "exitCode": 0}));
    aws.refuse_once(
        ecs("RunTask"),
        "ClientException",
        "ECS was unable to assume the role 'x' that was provided for this task.",
    );
    tool(&aws, &["run", "--poll", "20ms", "--", "x"]).run().exits(0);
    // The same token: it can't become two tasks.
    let bodies = aws.bodies(ecs("RunTask"));
    assert_eq!(bodies[0]["clientToken"], bodies[1]["clientToken"]);
}

#[test]
fn a_deadline_of_run_names_the_task() {
    let aws = runs(json!({"name": "web", "exitCode": 0}));
    let busy =
        json!({"tasks": [{"taskArn": TASK, "lastStatus": "RUNNING", "containers": [{"name": "web"}]}]});
    aws.answer(ecs("DescribeTasks"), 200, busy);
    tool(&aws, &["run", "--poll", "20ms", "--timeout", "600ms", "--", "x"])
        .run()
        .exits(3)
        .says("error: task `0123abcd` is not done after 600 ms: RUNNING")
        .says("hint: it goes on: `aws ecs stop-task --cluster apps --task 0123abcd` stops it");
}

#[test]
fn a_task_that_can_not_be_followed_is_partly_done() {
    for (target, call) in [
        (ecs("DescribeTasks"), "ecs:DescribeTasks"),
        (logs("GetLogEvents"), "logs:GetLogEvents"),
    ] {
        let aws = fake::start();
        aws.answer(
            ecs("RunTask"),
            200,
            json!({"tasks": [{"taskArn": TASK, "lastStatus": "RUNNING"}]}),
        );
        aws.answer(
            ecs("DescribeTasks"),
            200,
            json!({"tasks": [{"taskArn": TASK, "lastStatus": "RUNNING"}]}),
        );
        aws.refuse(target, "AccessDeniedException", "no");
        tool(&aws, &["run", "--", "x"])
            .run()
            .exits(4)
            .says(&format!("{call} refused with AccessDeniedException: no"));
    }
}

#[test]
fn a_command_in_a_sidecar_ends_the_task_with_it() {
    let aws = runs(json!({"name": "web", "exitCode": 0}));
    let half = json!({"tasks": [{
        "taskArn": TASK, "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
        "containers": [{"name": "web", "exitCode": 0}, {"name": "proxy"}],
    }]});
    aws.answer(ecs("DescribeTasks"), 200, half);
    aws.answer(ecs("StopTask"), 200, json!({}));
    tool(&aws, &["run", "--poll", "20ms", "--", "x"]).run().exits(0);
    assert_eq!(aws.bodies(ecs("StopTask"))[0]["task"], TASK);
}

//! `run`: a command in a task of its own.

mod ends;
mod failures;
mod last_lines;

use super::fake::{self, definition, revision, tool};
use serde_json::{Value, json};
use support::Tool;
use support::aws::{FakeAws, ecs, logs};

const TASK: &str = "arn:aws:ecs:us-east-1:123456789012:task/apps/0123abcd";

/// What DescribeTasks answers of a task with this container.
fn task(status: &str, container: &Value) -> Value {
    json!({"tasks": [{
        "taskArn": TASK, "lastStatus": status, "desiredStatus": status, "containers": [container],
    }]})
}

/// RunTask goes well, and nothing else is answered yet.
fn starts() -> FakeAws {
    let aws = fake::start();
    aws.answer(
        ecs("RunTask"),
        200,
        json!({"tasks": [{"taskArn": TASK, "lastStatus": "PROVISIONING"}], "failures": []}),
    );
    aws
}

/// A page of the log: its lines, and the token that comes with it.
fn page(lines: &[&str], token: &str) -> Value {
    let events = lines.iter().map(|line| json!({"timestamp": 1, "message": line}));
    json!({"events": events.collect::<Vec<_>>(), "nextForwardToken": token})
}

/// The log of these pages, and nothing more.
fn logs_pages(aws: &FakeAws, pages: &[(&[&str], &str)]) {
    for (lines, token) in pages {
        aws.answer_once(logs("GetLogEvents"), 200, page(lines, token));
    }
    let (_, last) = pages[pages.len() - 1];
    aws.answer(logs("GetLogEvents"), 200, page(&[], last));
}

/// A task that ends so, after it was seen once as it ran.
fn ends(aws: &FakeAws, container: Value) {
    let running = task("RUNNING", &json!({"name": "web"}));
    aws.answer_once(ecs("DescribeTasks"), 200, running);
    let mut last = task("STOPPED", &container);
    last["tasks"][0]["stoppedReason"] = "Essential container in task exited".into();
    aws.answer(ecs("DescribeTasks"), 200, last);
}

/// A task that ends so, and logs two lines.
fn runs(container: Value) -> FakeAws {
    let aws = starts();
    ends(&aws, container);
    logs_pages(&aws, &[(&["one", "two"], "f/1")]);
    aws
}

/// `run -- x`, asking often.
fn run(aws: &FakeAws, arguments: &[&str]) -> Tool {
    tool(aws, &["run", "--poll", "20ms"])
        .args(arguments)
        .args(["--", "x"])
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
fn a_command_that_never_started_is_reported_with_its_reason() {
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
    aws.answer(ecs("RunTask"), 200, json!({"tasks": [{"lastStatus": "PENDING"}]}));
    tool(&aws, &["run", "--", "x"])
        .run()
        .exits(2)
        .says("failed to run the task: ecs:RunTask response omitted `taskArn`")
        .says("hint: `aws ecs list-tasks --cluster apps --started-by deploy-service-run ");
    aws.refuse(
        ecs("RunTask"),
        "AccessDeniedException",
        "not authorized to perform: iam:PassRole",
    );
    tool(&aws, &["run", "--", "x"])
        .run()
        .exits(2)
        .says("hint: grant `iam:PassRole` on the two roles");
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
fn the_cause_of_a_failed_task_is_reported() {
    let killed = json!({"name": "web", "exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"});
    run(&runs(killed), &[])
        .run()
        .exits(137)
        .says("error: the command exited with 137 (SIGKILL) in container `web` of task `0123abcd`: OutOfMemoryError: Container killed due to memory usage\n")
        .says("hint: give it more `memory` in the task definition");
    // The exit code comes before the reason why the task stops.
    let aws = starts();
    let early = task("DEPROVISIONING", &json!({"name": "web", "exitCode": 143}));
    aws.answer_once(ecs("DescribeTasks"), 200, early.clone());
    let mut late = early;
    late["tasks"][0]["stopCode"] = "UserInitiated".into();
    late["tasks"][0]["stoppedReason"] = "Task stopped by user".into();
    aws.answer(ecs("DescribeTasks"), 200, late);
    logs_pages(&aws, &[(&["one"], "f/1")]);
    run(&aws, &[])
        .run()
        .exits(143)
        .says("with 143 (SIGTERM) in container `web` of task `0123abcd`; the task was stopped: Task stopped by user\n");
    // The command ran, and its exit code is unknown.
    let aws = starts();
    let mut lost = task("STOPPED", &json!({"name": "web"}));
    lost["tasks"][0]["startedAt"] = 1.into();
    lost["tasks"][0]["stoppedReason"] = "The host failed".into();
    aws.answer(ecs("DescribeTasks"), 200, lost);
    logs_pages(&aws, &[(&["one"], "f/1")]);
    let output = run(&aws, &["-o", "json"]).run().exits(1);
    let document = output
        .says("error: cannot determine how the command ended: task 0123abcd stopped: The host failed")
        .json();
    assert_eq!(document["error"]["code"], "no-exit-code");
    assert_eq!(document["exit_code"], Value::Null);
    assert_eq!(document["log"], json!(["one"]));
}

#[test]
fn an_entry_point_of_the_container_is_reported() {
    let aws = runs(json!({"name": "web", "exitCode": 0}));
    let mut wrapped = definition(2);
    wrapped["containerDefinitions"][0]["entryPoint"] = json!(["sh", "-c"]);
    aws.answer(
        ecs("DescribeTaskDefinition"),
        200,
        json!({"taskDefinition": wrapped}),
    );
    run(&aws, &[])
        .run()
        .exits(0)
        .says("container `web` has the entryPoint [\"sh\",\"-c\"]: the command becomes its arguments\n");
    let output = run(&runs(json!({"name": "web", "exitCode": 0})), &[]).run();
    assert!(!output.stderr.contains("entryPoint"), "{}", output.transcript());
}

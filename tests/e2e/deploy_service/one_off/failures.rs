//! Failures while a command runs, which must not change its exit code.

use super::{TASK, ends, logs_pages, run, runs, starts, task};
use crate::deploy_service::fake::{definition, writes};
use serde_json::{Value, json};
use std::time::Duration;
use support::Output;
use support::aws::{ecs, logs};

fn warnings(output: &Output) -> Vec<&str> {
    let lines = output.stderr.lines();
    lines.filter(|line| line.contains(": warning: ")).collect()
}

#[test]
fn transient_errors_do_not_change_the_exit_code() {
    let aws = starts();
    // More than the SDK itself tries again.
    for _ in 0..4 {
        aws.refuse_once(ecs("DescribeTasks"), "ThrottlingException", "Rate exceeded");
    }
    for _ in 0..4 {
        aws.cut_once(ecs("DescribeTasks"));
    }
    ends(&aws, json!({"name": "web", "exitCode": 7}));
    for _ in 0..4 {
        aws.refuse_once(logs("GetLogEvents"), "ThrottlingException", "Rate exceeded");
    }
    for _ in 0..4 {
        aws.cut_once(logs("GetLogEvents"));
    }
    logs_pages(&aws, &[(&["one", "two"], "f/1")]);
    let output = run(&aws, &[]).run().exits(7);
    output.clone().prints("one\ntwo");
    assert_eq!(warnings(&output), [""; 0]);
    // The message is printed once, although the call was refused several times.
    let asked = output
        .stderr
        .matches("task 0123abcd: asking again: ecs:DescribeTasks ");
    assert_eq!(asked.count(), 1, "{}", output.transcript());
}

#[test]
fn a_log_that_can_not_be_read_is_one_warning() {
    let aws = starts();
    for _ in 0..3 {
        let running = task("RUNNING", &json!({"name": "web"}));
        aws.answer_once(ecs("DescribeTasks"), 200, running);
    }
    ends(&aws, json!({"name": "web", "exitCode": 7}));
    aws.refuse(logs("GetLogEvents"), "AccessDeniedException", "no");
    let output = run(&aws, &[]).run().exits(7);
    output.clone().prints("");
    assert_eq!(
        warnings(&output),
        [
            "deploy-service: warning: the command's log is not shown any further: failed to read log stream \
             `web/web/0123abcd` of `apps`: logs:GetLogEvents failed: AccessDeniedException: no"
        ]
    );
    assert_eq!(aws.bodies(logs("GetLogEvents")).len(), 1);
}

#[test]
fn a_task_that_can_not_be_followed_is_partly_done_and_goes_on() {
    let aws = starts();
    aws.answer_once(
        ecs("DescribeTasks"),
        200,
        task("RUNNING", &json!({"name": "web"})),
    );
    aws.refuse(ecs("DescribeTasks"), "AccessDeniedException", "no");
    logs_pages(&aws, &[(&["one"], "f/1")]);
    let output = run(&aws, &["-o", "json"])
        .run()
        .exits(4)
        .says(
            "error: failed to follow task `0123abcd`: ecs:DescribeTasks failed: AccessDeniedException: no\n",
        )
        .says("hint: grant `ecs:DescribeTasks` to ")
        .says(
            "; the task goes on: follow it with `deploy-service logs -f`, \
               stop it with `aws ecs stop-task --cluster apps --task 0123abcd --region us-east-1`\n",
        );
    let document = output.json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["items"][0]["arn"], TASK);
    assert_eq!(document["log"], json!(["one"]));
}

#[test]
fn a_task_that_is_not_listed_any_more_is_not_waited_for() {
    let aws = starts();
    aws.answer(
        ecs("DescribeTasks"),
        200,
        json!({"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]}),
    );
    logs_pages(&aws, &[(&["one"], "f/1")]);
    run(&aws, &[])
        .limit(Duration::from_secs(90))
        .run()
        .exits(4)
        .says("error: failed to follow task `0123abcd`: ECS does not list it any more\n")
        .says("hint: it has ended with an unknown result");
    // A new task may not be listed yet.
    let aws = starts();
    for _ in 0..5 {
        aws.answer_once(ecs("DescribeTasks"), 200, json!({"tasks": []}));
    }
    ends(&aws, json!({"name": "web", "exitCode": 0}));
    logs_pages(&aws, &[(&["one"], "f/1")]);
    run(&aws, &[]).run().exits(0);
}

/// The command's container has ended with 3 while its task goes on.
fn half_ended(container: Value) -> support::aws::FakeAws {
    let aws = runs(Value::Null);
    let mut half = task("RUNNING", &Value::Null);
    half["tasks"][0]["containers"] = json!([{"name": "web", "exitCode": 3}, {"name": "proxy"}]);
    aws.answer(ecs("DescribeTasks"), 200, half);
    let mut definition = definition(2);
    for (key, value) in container.as_object().unwrap() {
        definition["containerDefinitions"][0][key] = value.clone();
    }
    aws.answer(
        ecs("DescribeTaskDefinition"),
        200,
        json!({"taskDefinition": definition}),
    );
    aws.answer(ecs("StopTask"), 200, json!({}));
    aws
}

#[test]
fn a_command_in_a_sidecar_ends_the_task_with_it() {
    for container in [
        json!({"essential": false}),
        json!({"restartPolicy": {"enabled": true}}),
    ] {
        let aws = half_ended(container);
        run(&aws, &[]).run().exits(3);
        assert_eq!(aws.bodies(ecs("StopTask"))[0]["task"], TASK);
    }
    // The end of an essential container stops the task without a call.
    let aws = half_ended(json!({}));
    run(&aws, &[]).run().exits(3);
    assert_eq!(writes(&aws), ["RunTask"]);
}

#[test]
fn a_task_that_can_not_be_stopped_does_not_cost_the_exit_code() {
    let aws = half_ended(json!({"essential": false}));
    aws.refuse(ecs("StopTask"), "AccessDeniedException", "no");
    let output = run(&aws, &[]).run().exits(3);
    assert_eq!(
        warnings(&output),
        [
            "deploy-service: warning: task `0123abcd` goes on with its other containers: ecs:StopTask failed: \
             AccessDeniedException: no: stop it with `aws ecs stop-task --cluster apps --task 0123abcd --region us-east-1`"
        ]
    );
    output.prints("one\ntwo");
}

//! Why a task stopped, as a deployment reports it.

use super::fake::{self, answers, deploy, described, service};
use serde_json::{Value, json};
use support::aws::{FakeAws, ecs, logs};

/// A first deployment that completes after a task of it has stopped so.
fn deployed(task: Value) -> FakeAws {
    let aws = fake::start();
    aws.answer_once(ecs("DescribeServices"), 200, described(&[]));
    let begun = service(&["new PRIMARY 2 IN_PROGRESS"]);
    aws.answer(ecs("CreateService"), 200, json!({"service": begun}));
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    let arn = "arn:aws:ecs:us-east-1:123456789012:task/apps/0123abcd";
    aws.answer(ecs("ListTasks"), 200, json!({"taskArns": [arn]}));
    let mut task = task;
    task["taskArn"] = arn.into();
    task["startedBy"] = "ecs-svc/new".into();
    task["lastStatus"] = "STOPPED".into();
    aws.answer(ecs("DescribeTasks"), 200, json!({"tasks": [task]}));
    aws
}

fn page(lines: &[&str], backward: &str) -> Value {
    let events = lines.iter().map(|line| json!({"timestamp": 1, "message": line}));
    json!({"events": events.collect::<Vec<_>>(), "nextForwardToken": "f/1", "nextBackwardToken": backward})
}

#[test]
fn a_server_that_ends_with_zero_is_reported_with_its_last_lines() {
    let aws = deployed(json!({
        "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "web", "exitCode": 0}, {"name": "proxy", "exitCode": 143}],
    }));
    // The newest page may be empty: the lines are behind the other token.
    aws.answer_once(logs("GetLogEvents"), 200, page(&[], "b/2"));
    aws.answer_once(logs("GetLogEvents"), 200, page(&["no route, bye"], "b/1"));
    deploy(&aws, &[]).run().exits(0).says(
        "web: task 0123abcd stopped: Essential container in task exited; container `web` exited with 0; \
             container `proxy` exited with 143 (SIGTERM)\n  web | no route, bye\n",
    );
    let tokens: Vec<_> = aws
        .bodies(logs("GetLogEvents"))
        .iter()
        .map(|body| body["nextToken"].clone())
        .collect();
    assert_eq!(tokens, [json!(null), json!("b/2")]);
}

#[test]
fn an_unhealthy_task_is_reported_with_its_last_lines() {
    let aws = deployed(json!({
        "stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Task failed container health checks",
        "containers": [{"name": "web", "exitCode": 0}],
    }));
    aws.answer(
        logs("GetLogEvents"),
        200,
        page(&["waiting for the database"], "b/1"),
    );
    deploy(&aws, &[]).run().exits(0).says(
        "web: task 0123abcd stopped: Task failed container health checks\n  web | waiting for the database\n",
    );
}

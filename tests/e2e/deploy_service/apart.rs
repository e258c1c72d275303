//! `status`, and what is denied to it and to others.

use super::fake::{self, answers, service, tool, with, writes};
use super::rollback;
use serde_json::json;
use support::aws::{ecs, logs};

#[test]
fn status_is_yes_or_no() {
    let aws = fake::start();
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    // It needs no subnets.
    let config = fake::CONFIG.replace("subnet-1, subnet-2", "${NOT_SET}");
    tool(&aws, &["status"])
        .config_text(&config)
        .run()
        .exits(0)
        .prints(
            "service web: ACTIVE, 1 of 1 running, 0 pending\n\
             deployment ecs-svc/new primary web:2: COMPLETED, 1 of 1 running",
        );
    answers(
        &aws,
        &[service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"])],
    );
    let output = tool(&aws, &["status", "-o", "json"]).run().exits(1);
    let document = output.json();
    assert_eq!(document["outcome"], "no");
    assert_eq!(document["items"][0]["deployments"][0]["state"], "IN_PROGRESS");
    aws.answer(ecs("DescribeServices"), 200, fake::described(&[]));
    let missing = tool(&aws, &["status"]).run().exits(1);
    missing.prints("service web: there is none in cluster `apps`");
    assert_eq!(writes(&aws), [""; 0]);
}

/// A running task of the service.
fn task(id: &str, health: &str, fields: &serde_json::Value) -> serde_json::Value {
    let mut task = json!({
        "taskArn": format!("arn:aws:ecs:us-east-1:123456789012:task/apps/{id}"), "startedBy": "ecs-svc/new",
        "taskDefinitionArn": fake::revision(2), "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
        "healthStatus": health,
    });
    for (key, value) in fields.as_object().unwrap() {
        task[key] = value.clone();
    }
    task
}

#[test]
fn a_task_that_is_not_well_is_not_good() {
    let stopping = json!({"desiredStatus": "STOPPED"});
    let pending = json!({"lastStatus": "PENDING"});
    for (health, fields, code) in [
        ("HEALTHY", json!({}), 0),
        ("UNKNOWN", json!({}), 0),
        ("UNHEALTHY", json!({}), 1),
        // It has been replaced.
        ("UNHEALTHY", stopping, 0),
        ("UNHEALTHY", pending, 0),
    ] {
        let aws = fake::start();
        answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
        aws.answer(ecs("ListTasks"), 200, json!({"taskArns": ["0123"]}));
        let task = task("0123", health, &fields);
        aws.answer(ecs("DescribeTasks"), 200, json!({"tasks": [task]}));
        let output = tool(&aws, &["status"]).run().exits(code);
        if code == 1 {
            output.prints(
                "service web: ACTIVE, 1 of 1 running, 0 pending, 1 unhealthy\n\
                 deployment ecs-svc/new primary web:2: COMPLETED, 1 of 1 running\n\
                 task 0123 web:2: RUNNING UNHEALTHY",
            );
        }
        let document = tool(&aws, &["status", "-o", "json"]).run().json();
        assert_eq!(document["items"][0]["unhealthy"], code, "{document}");
    }
}

#[test]
fn status_reads_all_tasks() {
    let aws = fake::start();
    let one = with(service(&["new PRIMARY 2 COMPLETED"]), "runningCount", 2.into());
    answers(&aws, &[with(one, "desiredCount", 2.into())]);
    aws.answer_with(ecs("ListTasks"), |body| match body["nextToken"].as_str() {
        None => (200, json!({"taskArns": ["1"], "nextToken": "n"})),
        Some(_) => (200, json!({"taskArns": ["2"]})),
    });
    aws.answer_with(ecs("DescribeTasks"), |body| {
        let tasks = body["tasks"].as_array().unwrap().iter().map(|arn| {
            let id = arn.as_str().unwrap_or_default();
            let health = if id == "2" { "UNHEALTHY" } else { "HEALTHY" };
            task(id, health, &json!({}))
        });
        (200, json!({"tasks": tasks.collect::<Vec<_>>()}))
    });
    let output = tool(&aws, &["status"]).run().exits(1);
    assert!(output.stdout.contains("task 1 web:2: RUNNING HEALTHY\n"));
    assert!(output.stdout.contains("task 2 web:2: RUNNING UNHEALTHY\n"));
}

#[test]
fn each_denied_call_is_named_as_iam_spells_it() {
    for (arguments, target, call) in [
        (&["status"][..], ecs("ListTasks"), "ecs:ListTasks"),
        (&["rollback", "--yes"], ecs("UpdateService"), "ecs:UpdateService"),
        (&["run", "--", "x"], ecs("RunTask"), "ecs:RunTask"),
        (
            &["run", "--", "x"],
            ecs("DescribeTaskDefinition"),
            "ecs:DescribeTaskDefinition",
        ),
        (&["logs"], logs("FilterLogEvents"), "logs:FilterLogEvents"),
    ] {
        let aws = rollback::on_two();
        aws.refuse(target, "AccessDeniedException", "no");
        tool(&aws, arguments)
            .run()
            .exits(2)
            .says(&format!(": {call} failed: AccessDeniedException: no\n"))
            .says(&format!("hint: grant `{call}` to "));
    }
}

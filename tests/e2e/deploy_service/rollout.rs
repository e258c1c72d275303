//! How a deployment ends, and what is reported about it.

use super::fake::{self, answers, deploy, event, service, stopped, with, writes};
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;
use support::aws::{FakeAws, ecs};
use support::wait_for;

const TRIPPED: &str = "ECS deployment circuit breaker: tasks failed to start.";

/// A service on revision 1 whose update to revision 2 goes on as these answers show.
fn updated(later: &[serde_json::Value]) -> FakeAws {
    let aws = fake::start();
    let begun = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
    aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
    let mut all = vec![service(&["old PRIMARY 1 COMPLETED"])];
    all.extend_from_slice(later);
    answers(&aws, &all);
    aws
}

fn failed() -> String {
    format!("new ACTIVE 2 FAILED | {TRIPPED}")
}

#[test]
fn a_rollback_is_exit_code_four_with_its_cause() {
    let begun = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
    let begun = with(
        begun,
        "events",
        json!([event("1", "was unable to place a task.")]),
    );
    let aws = updated(&[
        begun,
        service(&[
            &format!("new PRIMARY 2 FAILED | {TRIPPED}"),
            "old ACTIVE 1 COMPLETED",
        ]),
        service(&["back PRIMARY 1 IN_PROGRESS | rolling back", &failed()]),
        service(&["back PRIMARY 1 COMPLETED", &failed()]),
    ]);
    stopped(&aws);
    let output = deploy(&aws, &["-o", "json"]).run().exits(4);
    let output = output
        .says("web: 22:13:20Z was unable to place a task.\n")
        .says("web: task 0123abcd stopped: Essential container in task exited; container `web` exited with 3: OutOfMemoryError\n")
        .says("  web | no such table: users\n")
        .says("web: web:2 failed, ECS rolls back to web:1: ")
        .says("error: failed to deploy service `web`: `web:2` was rolled back to `web:1`: ECS deployment circuit breaker: tasks failed to start: task 0123abcd stopped: ");
    assert!(!output.stderr.contains("Scaling activity"), "{}", output.stderr);
    // Each task and each event is printed once.
    assert_eq!(output.stderr.matches("no such table").count(), 1);
    let document = output.json();
    assert_eq!(document["outcome"], "rolled-back");
    assert_eq!(document["error"]["code"], "rolled-back");
    assert_eq!(
        document["stopped_tasks"][0]["containers"],
        json!([{"name": "web", "exit_code": 3, "reason": "OutOfMemoryError", "log": ["no such table: users"]}])
    );
    assert_eq!(
        document["events"][0]["message"],
        "(service web) was unable to place a task."
    );
    assert_eq!(writes(&aws), ["UpdateService"]);
}

#[test]
fn a_rollback_by_an_alarm_is_one_too() {
    let begun = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
    let alarms = json!({"alarms": {"alarmNames": ["errors"], "enable": true, "rollback": true}});
    let alarm = "new PRIMARY 2 FAILED | alarm detected.";
    let aws = updated(&[
        begun.clone(),
        service(&[alarm, "old ACTIVE 1 COMPLETED"]),
        service(&[
            "back PRIMARY 1 IN_PROGRESS",
            "new ACTIVE 2 FAILED | alarm detected.",
        ]),
        service(&[
            "back PRIMARY 1 COMPLETED",
            "new ACTIVE 2 FAILED | alarm detected.",
        ]),
    ]);
    let begun = with(begun, "deploymentConfiguration", alarms);
    aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
    deploy(&aws, &[])
        .run()
        .exits(4)
        .says("`web:2` was rolled back to `web:1`: alarm detected");
}

#[test]
fn of_very_many_stopped_tasks_all_are_looked_at() {
    let aws = updated(&[
        service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]),
        service(&["new PRIMARY 2 COMPLETED"]),
    ]);
    stopped(&aws);
    aws.answer_with(ecs("ListTasks"), |body| {
        let page = usize::from(body["nextToken"].is_string());
        let arns: Vec<String> = (0..100).map(|at| format!("{page}/{at}")).collect();
        let token = if page == 0 { json!("n") } else { json!(null) };
        (200, json!({"taskArns": arns, "nextToken": token}))
    });
    aws.answer_with(ecs("DescribeTasks"), |body| {
        let arns = body["tasks"].as_array().unwrap();
        // The most that ECS takes.
        assert!(arns.len() <= 100, "{}", arns.len());
        let ours = arns.iter().filter(|arn| *arn == "1/99");
        let tasks = ours.map(|arn| {
            json!({"taskArn": arn, "startedBy": "ecs-svc/new", "lastStatus": "STOPPED", "stoppedReason": "the last one"})
        });
        (200, json!({"tasks": tasks.collect::<Vec<_>>()}))
    });
    deploy(&aws, &[])
        .run()
        .exits(0)
        .says("web: task 99 stopped: the last one\n");
}

#[test]
fn a_service_that_looks_stable_after_a_rollback_is_a_rollback() {
    // At the second look the deployment is no longer listed.
    let aws = updated(&[
        service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]),
        service(&["back PRIMARY 1 COMPLETED | ECS deployment completed."]),
    ]);
    deploy(&aws, &[])
        .run()
        .exits(4)
        .says("`web:2` was rolled back to `web:1`");
}

#[test]
fn an_old_answer_is_neither_success_nor_rollback() {
    let aws = updated(&[
        service(&["old PRIMARY 1 COMPLETED"]),
        service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]),
        service(&["old PRIMARY 1 COMPLETED"]),
        service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]),
        service(&["new PRIMARY 2 COMPLETED"]),
    ]);
    deploy(&aws, &[])
        .run()
        .exits(0)
        .says("web:2 is deployed, its deployment COMPLETED");
    assert_eq!(aws.bodies(ecs("DescribeServices")).len(), 6);
}

#[test]
fn a_first_deployment_that_fails_is_exit_code_one() {
    let aws = fake::start();
    aws.answer_once(ecs("DescribeServices"), 200, fake::described(&[]));
    let begun = service(&["new PRIMARY 2 IN_PROGRESS"]);
    aws.answer(ecs("CreateService"), 200, json!({"service": begun}));
    answers(
        &aws,
        &[begun, service(&[&format!("new PRIMARY 2 FAILED | {TRIPPED}")])],
    );
    stopped(&aws);
    let output = deploy(&aws, &["-o", "json"])
        .run()
        .exits(1)
        .says("the deployment of `web:2` failed: ECS deployment circuit breaker: tasks failed to start: task 0123abcd stopped: ");
    assert_eq!(output.json()["outcome"], "no");

    // The next run starts another one, though nothing differs.
    aws.forget();
    let again = service(&["next PRIMARY 2 IN_PROGRESS"]);
    aws.answer(ecs("UpdateService"), 200, json!({"service": again}));
    aws.answer_once(
        ecs("DescribeServices"),
        200,
        fake::described(&[service(&["new PRIMARY 2 FAILED"])]),
    );
    aws.answer(
        ecs("DescribeServices"),
        200,
        fake::described(&[service(&["next PRIMARY 2 COMPLETED"])]),
    );
    deploy(&aws, &[]).run().exits(0);
    assert_eq!(aws.bodies(ecs("UpdateService"))[0]["forceNewDeployment"], true);
}

#[test]
fn a_rollback_that_does_not_come_is_not_waited_for() {
    let aws = updated(&[service(&[
        &format!("new PRIMARY 2 FAILED | {TRIPPED}"),
        "old ACTIVE 1 COMPLETED",
    ])]);
    // Half a minute, however often ECS is asked.
    let output = fake::tool(&aws, &["--poll", "2s"])
        .limit(Duration::from_secs(90))
        .run();
    assert!(output.elapsed > Duration::from_secs(25), "{:?}", output.elapsed);
    output
        .exits(1)
        .says("tasks failed to start.: ECS does not roll back to `web:1`");
}

#[test]
fn a_deadline_is_exit_code_three_with_the_state() {
    let aws = updated(&[service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"])]);
    let output = deploy(&aws, &["--timeout", "700ms", "-o", "json"]).run().exits(3);
    let output = output
        .says("error: deployment `ecs-svc/new` of service `web` is not done after 700 ms: IN_PROGRESS, 0 of 1 running, 1 pending\n")
        .says("hint: it goes on: follow it with `deploy-service --task-definition web:2`, ");
    let document = output.json();
    assert_eq!(document["outcome"], "timeout");
    assert_eq!(document["deployment"]["state"], "IN_PROGRESS");
    assert_eq!(document["items"][0]["action"], "update");
    // With the reason, where there is one: the document has no room for the lines before.
    stopped(&aws);
    let output = deploy(&aws, &["--timeout", "700ms", "-q", "-o", "json"])
        .run()
        .exits(3);
    let message = output.json()["error"]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        message.contains(" 1 pending: task 0123abcd stopped: Essential container in task exited"),
        "{message}"
    );
    // The file's own deadline.
    let aws = updated(&[service(&["new PRIMARY 2 IN_PROGRESS"])]);
    let config = fake::CONFIG.replace("file =", "timeout = \"600ms\"\nfile =");
    deploy(&aws, &[])
        .config_text(&config)
        .run()
        .exits(3)
        .says("is not done after 600 ms");
}

#[test]
fn a_signal_leaves_it_going_and_says_so() {
    let aws = updated(&[service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"])]);
    let running = deploy(&aws, &[]).spawn();
    wait_for("a look at the new deployment", || {
        (aws.bodies(ecs("DescribeServices")).len() > 2).then_some(())
    });
    running.signal(Signal::INT);
    let output = running.wait().ends_by(Signal::INT);
    output
        .says("deploy-service: deployment `ecs-svc/new` of service `web` goes on: IN_PROGRESS")
        .says(
            "hint: follow it with `deploy-service --task-definition web:2`, look at it with `deploy-service status`, \
             stop it with `deploy-service rollback --task-definition web:1 --yes`\n",
        );
    assert_eq!(writes(&aws), ["UpdateService"]);
}

#[test]
fn a_second_run_waits_for_the_deployment_of_the_first() {
    let aws = fake::start();
    answers(
        &aws,
        &[
            service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]),
            service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]),
            service(&["new PRIMARY 2 COMPLETED"]),
        ],
    );
    let output = deploy(&aws, &["-o", "json"]).run().exits(0);
    assert_eq!(output.json()["outcome"], "unchanged");
    assert_eq!(aws.bodies(ecs("DescribeServices")).len(), 3);
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn two_first_runs_at_the_same_time_make_one_service() {
    let aws = fake::start();
    aws.answer_once(ecs("DescribeServices"), 200, fake::described(&[]));
    aws.refuse(
        ecs("CreateService"),
        "InvalidParameterException",
        "Creation of service was not idempotent.",
    );
    answers(
        &aws,
        &[
            service(&["new PRIMARY 2 IN_PROGRESS"]),
            service(&["new PRIMARY 2 COMPLETED"]),
        ],
    );
    let output = deploy(&aws, &["-o", "json"]).run().exits(0);
    assert_eq!(output.json()["outcome"], "unchanged");
}

#[test]
fn a_deployment_of_another_caller_in_its_place_is_no_success() {
    let aws = updated(&[
        service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]),
        service(&["other PRIMARY 3 COMPLETED", "new ACTIVE 2 IN_PROGRESS"]),
    ]);
    deploy(&aws, &[])
        .run()
        .exits(1)
        .says("deployment `ecs-svc/other` of `web:3` by another caller replaced `web:2`");
}

#[test]
fn a_service_that_is_deleted_meanwhile_ends_the_wait() {
    let begun = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
    let status = |status: &str, deployments: &[&str]| with(service(deployments), "status", status.into());
    for gone in [
        Some(status("DRAINING", &["new PRIMARY 2 IN_PROGRESS"])),
        Some(status("INACTIVE", &[])),
        None,
    ] {
        let aws = updated(&[begun.clone(), begun.clone()]);
        aws.answer(ecs("DescribeServices"), 200, fake::described(gone.as_slice()));
        let output = deploy(&aws, &["-o", "json"]).run().exits(1).says(
            "error: failed to deploy service `web`: the service was deleted while `web:2` was deployed\n\
             hint: `deploy-service --task-definition web:2` creates it again\n",
        );
        let document = output.json();
        assert_eq!(document["outcome"], "no");
        assert_eq!(document["error"]["code"], "deleted");
        assert_eq!(document["items"][0]["action"], "update");
    }
    // A single INACTIVE may be an outdated response.
    let aws = updated(&[
        begun.clone(),
        status("INACTIVE", &[]),
        begun,
        service(&["new PRIMARY 2 COMPLETED"]),
    ]);
    deploy(&aws, &[]).run().exits(0);
    // The same for a service that was created again, for a while.
    let aws = fake::start();
    let before = status("INACTIVE", &[]);
    let begun = service(&["new PRIMARY 2 IN_PROGRESS"]);
    aws.answer(ecs("CreateService"), 200, json!({"service": begun}));
    answers(
        &aws,
        &[
            before.clone(),
            before.clone(),
            before,
            begun,
            service(&["new PRIMARY 2 COMPLETED"]),
        ],
    );
    deploy(&aws, &[]).run().exits(0).says("web: created\n");
}

#[test]
fn a_role_that_ecs_can_not_assume_yet_is_waited_for() {
    // ECS goes on trying by itself, and says so in an event.
    let message = "failed to launch a task with (error ECS was unable to assume the role 'arn:aws:iam::123456789012:role/x' that was provided for this task.).";
    let begun = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
    let aws = updated(&[
        with(begun, "events", json!([event("1", message)])),
        service(&["new PRIMARY 2 COMPLETED"]),
    ]);
    deploy(&aws, &[])
        .run()
        .exits(0)
        .says("ECS was unable to assume the role");
}

#[test]
fn a_terminal_shows_the_live_view() {
    let aws = updated(&[
        service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]),
        service(&["new PRIMARY 2 COMPLETED"]),
    ]);
    let terminal = fake::tool(&aws, &["--poll", "400ms"])
        .env("TERM", "xterm")
        .on_a_terminal("");
    let output = terminal.limit(Duration::from_secs(20)).run();
    assert!(
        output
            .stdout
            .contains("web:2  IN_PROGRESS, 0 of 1 running, 1 pending"),
        "{}",
        output.transcript()
    );
}

//! `status` and `rollback`, and what is denied to them.

use super::fake::{self, ARN, answers, revision, service, tool, with, writes};
use serde_json::json;
use support::Tool;
use support::aws::{FakeAws, ecs, logs};

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

/// On revision 2, with one before it.
fn on_two() -> FakeAws {
    let aws = fake::start();
    let arns = json!([revision(2), revision(1)]);
    aws.answer(
        ecs("ListTaskDefinitions"),
        200,
        json!({"taskDefinitionArns": arns}),
    );
    let begun = service(&["back PRIMARY 1 IN_PROGRESS", "new ACTIVE 2 COMPLETED"]);
    aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
    answers(
        &aws,
        &[
            service(&["new PRIMARY 2 COMPLETED"]),
            begun,
            service(&["back PRIMARY 1 COMPLETED"]),
        ],
    );
    aws
}

fn rollback(aws: &FakeAws, arguments: &[&str]) -> Tool {
    tool(aws, &["rollback", "--poll", "20ms"]).args(arguments)
}

#[test]
fn rollback_asks_before_it_goes_back() {
    let aws = on_two();
    rollback(&aws, &[])
        .run()
        .exits(2)
        .says("refused to roll service `web` back from `web:2` to `web:1`: ");
    assert_eq!(writes(&aws), [""; 0]);
    let aws = on_two();
    rollback(&aws, &["--dry-run"])
        .run()
        .exits(0)
        .says("  taskDefinition: web:2 -> web:1\n");
    assert_eq!(writes(&aws), [""; 0]);

    let aws = on_two();
    let output = rollback(&aws, &["--yes"]).run().exits(0);
    output.prints(ARN);
    assert_eq!(
        aws.bodies(ecs("UpdateService")),
        [json!({"cluster": "apps", "service": "web", "taskDefinition": revision(1)})]
    );

    let aws = on_two();
    let output = rollback(&aws, &[]).on_a_terminal("y\n").run();
    assert!(
        output.stdout.contains("this will roll service `web` back"),
        "{}",
        output.transcript()
    );
    assert_eq!(writes(&aws), ["UpdateService"]);
}

#[test]
fn rollback_of_a_deployment_that_goes_on_is_to_what_ran_before() {
    // The revisions are not even asked for.
    let aws = fake::start();
    let begun = service(&["back PRIMARY 1 IN_PROGRESS", "new ACTIVE 2 IN_PROGRESS"]);
    aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
    let now = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
    answers(&aws, &[now, service(&["back PRIMARY 1 COMPLETED"])]);
    rollback(&aws, &["--yes"]).run().exits(0);
    let body = aws.bodies(ecs("UpdateService"))[0].clone();
    assert_eq!(body["taskDefinition"], revision(1));
}

#[test]
fn without_an_earlier_revision_there_is_no_way_back() {
    let aws = on_two();
    aws.answer(
        ecs("ListTaskDefinitions"),
        200,
        json!({"taskDefinitionArns": [revision(2)]}),
    );
    rollback(&aws, &["--yes"])
        .run()
        .exits(2)
        .says("failed to roll back service `web`: `web` has no active revision before `web:2`");
    let aws = fake::start();
    answers(&aws, &[with(service(&[]), "status", "INACTIVE".into())]);
    rollback(&aws, &["--yes"])
        .run()
        .exits(2)
        .says("failed to roll back service `web`: there is none");
}

#[test]
fn each_denied_call_is_named_as_iam_spells_it() {
    for (arguments, target, call) in [
        (&["status"][..], ecs("ListTasks"), "ecs:ListTasks"),
        (
            &["rollback", "--yes"],
            ecs("ListTaskDefinitions"),
            "ecs:ListTaskDefinitions",
        ),
        (&["rollback", "--yes"], ecs("UpdateService"), "ecs:UpdateService"),
        (&["run", "--", "x"], ecs("RunTask"), "ecs:RunTask"),
        (
            &["run", "--", "x"],
            ecs("DescribeTaskDefinition"),
            "ecs:DescribeTaskDefinition",
        ),
        (&["logs"], logs("FilterLogEvents"), "logs:FilterLogEvents"),
    ] {
        let aws = on_two();
        aws.refuse(target, "AccessDeniedException", "no");
        tool(&aws, arguments)
            .run()
            .exits(2)
            .says(&format!(": {call} refused with AccessDeniedException: no\n"))
            .says(&format!("hint: allow `{call}` to "));
    }
}

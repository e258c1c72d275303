//! `status`, `rollback`, `run` and `logs`.

use super::fake::{self, ARN, answers, revision, service, tool, with, writes};
use serde_json::{Value, json};
use support::Tool;
use support::aws::{FakeAws, ecs, logs};

const TASK: &str = "arn:aws:ecs:us-east-1:123456789012:task/apps/0123abcd";

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
fn logs_are_printed_in_the_order_of_their_time() {
    let aws = fake::start();
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    let event = |id: &str, time: u64, text: &str| json!({"eventId": id, "timestamp": time, "message": text, "logStreamName": "web/web/0123abcdef"});
    aws.answer_once(
        logs("FilterLogEvents"),
        200,
        json!({"events": [event("2", 2000, "later")], "nextToken": "n"}),
    );
    aws.answer(
        logs("FilterLogEvents"),
        200,
        json!({"events": [event("1", 1000, "first\n"), event("2", 2000, "later")]}),
    );
    tool(&aws, &["logs"])
        .run()
        .exits(0)
        .prints("00:00:01Z web/0123abcd first\n00:00:02Z web/0123abcd later");
    let bodies = aws.bodies(logs("FilterLogEvents"));
    assert_eq!(bodies[0]["logStreamNamePrefix"], "web/web/");
    let followed = tool(&aws, &["logs", "-f", "--poll", "20ms", "--timeout", "400ms"])
        .run()
        .exits(3);
    // Each line once.
    followed.prints("00:00:01Z web/0123abcd first\n00:00:02Z web/0123abcd later");
    tool(&aws, &["logs", "-f", "-o", "json"])
        .run()
        .exits(2)
        .says("failed to follow the log");
    tool(&aws, &["logs", "--container", "nope"])
        .run()
        .exits(2)
        .says("failed to read the log of container `nope`")
        .says("hint: it has `web`");
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
    // The task was started, and can't be followed.
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

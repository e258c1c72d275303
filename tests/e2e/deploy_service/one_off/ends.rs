//! Ends that come before the command's own: the deadline, a signal.

use super::{TASK, logs_pages, run, starts, task};
use crate::deploy_service::fake::{self, definition, writes};
use rustix::process::Signal;
use serde_json::json;
use support::aws::{FakeAws, ecs, logs};
use support::wait_for;

/// A command that does not end.
fn busy() -> FakeAws {
    let aws = starts();
    aws.answer(
        ecs("DescribeTasks"),
        200,
        task("RUNNING", &json!({"name": "web"})),
    );
    logs_pages(&aws, &[(&["one"], "f/1")]);
    aws
}

const STOP: &str = "aws ecs stop-task --cluster apps --task 0123abcd --region us-east-1";

#[test]
fn a_deadline_names_the_task_that_goes_on() {
    let output = run(&busy(), &["--timeout", "600ms", "-o", "json"])
        .run()
        .exits(3)
        .says("error: task `0123abcd` is not done after 600 ms: RUNNING\n")
        .says(&format!(
            "hint: it goes on: follow it with `deploy-service logs -f`, stop it with `{STOP}`\n"
        ));
    let document = output.json();
    assert_eq!(document["outcome"], "timeout");
    assert_eq!(document["items"][0]["arn"], TASK);
    assert_eq!(document["log"], json!(["one"]));
}

#[test]
fn a_signal_leaves_the_task_going_and_says_how_to_stop_it() {
    let aws = busy();
    let tool = run(&aws, &["--region", "eu-west-1", "--profile", "dev"]).file(
        "aws",
        "[profile dev]\naws_access_key_id = dummy-key-id\naws_secret_access_key = dummy-secret-key\n",
    );
    let config = tool.folder().join("aws");
    let running = tool.env("AWS_CONFIG_FILE", config).hears_signals().spawn();
    wait_for("the first look at the task", || {
        (aws.bodies(ecs("DescribeTasks")).len() > 1).then_some(())
    });
    running.signal(Signal::INT);
    let output = running.wait().ends_by(Signal::INT);
    output
        .says("deploy-service: task `0123abcd` goes on: RUNNING\n")
        .says(
            "hint: follow it with `deploy-service logs -f --region eu-west-1 --profile dev`, stop it with \
             `aws ecs stop-task --cluster apps --task 0123abcd --region eu-west-1 --profile dev`\n",
        )
        .prints("one");
    assert_eq!(writes(&aws), ["RunTask"]);
}

/// What a shell makes of the command in a hint.
#[test]
fn what_is_called_by_hand_is_understood_by_the_aws_cli() {
    let aws = busy();
    let output = run(&aws, &["--timeout", "600ms"]).run().exits(3);
    let (_, command) = output.stderr.rsplit_once("stop it with `").unwrap();
    let (command, _) = command.split_once('`').unwrap();
    aws.answer(ecs("StopTask"), 200, json!({}));
    aws.forget();
    let sandbox = support::sandbox::sandbox();
    aws.point(sandbox.program("sh"))
        .args(["-c", command])
        .run()
        .exits(0);
    assert_eq!(
        aws.bodies(ecs("StopTask")),
        [json!({"cluster": "apps", "task": "0123abcd"})]
    );
}

const NOT_ANSWERED: &str = "warning: ecs:RunTask in cluster `apps` (`aws ecs list-tasks --cluster apps \
     --started-by deploy-service-run --region us-east-1` shows its task) got no response; \
     it may have been applied\n";

fn hangs() -> FakeAws {
    let aws = fake::start();
    aws.stall(ecs("RunTask"));
    aws
}

#[test]
fn an_end_while_the_task_is_being_started_says_so() {
    run(&hangs(), &["--timeout", "800ms"])
        .run()
        .exits(3)
        .says(NOT_ANSWERED)
        .says("error: not done after 800 ms\n")
        .says(
            "hint: `aws ecs list-tasks --cluster apps --started-by deploy-service-run --region us-east-1` \
               shows whether the task was started\n",
        );
    let aws = hangs();
    aws.interrupt_at(ecs("RunTask"), run(&aws, &[]))
        .says(NOT_ANSWERED);
    // The same without an answer at all.
    let aws = fake::start();
    aws.cut(ecs("RunTask"));
    run(&aws, &[])
        .run()
        .exits(2)
        .says("failed to run the task: ecs:RunTask got no answer: ")
        .says(
            "hint: `aws ecs list-tasks --cluster apps --started-by deploy-service-run --region us-east-1` \
               shows whether the task was started\n",
        );
}

#[test]
fn an_end_while_the_task_is_being_stopped_says_so() {
    let half = json!({"tasks": [{
        "taskArn": TASK, "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
        "containers": [{"name": "web", "exitCode": 7}, {"name": "proxy"}],
    }]});
    let sidecar = || {
        let aws = starts();
        aws.answer(ecs("DescribeTasks"), 200, half.clone());
        aws.stall(ecs("StopTask"));
        let mut definition = definition(2);
        definition["containerDefinitions"][0]["essential"] = false.into();
        let answer = json!({"taskDefinition": definition});
        aws.answer(ecs("DescribeTaskDefinition"), 200, answer);
        logs_pages(&aws, &[(&["one"], "f/1")]);
        aws
    };
    let words = "warning: ecs:StopTask for task `0123abcd` got no response; it may have been applied\n";
    // The command's code is known by then.
    run(&sidecar(), &["--timeout", "800ms"])
        .run()
        .exits(7)
        .says(words)
        .prints("one");
    let aws = sidecar();
    let running = run(&aws, &[]).hears_signals().spawn();
    wait_for("StopTask", || {
        (!aws.bodies(ecs("StopTask")).is_empty()).then_some(())
    });
    running.signal(Signal::TERM);
    let output = running.wait().ends_by(Signal::TERM);
    output.says(words);
    assert_eq!(aws.bodies(logs("GetLogEvents")).len(), 2);
}

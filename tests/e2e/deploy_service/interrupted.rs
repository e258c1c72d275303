//! A deadline or a signal before the response of ECS: calls that may have been applied are reported once.

use super::fake::{self, ARN, answers, deploy, described, service};
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;
use support::Output;
use support::aws::{FakeAws, ecs};
use support::wait_for;

/// On revision 1, with a tag that differs, which can be set.
fn tagged() -> FakeAws {
    let aws = fake::start();
    let mut old = service(&["old PRIMARY 1 COMPLETED"]);
    old["tags"] = json!([{"key": "app", "value": "other"}]);
    answers(&aws, &[old]);
    aws.answer(ecs("TagResource"), 200, json!({}));
    aws
}

fn clean() -> FakeAws {
    let aws = fake::start();
    aws.answer(ecs("DescribeServices"), 200, described(&[]));
    aws
}

#[track_caller]
fn once(output: &Output, text: &str) {
    assert_eq!(output.stderr.matches(text).count(), 1, "{}", output.transcript());
}

/// The account, the region and the cluster, as in every other report.
fn has_its_place(document: &serde_json::Value) {
    for (key, value) in [
        ("account", "123456789012"),
        ("region", "us-east-1"),
        ("cluster", "apps"),
    ] {
        assert_eq!(document[key], value, "{document}");
    }
}

#[test]
fn a_deadline_before_the_answer_says_what_was_sent() {
    for (aws, operation) in [
        (clean(), "CreateService"),
        (tagged(), "TagResource"),
        (tagged(), "UpdateService"),
    ] {
        aws.stall(ecs(operation));
        let output = deploy(&aws, &["--timeout", "800ms", "-o", "json"]).run().exits(3);
        let sent = format!(
            "deploy-service: warning: ecs:{operation} for service `web` got no response; it may have been applied\n"
        );
        once(&output, &sent);
        let output = output.says("error: not done after 800 ms\n");
        let document = output.json();
        assert_eq!(document["outcome"], "timeout");
        has_its_place(&document);
        if operation == "UpdateService" {
            once(&output, "web: updated\n  tags.app: other -> e2e\n");
            assert_eq!(
                document["items"],
                json!([{
                    "kind": "service", "name": "web", "action": "update", "arn": ARN,
                    "changes": [{"path": "tags.app", "from": "other", "to": "e2e"}],
                }])
            );
        } else {
            assert!(!output.stderr.contains("web: "), "{}", output.stderr);
            assert_eq!(document["items"], json!([]));
        }
    }
}

#[test]
fn a_signal_before_the_answer_says_it_too() {
    for operation in ["TagResource", "UpdateService"] {
        let aws = tagged();
        aws.stall(ecs(operation));
        let output = aws.interrupt_at(ecs(operation), deploy(&aws, &[]));
        once(
            &output,
            &format!("ecs:{operation} for service `web` got no response"),
        );
        let reported = output
            .stderr
            .matches("web: updated\n  tags.app: other -> e2e\n")
            .count();
        assert_eq!(
            reported,
            usize::from(operation == "UpdateService"),
            "{}",
            output.transcript()
        );
        assert_eq!(output.stdout, "");
    }
}

#[test]
fn a_reported_change_is_not_reported_again() {
    let aws = fake::start();
    let begun = service(&["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"]);
    aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
    answers(&aws, &[service(&["old PRIMARY 1 COMPLETED"]), begun]);
    let output = deploy(&aws, &["--timeout", "700ms", "-o", "json"]).run().exits(3);
    once(&output, "web: updated\n");
    assert!(!output.stderr.contains("got no response"), "{}", output.stderr);
    let document = output.json();
    has_its_place(&document);
    assert_eq!(document["items"].as_array().map(Vec::len), Some(1), "{document}");

    let running = deploy(&aws, &[]).hears_signals().spawn();
    aws.forget();
    wait_for("a look", || {
        (aws.bodies(ecs("DescribeServices")).len() > 2).then_some(())
    });
    running.signal(Signal::INT);
    let output = running.wait();
    once(&output, "deployment `ecs-svc/new` of service `web` goes on: ");
    assert_eq!(
        output.stderr.matches("web: updated\n").count(),
        0,
        "{}",
        output.transcript()
    );
}

#[test]
fn a_deadline_before_anything_was_sent_has_its_place() {
    let aws = fake::start();
    aws.answer(
        ecs("DescribeServices"),
        200,
        described(&[service(&["new PRIMARY 2 COMPLETED"])]),
    );
    aws.stall(ecs("ListServiceDeployments"));
    let rollback = fake::tool(&aws, &["rollback", "--yes", "--timeout", "700ms", "-o", "json"]);
    let output = rollback.run().exits(3);
    has_its_place(&output.json());
    assert!(!output.stderr.contains("got no response"), "{}", output.stderr);
}

#[test]
fn a_deadline_holds_while_a_file_is_waited_for() {
    for command in [&[][..], &["status"], &["rollback"], &["logs"], &["run"]] {
        let tool = fake::tool(&FakeAws::start(), command);
        let pipe = tool.folder().join("pipe.toml");
        support::program("mkfifo").arg(&pipe).run().exits(0);
        let words: &[&str] = if command == ["run"] { &["--", "x"] } else { &[] };
        let tool = tool.arg("--config").arg(pipe).args(["--timeout", "500ms"]);
        let output = tool.args(words).limit(Duration::from_secs(10)).run().exits(3);
        output.says("error: not done after 500 ms\n");
    }
}

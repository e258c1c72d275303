//! A deadline or a signal while some writes have their response and others have not.

use super::{config_with, each_item, store, tool};
use rustix::process::Signal;
use serde_json::json;
use support::aws::{FakeAws, ssm};
use support::{Output, Tool, wait_for};

/// Seven parameters to create. Two calls get a response, so that two more than the five at a time are sent; five get
/// none.
fn two_of_seven() -> (FakeAws, Tool) {
    let aws = store(&[]);
    for _ in 0..2 {
        aws.answer_once(ssm("PutParameter"), 200, json!({"Version": 1}));
    }
    aws.stall(ssm("PutParameter"));
    let entries: Vec<String> = (0..7)
        .map(|number| format!("N{number} = {{ env = \"SOURCE_ONE\" }}"))
        .collect();
    let tool = tool(&aws).config_text(&config_with(&entries.join("\n")));
    (aws, tool)
}

#[track_caller]
fn names_what_it_did(output: &Output, aws: &FakeAws) {
    assert_eq!(aws.bodies(ssm("PutParameter")).len(), 7);
    let count = |text: &str| output.stderr.matches(text).count();
    assert_eq!(count(": created\n"), 2, "{}", output.transcript());
    let in_flight = "` got no response; it may have been applied\n";
    assert_eq!(count(in_flight), 5, "{}", output.transcript());
    assert_eq!(
        count("put-params: warning: ssm:PutParameter for parameter `/e2e/N"),
        5,
        "{}",
        output.transcript()
    );
}

#[test]
fn a_deadline_reports_the_answered_and_the_other_calls() {
    let (aws, tool) = two_of_seven();
    let output = tool.args(["--timeout", "2s", "-o", "json"]).run().exits(3);
    let output = output.fails_with("timeout");
    names_what_it_did(&output, &aws);
    let document = output.json();
    assert_eq!(document["outcome"], "timeout");
    assert_eq!(document["region"], "us-east-1");
    let actions = each_item(&document, "action");
    let count = |action: &str| actions.iter().filter(|one| *one == action).count();
    assert_eq!((count("create"), count("unfinished")), (2, 5), "{document}");
    let created = document["items"].as_array().unwrap().iter();
    let created = created.filter(|item| item["action"] == "create");
    created.for_each(|item| assert_eq!(item["version"], 1, "{item}"));
    output.says("error: not done after 2 s\n");
}

#[test]
fn a_signal_reports_them_too() {
    for signal in [Signal::INT, Signal::TERM] {
        let (aws, tool) = two_of_seven();
        let running = tool.hears_signals().spawn();
        wait_for("seven calls", || {
            (aws.bodies(ssm("PutParameter")).len() == 7).then_some(())
        });
        running.signal(signal);
        let output = running.wait().ends_by(signal);
        names_what_it_did(&output, &aws);
        assert_eq!(output.stdout, "");
    }
}

#[test]
fn a_deadline_while_the_values_are_read_back_keeps_the_result() {
    let aws = store(&[]);
    let missing = json!({"Parameters": [], "InvalidParameters": ["/e2e/ONE"]});
    aws.answer_once(ssm("GetParameters"), 200, missing);
    aws.stall(ssm("GetParameters"));
    let output = tool(&aws).args(["ONE", "--timeout", "2s"]).run().exits(0);
    output
        .says("put-params: warning: the new values were not read back: not done after 2 s\n")
        .prints("/e2e/ONE  created  version 1  env SOURCE_ONE");
}

#[test]
fn a_failed_write_is_reported_at_the_deadline() {
    let aws = store(&[]);
    let full = json!({"__type": "ParameterLimitExceeded", "message": "full"});
    aws.answer_once(ssm("PutParameter"), 400, full);
    aws.stall(ssm("PutParameter"));
    let output = tool(&aws).args(["--timeout", "2s", "-o", "json"]).run().exits(3);
    let mut actions = each_item(&output.json(), "action");
    actions.sort_by_key(ToString::to_string);
    assert_eq!(actions, ["failed", "unfinished"]);
    output.says("put-params: error: failed to put parameter `/e2e/");
}

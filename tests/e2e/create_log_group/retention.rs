//! A shorter retention deletes events, so it requires confirmation.

use super::cloudwatch::{Group, Logs, keeping, writes};
use super::{tool, with_retention};
use serde_json::json;
use support::aws::logs;

#[test]
fn a_longer_retention_is_set_without_asking() {
    for (value, from, to) in [("30", "1", Some(30)), ("\"never\"", "1", None)] {
        let (aws, logs_) = Logs::with([("cruddur", Group::right())]);
        let output = with_retention(&aws, value).run().exits(0);
        let shown = value.trim_matches('"');
        output.says(&format!(
            "cruddur: updated\n  retention_days: {from} -> {shown}\n"
        ));
        assert_eq!(logs_.group().retention, to);
        let operation = if to.is_some() {
            "PutRetentionPolicy"
        } else {
            "DeleteRetentionPolicy"
        };
        assert_eq!(writes(&aws), [operation]);
        aws.forget();
        with_retention(&aws, value)
            .run()
            .exits(0)
            .says("cruddur: unchanged");
        assert_eq!(writes(&aws), [""; 0]);
    }
}

#[test]
fn a_shorter_retention_without_a_terminal_needs_yes() {
    for (days, from) in [(Some(30), "30"), (None, "never")] {
        let (aws, logs_) = Logs::with([("cruddur", keeping(days))]);
        let output = tool(&aws).args(["-o", "json"]).run().exits(2);
        let document = output.json();
        assert_eq!(document["outcome"], "failed");
        assert_eq!(document["error"]["code"], "not-confirmed");
        output
            .says(&format!("  retention_days: {from} -> 1\n"))
            .says(
                "create-log-group: error: refused to delete the events of log group `cruddur` that are older than 1 day: \
                 there is no terminal to ask on, and no --yes\n\
                 hint: give --yes if that is what you want\n",
            );
        // A yes on a pipe is no yes of a person.
        tool(&aws).stdin("y\n").run().exits(2);
        assert_eq!(writes(&aws), [""; 0]);
        tool(&aws).arg("--yes").run().exits(0).says("cruddur: updated");
        assert_eq!(logs_.group().retention, Some(1));
    }
}

/// For example when an earlier run was killed after CreateLogGroup.
#[test]
fn an_empty_group_has_no_events_to_lose() {
    let empty = || {
        let mut group = keeping(None);
        group.has_events = false;
        Logs::with([("cruddur", group)])
    };
    let (aws, logs_) = empty();
    tool(&aws).arg("--dry-run").run().exits(0).does_not_say("--yes");
    tool(&aws)
        .run()
        .exits(0)
        .says("cruddur: updated\n  retention_days: never -> 1\n");
    assert_eq!(logs_.group().retention, Some(1));
    // A caller who may not look is asked.
    let (aws, _) = empty();
    aws.refuse(logs("DescribeLogStreams"), "AccessDeniedException", "no");
    tool(&aws).run().exits(2).says("refused to delete the events");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn nothing_at_all_is_changed_without_the_yes() {
    let mut group = keeping(Some(30));
    group.tags.clear();
    let (aws, _) = Logs::with([("cruddur", group)]);
    tool(&aws).run().exits(2);
    assert_eq!(writes(&aws), [""; 0]);
    tool(&aws).arg("--yes").run().exits(0);
    assert_eq!(writes(&aws), ["PutRetentionPolicy", "TagResource"]);
}

#[test]
fn asks_on_a_terminal_and_takes_only_a_yes_for_yes() {
    for (answer, code) in [("y\n", 0), ("yes\n", 0), ("n\n", 2), ("\n", 2), ("maybe\n", 2)] {
        let (aws, logs_) = Logs::with([("cruddur", keeping(None))]);
        let output = tool(&aws).on_a_terminal(answer).run();
        let text = output.stdout.replace('\r', "");
        assert_eq!(output.code, Some(code), "{answer:?}: {text}");
        let question = "create-log-group: this will delete the events of log group `cruddur` that are older than 1 day. Go on? [y/N] ";
        assert!(text.contains(question), "{text}");
        assert!(text.contains("  retention_days: never -> 1\n"), "{text}");
        if code == 0 {
            assert_eq!(logs_.group().retention, Some(1));
        } else {
            assert_eq!(writes(&aws), [""; 0]);
            assert!(
                text.contains("older than 1 day: not confirmed\nhint: answer `y`, or give --yes"),
                "{text}"
            );
        }
    }
}

#[test]
fn a_question_without_an_answer_ends_with_the_deadline() {
    let (aws, _) = Logs::with([("cruddur", keeping(None))]);
    let asking = tool(&aws).args(["--timeout", "700ms"]).on_a_terminal("");
    // A terminal that stays open and silent: nothing is typed, and its input does not end.
    let mut command = asking.command();
    command.stdin(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let silent = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(silent);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Go on? [y/N] "), "{text}");
    assert!(text.contains("not done after 700 ms"), "{text}");
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn the_plan_shows_what_would_be_deleted() {
    let (aws, _) = Logs::with([("cruddur", keeping(Some(30)))]);
    let output = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(document["outcome"], "planned");
    let item = &document["items"][0];
    assert_eq!(item["action"], "update");
    assert_eq!(
        item["changes"],
        json!([{"path": "retention_days", "from": 30, "to": 1}])
    );
    assert_eq!(item["deletes"], "the events that are older than 1 day");
    output.says(
        "cruddur: would be updated\n  retention_days: 30 -> 1\n  requires confirmation or --yes: delete the events of log group `cruddur` that are older than 1 day\n",
    );
    tool(&aws).arg("--check").run().exits(1);
    assert_eq!(writes(&aws), [""; 0]);
}

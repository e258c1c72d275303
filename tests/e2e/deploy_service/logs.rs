//! `logs`: the lines of all tasks.

use super::fake::{self, answers, service, tool};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::aws::{FakeAws, ecs, logs};
use support::wait_for;

fn start() -> FakeAws {
    let aws = fake::start();
    answers(&aws, &[service(&["new PRIMARY 2 COMPLETED"])]);
    aws
}

fn event(id: &str, stream: &str, time: u64, text: &str) -> Value {
    json!({"eventId": id, "timestamp": time, "message": text, "logStreamName": stream})
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn events(events: &[Value]) -> Value {
    json!({"events": events})
}

#[test]
fn logs_are_printed_in_the_order_of_their_time() {
    let aws = start();
    let event = |id: &str, time: u64, text: &str| event(id, "web/web/0123abcdef", time, text);
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

/// A task definition with a sidecar that logs to the same group.
fn with_a_sidecar(aws: &FakeAws) {
    let mut definition = fake::definition(2);
    let mut sidecar = definition["containerDefinitions"][0].clone();
    sidecar["name"] = "proxy".into();
    let containers = definition["containerDefinitions"].as_array_mut();
    containers.unwrap().push(sidecar);
    let answer = json!({"taskDefinition": definition});
    aws.answer(ecs("DescribeTaskDefinition"), 200, answer);
}

#[test]
fn lines_of_several_tasks_have_their_labels() {
    let aws = start();
    with_a_sidecar(&aws);
    // An AWS that does not know the prefix answers with all streams.
    aws.answer(
        logs("FilterLogEvents"),
        200,
        events(&[
            event("1", "web/web/aaaaaaaa0", 1000, "one"),
            event("2", "web/proxy/aaaaaaaa0", 3000, "three"),
            event("3", "web/web/bbbbbbbb0", 2000, "  two"),
            event("4", "other/web/cccccccc0", 2000, "of another service"),
        ]),
    );
    tool(&aws, &["logs"])
        .run()
        .exits(0)
        .prints("00:00:01Z web/aaaaaaaa one\n00:00:02Z web/bbbbbbbb   two\n00:00:03Z proxy/aaaaaaaa three");
    let prefixes: Vec<_> = aws
        .bodies(logs("FilterLogEvents"))
        .into_iter()
        .map(|body| body["logStreamNamePrefix"].clone())
        .collect();
    assert_eq!(prefixes, ["web/web/", "web/proxy/"]);
    tool(&aws, &["logs", "--container", "proxy"])
        .run()
        .exits(0)
        .prints("00:00:03Z proxy/aaaaaaaa three");
    let document = tool(&aws, &["logs", "--container", "proxy", "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(
        document["lines"],
        json!([{"time": 3000, "container": "proxy", "task": "aaaaaaaa0", "message": "three"}])
    );
}

#[test]
fn one_event_is_one_line() {
    let aws = start();
    let text = "one\n00:00:09Z web/ffffffff forged\r\n\u{1b}[31mred\n";
    aws.answer(
        logs("FilterLogEvents"),
        200,
        events(&[event("1", "web/web/aaaaaaaa0", 1000, text)]),
    );
    tool(&aws, &["logs"])
        .run()
        .exits(0)
        .prints("00:00:01Z web/aaaaaaaa one\\n00:00:09Z web/ffffffff forged\\r\\n\\u{1b}[31mred");
    // JSON has escapes of its own.
    let document = tool(&aws, &["logs", "-o", "json"]).run().exits(0).json();
    assert_eq!(document["lines"][0]["message"], text.trim_end());
}

#[test]
fn a_page_without_lines_is_not_the_end() {
    let aws = start();
    let pages = [
        json!({"events": [], "nextToken": "1"}),
        json!({"events": [event("1", "web/web/a", 1000, "one")], "nextToken": "2"}),
        json!({"events": [], "nextToken": "3"}),
        json!({"events": [event("2", "web/web/a", 2000, "two")]}),
    ];
    for page in pages {
        aws.answer_once(logs("FilterLogEvents"), 200, page);
    }
    tool(&aws, &["logs"])
        .run()
        .exits(0)
        .prints("00:00:01Z web/a one\n00:00:02Z web/a two");
}

#[test]
fn since_says_where_to_begin() {
    let aws = start();
    aws.answer(logs("FilterLogEvents"), 200, events(&[]));
    for (flags, ago) in [
        (&[][..], 600),
        (&["--since", "90s"], 90),
        (&["--since", "2h"], 7200),
    ] {
        aws.forget();
        tool(&aws, &[&["logs"], flags].concat()).run().exits(0).prints("");
        let now = since_epoch().as_secs();
        let begin = aws.bodies(logs("FilterLogEvents"))[0]["startTime"]
            .as_u64()
            .unwrap()
            / 1000;
        assert!((now - ago - 30..=now - ago).contains(&begin), "{now} {begin}");
    }
}

#[test]
fn following_survives_transient_errors_and_ends_as_the_signal_does() {
    let aws = start();
    let now = u64::try_from(since_epoch().as_millis()).unwrap();
    let line = event("1", "web/web/a", now, "one");
    aws.answer_once(logs("FilterLogEvents"), 200, events(std::slice::from_ref(&line)));
    for _ in 0..4 {
        aws.refuse_once(logs("FilterLogEvents"), "ThrottlingException", "Rate exceeded");
    }
    for _ in 0..4 {
        aws.cut_once(logs("FilterLogEvents"));
    }
    // Late lines are older than those that were shown.
    let late = event("0", "web/web/b", now - 500, "late");
    let last = event("2", "web/web/a", now + 60_000, "last");
    aws.answer_once(logs("FilterLogEvents"), 200, events(&[late, line]));
    aws.answer(logs("FilterLogEvents"), 200, events(&[last]));
    let tool = tool(&aws, &["logs", "-f", "--poll", "20ms"]);
    let running = tool.hears_signals().spawn();
    wait_for("some looks after the last line", || {
        let bodies = aws.bodies(logs("FilterLogEvents"));
        let after = bodies
            .iter()
            .filter(|body| body["startTime"].as_u64() >= Some(now - 10_000));
        (after.count() > 12).then_some(())
    });
    running.signal(Signal::INT);
    let output = running.wait().ends_by(Signal::INT);
    let asked = output
        .stderr
        .matches("web: asking again: failed to read log group `apps`: logs:FilterLogEvents ");
    assert_eq!(asked.count(), 1, "{}", output.transcript());
    // The clock of the last line is fast: what others say meanwhile is not passed over.
    let later = since_epoch().as_millis();
    for body in aws.bodies(logs("FilterLogEvents")) {
        let begin = u128::from(body["startTime"].as_u64().unwrap());
        assert!(begin + 10_000 <= later, "{begin} {later}");
    }
    // Each once, behind its time.
    let lines: Vec<_> = output
        .stdout
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let lines: Vec<_> = lines.iter().map(|(_, line)| *line).collect();
    assert_eq!(lines, ["web/a one", "web/b late", "web/a last"]);
}

#[test]
fn what_never_worked_is_not_followed() {
    let aws = start();
    aws.refuse(logs("FilterLogEvents"), "ThrottlingException", "Rate exceeded");
    tool(&aws, &["logs", "-f"])
        .run()
        .exits(2)
        .says("failed to read log group `apps`: logs:FilterLogEvents failed: ThrottlingException");
    aws.refuse(
        logs("FilterLogEvents"),
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    );
    tool(&aws, &["logs"])
        .run()
        .exits(2)
        .says("hint: create-log-group makes it");
}

#[test]
fn following_ends_when_stdout_is_closed() {
    let aws = start();
    let count = AtomicU64::new(0);
    aws.answer_with(logs("FilterLogEvents"), move |_| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        (
            200,
            events(&[event(&number.to_string(), "web/web/a", number * 1000, "line")]),
        )
    });
    let tool = tool(&aws, &["logs", "-f", "--poll", "20ms"]);
    let mut child = tool.command().spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "00:00:00Z web/a line\n");
    let end = wait_for("the end", || child.try_wait().unwrap());
    assert_eq!(end.code(), Some(0));
}

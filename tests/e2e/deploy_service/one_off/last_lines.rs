//! A log that comes in late, in pieces, or not at all.

use super::{ends, logs_pages, page, run, starts};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use support::aws::{FakeAws, logs};

/// A command that ends with 7, and what GetLogEvents answers.
fn with_pages(pages: &[(&[&str], &str)]) -> FakeAws {
    let aws = starts();
    ends(&aws, json!({"name": "web", "exitCode": 7}));
    logs_pages(&aws, pages);
    aws
}

#[test]
fn an_empty_page_with_another_token_is_not_the_end() {
    let aws = with_pages(&[
        (&["one"], "f/1"),
        (&[], "f/2"),
        (&[], "f/3"),
        (&["two"], "f/4"),
        (&[], "f/5"),
        (&["three", "  four  \n"], "f/6"),
    ]);
    let output = run(&aws, &[]).run().exits(7);
    assert_eq!(output.stdout, "one\ntwo\nthree\n  four  \n");
    let tokens: Vec<_> = aws
        .bodies(logs("GetLogEvents"))
        .into_iter()
        .map(|body| body["nextToken"].clone())
        .collect();
    // The first look reads all pages.
    assert_eq!(
        tokens[..7],
        [
            json!(null),
            json!("f/1"),
            json!("f/2"),
            json!("f/3"),
            json!("f/4"),
            json!("f/5"),
            json!("f/6")
        ]
    );
}

#[test]
fn the_last_lines_are_waited_for() {
    // The same token says that nothing has come in so far.
    let aws = starts();
    ends(&aws, json!({"name": "web", "exitCode": 7}));
    let first = OnceLock::new();
    aws.answer_with(logs("GetLogEvents"), move |body| {
        let elapsed = first.get_or_init(Instant::now).elapsed();
        let answer = match body["nextToken"].as_str() {
            None => page(&["one"], "f/1"),
            Some("f/1") if elapsed > Duration::from_secs(3) => page(&["two"], "f/2"),
            Some(token) => page(&[], token),
        };
        (200, answer)
    });
    run(&aws, &[]).run().exits(7).prints("one\ntwo");
    // Where nothing has come at all, longer: the stream may not even be there yet.
    let aws = starts();
    ends(&aws, json!({"name": "web", "exitCode": 7}));
    for _ in 0..8 {
        aws.refuse_once(
            logs("GetLogEvents"),
            "ResourceNotFoundException",
            "The specified log stream does not exist.",
        );
    }
    logs_pages(&aws, &[(&["late"], "f/1")]);
    run(&aws, &[]).run().exits(7).prints("late");
}

#[test]
fn a_log_without_an_end_is_not_waited_for() {
    // Tokens that never repeat, and no lines.
    let aws = starts();
    ends(&aws, json!({"name": "web", "exitCode": 7}));
    let calls = Arc::new(AtomicUsize::new(0));
    aws.answer_with(logs("GetLogEvents"), move |_| {
        let number = calls.fetch_add(1, Ordering::Relaxed);
        (200, page(&[], &format!("f/{number}")))
    });
    let output = run(&aws, &[]).run().exits(7);
    assert!(output.elapsed < Duration::from_secs(30), "{:?}", output.elapsed);
    // A command that says nothing is done after a while.
    let aws = with_pages(&[(&[], "f/1")]);
    run(&aws, &[]).run().exits(7).prints("");
    // A container that never ran has no lines to wait for.
    let aws = starts();
    ends(
        &aws,
        json!({"name": "web", "reason": "CannotPullContainerError: not found"}),
    );
    logs_pages(&aws, &[(&[], "f/1")]);
    run(&aws, &[]).run().exits(1);
    let looks = aws.bodies(logs("GetLogEvents")).len();
    assert!(looks <= 4, "{looks}");
}

#[test]
fn a_deadline_for_the_last_lines_does_not_cost_the_exit_code() {
    let aws = starts();
    ends(&aws, json!({"name": "web", "exitCode": 7}));
    aws.answer_once(logs("GetLogEvents"), 200, page(&["one"], "f/1"));
    aws.answer_once(logs("GetLogEvents"), 200, page(&[], "f/1"));
    aws.answer_once(logs("GetLogEvents"), 200, page(&[], "f/1"));
    aws.answer_delayed(
        logs("GetLogEvents"),
        Duration::from_secs(60),
        200,
        page(&["two"], "f/2"),
    );
    let output = run(&aws, &["--timeout", "1s", "-o", "json"])
        .run()
        .exits(7)
        .says("warning: the last lines of the log may be missing: not done after 1 s\n")
        .says("error: the command exited with 7 in container `web` of task `0123abcd`\n");
    let document = output.json();
    assert_eq!(document["exit_code"], 7);
    assert_eq!(document["log"], json!(["one"]));
}

#[test]
fn a_log_that_hangs_costs_neither_the_code_nor_the_lines_before() {
    let aws = starts();
    ends(&aws, json!({"name": "web", "exitCode": 7}));
    aws.answer_once(logs("GetLogEvents"), 200, page(&["one"], "f/1"));
    aws.answer_delayed(
        logs("GetLogEvents"),
        Duration::from_secs(60),
        200,
        page(&[], "f/1"),
    );
    let output = run(&aws, &[]).run().exits(7).prints("one");
    let output = output.says("the last lines of the log may be missing: ");
    assert!(output.elapsed < Duration::from_secs(45), "{:?}", output.elapsed);
    // The deadline passes during the wait for lines: the command has ended, and its exit code counts.
    let aws = starts();
    ends(&aws, json!({"name": "web", "exitCode": 7}));
    aws.answer_once(logs("GetLogEvents"), 200, page(&["one"], "f/1"));
    aws.answer_delayed(
        logs("GetLogEvents"),
        Duration::from_secs(60),
        200,
        page(&[], "f/1"),
    );
    let output = run(&aws, &["--timeout", "8s", "-o", "json"]).run().exits(7);
    assert_eq!(output.json()["log"], json!(["one"]));
}

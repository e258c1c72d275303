//! The deadline and signals in the middle of a run.

use super::failures::push_call;
use super::{CONFIG, World, digest_of, sha, uri};
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;
use support::aws::ecr;
use support::engine::EngineAnswer;
use support::wait_for;

/// The warning for a call in flight, after its name.
const UNKNOWN: &str = "got no response; it may have been applied";

#[test]
fn a_deadline_reports_the_digest_of_an_image_pushed_before_it() {
    let world = World::new();
    world
        .engine
        .answer(&push_call("app"), EngineAnswer::Hang(Vec::new()));
    let tool = world.tool().args(["-o", "json", "--timeout", "2s"]);
    let document = tool.run().exits(3).json();
    assert_eq!(document["error"]["code"], "timeout");
    assert_eq!(document["items"].as_array().unwrap().len(), 1);
    assert_eq!(document["items"][0]["action"], "push");
    assert_eq!(document["items"][0]["digest"], digest_of(&sha("c1")));
    assert_eq!(document["account"], "123456789012");
}

#[test]
fn a_push_in_flight_is_named_at_a_deadline_and_after_a_signal() {
    let in_flight = format!(
        "warning: the push of image `app` to `{}:latest` {UNKNOWN}\n",
        uri("app")
    );
    let pushed = format!("base: pushed {}\n", digest_of(&sha("c1")));
    let world = World::new();
    world
        .engine
        .answer(&push_call("app"), EngineAnswer::Hang(Vec::new()));
    let output = world.tool().args(["--timeout", "2s"]).run().exits(3);
    output
        .prints(&format!("{}@{}", uri("base"), digest_of(&sha("c1"))))
        .says_once(&pushed)
        .says_once(&in_flight)
        .does_not_say("  tags.3");
    for signal in [Signal::INT, Signal::TERM] {
        let world = World::new();
        world
            .engine
            .answer(&push_call("app"), EngineAnswer::Hang(Vec::new()));
        let running = world.tool().hears_signals().spawn();
        wait_for("the second push", || {
            world.engine.calls().contains(&push_call("app")).then_some(())
        });
        running.signal(signal);
        running
            .wait()
            .ends_by(signal)
            .says_once(&pushed)
            .says_once(&in_flight)
            .does_not_say("  tags.3");
    }
}

#[test]
fn a_tag_in_flight_is_named_with_those_that_were_pushed_before_it() {
    let world = World::new();
    world.aws.stall(ecr("PutImage"));
    let config = CONFIG.replace("[\"3\"]", "[\"3\", \"3.11\"]");
    let tool = world.tool().config_text(&config).arg("base");
    let digest = digest_of(&sha("c1"));
    let in_flight = format!("warning: ecr:PutImage for image `base:3.11` {UNKNOWN}\n");
    let output = tool
        .clone()
        .args(["-o", "json", "--timeout", "2s"])
        .run()
        .exits(3);
    let document = output.json();
    assert_eq!(document["items"].as_array().unwrap().len(), 1);
    assert_eq!(document["items"][0]["action"], "push");
    assert_eq!(
        document["items"][0]["changes"],
        json!([{"path": "tags.3", "from": null, "to": digest}])
    );
    output
        .says_once(&format!("base: pushed\n  tags.3: (none) -> {digest}\n"))
        .says_once(&in_flight);
    world.change(|store| store.tags.clear());
    world.aws.forget();
    world
        .aws
        .interrupt_at(ecr("PutImage"), tool)
        .says_once(&format!("base: pushed\n  tags.3: (none) -> {digest}\n"))
        .says_once(&in_flight);
}

#[test]
fn a_push_that_is_not_read_back_yet_is_reported() {
    let world = World::new();
    let none = json!({"images": [], "failures": [{"failureCode": "ImageNotFound"}]});
    world.aws.answer(ecr("BatchGetImage"), 200, none);
    let tool = world.tool().args(["base", "-o", "json", "--timeout", "2s"]);
    let document = tool.run().exits(3).json();
    assert_eq!(document["items"][0]["action"], "push");
    assert_eq!(document["items"][0]["digest"], digest_of(&sha("c1")));
}

#[test]
fn an_interrupted_push_is_cancelled_and_leaves_no_files() {
    for signal in [Signal::INT, Signal::TERM] {
        let world = World::new();
        let pushing =
            json!({"status": "Pushing", "progressDetail": {"current": 1, "total": 9}, "id": "aaaaaaaaaaaa"});
        world
            .engine
            .answer(&push_call("base"), EngineAnswer::Hang(vec![pushing]));
        let tool = world.tool().arg("base").env("TMPDIR", "/nonexistent");
        let running = tool.clone().hears_signals().spawn();
        wait_for("the push", || {
            world.engine.calls().contains(&push_call("base")).then_some(())
        });
        running.signal(signal);
        let output = running.wait().ends_by(signal);
        assert_eq!(output.stdout, "");
        wait_for("the engine to see it", || {
            (world.engine.abandoned() == 1).then_some(())
        });
        let mut left: Vec<_> = std::fs::read_dir(tool.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["ops.toml", "src"]);
    }
}

#[test]
fn a_deadline_cancels_pull_build_and_push() {
    for call in ["POST /images/create", "POST /build", &push_call("base")] {
        let world = World::new();
        world.pushed("base", "3", &sha("c9"));
        world.engine.answer(call, EngineAnswer::Hang(Vec::new()));
        let name = if call == "POST /build" { "app" } else { "base" };
        let output = world.tool().args([name, "--timeout", "700ms"]).run().exits(3);
        assert!(
            output.elapsed < Duration::from_secs(3),
            "{call}: {:?}",
            output.elapsed
        );
        output.says("not done after 700 ms");
        wait_for("the engine to see it", || {
            (world.engine.abandoned() == 1).then_some(())
        });
    }
}

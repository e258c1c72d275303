//! What goes wrong on the way, and how it is told.

use super::{CONFIG, World, digest_of, sha, uri};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Duration;
use support::aws::ecr;
use support::engine::EngineAnswer;
use support::wait_for;

fn push_call(repository: &str) -> String {
    format!("POST /images/{}/push", uri(repository))
}

fn error_line(message: &str) -> Value {
    json!({"errorDetail": {"message": message}, "error": message})
}

#[test]
fn an_error_in_the_stream_is_one_line_with_what_to_do() {
    let world = World::new();
    for (message, hint) in [
        (
            "name unknown: The repository with name 'base' does not exist in the registry with id '123456789012'",
            "hint: create the repository first: `create-repository`",
        ),
        (
            "denied: User: ci is not authorized to perform: ecr:InitiateLayerUpload on resource: x",
            "hint: grant `ecr:InitiateLayerUpload` to the caller (`aws sts get-caller-identity`)",
        ),
        (
            "tag invalid: The image tag '3' already exists in the 'base' repository and cannot be overwritten because the tag is immutable.",
            "hint: give the image a new tag in ops.toml",
        ),
        (
            "Get \"https://x/v2/\": dial tcp: lookup x: no such host",
            "hint: the engine connects to ",
        ),
    ] {
        world
            .engine
            .answer(&push_call("base"), EngineAnswer::Lines(vec![error_line(message)]));
        let output = world.tool().arg("base").run().exits(2);
        let line = format!(
            "push-image: error: failed to push image `base` to `{}:3`: {message}\n",
            uri("base")
        );
        let output = output.says(&line).says(hint);
        assert_eq!(output.stdout, "");
    }
}

#[test]
fn a_retry_of_the_engine_is_told_once_with_what_is_known_of_it() {
    let world = World::new();
    let mut lines: Vec<Value> = Vec::new();
    for _ in 0..2 {
        lines.push(
            json!({"status": "Pushing", "progressDetail": {"current": 1, "total": 9}, "id": "aaaaaaaaaaaa"}),
        );
        for seconds in [2, 1] {
            let status = format!(
                "Retrying in {seconds} second{}",
                if seconds == 1 { "" } else { "s" }
            );
            lines.push(json!({"status": status, "progressDetail": {}, "id": "aaaaaaaaaaaa"}));
        }
    }
    lines.push(error_line("EOF"));
    world
        .engine
        .answer(&push_call("base"), EngineAnswer::Lines(lines));
    let output = world.tool().arg("base").run().exits(2);
    let words =
        "  layer aaaaaaaaaaaa: failed, the engine retries in 2 seconds (its log has the reason)\n";
    assert_eq!(output.stderr.matches(words).count(), 2, "{}", output.transcript());
    assert_eq!(output.stderr.matches("retries in").count(), 2);
    output
        .says(": EOF (after 2 retries of a layer)\n")
        .says("hint: the engine connects to ");
}

#[test]
fn a_digest_that_ecr_does_not_have_afterwards_is_an_error() {
    let world = World::new();
    let other =
        json!({"images": [{"imageId": {"imageTag": "3", "imageDigest": sha("ee")}, "imageManifest": "{}"}]});
    let none = json!({"images": [], "failures": [{"failureCode": "ImageNotFound"}]});
    for (answer, has, hint) in [
        (other, sha("ee"), "hint: another client is pushing to this tag"),
        (
            none,
            "no image under this tag".to_owned(),
            "hint: it may have been deleted, for example by a lifecycle policy",
        ),
    ] {
        world.aws.answer(ecr("BatchGetImage"), 200, answer);
        // The push itself went through.
        let output = world.tool().arg("base").run().exits(4);
        let words = format!(
            "failed to verify image `base:3`: the engine pushed {}, and the registry has {has}",
            digest_of(&sha("c1"))
        );
        output.says(&words).says(hint);
    }
}

#[test]
fn ecr_may_need_a_moment_to_show_what_was_pushed() {
    let world = World::new();
    let none = json!({"images": [], "failures": [{"failureCode": "ImageNotFound"}]});
    // Before the push, and twice after it.
    for _ in 0..3 {
        world.aws.answer_once(ecr("BatchGetImage"), 200, none.clone());
    }
    world.tool().arg("base").run().exits(0).says("base: pushed");
}

#[test]
fn answers_that_are_not_the_engines_api_are_errors() {
    let world = World::new();
    let plain = |text: &str| {
        EngineAnswer::Raw(
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()).into_bytes(),
        )
    };
    let cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"st".to_vec();
    for (answer, words) in [
        (
            plain("<html>proxy</html>\n"),
            "the engine returned an unparseable response",
        ),
        (
            plain("{\"status\": \"half"),
            "the engine returned an unparseable response",
        ),
        (EngineAnswer::Raw(cut), "the connection to the engine broke"),
        (
            EngineAnswer::Raw(Vec::new()),
            "the connection to the engine broke",
        ),
        (
            EngineAnswer::Lines(Vec::new()),
            "without a digest and without an error",
        ),
        (EngineAnswer::error(500, "out of disk"), "out of disk"),
        (EngineAnswer::Json(502, json!([])), "the engine returned HTTP 502"),
    ] {
        world.engine.answer(&push_call("base"), answer.clone());
        let output = world.tool().arg("base").run();
        assert_eq!(output.code, Some(2), "{answer:?}\n{}", output.transcript());
        output.says("failed to push image `base` to").says(words);
    }
    world.engine.answer(
        "GET /images/docker.io/library/python:3/json",
        plain("{\"Id\": 5}"),
    );
    world
        .tool()
        .arg("base")
        .run()
        .exits(2)
        .says("failed to inspect image");
}

#[test]
fn what_went_through_before_an_error_is_reported() {
    let world = World::new();
    world
        .engine
        .answer(&push_call("app"), EngineAnswer::Lines(vec![error_line("EOF")]));
    let output = world.tool().args(["-o", "json"]).run().exits(4);
    let document = output.json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        document["items"][0]["uri"],
        format!("{}@{}", uri("base"), digest_of(&sha("c1")))
    );
    assert_eq!(document["error"]["code"], "registry-network");
    output.says("failed to push image `app`");
    // Nothing was changed by the second run before it failed again, and what it found is told.
    let document = world.tool().args(["-o", "json"]).run().exits(2).json();
    assert_eq!(document["outcome"], "failed");
    assert_eq!(document["items"][0]["action"], "none");
    assert_eq!(document["items"][0]["digest"], digest_of(&sha("c1")));
    assert_eq!(document["account"], "123456789012");
    assert_eq!(document["region"], "us-east-1");
    assert_eq!(document["error"]["code"], "registry-network");
}

#[test]
fn a_deadline_keeps_the_digest_of_what_was_pushed_before_it() {
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

/// The warning for a call in flight, after its name.
const UNKNOWN: &str = "got no response; it may have been applied";

#[test]
fn a_push_in_flight_is_named_at_a_deadline_and_after_a_signal() {
    let in_flight = format!("warning: the push of image `app` to `{}:latest` {UNKNOWN}\n", uri("app"));
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
    let output = tool.clone().args(["-o", "json", "--timeout", "2s"]).run().exits(3);
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
fn a_tag_that_fails_after_the_push_is_partly_done_too() {
    let world = World::new();
    world.aws.refuse(ecr("PutImage"), "AccessDeniedException", "no");
    let config = CONFIG.replace("[\"3\"]", "[\"3\", \"3.11\"]");
    let output = world.tool().config_text(&config).arg("base").run().exits(4);
    output.says("failed to tag image `base:3.11`: ecr:PutImage refused with AccessDeniedException: no");
    // With everything else there, nothing was done.
    world.tool().config_text(&config).arg("base").run().exits(2);
    // A tag that another client has given to the same image meanwhile is no error.
    world
        .aws
        .refuse(ecr("PutImage"), "ImageAlreadyExistsException", "it is there");
    world.tool().config_text(&config).arg("base").run().exits(0);
}

#[test]
fn an_interrupted_push_is_given_up_and_leaves_nothing_here() {
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
fn a_deadline_gives_up_pull_build_and_push() {
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

//! Errors of the engine and of ECR, and their messages.

use super::{CONFIG, World, digest_of, sha, uri};
use serde_json::{Value, json};
use support::aws::ecr;
use support::engine::EngineAnswer;

pub(super) fn push_call(repository: &str) -> String {
    format!("POST /images/{}/push", uri(repository))
}

fn error_line(message: &str) -> Value {
    json!({"errorDetail": {"message": message}, "error": message})
}

#[test]
fn an_error_in_the_stream_is_one_line_with_a_hint() {
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
fn a_retry_of_the_engine_is_printed_once() {
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
    let words = "  layer aaaaaaaaaaaa: failed, the engine retries in 2 seconds (its log has the reason)\n";
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
        // The push itself succeeded.
        let output = world.tool().arg("base").run().exits(4);
        let words = format!(
            "failed to verify image `base:3`: the engine pushed {}, and the registry has {has}",
            digest_of(&sha("c1"))
        );
        output.says(&words).says(hint);
    }
}

#[test]
fn ecr_may_return_a_pushed_image_late() {
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
fn images_before_an_error_are_reported() {
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
    // The second run changed nothing before it failed again; it reports what it found.
    let document = world.tool().args(["-o", "json"]).run().exits(2).json();
    assert_eq!(document["outcome"], "failed");
    assert_eq!(document["items"][0]["action"], "none");
    assert_eq!(document["items"][0]["digest"], digest_of(&sha("c1")));
    assert_eq!(document["account"], "123456789012");
    assert_eq!(document["region"], "us-east-1");
    assert_eq!(document["error"]["code"], "registry-network");
}

#[test]
fn a_tag_that_fails_after_the_push_is_partial() {
    let world = World::new();
    world.aws.refuse(ecr("PutImage"), "AccessDeniedException", "no");
    let config = CONFIG.replace("[\"3\"]", "[\"3\", \"3.11\"]");
    let output = world.tool().config_text(&config).arg("base").run().exits(4);
    output.says("failed to tag image `base:3.11`: ecr:PutImage failed: AccessDeniedException: no");
    // The first tag has the image already, so nothing was changed.
    world.tool().config_text(&config).arg("base").run().exits(2);
    // A tag that another client has given to the same image meanwhile is no error.
    world
        .aws
        .refuse(ecr("PutImage"), "ImageAlreadyExistsException", "it is there");
    world.tool().config_text(&config).arg("base").run().exits(0);
}

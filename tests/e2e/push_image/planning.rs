//! `--dry-run`, `--check`, and errors before the first change.

use super::{CONFIG, World, digest_of, sha, uri};
use serde_json::{Value, json};
use support::aws::ecr;

/// The calls that change something on the engine or in a registry, without pulls and builds.
fn sent(world: &World) -> Vec<String> {
    let calls = world.engine.calls().into_iter();
    calls
        .filter(|call| call.ends_with("/push") || call.ends_with("/tag"))
        .chain(world.aws.writes().into_iter().map(|write| write.target))
        .collect()
}

#[test]
fn a_plan_pulls_and_builds_here_and_sends_nothing() {
    let world = World::new();
    world
        .pushed("base", "3", &sha("c1"))
        .pushed("app", "latest", &sha("c9"));
    let dry = world.tool().args(["--dry-run", "-o", "json"]).run().exits(0);
    let document = dry.json();
    assert_eq!(document["outcome"], "planned");
    let items = document["items"].as_array().unwrap();
    assert_eq!(
        (items[0]["action"].as_str(), items[1]["action"].as_str()),
        (Some("none"), Some("push"))
    );
    assert_eq!(items[1]["uri"], format!("{}:latest", uri("app")));
    assert_eq!(items[1]["digest"], Value::Null);
    assert_eq!(items[1]["changes"][0]["from"], digest_of(&sha("c9")));
    let checked = world.tool().arg("--check").run().exits(1);
    checked
        .prints(&format!(
            "{}@{}\n{}:latest would be pushed",
            uri("base"),
            digest_of(&sha("c1")),
            uri("app")
        ))
        .says("app: would be pushed");
    assert!(world.engine.calls().contains(&"POST /build".to_owned()));
    assert_eq!(sent(&world), [""; 0]);
    world.pushed("app", "latest", &sha("c2"));
    world.tool().arg("--check").run().exits(0).says("app: unchanged");
    assert_eq!(sent(&world), [""; 0]);
}

#[test]
fn on_a_clean_account_everything_is_planned_and_no_engine_is_needed() {
    let world = World::new();
    world.change(|store| store.repositories.clear());
    let output = world
        .tool()
        .arg("--dry-run")
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .run()
        .exits(0);
    output
        .prints(&format!(
            "{}:3 would be pushed (after create-repository)\n{}:latest would be pushed (after create-repository)",
            uri("base"),
            uri("app")
        ))
        .says("base: would be pushed (after create-repository)");
    world.tool().arg("--check").run().exits(1);
    assert_eq!(sent(&world), [""; 0]);
}

#[test]
fn an_image_that_waits_for_its_base_is_not_built_for_a_plan() {
    // In the same run, and when only the later image is selected.
    for names in [&["--dry-run"] as &[&str], &["--dry-run", "app"]] {
        let world = World::new();
        let output = world.tool().args(names).run().exits(0);
        output.says("app: would be pushed (after push-image base)");
        assert!(!world.engine.calls().contains(&"POST /build".to_owned()));
    }
    let world = World::new();
    world.change(|store| drop(store.repositories.remove("base")));
    let output = world.tool().args(["--dry-run", "app"]).run().exits(0);
    output.says("app: would be pushed (after push-image base)");
}

#[test]
fn a_tag_alone_is_planned_with_its_digest() {
    let world = World::new();
    world.pushed("base", "3", &sha("c1"));
    let config = CONFIG.replace("[\"3\"]", "[\"3\", \"3.11\"]");
    let tool = world
        .tool()
        .config_text(&config)
        .args(["base", "--check", "-o", "json"]);
    let document = tool.run().exits(1).json();
    assert_eq!(document["items"][0]["action"], "tag");
    assert_eq!(document["items"][0]["digest"], digest_of(&sha("c1")));
    assert_eq!(sent(&world), [""; 0]);
}

#[test]
fn a_missing_repository_is_an_error_before_any_other_step() {
    let world = World::new();
    world.change(|store| drop(store.repositories.remove("app")));
    let output = world.tool().run().exits(2);
    output
        .says("failed to find repository `app`: it does not exist in this account and region")
        .says("hint: create-repository app");
    assert_eq!(world.engine.calls(), [""; 0]);
    assert_eq!(world.aws.bodies(ecr("GetAuthorizationToken")), [Value::Null; 0]);
    world.change(|store| store.repositories.clear());
    world
        .tool()
        .run()
        .exits(2)
        .says("hint: create-repository base app");
    let json = world.tool().args(["-o", "json"]).run().exits(2).json();
    assert_eq!(json["error"]["code"], "RepositoryNotFoundException");
}

#[test]
fn an_immutable_tag_with_another_image_is_an_error_before_the_push() {
    let world = World::new();
    world
        .repository("base", json!({"imageTagMutability": "IMMUTABLE"}))
        .pushed("base", "3", &sha("c9"));
    for arguments in [&["base"] as &[&str], &["base", "--dry-run"]] {
        let output = world.tool().args(arguments).run().exits(2);
        output
            .says(&format!(
                "failed to push image `base`: tag `3` of repository `base` is immutable and has another image, {}",
                digest_of(&sha("c9"))
            ))
            .says("hint: give the image a new tag");
    }
    assert_eq!(sent(&world), [""; 0]);
    // The same image, a new tag and an exclusion are no conflicts.
    world.pushed("base", "3", &sha("c1"));
    world.tool().arg("base").run().exits(0).says("base: unchanged");
    world.change(|store| store.tags.clear());
    world.tool().arg("base").run().exits(0).says("base: pushed");
    world
        .repository(
            "base",
            json!({
                "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "3*"}],
            }),
        )
        .pushed("base", "3", &sha("c9"));
    world.tool().arg("base").run().exits(0).says("base: pushed");
}

#[test]
fn a_read_that_is_denied_is_not_taken_for_absence() {
    let world = World::new();
    world
        .aws
        .refuse(ecr("BatchGetImage"), "AccessDeniedException", "no");
    let output = world.tool().arg("base").run().exits(2);
    output.says("failed to look up image `base:3`: ecr:BatchGetImage failed: AccessDeniedException: no");
    let odd = json!({"images": [], "failures": [{"failureCode": "UpstreamTooManyRequests", "failureReason": "later"}]});
    for (answer, words) in [
        (odd, "ecr:BatchGetImage failed: UpstreamTooManyRequests: later"),
        (json!({}), "response omitted `images`"),
        (json!({"images": [{}]}), "response omitted `imageDigest`"),
    ] {
        world.aws.answer(ecr("BatchGetImage"), 200, answer);
        world.tool().arg("base").run().exits(2).says(words);
    }
    assert_eq!(sent(&world), [""; 0]);
}

#[test]
fn errors_of_the_file_and_of_the_folders_come_before_the_first_call() {
    let world = World::new();
    let cases = [
        (
            CONFIG.replace("\"src\"", "\"absent\""),
            "failed to use the build context of image `app`",
        ),
        (
            CONFIG.replace("context = \"src\"", "context = \"src\", dockerfile = \"Absent\""),
            "failed to read the Dockerfile of image `app`",
        ),
        (
            CONFIG.replace(
                "context = \"src\"",
                "context = \"src\", dockerfile = \"../Dockerfile\"",
            ),
            "must be inside the context",
        ),
        (
            CONFIG.replace("[\"3\"]", "[\"3:4\"]"),
            "`base:3:4` is not a valid repository and tag",
        ),
        (
            CONFIG.replace("\"python:3\"", "\"Python:3\""),
            "failed to use `from` of image `base`",
        ),
        (
            CONFIG.replace("[\"3\"]", "[\"${NOT_SET_ANYWHERE}\"]"),
            "NOT_SET_ANYWHERE",
        ),
        (CONFIG.replace("[\"latest\"]", "[]"), "image `app` has no tag"),
    ];
    for (text, words) in cases {
        world.tool().config_text(&text).run().exits(2).says(words);
    }
    let ignored = world.tool().file("src/.dockerignore", "ok\n[\n");
    ignored.run().exits(2).says(".dockerignore`, line 2: ");
    world
        .tool()
        .arg("other")
        .run()
        .exits(2)
        .says("failed to find image `other`")
        .says("it has: base, app");
    for (flag, words) in [
        (
            "app=x",
            "failed to use --from for image `app`: it is built, not copied",
        ),
        (
            "other=x",
            "failed to use --from for image `other`: it is not among the images of this run",
        ),
        ("base", "write NAME=REF"),
        ("base=Not A Reference", "is not an image reference"),
    ] {
        world.tool().args(["--from", flag]).run().exits(2).says(words);
    }
    world
        .tool()
        .env("OPS_IMAGE_FROM", "base")
        .run()
        .exits(2)
        .says("failed to read $OPS_IMAGE_FROM");
    assert_eq!(world.aws.requests(), []);
    assert_eq!(world.engine.calls(), [""; 0]);
}

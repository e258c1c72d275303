//! The source of a copied image.

use super::{CONFIG, World, digest_of, sha, uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};
use support::Tool;
use support::engine::EngineAnswer;

const UNREACHABLE: &str =
    "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host";

fn only_base(world: &World) -> Tool {
    world.tool().arg("base")
}

/// `name:version` of each pull.
fn pulls(world: &World) -> Vec<String> {
    let pulls = world.engine.all("POST /images/create").into_iter();
    pulls
        .map(|pull| format!("{} {}", pull.query["fromImage"], pull.query["tag"]))
        .collect()
}

#[test]
fn an_image_is_pulled_even_when_the_engine_has_it() {
    let world = World::new();
    let known = format!("python@{}", sha("d0"));
    world.local("docker.io/library/python:3", &sha("c0"), &[&known]);
    only_base(&world)
        .run()
        .exits(0)
        .prints(&format!("{}@{}", uri("base"), digest_of(&sha("c1"))));
    assert_eq!(pulls(&world), ["docker.io/library/python 3"]);
}

#[test]
fn without_a_tag_only_the_latest_is_pulled() {
    let world = World::new();
    world.change(|store| {
        drop(
            store
                .pullable
                .insert("docker.io/library/python:latest".into(), sha("c1")),
        )
    });
    only_base(&world).args(["--from", "base=python"]).run().exits(0);
    assert_eq!(pulls(&world), ["docker.io/library/python latest"]);
}

#[test]
fn an_image_that_was_built_here_is_not_pulled() {
    let world = World::new();
    world.local("docker.io/cruddur-ops/stand-in:1", &sha("c5"), &[]);
    // An earlier push to ECR does not make it an image of Docker Hub.
    let pushed = format!("{}@{}", uri("base"), sha("d0"));
    for digests in [&[] as &[&str], &[&pushed]] {
        world.local("docker.io/cruddur-ops/stand-in:1", &sha("c5"), digests);
        let tool = only_base(&world).env("OPS_IMAGE_FROM", "base=cruddur-ops/stand-in:1");
        tool.run()
            .exits(0)
            .says("base: from docker.io/cruddur-ops/stand-in:1 instead of python:3");
    }
    assert_eq!(pulls(&world), [""; 0]);
    assert_eq!(world.digest("base", "3"), Some(digest_of(&sha("c5"))));
}

#[test]
fn a_digest_that_the_engine_has_is_not_pulled() {
    let world = World::new();
    let pinned = format!("docker.io/library/python@{}", sha("ab"));
    world.local(&pinned, &sha("c5"), &[&format!("python@{}", sha("ab"))]);
    let from = format!("base=python:3@{}", sha("ab"));
    only_base(&world).args(["--from", &from]).run().exits(0);
    assert_eq!(pulls(&world), [""; 0]);
    // One that the engine does not have is pulled by its digest.
    world.change(|store| {
        store.local.clear();
        store.pullable.insert(pinned, sha("c5"));
    });
    only_base(&world).args(["--from", &from]).run().exits(0);
    assert_eq!(pulls(&world), [format!("docker.io/library/python {}", sha("ab"))]);
}

#[test]
fn when_the_pull_fails_the_image_of_an_earlier_pull_is_used_with_a_warning() {
    let world = World::new();
    let known = format!("python@{}", sha("d0"));
    world.local("docker.io/library/python:3", &sha("c0"), &[&known]);
    for answer in [
        EngineAnswer::error(500, UNREACHABLE),
        EngineAnswer::Lines(vec![
            json!({"errorDetail": {"message": UNREACHABLE}, "error": UNREACHABLE}),
        ]),
    ] {
        world.engine.answer("POST /images/create", answer);
        let output = only_base(&world).run().exits(0);
        output.says(&format!(
            "push-image: warning: base: failed to pull `docker.io/library/python:3`: {UNREACHABLE}: using the image of an earlier pull"
        ));
    }
    assert_eq!(world.digest("base", "3"), Some(digest_of(&sha("c0"))));
}

#[test]
fn when_the_pull_fails_without_an_earlier_image_the_error_has_a_hint() {
    let world = World::new();
    for (message, hint) in [
        (
            UNREACHABLE,
            "hint: the engine connects to docker.io, not this tool",
        ),
        (
            "pull access denied for python, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
            "hint: correct the name, or sign in with `docker login`",
        ),
        (
            "manifest for python:3 not found: manifest unknown: manifest unknown",
            "hint: correct the name or the tag",
        ),
        (
            "toomanyrequests: You have reached your pull rate limit.",
            "hint: sign in with `docker login`, or use another source with --from NAME=REF",
        ),
    ] {
        world
            .engine
            .answer("POST /images/create", EngineAnswer::error(404, message));
        let output = only_base(&world).run().exits(2);
        output
            .says(&format!(
                "push-image: error: failed to get image `base`: failed to pull `docker.io/library/python:3`: {message}\n"
            ))
            .says(hint);
    }
    assert_eq!(world.pushes(), [""; 0]);
}

#[test]
fn an_earlier_pull_is_never_used_for_a_base_in_ecr() {
    let world = World::new();
    let base = format!("{}:3", uri("base"));
    world.local(&base, &sha("c0"), &[]);
    let output = world.tool().arg("app").run().exits(2);
    output.says(&format!("failed to pull `{base}`: manifest for {base} not found"));
    assert!(!world.engine.calls().contains(&"POST /build".to_owned()));
}

#[test]
fn a_registry_gets_the_login_that_docker_has_for_it() {
    let world = World::new();
    let from = "base=registry.example.com/python:3";
    world.change(|store| {
        drop(
            store
                .pullable
                .insert("registry.example.com/python:3".into(), sha("c1")),
        )
    });
    let file = json!({"auths": {"registry.example.com": {"auth": "dXNlcjpwYXNz"}, "other.example.com": {"auth": "eDp5"}}});
    let tool = only_base(&world).args(["--from", from]);
    tool.clone()
        .file("docker/config.json", file.to_string())
        .run()
        .exits(0);
    let pull = &world.engine.all("POST /images/create")[0];
    let login: Value =
        serde_json::from_slice(&URL_SAFE.decode(&pull.headers["x-registry-auth"]).unwrap()).unwrap();
    assert_eq!(
        (login["username"].as_str(), login["password"].as_str()),
        (Some("user"), Some("pass"))
    );

    // A failed helper is a warning: the pull may work without a login.
    world.engine.forget();
    let file = json!({"credHelpers": {"registry.example.com": "absent"}});
    let output = tool.file("docker/config.json", file.to_string()).run().exits(0);
    output.says("warning: no login for registry.example.com: failed to run `docker-credential-absent`");
    let pull = &world.engine.all("POST /images/create")[0];
    assert!(
        !pull.headers.contains_key("x-registry-auth"),
        "{:?}",
        pull.headers
    );
}

#[test]
fn a_helper_gives_the_login_of_docker_hub() {
    let world = World::new();
    let tool = only_base(&world).file("docker/config.json", json!({"credsStore": "e2e"}).to_string());
    let helper = tool.folder().join("bin/docker-credential-e2e");
    support::executable(
        &helper,
        "#!/bin/sh\ncat >\"$HOME/asked\"\necho '{\"ServerURL\":\"x\",\"Username\":\"<token>\",\"Secret\":\"identity\"}'\n",
    );
    let path = format!("{}:/usr/bin:/bin", helper.parent().unwrap().display());
    tool.clone().env("PATH", path).run().exits(0);
    assert_eq!(tool.read("asked"), "https://index.docker.io/v1/");
    let pull = &world.engine.all("POST /images/create")[0];
    let login: Value =
        serde_json::from_slice(&URL_SAFE.decode(&pull.headers["x-registry-auth"]).unwrap()).unwrap();
    assert_eq!(login["identitytoken"], "identity");
    assert_eq!(login["password"], Value::Null);
}

#[test]
fn another_ecr_registry_of_the_region_takes_the_same_login() {
    let world = World::new();
    let theirs = "111122223333.dkr.ecr.us-east-1.amazonaws.com/base:1";
    world.change(|store| drop(store.pullable.insert(theirs.into(), sha("c1"))));
    only_base(&world)
        .args(["--from", &format!("base={theirs}")])
        .run()
        .exits(0);
    let pull = &world.engine.all("POST /images/create")[0];
    let login = URL_SAFE.decode(&pull.headers["x-registry-auth"]).unwrap();
    assert!(String::from_utf8(login).unwrap().contains("password-of-ecr"));
}

#[test]
fn a_name_in_the_environment_that_the_file_does_not_have_is_warned_of() {
    let world = World::new();
    let output = only_base(&world).env("OPS_IMAGE_FROM", "bsae=x").run().exits(0);
    output.says("warning: $OPS_IMAGE_FROM names `bsae`, which is not an image of ");
    let config = CONFIG.replace("from = \"python:3\"", "build = { context = \"src\" }");
    let built = world.tool().config_text(&config).env("OPS_IMAGE_FROM", "base=x");
    built.run().exits(0);
}

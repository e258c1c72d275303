//! Logins and build arguments are in no output.

use super::{CONFIG, World, host, uri};
use serde_json::json;
use support::Tool;
use support::aws::{ecr, token};
use support::canary::Canary;
use support::engine::EngineAnswer;

/// An answer of the engine that repeats secrets.
fn leaking(canary: &Canary) -> EngineAnswer {
    let message = format!("denied: login {} refused", canary.value());
    EngineAnswer::Lines(vec![
        json!({"status": format!("Waiting for {}", canary.value()), "id": "aaaaaaaaaaaa"}),
        json!({"errorDetail": {"message": message}, "error": message}),
    ])
}

#[test]
fn the_token_is_in_no_output() {
    let canary = Canary::new();
    let new = || {
        let world = World::new();
        world
            .aws
            .answer(ecr("GetAuthorizationToken"), 200, token(&host(), canary.value()));
        world
    };
    let world = new();
    let output = world.tool().args(["-v", "-o", "json"]).run().exits(0);
    canary.absent_from("a push", &output);

    let push = format!("POST /images/{}/push", uri("base"));
    let said = new();
    said.engine.answer(&push, leaking(&canary));
    let pulled = new();
    pulled.pushed("base", "3", &super::sha("c1"));
    pulled.engine.answer("POST /images/create", leaking(&canary));
    let built = new();
    built.pushed("base", "3", &super::sha("c1"));
    built.engine.answer("POST /build", leaking(&canary));
    let odd = new();
    odd.aws.answer(
        ecr("GetAuthorizationToken"),
        200,
        token("registry.example.com", canary.value()),
    );
    let broken = new();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n{}\n",
        canary.value()
    );
    broken
        .engine
        .answer(&push, EngineAnswer::Raw(answer.into_bytes()));
    let cases: [(&str, Tool); 5] = [
        (
            "a registry that echoes the login",
            said.tool().args(["base", "-v"]),
        ),
        (
            "a base whose registry echoes it",
            pulled.tool().args(["app", "-v"]),
        ),
        ("a builder that echoes it", built.tool().args(["app", "-v"])),
        ("an endpoint that is not ECR's", odd.tool().args(["base", "-v"])),
        (
            "an engine that answers nonsense",
            broken.tool().args(["base", "-v"]),
        ),
    ];
    canary.absent_from_errors(cases);
}

#[test]
fn a_password_of_dockers_file_is_in_no_output() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let canary = Canary::new();
    let world = World::new();
    world.engine.answer("POST /images/create", leaking(&canary));
    let auth = STANDARD.encode(format!("user:{}", canary.value()));
    let file = json!({"auths": {"registry.example.com": {"auth": auth}}}).to_string();
    let tool = world
        .tool()
        .args(["base", "-v", "--from", "base=registry.example.com/python:3"]);
    let malformed = tool.clone().file(
        "docker/config.json",
        format!("{{\"auths\": \"{}\"", canary.value()),
    );
    canary.absent_from_errors([("a malformed file", malformed)]);
    let tool = tool.file("docker/config.json", file);
    canary.absent_from_errors([("a registry that echoes it", tool)]);
}

#[test]
fn a_build_argument_that_looks_secret_is_warned_of_and_not_shown() {
    let canary = Canary::new();
    let world = World::new();
    world.pushed("base", "3", &super::sha("c1"));
    world.engine.answer(
        "POST /build",
        EngineAnswer::Lines(vec![
            json!({"stream": format!("Step 1/1 : RUN curl -u x:{}\n", canary.value())}),
            json!({"errorDetail": {"message": canary.value()}, "error": canary.value()}),
        ]),
    );
    let config = CONFIG.replace("args = {", "args = { NPM_TOKEN = \"${THE_TOKEN}\",");
    let tool = world
        .tool()
        .config_text(&config)
        .args(["app", "-v"])
        .env("THE_TOKEN", canary.value());
    let output = tool.run().exits(2);
    canary.absent_from("a failed build", &output);
    output.says("warning: app: the build argument `NPM_TOKEN` looks like a secret");
}

/// A connection string under two names, and values of the environment.
#[test]
fn a_build_argument_is_also_classified_by_its_value_and_its_source() {
    let canary = Canary::new();
    let url = format!("postgresql://ada:{}@db.example.com/app", canary.value());
    for (argument, value, why) in [
        ("SOURCE = \"${THE_URL}\"", url.as_str(), "looks like a secret"),
        ("CONNECTION_URL = \"${THE_URL}\"", &url, "looks like a secret"),
        ("DB_PASS = \"${THE_URL}\"", canary.value(), "looks like a secret"),
        (
            "SOURCE = \"x${THE_URL}\"",
            canary.value(),
            "comes from the environment",
        ),
    ] {
        let world = World::new();
        world.pushed("base", "3", &super::sha("c1"));
        let said = json!({"stream": format!("Step 1/1 : RUN login {} {value}\n", canary.value())});
        world.engine.answer(
            "POST /build",
            EngineAnswer::Lines(vec![
                said,
                json!({"errorDetail": {"message": "x"}, "error": format!("x{value}")}),
            ]),
        );
        let config = CONFIG.replace("args = {", &format!("args = {{ {argument},"));
        let tool = world.tool().config_text(&config).args(["app", "-v"]);
        let output = tool.env("THE_URL", value).run().exits(2);
        let name = argument.split(' ').next().unwrap_or_default();
        let output = output.says(&format!("warning: app: the build argument `{name}` {why}"));
        canary.absent_from(argument, &output);
    }
}

#[test]
fn what_is_no_secret_is_neither_hidden_nor_warned_of() {
    let world = World::new();
    world.pushed("base", "3", &super::sha("c1"));
    let arguments = "BASE = \"${THE_BASE}\", VERSION = \"${THE_COMMIT}\"";
    let config = CONFIG
        .replace("BASE = \"${ECR_REGISTRY}/base:3\"", arguments)
        .replace("[\"latest\"]", "[\"${THE_COMMIT}\"]");
    let base = format!("{}:3", uri("base"));
    let tool = world.tool().config_text(&config).args(["app", "--dry-run"]);
    let tool = tool.env("THE_BASE", &base).env("THE_COMMIT", "0123abcd");
    let output = tool.run().exits(0).says(&format!("app: pulling {base}"));
    let output = output.prints(&format!("{}:0123abcd would be pushed", uri("app")));
    assert!(!output.stderr.contains("warning"), "{}", output.transcript());
}

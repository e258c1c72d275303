//! Only AWS receives a value: no output, argument or file contains it.

use super::{CONFIG, config_with, parameter, store, tool};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;
use support::aws::{FakeAws, ssm};
use support::canary::Canary;
use support::{Tool, wait_for};

/// What a user could turn on in the hope of seeing more.
fn loud(tool: Tool) -> Tool {
    tool.env("LOG_SENSITIVE_BODIES", "true")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
}

/// The ways to run it; what is printed differs in each.
const WAYS: [&[&str]; 4] = [&[], &["-v"], &["-o", "json"], &["-v", "-o", "json"]];

/// Runs each case in each way and looks for the secret.
fn absent(canary: &Canary, cases: Vec<(&str, Tool)>) {
    for arguments in WAYS {
        let cases = cases
            .iter()
            .map(|(what, tool)| (*what, loud(tool.clone()).args(arguments)));
        canary.absent_from_errors(cases);
    }
}

/// Refuses as an older SSM did, with the value in the message; `DescribeParameters` and the others with all
/// that was ever written.
fn echo(aws: &FakeAws, operation: &str, secret: &str) {
    let secret = secret.to_owned();
    aws.answer_with(ssm(operation), move |body| {
        let value = body["Value"].as_str().unwrap_or(&secret);
        let message = format!(
            "1 validation error detected: Value '{value}' at 'value' failed to satisfy constraint: Member must \
             have length less than or equal to 4096, or {value} or {}", json!({ "Value": value })
        );
        (400, json!({"__type": "ValidationException", "message": message}))
    });
}

#[test]
fn no_error_of_a_value_shows_it() {
    let canary = Canary::new();
    let secret = canary.value();
    let aws = store(&[]);
    let one = |settings: &str, value: &str| {
        tool(&aws)
            .config_text(&config_with(&format!("ONE = {{ {settings} }}")))
            .env("V", value)
            .file("f", value)
    };
    let env = "env = \"V\"";
    let url = "env = \"V\", check = \"postgres-url\"";
    let headers = "template = \"x-team=${V}\", check = \"otlp-headers\"";
    let whole = "env = \"V\", check = \"otlp-headers\"";
    absent(
        &canary,
        vec![
            ("white space", one(env, &format!(" {secret}"))),
            (
                "white space in a file",
                one("file = \"f\"", &format!("{secret}\n\n")),
            ),
            ("braces", one(env, &format!("{{{{{secret}}}}}"))),
            ("too large", one(env, &secret.repeat(120))),
            ("a placeholder", one(env, &format!("<{secret}>"))),
            ("no URL", one(url, secret)),
            ("another URL", one(url, &format!("mysql://u:{secret}@h/d"))),
            (
                "a cut password",
                one(url, &format!("postgresql://u:{secret}@{secret}/x@h/d")),
            ),
            ("a bad port", one(url, &format!("postgresql://u@h:{secret}/d"))),
            ("a bad key", one(url, &format!("host=h {secret}=x"))),
            (
                "a bad percent",
                one(url, &format!("postgresql://u:{secret}%zz@h/d")),
            ),
            ("a bad header", one(headers, &format!("{secret} {secret}"))),
            (
                "capital letters",
                one(whole, &format!("{}=x", secret.to_uppercase())),
            ),
            ("no header", one(whole, secret)),
            (
                "a description",
                one(&format!("env = \"V\", description = \"{secret}\""), secret),
            ),
            ("a template", one(&format!("template = \"{secret}\""), "x")),
            (
                "a malformed template",
                one(&format!("template = \"{secret}${{V\""), "x"),
            ),
            (
                "own credentials",
                one(env, secret).env("AWS_SECRET_ACCESS_KEY", secret),
            ),
            (
                "a session token",
                one(env, secret).env("AWS_SESSION_TOKEN", secret),
            ),
            ("a literal value", one(&format!("value = \"{secret}\""), "x")),
        ],
    );
    assert_eq!(aws.requests(), []);
}

#[test]
fn a_server_that_repeats_the_value_does_not_give_it_away() {
    let canary = Canary::new();
    let secret = canary.value().to_owned();
    let url = format!("postgresql://u:{secret}@h/d");
    let entries = [
        ("ONE = { env = \"V\" }", secret.clone()),
        (
            "ONE = { env = \"V\" }",
            format!("first line\n  {secret} and\t\"more\"\nthird line"),
        ),
        ("ONE = { env = \"V\" }", format!("\\é%{secret}&=+ /'\"")),
        (
            "ONE = { template = \"x-team=${V}\", check = \"otlp-headers\" }",
            secret.clone(),
        ),
        ("ONE = { env = \"V\", check = \"postgres-url\" }", url),
        ("ONE = { file = \"f\" }", secret.clone()),
    ];
    let old = || store(&[("/e2e/ONE", parameter("old"))]);
    for (entry, value) in entries {
        let with = |aws: &FakeAws| {
            tool(aws)
                .config_text(&config_with(entry))
                .env("V", &value)
                .file("f", &value)
        };
        let servers: Vec<(&str, FakeAws)> = [
            "GetParameters",
            "DescribeParameters",
            "ListTagsForResource",
            "PutParameter",
        ]
        .map(|operation| {
            let aws = old();
            echo(&aws, operation, &value);
            (operation, aws)
        })
        .into();
        absent(
            &canary,
            servers.iter().map(|(what, aws)| (*what, with(aws))).collect(),
        );
        let created = store(&[]);
        echo(&created, "PutParameter", &value);
        absent(&canary, vec![("a new one", with(&created))]);
        assert_eq!(
            created.writes()[0].body["Value"]
                .as_str()
                .map(|sent| sent.contains(&secret)),
            Some(true)
        );
        // Only the password, in a message of its own.
        let aws = store(&[]);
        aws.refuse(
            ssm("PutParameter"),
            "ValidationException",
            &format!("no `{secret}` here"),
        );
        if entry.contains("check") || entry.contains("file") {
            absent(&canary, vec![("a part", with(&aws))]);
        }
    }
}

#[test]
fn what_was_stored_before_is_a_secret_too() {
    let canary = Canary::new();
    let secret = canary.value();
    let old = || store(&[("/e2e/ONE", parameter(secret))]);
    let refusing = |operation: &str| {
        let aws = old();
        echo(&aws, operation, "");
        aws.refuse(
            ssm(operation),
            "ValidationException",
            &format!("instead of '{secret}'"),
        );
        aws
    };
    let put = refusing("PutParameter");
    let plain = CONFIG.replace("\"SOURCE_ONE\"", "\"SOURCE_ONE\", type = \"String\"");
    let aws = old();
    absent(
        &canary,
        vec![
            ("a refused put", tool(&put).arg("ONE")),
            ("a downgrade", tool(&aws).config_text(&plain).arg("ONE")),
            ("a check", tool(&aws).args(["ONE", "--check"])),
        ],
    );
}

#[test]
fn no_way_through_shows_a_value() {
    let canary = Canary::new();
    let secret = canary.value();
    for arguments in WAYS {
        let aws = store(&[("/e2e/TWO", parameter("x-team=old"))]);
        let run = |more: &[&str]| {
            let tool = loud(tool(&aws))
                .env("SOURCE_ONE", secret)
                .env("SOURCE_TWO", secret);
            tool.args(arguments).args(more).run().exits(0)
        };
        canary.absent_from("a plan", &run(&["--dry-run"]));
        canary.absent_from("a write", &run(&[]));
        canary.absent_from("nothing to do", &run(&[]));
        let sent = aws.bodies(ssm("PutParameter"));
        assert!(
            sent.iter()
                .all(|body| body["Value"].as_str().unwrap().contains(secret))
        );
        // Names and tags are not encrypted.
        for mut body in sent {
            body["Value"] = Value::Null;
            assert!(!body.to_string().contains(secret), "{body}");
        }
    }
}

#[test]
fn a_value_that_is_a_common_word_spoils_no_name_and_no_document() {
    // A piece of each name and ARN, words of the document's grammar, its keys and its constants.
    for value in ["/e2e", "parameter", "null", "schema", "create", "arn:aws"] {
        let run = |arguments: &[&str]| {
            let aws = store(&[]);
            aws.refuse(
                ssm("PutParameter"),
                "ValidationException",
                &format!("`{value}` is no value"),
            );
            let tool = tool(&aws).env("SOURCE_ONE", value).arg("ONE").args(arguments);
            tool.run()
        };
        let document = run(&["-o", "json", "--dry-run"]).exits(0).json();
        let item = &document["items"][0];
        assert_eq!(document["schema"], 1, "{value}");
        assert_eq!(item["kind"], "parameter", "{value}");
        assert_eq!(item["name"], "/e2e/ONE", "{value}");
        assert_eq!(item["action"], "create", "{value}");
        assert_eq!(item["changes"][0]["from"], Value::Null, "{value}");
        let arn = "arn:aws:ssm:us-east-1:123456789012:parameter/e2e/ONE";
        assert_eq!(item["arn"], arn, "{value}");
        let text = run(&["--dry-run"]).exits(0);
        assert!(text.stdout.starts_with("/e2e/ONE  "), "{}", text.transcript());

        // In a message the value is still hidden.
        let refused = run(&["-o", "json"]).exits(2);
        let message = refused.json()["error"]["message"].to_string();
        assert!(message.contains("`***` is no value"), "{message}");
        refused.says("`***` is no value");
    }
}

#[test]
fn a_deadline_and_a_broken_connection_show_nothing() {
    let canary = Canary::new();
    let with = |aws: &FakeAws| tool(aws).env("SOURCE_ONE", canary.value()).arg("ONE");
    let late = store(&[]);
    late.answer_delayed(ssm("PutParameter"), Duration::from_secs(60), 500, json!({}));
    let cut = store(&[]);
    cut.cut(ssm("PutParameter"));
    let page = store(&[]);
    page.answer_text(
        ssm("PutParameter"),
        403,
        &format!("<p>{}</p>", canary.value()),
        "text/html",
    );
    let half = store(&[]);
    half.answer_text(
        ssm("GetParameters"),
        200,
        &format!("{{\"Parameters\": [{{\"Value\": \"{}", canary.value()),
        "application/x-amz-json-1.1",
    );
    absent(
        &canary,
        vec![
            ("a deadline", with(&late).args(["--timeout", "500ms"])),
            ("a broken connection", with(&cut).env("AWS_MAX_ATTEMPTS", "1")),
            ("a proxy's page", with(&page)),
            ("half an answer", with(&half)),
        ],
    );
}

#[test]
fn no_argument_no_file_and_no_child_holds_a_value() {
    let canary = Canary::new();
    let aws = store(&[]);
    aws.answer_delayed(ssm("PutParameter"), Duration::from_secs(60), 500, json!({}));
    let tool = tool(&aws).env("SOURCE_ONE", canary.value()).arg("ONE");
    let running = tool.spawn();
    wait_for("the first write", || (!aws.writes().is_empty()).then_some(()));
    let process = format!("/proc/{}", running.id());
    let arguments = fs::read_to_string(format!("{process}/cmdline")).unwrap();
    assert!(arguments.ends_with("put-params\0ONE\0"), "{arguments:?}");
    let children = fs::read_to_string(format!("{process}/task/{}/children", running.id())).unwrap();
    assert_eq!(children, "");
    let files: Vec<_> = fs::read_dir(tool.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["ops.toml"]);
    drop(running);
}

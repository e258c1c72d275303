//! What is found before anything is sent to AWS, all of it at once.

use super::{CONFIG, config_with, store, tool};
use serde_json::{Value, json};
use support::Tool;
use support::aws::FakeAws;

/// A key id that looks real; put together here, so that no search for keys finds it.
fn key_id(kind: &str) -> String {
    format!("{kind}{}", "ABCDEFGHIJKLMN27")
}

/// Runs with these entries, and gives what stderr holds after the endpoint's note, if it gets that far.
fn refused(aws: &FakeAws, tool: &Tool) -> Vec<String> {
    let output = tool.run().exits(2);
    assert_eq!(output.stdout, "");
    assert_eq!(aws.requests(), [], "{}", output.transcript());
    let lines = output.stderr.lines().filter(|line| !line.contains(": note: "));
    lines.map(str::to_owned).collect()
}

#[test]
fn all_errors_are_reported_at_once() {
    let entries = "\
UNSET = { env = \"NOT_SET_ANYWHERE\" }
EMPTY = { template = \"a=${EMPTY_ONE},b=${NOT_SET_ANYWHERE}\" }
MISSING = { file = \"no/such/file\" }
BLANK = { env = \"BLANK_END\" }
\"bad name\" = { env = \"SOURCE_ONE\" }
URL = { env = \"SOURCE_ONE\", check = \"postgres-url\" }
HEADERS = { template = \"X-Team=${SOURCE_ONE}\", check = \"otlp-headers\" }
FINE = { env = \"SOURCE_ONE\" }";
    let aws = store(&[]);
    let tool = tool(&aws)
        .config_text(&config_with(entries))
        .env("EMPTY_ONE", "")
        .env("BLANK_END", "q1w2e3 ");
    assert_eq!(
        refused(&aws, &tool).join("\n"),
        "\
put-params: error: failed to prepare parameter `UNSET`: environment variable `NOT_SET_ANYWHERE` is not set
put-params: error: failed to prepare parameter `EMPTY`: environment variable `EMPTY_ONE` is empty
put-params: error: failed to prepare parameter `EMPTY`: environment variable `NOT_SET_ANYWHERE` is not set
put-params: error: failed to prepare parameter `MISSING`: file `no/such/file` can't be read: No such file or directory (os error 2)
put-params: error: failed to prepare parameter `BLANK`: the value has white space at its beginning or end
hint: remove the white space; of a file exactly one newline at the end is ignored
put-params: error: failed to prepare parameter `bad name`: the name `/e2e/bad name` has the character ' ': only letters, digits, `_`, `.`, `-` and `/` are valid
put-params: error: failed to prepare parameter `URL`: the value is no connection string: missing \"=\" in connection info string: it is neither a postgresql:// URL nor a list of key=value pairs
hint: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE
put-params: error: failed to prepare parameter `HEADERS`: the value is no list of OTLP headers: header 1 has capital letters in its name, which gRPC does not accept
hint: write name=value,name=value; a blank in a value is %20
put-params: error: failed to prepare 7 of 8 parameters: nothing was sent to AWS
hint: export NOT_SET_ANYWHERE=… EMPTY_ONE=…"
    );
    let document = tool.args(["-o", "json"]).run().exits(2).json();
    assert_eq!(
        document["error"]["message"],
        "failed to prepare 7 of 8 parameters: nothing was sent to AWS"
    );
    assert_eq!(document["error"]["hint"], "export NOT_SET_ANYWHERE=… EMPTY_ONE=…");
    let items = document["items"].as_array().unwrap();
    assert_eq!(items.len(), 7);
    assert_eq!(items[1]["name"], "/e2e/EMPTY");
    assert_eq!(items[1]["action"], "invalid");
    assert_eq!(items[1]["faults"].as_array().unwrap().len(), 2);
}

#[test]
fn a_single_error_is_the_error_of_the_run() {
    let aws = store(&[]);
    let tool = tool(&aws).without("SOURCE_ONE");
    assert_eq!(
        refused(&aws, &tool),
        [
            "put-params: error: failed to prepare parameter `ONE`: environment variable `SOURCE_ONE` is not set",
            "hint: export SOURCE_ONE=…"
        ]
    );
    let document = tool.args(["-o", "json"]).run().exits(2).json();
    assert_eq!(document["error"]["code"], "variable");
}

#[test]
fn each_error_of_a_value_or_a_template_is_found() {
    let large = "x1".repeat(2049);
    let cases = [
        ("ONE = { env = \"V\" }", " x", "the value has white space"),
        ("ONE = { env = \"V\" }", "a{{b}}", "the value has `{{`"),
        (
            "ONE = { env = \"V\" }",
            large.as_str(),
            "the value is larger than 4096 bytes",
        ),
        ("ONE = { env = \"V\" }", "changeme", "the value is a placeholder"),
        (
            "ONE = { template = \"a=${V}\" }",
            "<token>",
            "the value is a placeholder",
        ),
        (
            "ONE = { template = \"a=${V:-x}\" }",
            "v",
            "the template names `${V:-x}`",
        ),
        (
            "ONE = { template = \"a=${params.prefix}\" }",
            "v",
            "the template names `${params.prefix}`",
        ),
        (
            "ONE = { template = \"a=$V\" }",
            "v",
            "the template has a `$` that does not start a `${NAME}`",
        ),
        (
            "ONE = { template = \"a=${V\" }",
            "v",
            "the template has a `${` without its `}`",
        ),
        (
            "ONE = { template = \"plain\" }",
            "v",
            "the template names no variable",
        ),
        ("ONE = { file = \".\" }", "v", "file `.` is no regular file"),
        (
            "ONE = { env = \"V\", description = \"it is hunter2\" }",
            "hunter2",
            "the description contains the value",
        ),
        (
            "AWS_SESSION_TOKEN = { env = \"V\", allow_static_aws_credentials = \"x\" }",
            "v",
            "an AWS session token",
        ),
    ];
    for (entry, value, words) in cases {
        let aws = store(&[]);
        let tool = tool(&aws).config_text(&config_with(entry)).env("V", value);
        let lines = refused(&aws, &tool);
        assert!(lines[0].contains(words), "{entry}: {lines:?}");
        assert!(
            lines[0].starts_with("put-params: error: failed to prepare parameter `"),
            "{lines:?}"
        );
    }
    let files = [
        ("x\n\n".as_bytes(), "white space"),
        (b"\n", "is empty"),
        (b"", "is empty"),
        (b"a\xff", "is not UTF-8 text"),
        (b"a\0b", "NUL character"),
        (&[b'a'; 70_000], "is larger than any parameter can be"),
    ];
    for (content, words) in files {
        let aws = store(&[]);
        let tool = tool(&aws)
            .config_text(&config_with("ONE = { file = \"f\" }"))
            .file("f", content);
        let lines = refused(&aws, &tool);
        assert!(lines[0].contains(words), "{lines:?}");
    }
    // 8 KB are for the tier that takes them; the limit counts bytes.
    let euros = "€".repeat(1366);
    for (tier, code) in [("Advanced", 0), ("Intelligent-Tiering", 0), ("Standard", 2)] {
        let aws = store(&[]);
        let config = CONFIG.replace("prefix", &format!("tier = \"{tier}\"\nprefix"));
        let tool = tool(&aws).config_text(&config).env("SOURCE_ONE", &euros);
        tool.args(["ONE", "--dry-run"]).run().exits(code);
    }
}

#[test]
fn names_are_checked_by_ssms_rule_and_explained_in_plain_words() {
    let long = format!("/{}", "n".repeat(1000));
    for (prefix, words) in [
        ("e2e", "does not begin with `/`"),
        ("/e2e/", "has nothing between two slashes"),
        ("/aws/e2e", "begins with `aws`, which is reserved for AWS"),
        ("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15", "has more than 15 levels"),
        (long.as_str(), "its name is too long"),
    ] {
        let aws = store(&[]);
        let config = CONFIG.replace("prefix = \"/e2e\"", &format!("prefix = \"{prefix}\""));
        let lines = refused(&aws, &tool(&aws).config_text(&config).arg("ONE"));
        assert!(lines[0].contains(words), "{prefix}: {lines:?}");
    }
    // A prefix may hold what only AWS knows.
    let aws = store(&[]);
    let config = CONFIG.replace(
        "prefix = \"/e2e\"",
        "prefix = \"/e2e/${AWS_REGION}/${AWS_ACCOUNT_ID}\"",
    );
    let output = tool(&aws)
        .config_text(&config)
        .args(["ONE", "--dry-run"])
        .run()
        .exits(0);
    output.prints("/e2e/us-east-1/123456789012/ONE  create  new  env SOURCE_ONE");
}

#[test]
fn errors_of_the_file_are_reported() {
    let aws = store(&[]);
    for (config, words) in [
        (
            CONFIG.replace("env = \"SOURCE_ONE\"", "value = \"x\""),
            "unknown key `value`",
        ),
        (
            CONFIG.replace("\"SOURCE_ONE\"", "\"SOURCE_ONE\", file = \"f\""),
            "needs exactly one of",
        ),
        (
            "version = 1\n[app]\nname = \"x\"\n".into(),
            "has no table [params]",
        ),
        (config_with(""), "failed to find any parameter"),
        (CONFIG.replace("/e2e", "/${NOT_SET_ANYWHERE}"), "NOT_SET_ANYWHERE"),
    ] {
        let tool = tool(&aws).config_text(&config);
        let output = tool.run().exits(2);
        assert_eq!(output.stdout, "");
        output.says(words);
    }
    assert_eq!(aws.requests(), []);
}

const KEYS: &str = "\
AWS_ACCESS_KEY_ID = { env = \"AWS_ACCESS_KEY_ID\" }
AWS_SECRET_ACCESS_KEY = { env = \"AWS_SECRET_ACCESS_KEY\" }
RENAMED = { env = \"COPY\" }";

const ADVICE: &str = "give the task a role, and delete the entries `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` of [params.entry] and their 2 lines in the `secrets` of the task definition";

/// `KEYS` with a reason in each entry.
fn with_reasons() -> String {
    config_with(&KEYS.replace(
        "\" }",
        "\", allow_static_aws_credentials = \"the app of week 6\" }",
    ))
}

#[test]
fn static_keys_are_refused_without_a_reason() {
    let aws = store(&[]);
    let lines = refused(
        &aws,
        &tool(&aws)
            .config_text(&config_with(KEYS))
            .env("COPY", key_id("AKIA")),
    );
    assert_eq!(
        lines.join("\n"),
        format!(
            "\
put-params: error: failed to prepare parameter `AWS_ACCESS_KEY_ID`: the value is part of an AWS key: it never expires, and in a container it overrides the task role
put-params: error: failed to prepare parameter `AWS_SECRET_ACCESS_KEY`: the value is part of an AWS key: it never expires, and in a container it overrides the task role
hint: {ADVICE}; if it is intended, give the reason in the entry: allow_static_aws_credentials = \"…\"
put-params: error: failed to prepare parameter `RENAMED`: the value holds a long-lived AWS key: it never expires, and in a container it overrides the task role
hint: give the task a role, and delete the entry `RENAMED` of [params.entry] and its line in the `secrets` of the task definition; if it is intended, give the reason in the entry: allow_static_aws_credentials = \"…\"
put-params: error: failed to prepare 3 of 3 parameters: nothing was sent to AWS"
        )
    );
}

#[test]
fn the_credentials_of_the_run_are_refused_under_any_name() {
    for variable in ["dummy-secret-key", "dummy-key-id", "prefix:dummy-secret-key"] {
        let aws = store(&[]);
        let tool = tool(&aws)
            .config_text(&config_with("RENAMED = { env = \"COPY\" }"))
            .env("COPY", variable);
        let lines = refused(&aws, &tool);
        assert!(
            lines[0].contains("the value is an AWS key, the one that this command runs with"),
            "{variable}: {lines:?}"
        );
    }
}

#[test]
fn with_a_reason_they_are_stored_and_each_run_warns() {
    let aws = store(&[]);
    let tool = tool(&aws).config_text(&with_reasons()).env("COPY", "no-key");
    let warning = "put-params: warning: a long-lived AWS key is in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: in the container it overrides the task role (allowed: the app of week 6)";
    let first = tool.run().exits(0).says(warning);
    assert_eq!(first.stdout.lines().count(), 3);
    let second = tool.clone().arg("-q").run().exits(0).says(warning);
    assert_eq!(second.stdout.matches("unchanged").count(), 3);
}

#[test]
fn temporary_keys_are_refused_whatever_the_reason() {
    // By the prefix of the id, before the tool looks for credentials.
    let aws = store(&[]);
    let tool_with = |token: &str, id: String| {
        let tool = tool(&aws).config_text(&with_reasons()).env("COPY", "no-key");
        tool.env("AWS_ACCESS_KEY_ID", id).env("AWS_SESSION_TOKEN", token)
    };
    let lines = refused(&aws, &tool_with("", key_id("ASIA")));
    assert!(
        lines[0].contains("the value holds a temporary AWS key, which expires within hours"),
        "{lines:?}"
    );
    assert_eq!(lines[1], format!("hint: {ADVICE}"));
    // By the session token of the run, both halves of the key.
    let lines = refused(&aws, &tool_with("a-session-token", "some-id".into()));
    for (line, key) in [(0, "AWS_ACCESS_KEY_ID"), (1, "AWS_SECRET_ACCESS_KEY")] {
        let words = format!("`{key}`: the value is a temporary AWS key, the one that this command runs with");
        assert!(lines[line].contains(&words), "{lines:?}");
    }
    let lines = refused(
        &aws,
        &tool_with("a-session-token", "some-id".into())
            .arg("RENAMED")
            .env("COPY", "a-session-token"),
    );
    assert!(
        lines[0].contains("the session token of this run's own credentials"),
        "{lines:?}"
    );
}

/// A user who signed in by SSO has no key in the environment.
#[test]
fn without_a_key_the_hint_is_to_do_without() {
    let aws = store(&[]);
    let tool = tool(&aws)
        .config_text(&with_reasons())
        .env("COPY", "no-key")
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY");
    let lines = refused(&aws, &tool);
    assert!(
        lines[0].ends_with("environment variable `AWS_ACCESS_KEY_ID` is not set"),
        "{lines:?}"
    );
    assert!(
        lines[1].ends_with("environment variable `AWS_SECRET_ACCESS_KEY` is not set"),
        "{lines:?}"
    );
    assert_eq!(
        lines[2],
        format!(
            "hint: signed in by SSO or with a role there is no such key, and the app needs none: {ADVICE}"
        )
    );
    assert!(!lines.iter().any(|line| line.contains("export ")), "{lines:?}");
}

#[test]
fn a_credential_process_is_asked_once() {
    let aws = store(&[]);
    let tool = tool(&aws)
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY");
    let answer = json!({"Version": 1, "AccessKeyId": "process-id", "SecretAccessKey": "process-secret"});
    let script = tool.folder().join("process");
    support::executable(
        &script,
        &format!("#!/bin/sh\necho asked >>asked\necho '{answer}'\n"),
    );
    let tool = tool
        .file(
            "config",
            format!("[default]\ncredential_process = {}\n", script.display()),
        )
        .env("AWS_CONFIG_FILE", script.with_file_name("config"));
    tool.run().exits(0);
    assert_eq!(tool.read("asked"), "asked\n");
    // They are the credentials that values are compared with.
    aws.forget();
    let lines = refused(&aws, &tool.env("SOURCE_ONE", "process-secret"));
    assert!(
        lines[0].contains("the one that this command runs with"),
        "{lines:?}"
    );
}

#[test]
fn a_refused_key_has_its_own_error_code() {
    let aws = store(&[]);
    let tool = tool(&aws).config_text(&config_with(KEYS)).env("COPY", "no-key");
    let document: Value = tool.args(["-o", "json"]).run().exits(2).json();
    assert_eq!(document["error"]["code"], "static-aws-credentials");
    assert_eq!(document["outcome"], "failed");
}

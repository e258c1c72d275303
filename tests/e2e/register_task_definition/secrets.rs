//! Secrets in plain values: warned of, and shown only with `--show-values`.

use super::{Account, FILE, arn, expanded, register, registered, with_file, writes};
use serde_json::{Value, json};
use support::aws::{FakeAws, ecs};
use support::canary::Canary;

/// The container's fields in which secrets are found in the wild, all with this one.
fn exposing(secret: &str) -> Value {
    let variable = |name: &str, value: String| json!({"name": name, "value": value});
    json!({
        "environment": [
            variable("REGION", "us-east-1".into()),
            variable("DB_PASS", secret.into()),
            variable("APIKEY", secret.into()),
            variable("MYSQL_PWD", secret.into()),
            variable("SENTRY_DSN", format!("https://{secret}@o1.ingest.sentry.io/1")),
            variable("DATABASE_URL", format!("host=x user=y password={secret}")),
            variable("REDIS_URL", format!("redis://:{secret}@h/0")),
            variable("NOBODY_CAN_TELL", secret.into()),
        ],
        "command": ["gunicorn", format!("--password={secret}"), "--user", secret],
        "entryPoint": ["sh", "-c", format!("exec env TOKEN={secret} gunicorn")],
        "healthCheck": {"command": ["CMD-SHELL", format!("curl -u u:{secret} http://localhost")], "startPeriod": 10},
        "logConfiguration": {"logDriver": "splunk", "options": {"splunk-url": "https://x:8088", "splunk-token": secret}},
        "dockerLabels": {"note": secret},
    })
}

fn with(mut definition: Value, secret: &str) -> Value {
    let fields = exposing(secret).as_object().unwrap().clone();
    definition["containerDefinitions"][0]
        .as_object_mut()
        .unwrap()
        .extend(fields);
    definition
}

/// The file with `secret` in the clear.
fn file(secret: &str) -> String {
    with(serde_json::from_str(FILE).unwrap(), secret).to_string()
}

#[test]
fn no_plan_and_no_report_shows_one() {
    let (old, new) = (Canary::new(), Canary::new());
    let check = |aws: &FakeAws, arguments: &[&str], code: i32| {
        for form in [&["-v"][..], &["-o", "json"]] {
            let output = with_file(aws, &file(new.value()))
                .args(arguments)
                .args(form)
                .run();
            let output = output.exits(code);
            old.absent_from(&format!("{arguments:?}"), &output);
            new.absent_from(&format!("{arguments:?}"), &output);
            let shown = format!("{}{}", output.stdout, output.stderr);
            assert!(shown.contains("environment[DB_PASS].value"), "{shown}");
            assert!(shown.contains("(hidden)"), "{shown}");
        }
    };
    let (aws, _account) = Account::ready();
    check(&aws, &["--dry-run"], 0);
    check(&aws, &["--check"], 1);
    let (aws, account) = registered(|body| *body = with(body.clone(), old.value()));
    check(&aws, &["--dry-run"], 0);
    register(&mut account.state(), &with(expanded(), new.value()));
    check(&aws, &["diff", "1", "2"], 1);
    let document = with_file(&aws, FILE)
        .args(["diff", "1", "2", "-o", "json"])
        .run()
        .exits(1)
        .json();
    let command =
        |from: Value, to: Value| json!({"path": "containerDefinitions[web].command", "from": from, "to": to});
    let hidden = command("(hidden)".into(), "(hidden)".into());
    assert_eq!(document["items"][0]["changes"][0], hidden);
    let document = with_file(&aws, FILE)
        .args(["diff", "1", "2", "-o", "json", "--show-values"])
        .run()
        .exits(1)
        .json();
    let value = |secret: &Canary| exposing(secret.value())["command"].clone();
    assert_eq!(
        document["items"][0]["changes"][0],
        command(value(&old), value(&new))
    );
    with_file(&aws, &file(new.value()))
        .args(["--dry-run", "--show-values"])
        .run()
        .exits(0);
}

#[test]
fn what_is_registered_is_the_value_and_what_is_printed_is_not() {
    let secret = Canary::new();
    let (aws, account) = Account::ready();
    let tool = with_file(&aws, &file(secret.value())).arg("-v");
    let output = tool.run().exits(0).prints(&arn(1));
    secret.absent_from("registered", &output);
    let body = &aws.bodies(ecs("RegisterTaskDefinition"))[0];
    assert_eq!(
        body["containerDefinitions"][0]["environment"][1]["value"],
        secret.value()
    );
    let output = tool.run().exits(0);
    secret.absent_from("unchanged", &output);
    output.says("web: unchanged");
    // ECS keeps it otherwise, and refuses it.
    account.state().revisions.clear();
    let mut kept = with(expanded(), Canary::new().value());
    kept["taskDefinitionArn"] = json!(arn(1));
    aws.answer_once(
        ecs("RegisterTaskDefinition"),
        200,
        json!({"taskDefinition": kept}),
    );
    let output = tool.run().exits(0);
    secret.absent_from("kept otherwise", &output);
    output.says("warning: ECS keeps `containerDefinitions[web].command` as \"(hidden)\", and the file has ");
}

#[test]
fn what_ecs_repeats_is_not_printed() {
    let secret = Canary::new();
    let (aws, _account) = Account::ready();
    let words = format!("Invalid value {} for environment variable", secret.value());
    aws.refuse(ecs("RegisterTaskDefinition"), "ClientException", &words);
    for form in [&["-v"][..], &["-o", "json"]] {
        let output = with_file(&aws, &file(secret.value())).args(form).run().exits(2);
        secret.absent_from("refused", &output);
        output.says("failed: ClientException: Invalid value *** for environment variable");
    }
}

#[test]
fn each_that_looks_like_one_is_warned_of() {
    let secret = Canary::new();
    let (aws, _account) = Account::ready();
    let output = with_file(&aws, &file(secret.value()))
        .arg("--dry-run")
        .run()
        .exits(0);
    let warned: Vec<&str> = output
        .stderr
        .lines()
        .filter(|line| line.contains("looks like a secret"))
        .filter_map(|line| line.split("containerDefinitions[0].").nth(1))
        .filter_map(|line| line.split(": ").next())
        .collect();
    let mut expected = vec![
        "logConfiguration.options.splunk-token",
        "entryPoint[2]",
        "command[1]",
    ];
    let names: Vec<String> = (1..=6).map(|at| format!("environment[{at}].name")).collect();
    expected.extend(names.iter().map(String::as_str));
    let sorted = |mut list: Vec<&str>| {
        list.sort_unstable();
        list.join("\n")
    };
    assert_eq!(sorted(warned), sorted(expected), "{}", output.transcript());
}

#[test]
fn init_writes_them_and_prints_none() {
    let secret = Canary::new();
    let (aws, _account) = registered(|body| *body = with(body.clone(), secret.value()));
    let init = aws
        .tool("register-task-definition")
        .config_text(super::CONFIG)
        .args(["init", "-v"]);
    let dry = init.clone().arg("--dry-run").run().exits(0);
    let shown: Value = serde_json::from_str(&dry.stdout).unwrap();
    let container = &shown["containerDefinitions"][0];
    assert_eq!(container["dockerLabels"], json!({"note": "(hidden)"}));
    assert_eq!(container["environment"].as_array().unwrap().len(), 8);
    assert_eq!(container["image"], "${image.web}");
    for arguments in [
        &["--dry-run"][..],
        &["--dry-run", "-o", "json"],
        &["-o", "json"],
        &["--force"],
    ] {
        let output = init.clone().args(arguments).run().exits(0);
        secret.absent_from(&format!("{arguments:?}"), &output);
        let output = output
            .says("`DB_PASS` looks like a secret, and every caller who may describe the task can read it");
        let hidden =
            "values that may hold secrets are (hidden) here, not in the file; --show-values shows them\n";
        assert_eq!(
            output.stderr.contains(hidden),
            arguments.contains(&"--dry-run"),
            "{arguments:?}"
        );
    }
    let file = init.read("aws/web.json");
    with_file(&aws, &file).run().exits(0).says("web: unchanged");
    let file: Value = serde_json::from_str(&file).unwrap();
    let command = &file["containerDefinitions"][0]["command"];
    assert_eq!(command, &exposing(secret.value())["command"]);
    assert_eq!(writes(&aws), [""; 0]);
}

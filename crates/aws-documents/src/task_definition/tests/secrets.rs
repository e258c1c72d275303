use super::*;

#[test]
fn variables_and_secrets() {
    table(
        container,
        r#"
/secrets [{"name": "X", "valueFrom": "arn:aws:ssm:us-east-1::123456789012:parameter/x"}] => C.secrets[0].valueFrom: `arn:aws:ssm:us-east-1::123456789012:parameter/x`: it has one colon too many between region and account, so its account is empty and it never matches
/secrets [{"name": "X", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:document/x"}] => C.secrets[0].valueFrom: `arn:aws:ssm:us-east-1:123456789012:document/x` is no parameter: it must end with parameter/NAME
/secrets [{"name": "X", "valueFrom": "arn:aws:s3:::x"}] => C.secrets[0].valueFrom: secrets come from ssm and secretsmanager, not from s3
/secrets [{"name": "X", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x:key"}] => C.secrets[0].valueFrom: `arn:aws:secretsmanager:us-east-1:123456789012:secret:x:key` has not the form of a secret
/secrets [{"name": "X", "valueFrom": "/cruddur//x"}] => C.secrets[0].valueFrom: a parameter's name has no two slashes in a row
/secrets [{"name": "X", "valueFrom": ""}] => C.secrets[0].valueFrom: it is empty
/secrets [{"name": "X", "valueFrom": "postgres://u:p@h/d"}] => C.secrets[0].valueFrom: a parameter's name has no two slashes in a row
/secrets [{"name": "X", "valueFrom": "p@ssw0rd!"}] => C.secrets[0].valueFrom: it is neither an ARN nor the name of a parameter
/environment [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "CONNECTION_URL", "value": "x"}, {"name": "", "value": ""}] => C.environment[1].name: `A` stands twice in `environment`
  => C.environment[3].name: a variable's name is not empty, and has no `=` and no white space
  => C.secrets[0].name: `CONNECTION_URL` stands in `environment` and in `secrets`: ECS takes only one
/environmentFiles [{"type": "s3", "value": "arn:aws:s3:::bucket/x.txt"}] => C.environmentFiles[0].value: it must be the ARN of an object in S3 whose name ends with .env
"#,
    );
}

#[test]
fn keys_in_the_clear_are_diagnostics_and_never_shown() {
    let key = format!("{}{}", "AKIA", "IOSFODNN7EXAMPLE");
    let clear = "an AWS key in plain text: every caller who may describe the task can read it";
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("OTHER", key.as_str()),
    ] {
        container(
            &[("/environment", json!([{"name": name, "value": value}]))],
            &[&format!("C.environment[0].name: {clear}")],
        );
    }
    for (name, value) in [
        ("ROLLBAR_ACCESS_TOKEN", "hunter22"),
        ("DB_PASSWORD", "hunter22"),
        ("DATABASE", "postgres://u:hunter22@h/d"),
    ] {
        let definition = with(&[(
            "/containerDefinitions/0/environment",
            json!([{"name": name, "value": value}]),
        )]);
        let found = diagnostics(&definition).join("\n");
        assert!(
            found.starts_with("? ") && found.contains("looks like a secret"),
            "{found}"
        );
        assert!(!found.contains("hunter22"), "{found}");
    }
    for (name, value) in [
        ("TOKEN_URL_HOST", ""),
        ("MONKEY", "x"),
        ("PUBLIC_KEY", "x"),
        ("URL", "https://host/path@x:y"),
    ] {
        container(&[("/environment", json!([{"name": name, "value": value}]))], &[]);
    }
    container(
        &[(
            "/secrets",
            json!([{"name": "AWS_ACCESS_KEY_ID", "valueFrom": "/x"}]),
        )],
        &["? C.secrets[0].name: AWS_ACCESS_KEY_ID of a user overrides the task role and never expires"],
    );
}

/// A definition with `value` in each field where a secret may stand.
fn exposing(value: &str) -> Value {
    let container = |pointer: &str| format!("/containerDefinitions/0{pointer}");
    let changes = [
        (
            container("/environment"),
            json!([
                {"name": "AWS_DEFAULT_REGION", "value": "us-east-1"},
                {"name": "DB_PASS", "value": value},
                {"name": "PLAIN", "value": value},
                {"name": "DATABASE", "value": format!("host=x password={value}")},
            ]),
        ),
        (
            container("/command"),
            json!(["gunicorn", format!("--password={value}"), value]),
        ),
        (
            container("/entryPoint"),
            json!(["/bin/sh", "-c", format!("echo {value}")]),
        ),
        (
            container("/healthCheck"),
            json!({"command": ["CMD-SHELL", format!("curl -u x:{value} http://localhost || exit 1")]}),
        ),
        (
            container("/logConfiguration"),
            json!({"logDriver": "splunk", "options": {"splunk-url": "https://x:8088", "splunk-token": value, "mode": "blocking"}}),
        ),
        (container("/dockerLabels"), json!({"team": value})),
        (
            container("/firelensConfiguration"),
            json!({"type": "fluentbit", "options": {"key": value}}),
        ),
        (
            container("/someNewField"),
            json!({"list": [value], "text": value, "environment": [{"name": "X", "value": value}]}),
        ),
        (
            "/volumes".to_owned(),
            json!([{"name": "v", "dockerVolumeConfiguration": {"driverOpts": {"o": value}, "labels": {"l": value}}}]),
        ),
        (
            "/proxyConfiguration".to_owned(),
            json!({"type": "APPMESH", "containerName": "x", "properties": [{"name": "p", "value": value}]}),
        ),
        (
            "/tags".to_owned(),
            json!([{"key": "t", "value": format!("https://u:{value}@h")}]),
        ),
    ];
    let changes: Vec<(&str, Value)> = changes
        .iter()
        .map(|(pointer, value)| (pointer.as_str(), value.clone()))
        .collect();
    with(&changes)
}

#[test]
fn values_that_may_hold_secrets_are_hidden() {
    let container = "containerDefinitions[backend-flask]";
    let expected = [
        "command",
        "dockerLabels.team",
        "entryPoint",
        "environment[DATABASE].value",
        "environment[DB_PASS].value",
        "environment[PLAIN].value",
        "firelensConfiguration.options.key",
        "healthCheck.command",
        "logConfiguration.options.splunk-token",
        "someNewField.environment[X].value",
        "someNewField.list",
        "someNewField.text",
    ];
    let mut expected: Vec<String> = expected
        .iter()
        .map(|path| format!("{container}.{path}: (hidden) -> (hidden)"))
        .collect();
    let others = [
        "proxyConfiguration.properties[p].value",
        "tags[t].value",
        "volumes[v].dockerVolumeConfiguration.driverOpts.o",
        "volumes[v].dockerVolumeConfiguration.labels.l",
    ];
    expected.extend(others.map(|path| format!("{path}: (hidden) -> (hidden)")));
    let (one, other) = (exposing("hunter1canary"), exposing("hunter2canary"));
    assert_eq!(shown(&one, &other), expected);
    // Equal values are no difference, and added and removed ones are hidden, too.
    assert_eq!(shown(&other, &other), [""; 0]);
    for (from, to) in [(&good(), &other), (&other, &good()), (&Value::Null, &other)] {
        let lines = shown(from, to).join("\n");
        assert!(lines.contains("environment[DB_PASS].value: "), "{lines}");
        assert!(!lines.contains("canary"), "{lines}");
        let lines = lines_of(&difference(from, to, Values::Shown)).join("\n");
        assert!(lines.contains("hunter2canary"), "{lines}");
    }
    assert_eq!(
        lines_of(&difference(&one, &other, Values::Shown))[4],
        format!("{container}.environment[DB_PASS].value: hunter1canary -> hunter2canary")
    );
}

#[test]
fn what_has_a_meaning_to_aws_is_shown() {
    for (pointer, value, line) in [
        ("/cpu", json!("512"), "cpu: 256 -> 512"),
        (
            "/taskRoleArn",
            json!("arn:aws:iam::123456789012:role/x"),
            "taskRoleArn: arn:aws:iam::123456789012:role/CruddurTaskRole -> arn:aws:iam::123456789012:role/x",
        ),
        ("/containerDefinitions/0/image", json!("nginx:1"), ".image: "),
        (
            "/containerDefinitions/0/portMappings/0/appProtocol",
            json!("grpc"),
            ".portMappings[4567/tcp].appProtocol: http -> grpc",
        ),
        (
            "/containerDefinitions/0/secrets/0/valueFrom",
            json!("/x"),
            ".secrets[CONNECTION_URL].valueFrom: ",
        ),
        (
            "/containerDefinitions/0/logConfiguration/options/awslogs-group",
            json!("x"),
            ".logConfiguration.options.awslogs-group: cruddur -> x",
        ),
        (
            "/containerDefinitions/0/healthCheck/interval",
            json!(10),
            ".healthCheck.interval: 30 -> 10",
        ),
        (
            "/containerDefinitions/0/readonlyRootFilesystem",
            json!(true),
            ".readonlyRootFilesystem: (none) -> true",
        ),
        (
            "/tags",
            json!([{"key": "a", "value": "b"}]),
            "tags[a].value: (none) -> b",
        ),
    ] {
        let lines = shown(&good(), &with(&[(pointer, value)])).join("\n");
        assert!(lines.contains(line) && !lines.contains("(hidden)"), "{lines}");
    }
}

#[test]
fn a_whole_definition_is_redacted() {
    let redacted = redacted(&exposing("hunter2canary"));
    assert!(!redacted.to_string().contains("canary"), "{redacted}");
    let container = &redacted["containerDefinitions"][0];
    let expected = json!([
        {"name": "AWS_DEFAULT_REGION", "value": "(hidden)"}, {"name": "DB_PASS", "value": "(hidden)"},
        {"name": "PLAIN", "value": "(hidden)"}, {"name": "DATABASE", "value": "(hidden)"}
    ]);
    assert_eq!(container["environment"], expected);
    assert_eq!(container["secrets"], good()["containerDefinitions"][0]["secrets"]);
    let options = json!({"splunk-url": "(hidden)", "splunk-token": "(hidden)", "mode": "blocking"});
    assert_eq!(container["logConfiguration"]["options"], options);
}

#[test]
fn texts_that_look_like_secrets_are_found() {
    let found = secrets(&exposing("hunter2canary"));
    for text in [
        "hunter2canary",
        "--password=hunter2canary",
        "host=x password=hunter2canary",
    ] {
        assert!(found.iter().any(|one| one == text), "{text}: {found:?}");
    }
    assert_eq!(secrets(&good()), [""; 0]);
}

#[test]
fn secrets_in_the_clear_are_warned_of_and_never_said() {
    let definition = exposing("hunter2canary");
    let found = diagnostics(&definition);
    let warned: Vec<&str> = found
        .iter()
        .filter_map(|line| line.strip_prefix("? containerDefinitions[0]."))
        .filter(|line| line.contains("looks like a secret"))
        .filter_map(|line| line.split(": ").next())
        .collect();
    assert_eq!(
        warned,
        [
            "logConfiguration.options.splunk-token",
            "environment[1].name",
            "environment[3].name",
            "command[1]",
            "firelensConfiguration.options.key",
        ],
        "{found:#?}"
    );
    assert!(!found.join("\n").contains("canary"), "{found:#?}");
    let key = format!("{}{}", "AKIA", "IOSFODNN7EXAMPLE");
    let clear = "an AWS key in plain text: every caller who may describe the task can read it";
    container(
        &[
            ("/command", json!(["x", format!("--id={key}")])),
            ("/dockerLabels", json!({"l": key})),
        ],
        &[
            &format!("C.command[1]: {clear}"),
            &format!("C.dockerLabels.l: {clear}"),
        ],
    );
}

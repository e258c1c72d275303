use super::*;

#[test]
fn secrets_are_known_by_their_names() {
    for name in [
        "DB_PASS",
        "DBPASS",
        "APIKEY",
        "API_KEY",
        "apiKey",
        "API_KEY_2",
        "MYSQL_PWD",
        "SENTRY_DSN",
        "PGPASSWORD",
        "DB_PASSWORD2",
        "ROLLBAR_ACCESS_TOKEN",
        "AUTHTOKEN",
        "CLIENT_SECRET",
        "GOOGLE_CREDENTIALS",
        "PRIVATE_KEY",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "splunk-token",
        "http_passwd",
    ] {
        assert!(is_secret(name, "x1"), "{name}");
        assert!(!is_secret(name, ""), "{name}");
    }
    for (name, value) in [
        ("MONKEY", "x1"),
        ("PUBLIC_KEY", "x1"),
        ("BYPASS", "x1"),
        ("TOKENIZER", "x1"),
        ("PASSENGER_APP", "x1"),
        ("TOKEN_TTL", "3600"),
        ("PASSWORD_MIN_LENGTH", "12"),
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("DB_SECRET_NAME", "prod/db"),
        (
            "DB_SECRET_ARN",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:db",
        ),
        ("TOKEN_URL", "https://auth.example.com/oauth/token"),
        ("PASSWORD_LOGIN", "false"),
    ] {
        assert!(!is_secret(name, value), "{name}={value}");
    }
    for (name, value) in [
        ("TOKEN_TTL", "x1"),
        ("DB_PASSWORD_FILE", "hunter2"),
        ("DB_PASS", "12345"),
    ] {
        assert!(is_secret(name, value), "{name}={value}");
    }
}

#[test]
fn secrets_are_known_by_themselves() {
    let access_key = format!("{}{}", "AKIA", "IOSFODNN7EXAMPLE");
    let token = |start: &str| format!("{start}{}", "a1".repeat(20));
    for value in [
        access_key.as_str(),
        &token("ghp_"),
        &token("xoxb-"),
        &token("sk_live_"),
        &token("eyJ"),
        &format!("x {}", token("glpat-")),
        &format!("-----{} PRIVATE KEY-----\nMIIE", "BEGIN"),
        "postgres://u:hunter2@h/d",
        "postgres://u:hun/ter2@h/d",
        "redis://:hunter2@h/0",
        "https://hunter2@o1.ingest.sentry.io/1",
        "amqp://h1,amqp://u:hunter2@h2",
        "host=x user=y password=hunter2",
        "Server=x;Pwd=hunter2;",
        "AccountName=x;AccountKey=hunter2==",
        "https://h/x?api_key=hunter2",
        r#"{"user": "x", "password": "hunter2"}"#,
        "Authorization: Bearer hunter2",
        "https://hooks.slack.com/services/T0/B0/hunter2",
    ] {
        assert!(holds_secret(value), "{value}");
        assert!(is_secret("SOMETHING", value), "{value}");
    }
    for value in [
        "https://host/path@x:y",
        "ssh://git@github.com/x",
        "postgres://u@h/d",
        "kafka://h1:9092,h2:9092",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:x",
        "registry/my-token:1.0",
        "psql password=$DB_PASS",
        "npm_config_update_notifier",
        "sort=name",
    ] {
        assert!(!holds_secret(value), "{value}");
    }
}

#[test]
fn words_of_a_command_may_be_secrets() {
    for (words, expected) in [
        (&["gunicorn", "--password=hunter2"][..], &[false, true][..]),
        (
            &["x", "--password", "hunter2", "run"],
            &[false, false, true, false],
        ),
        (&["x", "--token", "$TOKEN", "-v"], &[false, false, false, false]),
        (&["x", "--token", "$uperSecret1"], &[false, false, true]),
        (
            &["x", "--token=$uperSecret1", "--token=$TOKEN"],
            &[false, true, false],
        ),
        (&["x", "--token-file", "/run/token"], &[false, false, false]),
        (&["sh", "-c", "PGPASSWORD=hunter2 psql"], &[false, false, true]),
        (&["CMD-SHELL", "app --password hunter2 || exit 1"], &[false, true]),
        (&["CMD-SHELL", "app --password $PW || exit 1"], &[false, false]),
        (&["curl", "-H", "X-Api-Key: hunter2"], &[false, false, true]),
    ] {
        assert_eq!(secret_words(words), expected, "{words:?}");
    }
}

//! What `env` prints, and what is left of the caller's own.

use super::{evaluated, function, gate, region};
use std::process::Command;
use support::canary::Canary;
use support::sandbox::sandbox;
use support::{Tool, root};

/// Everything of AWS that it sets.
const OURS: [&str; 9] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCOUNT_ID",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SHARED_CREDENTIALS_FILE",
];

#[test]
fn nothing_of_the_callers_aws_docker_and_postgres_is_left() {
    let secret = Canary::new();
    let caller = [
        ("AWS_PROFILE", "production"),
        ("AWS_SECRET_ACCESS_KEY", secret.value()),
        ("AWS_SESSION_TOKEN", secret.value()),
        ("AWS_ENDPOINT_URL_SQS", "http://elsewhere.example"),
        ("AWS_OF_TOMORROW", secret.value()),
        ("AWS_ACCOUNT_ID", "210987654321"),
        ("DOCKER_CONTEXT", "elsewhere"),
        ("DOCKER_TLS_VERIFY", "1"),
        ("PGHOSTADDR", "192.0.2.1"),
        ("PGPASSWORD", secret.value()),
        ("PROD_CONNECTION_URL", "postgresql://u:p@elsewhere.example/db"),
        ("ROLLBAR_ACCESS_TOKEN", secret.value()),
        ("HONEYCOMB_API_KEY", secret.value()),
        ("MINE", "it's mine"),
    ];
    for shell in ["sh", "bash"] {
        let environment = evaluated(shell, &caller);
        let aws: Vec<&str> = environment
            .keys()
            .filter(|name| name.starts_with("AWS_"))
            .map(String::as_str)
            .collect();
        assert_eq!(aws, OURS);
        for name in ["DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "PGHOSTADDR", "PGPASSWORD"] {
            assert!(!environment.contains_key(name), "{name}");
        }
        assert_eq!(environment["MINE"], "it's mine");
        let kept = environment.values().find(|value| value.contains(secret.value()));
        assert_eq!(kept, None);
    }
    let run = gate(&["run", "--", "env"]).envs(caller).run().exits(0);
    secret.absent_from("run -- env", &run);
    secret.absent_from("env", &gate(&["env"]).envs(caller).run().exits(0));
}

#[test]
fn its_values_are_those_of_the_sandbox() {
    let environment = evaluated("sh", &[]);
    let get = |name: &str| environment[name].as_str();
    let region = region();
    assert_eq!(get("AWS_REGION"), region);
    assert_eq!(get("AWS_DEFAULT_REGION"), region);
    assert_eq!(get("OPS_SANDBOX"), region);
    assert_eq!(get("AWS_ACCOUNT_ID"), "123456789012");
    assert_eq!(
        get("ECR_REGISTRY"),
        format!("123456789012.dkr.ecr.{region}.amazonaws.com")
    );
    assert_eq!(get("AWS_CONFIG_FILE"), "/dev/null");
    assert_eq!(get("AWS_SHARED_CREDENTIALS_FILE"), "/dev/null");
    assert_eq!(get("AWS_EC2_METADATA_DISABLED"), "true");
    assert!(get("AWS_ENDPOINT_URL").starts_with("http://127.0.0.1:"));
    assert!(get("DOCKER_HOST").starts_with("unix:///"));
    // A key that nobody takes for a real one, nor for an account.
    let key = get("AWS_ACCESS_KEY_ID");
    assert!(key.starts_with("sandbox-"), "{key}");
    assert!(get("CONNECTION_URL").contains("@localhost:"));
    assert!(get("CONNECTION_URL").contains("sslmode=verify-full&sslrootcert=/"));
    assert!(get("PROD_CONNECTION_URL").ends_with("/cruddur?sslmode=require"));
    assert!(get("SUBNET_IDS").split(',').all(|id| id.starts_with("subnet-")));
    assert!(get("SECURITY_GROUP_IDS").starts_with("sg-"));
    for name in [
        "ROLLBAR_ACCESS_TOKEN",
        "HONEYCOMB_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
    ] {
        assert!(get(name).len() >= 32, "{name}");
    }
    // Of this clone, so that nothing of the caller's `docker login` is used or changed.
    assert!(get("DOCKER_CONFIG").starts_with(&format!("{}/.sandbox/{region}/", root().display())));

    let identity = sandbox()
        .program("aws")
        .args([
            "sts",
            "get-caller-identity",
            "--query",
            "Account",
            "--output",
            "text",
        ])
        .run()
        .exits(0);
    identity.prints("123456789012");
}

/// A shell in which it was evaluated already is no other one.
#[test]
fn evaluating_twice_gives_the_same() {
    let once = evaluated("bash", &[]);
    let caller: Vec<(&str, &str)> = once
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut twice = evaluated("bash", &caller);
    let mut once = once.clone();
    for own in ["_", "SHLVL", "HOME", "PWD"] {
        once.remove(own);
        twice.remove(own);
    }
    assert_eq!(once, twice);
}

#[test]
fn a_proxy_does_not_catch_what_is_on_this_machine() {
    let without = evaluated("sh", &[]);
    assert!(!without.contains_key("NO_PROXY"));
    let caller = [
        ("https_proxy", "http://proxy.example:3128"),
        ("no_proxy", "intern.example"),
    ];
    let environment = evaluated("sh", &caller);
    for name in ["NO_PROXY", "no_proxy"] {
        let hosts: Vec<&str> = environment[name].split(',').collect();
        for host in [
            "intern.example",
            "localhost",
            "127.0.0.1",
            without["ECR_REGISTRY"].as_str(),
        ] {
            assert!(hosts.contains(&host), "{name}={}", environment[name]);
        }
    }
}

/// One value of every kind that a shell could take for more than a word.
#[test]
fn values_are_quoted_for_every_shell() {
    let odd = "it's \"$HOME\" `id` \\ a  b\t*;#";
    for shell in ["sh", "bash", "zsh"] {
        let there = Command::new(shell).arg("-c").arg("exit 0").output();
        if there.is_err() && shell == "zsh" {
            continue;
        }
        let line = function(
            &["messages", "environment"],
            r#"export_lines ODD "$1" NEXT 'x'"#,
            &[odd],
        )
        .run()
        .exits(0)
        .stdout;
        let output = Tool::new(shell)
            .args([
                "-c",
                "eval \"$1\"; printf %s \"$ODD\"; [ \"$NEXT\" = x ]",
                "shell",
            ])
            .arg(line)
            .run()
            .exits(0);
        assert_eq!(output.stdout, odd, "{shell}");
    }
    let encoded = function(
        &["messages", "environment"],
        r#"url_encoded "$1""#,
        &["/a b/ü'%&?"],
    );
    encoded.run().exits(0).prints("/a%20b/%C3%BC%27%25%26%3F");
}

//! What `env` prints, and what remains of the caller's environment.

use super::{evaluated, function, gate, region};
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
    for (name, value) in [
        ("AWS_REGION", region.as_str()),
        ("AWS_DEFAULT_REGION", &region),
        ("OPS_SANDBOX", &region),
        ("AWS_ACCOUNT_ID", "123456789012"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ] {
        assert_eq!(get(name), value, "{name}");
    }
    for (name, start) in [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:"),
        ("AWS_ACCESS_KEY_ID", "sandbox-"),
        ("SECURITY_GROUP_IDS", "sg-"),
        ("SUBNET_IDS", "subnet-"),
        // Of this clone: the caller's `docker login` is neither used nor changed.
        (
            "DOCKER_CONFIG",
            &format!("{}/.sandbox/{region}/", root().display()),
        ),
    ] {
        assert!(get(name).starts_with(start), "{name}");
    }
    assert!(get("CONNECTION_URL").contains("sslmode=verify-full&sslrootcert=/"));
    assert!(get("PROD_CONNECTION_URL").ends_with("/cruddur?sslmode=require"));
    let words = [
        "sts",
        "get-caller-identity",
        "--query",
        "Account",
        "--output",
        "text",
    ];
    let identity = sandbox().program("aws").args(words).run().exits(0);
    identity.prints("123456789012");
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

/// Every kind of character that a shell interprets.
#[test]
fn values_are_quoted_for_every_shell() {
    let odd = "it's \"$HOME\" `id` \\ a  b\t*;#";
    for shell in ["sh", "bash"] {
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

//! The policy files: their errors are reported before the first call.

use super::iam::{Iam, TRUST, forms};
use super::{CONFIG, READ_TEMPLATE, tool, with_config};
use serde_json::json;
use support::aws::FakeAws;
use support::canary::Canary;

#[test]
fn a_doubled_colon_in_an_arn_is_reported_with_its_position() {
    let aws = FakeAws::start();
    let wrong = READ_TEMPLATE.replace("${AWS_REGION}:", "${AWS_REGION}::");
    let output = tool(&aws)
        .file("policies/read.json", wrong)
        .args(["-o", "json"])
        .run()
        .exits(2);
    let document = output.json();
    assert_eq!(document["outcome"], "failed");
    assert_eq!(document["error"]["code"], "document");
    let message = document["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("failed to use `policies/read.json:7:17`: Statement[0].Resource: `arn:aws:ssm:${AWS_REGION}::${AWS_ACCOUNT_ID}:parameter/e2e/*`: it has one colon too many"),
        "{message}"
    );
    assert_eq!(document["faults"][0]["line"], 7);
    assert_eq!(document["faults"][0]["column"], 17);
    output.says("hint: did you mean `arn:aws:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter/e2e/*`?");
    assert_eq!(aws.requests(), []);
}

#[test]
fn all_errors_of_all_files_are_listed() {
    let aws = FakeAws::start();
    let config = CONFIG
        .replace("name = \"Two\"", "name = \"one\"")
        .replace("iam::aws:policy", "iam:aws:policy");
    let output = with_config(&aws, &config)
        .file("policies/trust.json", TRUST.replace("Principal", "Principals"))
        .file(
            "policies/read.json",
            READ_TEMPLATE
                .replace("\"ssm:GetParameters\"", "\"GetParameters\"")
                .replace("${params.prefix}", "/${params.prefix}"),
        )
        .run()
        .exits(2);
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(
        lines,
        [
            "  ops.toml: roles.two.name: another role has the name `one`, and IAM ignores case",
            "  policies/trust.json:1:38: Statement[0]: `Principal` is missing",
            "  policies/trust.json:1:56: Statement[0].Principals: IAM has no key `Principals` here",
            "    hint: did you mean `Principal`?",
            "  policies/read.json:6:16: Statement[0].Action[0]: the action `GetParameters` has no service before it",
            "    hint: actions look like ssm:GetParameters",
            "  policies/read.json:7:17: Statement[0].Resource: `arn:aws:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter//e2e/*`: it has two slashes behind `parameter`, so it never matches",
            "    hint: the name's own slash is the only one: parameter${params.prefix}/*",
            "  ops.toml: roles.two.managed[0]: `arn:aws:iam:aws:policy/AWSXRayDaemonWriteAccess`: it has 5 parts, and an ARN has 6",
            "    hint: did you mean `arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess`?",
            "create-roles: error: 6 errors in `ops.toml`, `policies/read.json`, `policies/trust.json`",
        ]
    );
    assert_eq!(aws.requests(), []);
}

#[test]
fn what_is_no_json_and_what_is_unset() {
    let aws = FakeAws::start();
    let version = |text: &str| READ_TEMPLATE.replace("2012-10-17", text);
    let cases = [
        (
            "{\"Version\": \"2012-10-17\",}",
            "failed to use `policies/read.json:1:25`: a `,` before `}` is no JSON",
        ),
        (
            "\u{feff}{}",
            "failed to use `policies/read.json:1:1`: it begins with a byte order mark",
        ),
        (
            "// why\n{}",
            "failed to use `policies/read.json:1:1`: JSON has no comments",
        ),
        (
            &version("${NOT_SET_ANYWHERE}"),
            "failed to use `policies/read.json:2:14`: Version: needs the environment variable `NOT_SET_ANYWHERE`, which is not set",
        ),
        (
            &version("${cluster.name}"),
            "failed to use `policies/read.json:2:14`: Version: names `${cluster.name}`, which has no value here",
        ),
        (
            &version("${NOT_SET_ANYWHERE}").replace("${AWS_REGION}:", "${AWS_REGION}::"),
            "2 errors in `policies/read.json`",
        ),
    ];
    for (text, message) in cases {
        tool(&aws)
            .file("policies/read.json", text)
            .run()
            .exits(2)
            .says(message);
    }
    let missing = CONFIG.replace("read.json", "absent.json");
    with_config(&aws, &missing)
        .run()
        .exits(2)
        .says("failed to use `policies/absent.json`: No such file or directory");
    assert_eq!(aws.requests(), []);
}

#[test]
fn a_warning_is_printed_once_and_stops_nothing() {
    let (aws, _) = Iam::with([]);
    let old = TRUST.replace("\"Version\":\"2012-10-17\",", "");
    let output = tool(&aws).file("policies/trust.json", old).run().exits(0);
    let warning = "create-roles: warning: policies/trust.json:1:1: `Version` is missing; IAM then takes 2008-10-17, without its variables";
    assert_eq!(output.stderr.matches(warning).count(), 1, "{}", output.stderr);
}

#[test]
fn iams_own_variables_and_the_environments() {
    let (aws, _) = Iam::with([]);
    let template = READ_TEMPLATE.replace("${params.prefix}/*", "/${E2E_APP}/${aws:PrincipalTag/team}/$${*}");
    tool(&aws)
        .arg("one")
        .env("E2E_APP", "shop")
        .file("policies/read.json", template)
        .run()
        .exits(0);
    let document = forms(&aws, "PutRolePolicy")[0]["PolicyDocument"].clone();
    let document: serde_json::Value = serde_json::from_str(document.as_str().unwrap()).unwrap();
    assert_eq!(
        document["Statement"][0]["Resource"],
        "arn:aws:ssm:us-east-1:123456789012:parameter/shop/${aws:PrincipalTag/team}/${*}"
    );
}

#[test]
fn another_region_has_its_own_partition() {
    let (aws, _) = Iam::with([]);
    tool(&aws)
        .args(["one", "--region", "cn-north-1", "--dry-run"])
        .run()
        .exits(0)
        .prints("arn:aws-cn:iam::123456789012:role/One");
    tool(&aws).args(["one", "--region", "cn-north-1"]).run().exits(0);
    let document = forms(&aws, "PutRolePolicy")[0]["PolicyDocument"].clone();
    assert!(
        document
            .as_str()
            .unwrap()
            .contains("arn:aws-cn:ssm:cn-north-1:123456789012:parameter/e2e/*"),
        "{document}"
    );
    aws.forget();
    // An ARN of another partition is an error as soon as the region is known, before a role is read.
    let literal = READ_TEMPLATE.replace("${AWS_PARTITION}", "aws");
    tool(&aws)
        .args(["--region", "cn-north-1"])
        .file("policies/read.json", literal)
        .run()
        .exits(2)
        .says("policies/read.json:7:17")
        .says("its partition is `aws`, and this account is in `aws-cn`: it never matches");
    assert_eq!(aws.targets(), ["GetCallerIdentity"]);
}

#[test]
fn other_roles_are_named_by_their_arns() {
    let (aws, iam) = Iam::with([]);
    let config = CONFIG.replace("name = \"Two\"", "name = \"Two\"\npath = \"/apps/\"");
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"${roles.two.arn}"},"Action":"sts:AssumeRole"}]}"#;
    with_config(&aws, &config)
        .arg("one")
        .file("policies/trust.json", trust)
        .run()
        .exits(0);
    let stored: serde_json::Value = serde_json::from_str(&iam.roles()["One"].trust).unwrap();
    assert_eq!(
        stored["Statement"][0]["Principal"],
        json!({"AWS": "arn:aws:iam::123456789012:role/apps/Two"})
    );
}

#[test]
fn nothing_of_the_credentials_is_shown() {
    let canary = Canary::new();
    let (aws, _) = Iam::with([]);
    aws.refuse("CreateRole", "InvalidInput", &format!("no {}", canary.value()));
    let secret = |tool: support::Tool| {
        tool.env("AWS_SECRET_ACCESS_KEY", canary.value())
            .env("AWS_SESSION_TOKEN", canary.value())
    };
    let echo = FakeAws::start();
    echo.refuse_all(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match",
    );
    canary.absent_from_errors([
        ("a refusal", secret(tool(&echo)).arg("-v")),
        (
            "an error in a file",
            secret(tool(&aws)).file("policies/read.json", "{"),
        ),
        (
            "no network",
            secret(tool(&aws))
                .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
                .arg("-v"),
        ),
    ]);
}

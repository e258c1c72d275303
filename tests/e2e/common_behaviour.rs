//! What holds for every AWS tool.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use support::aws::{FakeAws, ecr, ecs, logs, ssm, with_credentials, without_credentials};
use support::{Tool, wait_for};

/// A file that every tool can work with, and values for what it names.
const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
[log_group]
name = "one"
[cluster]
name = "one"
[[repository]]
name = "one"
[[image]]
name = "one"
repository = "one"
tags = ["latest"]
from = "busybox:latest"
[params]
prefix = "/e2e"
[params.entry]
ONE = { env = "E2E_SOURCE" }
[roles.one]
name = "one"
trust = "trust.json"
[task_definition]
file = "task-definition.json"
[service]
file = "service.json"
subnets = "subnet-1"
"#;

/// The trust policy of the role.
const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;

/// The task definition; its image is looked up in ECR.
const TASK_DEFINITION: &str = r#"{"family": "e2e", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
"executionRoleArn": "arn:aws:iam::123456789012:role/one", "containerDefinitions": [{"name": "e2e", "image": "${image.one}"}]}"#;

/// The service.
const SERVICE: &str = r#"{"serviceName": "e2e", "launchType": "FARGATE"}"#;

/// The tools, with the IAM prefix of what they ask AWS for.
const TOOLS: [(&str, &str); 9] = [
    ("ecr-login", "ecr:"),
    ("create-log-group", "logs:"),
    ("create-cluster", "ecs:"),
    ("create-repository", "ecr:"),
    ("create-roles", "iam:"),
    ("push-image", "ecr:"),
    ("put-params", "ssm:"),
    ("register-task-definition", "ecs:"),
    ("deploy-service", "ecs:"),
];

fn prepared(tool: Tool) -> Tool {
    tool.config_text(CONFIG)
        .file("trust.json", TRUST)
        .file("task-definition.json", TASK_DEFINITION)
        .file("service.json", SERVICE)
        .env("E2E_SOURCE", "a-value")
}

/// Runs `test` for all tools before it fails, and names the tools that failed.
fn each(mut test: impl FnMut(&str, &str)) {
    let mut failed = String::new();
    for (tool, prefix) in TOOLS {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(tool, prefix))) {
            let message = panic.downcast_ref::<String>().map_or("", String::as_str);
            failed += &format!("\n{tool}: {message}");
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn without_credentials_it_says_how_to_sign_in_within_three_seconds() {
    each(|name, _| {
        let output = prepared(without_credentials(support::tool(name))).run().exits(2);
        let output = output
            .says("no AWS credentials found")
            .says("hint: sign in with `aws sso login`");
        assert!(output.elapsed < Duration::from_secs(3), "{:?}", output.elapsed);
        assert_eq!(output.stdout, "");
    });
}

#[test]
fn a_metadata_service_that_never_answers_does_not_hold_it_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    each(|name, _| {
        let tool = without_credentials(support::tool(name))
            .without("AWS_EC2_METADATA_DISABLED")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url);
        let output = prepared(tool).run().exits(2);
        assert!(
            output.elapsed < Duration::from_secs(3),
            "{:?}\n{}",
            output.elapsed,
            output.transcript()
        );
        output.says("hint: ");
    });
}

#[test]
fn without_a_region_it_says_how_to_name_one() {
    each(|name, _| {
        let tool = with_credentials(support::tool(name)).without("AWS_REGION");
        prepared(tool)
            .run()
            .exits(2)
            .says("failed to find the AWS region")
            .says("hint: export AWS_DEFAULT_REGION=");
    });
}

#[test]
fn without_a_network_it_says_so() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    each(|name, _| {
        let tool = with_credentials(support::tool(name)).env("AWS_ENDPOINT_URL", &url);
        let output = prepared(tool).run().exits(2);
        output
            .says("could not be sent: ")
            .says("hint: check the network, the region and any AWS_ENDPOINT_URL");
    });
}

#[test]
fn a_connection_that_breaks_is_an_error() {
    each(|name, _| {
        let aws = FakeAws::start();
        aws.cut_all();
        prepared(aws.tool(name)).run().exits(2).says(": error: ");
        assert_eq!(aws.writes(), []);
    });
}

#[test]
fn an_answer_that_is_no_aws_answer_is_an_error() {
    each(|name, _| {
        let aws = FakeAws::start();
        let targets = [
            ecr("GetAuthorizationToken"),
            ecr("DescribeRepositories"),
            logs("DescribeLogGroups"),
            ecs("DescribeClusters"),
            ecs("DescribeTaskDefinition"),
            ssm("GetParameters"),
            ssm("DescribeParameters"),
            "GetRole".to_owned(),
            "GetCallerIdentity".to_owned(),
        ];
        for target in &targets {
            aws.answer_text(target, 403, "<html>blocked by the proxy</html>", "text/html");
        }
        prepared(aws.tool(name))
            .run()
            .exits(2)
            .says("returned a non-AWS response (HTTP 403)\nhint: check the network");
        for half in ["{\"half\": ", "<html>", "[]"] {
            for target in &targets {
                aws.answer_text(target, 200, half, "application/x-amz-json-1.1");
            }
            // The request was sent, and a read changes nothing.
            let output = prepared(aws.tool(name)).run().exits(2);
            let output = output
                .says("returned an unparseable response")
                .says("hint: check the network");
            let words = ["could not be sent", "may have been applied"];
            assert!(
                !words.iter().any(|words| output.stderr.contains(words)),
                "{}",
                output.transcript()
            );
        }
        assert_eq!(aws.writes(), []);
    });
}

#[test]
fn a_wrong_flag_is_a_usage_error() {
    each(|name, _| {
        let output = prepared(with_credentials(support::tool(name)))
            .arg("--no-such-flag")
            .run()
            .exits(2);
        assert_eq!(output.stdout, "");
        let output = output.says("unexpected argument '--no-such-flag'");
        assert_eq!(output.code, Some(2));
        let json = prepared(with_credentials(support::tool(name)))
            .args(["--no-such-flag", "-o", "json"])
            .run()
            .exits(2);
        assert_eq!(json.json()["error"]["code"], "usage");
        for bundle in [&["-qo", "json"][..], &["-vojson"]] {
            let tool = prepared(with_credentials(support::tool(name)));
            let json = tool.args(bundle).arg("--no-such-flag").run().exits(2);
            assert_eq!(json.json()["error"]["code"], "usage", "{bundle:?}");
        }
    });
}

#[test]
fn a_missing_argument_is_named_in_the_document() {
    for (name, command, missing) in [
        ("deploy-service", "run", "<CMD>..."),
        ("register-task-definition", "diff", "<A>, <B>"),
    ] {
        let document = support::tool(name)
            .args([command, "-o", "json"])
            .run()
            .exits(2)
            .json();
        let expected = format!("the following required arguments were not provided: {missing}");
        assert_eq!(document["error"]["message"], expected, "{name}");
    }
}

#[test]
fn an_unset_variable_is_found_before_the_first_call() {
    let aws = FakeAws::start();
    each(|name, _| {
        let config = match name {
            // It reads no table with a variable.
            "ecr-login" => return,
            "put-params" => CONFIG.replace("E2E_SOURCE", "NOT_SET_ANYWHERE"),
            // Its file names the image.
            "register-task-definition" => {
                CONFIG.replace("repository = \"one\"", "repository = \"${NOT_SET_ANYWHERE}\"")
            }
            _ => CONFIG.replace("\"one\"", "\"one-${NOT_SET_ANYWHERE}\""),
        };
        let tool = prepared(aws.tool(name)).config_text(&config);
        tool.run().exits(2).says("NOT_SET_ANYWHERE");
        let empty = tool.env("NOT_SET_ANYWHERE", "");
        empty.run().exits(2).says("NOT_SET_ANYWHERE");
    });
    assert_eq!(aws.requests(), []);
}

#[test]
fn a_refusal_names_the_call_as_iam_spells_it() {
    each(|name, prefix| {
        let aws = FakeAws::start();
        aws.refuse_all("AccessDeniedException", "User: ci is not authorized");
        let output = prepared(aws.tool(name)).run().exits(2);
        let line = output
            .stderr
            .lines()
            .find(|line| line.contains(": error: "))
            .unwrap_or_default();
        assert!(line.starts_with(&format!("{name}: error: failed to ")), "{line}");
        assert!(line.contains(&format!(": {prefix}")), "{line}");
        assert!(
            line.ends_with(" failed: AccessDeniedException: User: ci is not authorized"),
            "{line}"
        );
        assert_eq!(output.stdout, "");
        output.says("hint: grant `");
        assert_eq!(aws.writes(), []);
    });
}

#[test]
fn a_wrong_place_is_refused_before_any_write() {
    each(|name, _| {
        let aws = FakeAws::start();
        aws.answer(
            ecr("GetAuthorizationToken"),
            200,
            support::aws::token(&support::aws::registry("us-east-1"), "p"),
        );
        let account = CONFIG.replace(
            "name = \"e2e\"",
            "name = \"e2e\"\nexpect_account = \"111122223333\"",
        );
        let region = CONFIG.replace("name = \"e2e\"", "name = \"e2e\"\nexpect_region = \"eu-west-1\"");
        let refused = "refused to work in account `123456789012`: ";
        prepared(aws.tool(name))
            .config_text(&account)
            .run()
            .exits(2)
            .says(refused)
            .says("expects `111122223333`");
        prepared(aws.tool(name))
            .env("AWS_ACCOUNT_ID", "111122223333")
            .run()
            .exits(2)
            .says(refused)
            .says("$AWS_ACCOUNT_ID");
        let elsewhere = prepared(aws.tool(name))
            .config_text(&region)
            .args(["-o", "json"])
            .run()
            .exits(2);
        assert_eq!(elsewhere.json()["error"]["code"], "wrong-region");
        elsewhere.says("refused to work in region `us-east-1`");
        assert_eq!(aws.writes(), []);
        assert!(
            !aws.targets()
                .iter()
                .any(|target| target.contains(".Describe") || target.contains("Parameter")),
            "{:?}",
            aws.targets()
        );
    });
}

#[test]
fn an_endpoint_override_is_announced() {
    each(|name, prefix| {
        let aws = FakeAws::start();
        aws.refuse_all("AccessDeniedException", "no");
        let general = prepared(aws.tool(name)).run();
        general.says(&format!("{name}: note: AWS calls go to http://127.0.0.1:"));
        // The SDK spells a service by its own name, which is not always IAM's.
        let service = match prefix {
            "logs:" => "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS".to_owned(),
            other => format!("AWS_ENDPOINT_URL_{}", other.trim_end_matches(':').to_uppercase()),
        };
        let own = prepared(with_credentials(support::tool(name)))
            .env("AWS_ENDPOINT_URL_STS", aws.url())
            .env(&service, aws.url());
        own.run().says(&format!("{service} is http://127.0.0.1:"));
    });
}

#[test]
fn json_is_one_document_on_failure_too() {
    each(|name, _| {
        let aws = FakeAws::start();
        aws.refuse_all("AccessDeniedException", "no");
        let document = prepared(aws.tool(name))
            .args(["-o", "json"])
            .run()
            .exits(2)
            .json();
        assert_eq!(document["tool"], name);
        assert_eq!(document["outcome"], "failed");
        assert_eq!(document["error"]["code"], "AccessDeniedException");
        let missing = with_credentials(support::tool(name)).config_text("version = 1\nnonsense = 1\n");
        let document = missing.args(["--output=json"]).run().exits(2).json();
        assert_eq!(document["error"]["code"], "config");
    });
}

#[test]
fn a_closed_stdout_is_no_panic() {
    each(|name, _| {
        let aws = FakeAws::start();
        aws.refuse_all("AccessDeniedException", "no");
        for arguments in [vec!["--help"], vec!["--version"], vec!["-o", "json"]] {
            let tool = prepared(aws.tool(name)).args(&arguments);
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let output = tool.command().stdout(writer).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!stderr.contains("panicked"), "{name} {arguments:?}: {stderr}");
            assert!(
                matches!(output.status.code(), Some(0 | 2)),
                "{name} {arguments:?}: {:?}",
                output.status
            );
        }
    });
}

#[test]
fn a_result_that_can_not_be_written_is_an_error() {
    let full = |tool: Tool| {
        let disk = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = tool.command().stdout(disk).output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let lost = |name: &str| format!("{name}: error: failed to write the result: No space left on device\n");
    for (name, code) in [("create-repository", 2), ("db-test", 2), ("health-check", 1)] {
        for word in ["--help", "--version"] {
            let ended = full(support::tool(name).arg(word));
            assert_eq!(ended, (Some(code), lost(name)), "{word}");
        }
    }
    let aws = FakeAws::start();
    aws.answer(
        ecr("GetAuthorizationToken"),
        200,
        support::aws::token(&support::aws::registry("us-east-1"), "p"),
    );
    for arguments in [&["--dry-run"][..], &["--dry-run", "-o", "json"]] {
        prepared(aws.tool("ecr-login")).args(arguments).run().exits(0);
        let (code, stderr) = full(prepared(aws.tool("ecr-login")).args(arguments));
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.ends_with(&lost("ecr-login")), "{stderr}");
    }
    // An error keeps its own code.
    aws.hang();
    let late = prepared(aws.tool("ecr-login")).args(["--timeout", "300ms", "-o", "json"]);
    let (code, stderr) = full(late);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(
        stderr.contains("not done after") && stderr.ends_with(&lost("ecr-login")),
        "{stderr}"
    );
}

#[test]
fn no_timeout_is_too_long_for_the_clock() {
    each(|name, _| {
        let absurd = prepared(with_credentials(support::tool(name)));
        let output = absurd.args(["--timeout", "4000000000000000h"]).run().exits(2);
        output.says("out of range: at most 8760h");
        let aws = FakeAws::start();
        aws.refuse_all("AccessDeniedException", "no");
        let longest = prepared(aws.tool(name)).args(["--timeout", "8760h"]);
        longest.run().exits(2).says("AccessDeniedException");
    });
}

#[test]
fn a_deadline_is_exit_code_three() {
    each(|name, _| {
        let aws = FakeAws::start();
        aws.hang();
        let output = prepared(aws.tool(name))
            .args(["--timeout", "300ms"])
            .run()
            .exits(3);
        assert!(output.elapsed < Duration::from_secs(3), "{:?}", output.elapsed);
        output.says("not done after 300 ms");
        let json = prepared(aws.tool(name))
            .args(["--timeout", "300ms", "-o", "json"])
            .run()
            .exits(3)
            .json();
        assert_eq!(json["outcome"], "timeout");
        assert_eq!(json["error"]["code"], "timeout");
        assert_eq!(aws.writes(), []);
    });
}

#[test]
fn a_signal_ends_it_as_a_signal_does() {
    use rustix::process::Signal;
    each(|name, _| {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let aws = FakeAws::start();
            aws.hang();
            let running = prepared(aws.tool(name)).hears_signals().spawn();
            wait_for("the first request", || (!aws.requests().is_empty()).then_some(()));
            running.signal(signal);
            let output = running.wait();
            assert_eq!(
                output.signal,
                Some(signal.as_raw()),
                "{name}: {}",
                output.transcript()
            );
            assert_eq!(output.stdout, "");
        }
    });
}

#[test]
fn a_word_that_resembles_a_secret_stays_readable() {
    // Secrets are redacted, and not what resembles one: here a part of a secret, and the beginning of another one.
    let aws = FakeAws::start();
    aws.refuse_all("AccessDeniedException", "resource a-value-of-mine, not a-value");
    let output = prepared(aws.tool("put-params"))
        .env("E2E_SOURCE", "a-value-of")
        .run();
    output.says("resource ***-mine, not a-value");
    assert_eq!(
        aws.bodies("GetCallerIdentity")[0]["Action"],
        json!("GetCallerIdentity")
    );
}

/// A proxy, a server or an emulator may repeat what it was sent.
#[test]
fn the_callers_own_credentials_are_never_printed() {
    let key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let token = "IQoJb3JpZ2luX2VjEJ//canary+session/token==";
    let echoed = [
        key.to_owned(),
        token.replace('/', "%2f").replace('+', "%2b"),
        STANDARD.encode(format!("user:{key}")),
        token.replace('/', "\\/"),
        format!("{}...", &token[..20]),
    ];
    each(|name, _| {
        for echo in &echoed {
            let aws = FakeAws::start();
            aws.refuse_all("AccessDeniedException", &format!("got {echo} from you"));
            let tool = prepared(aws.tool(name))
                .env("AWS_SECRET_ACCESS_KEY", key)
                .env("AWS_SESSION_TOKEN", token);
            for tool in [tool.clone().arg("-v"), tool.args(["-o", "json"])] {
                let output = tool.run().exits(2).says("***").does_not_say(echo);
                assert!(!output.stdout.contains(echo.as_str()), "{}", output.stdout);
            }
        }
    });
}

#[test]
fn control_characters_of_a_server_are_not_printed() {
    each(|name, _| {
        let aws = FakeAws::start();
        aws.refuse_all("AccessDeniedException", "a\u{1b}[31mb\u{7}c\u{0}d\u{9b}e\u{7f}f");
        let tool = prepared(aws.tool(name));
        for tool in [tool.clone().arg("-v"), tool.args(["-o", "json"])] {
            let output = tool.run().exits(2);
            let printed = format!("{}{}", output.stdout, output.stderr);
            let is_unsafe = |character: char| character.is_control() && character != '\n';
            assert!(!printed.contains(is_unsafe), "{printed:?}");
        }
    });
}

/// The limit of threads counts for other users than root.
#[test]
fn without_another_thread_it_ends_with_an_error() {
    let folder = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .unwrap();
    each(|name, _| {
        let program = folder.path().join(name);
        fs::copy(support::bin_dir().join(name), &program).unwrap();
        let other_user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let tool = with_credentials(support::program("setpriv")).args(other_user);
        let tool = tool
            .args(["bash", "-c", "ulimit -u 1 && exec \"$0\""])
            .arg(&program);
        tool.run().exits(2).says("error: failed to start a thread: ");
    });
}

#[test]
fn a_file_that_every_user_may_write_is_refused_unless_its_folder_is_trusted() {
    let account = FakeAws::start();
    account.refuse_all("AccessDeniedException", "no");
    each(|name, _| {
        let tool = prepared(account.tool(name))
            .args(["-o", "json"])
            .without("OPS_TRUST");
        let config = tool.folder().join("ops.toml");
        fs::set_permissions(&config, Permissions::from_mode(0o666)).unwrap();
        let document = tool.run().exits(2).says("every user may write to it").json();
        assert_eq!(document["error"]["code"], "untrusted");
        let other = tool.clone().env("OPS_TRUST", "/nonexistent:/usr");
        assert_eq!(other.run().exits(2).json()["error"]["code"], "untrusted");
        let trusted = tool
            .clone()
            .env("OPS_TRUST", format!("/usr:{}", tool.folder().display()));
        assert_ne!(trusted.run().exits(2).json()["error"]["code"], "untrusted");
    });
}

#[test]
fn a_document_that_every_user_may_write_is_refused() {
    for (name, file) in [
        ("create-roles", "trust.json"),
        ("register-task-definition", "task-definition.json"),
        ("deploy-service", "service.json"),
    ] {
        let aws = FakeAws::start();
        let tool = prepared(aws.tool(name)).without("OPS_TRUST");
        fs::set_permissions(tool.folder().join(file), Permissions::from_mode(0o666)).unwrap();
        tool.run()
            .exits(2)
            .says(&format!("{file}`: refused: every user may write to it"));
        assert_eq!(aws.writes(), []);
    }
}

#[test]
fn a_config_file_without_an_end_is_an_error() {
    each(|name, _| {
        let tool = with_credentials(support::tool(name)).args(["--config", "/dev/zero"]);
        tool.run().exits(2).says("it is longer than 1048576 bytes");
    });
}

//! `register-task-definition`: check, describe, compare, check ahead, register only what differs.

mod account;
mod checks;
mod diff;
mod drift;
mod example;
mod failures;
mod init;
mod interrupted;
mod plans;
mod retries;
mod sandbox;
mod secrets;

use account::{Account, DIGEST, register};
use serde_json::{Value, json};
use support::Tool;
use support::aws::{FakeAws, ecs};

const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
tags = { app = "e2e", stage = "test" }
[log_group]
name = "web-logs"
[[image]]
name = "base"
repository = "apps/base"
tags = ["1"]
build = { context = ".", args = { TOKEN = "${NOT_SET_ANYWHERE}" } }
[[image]]
name = "web"
repository = "apps/web"
tags = ["latest", "other"]
from = "x"
[params]
prefix = "/apps/web"
[params.entry]
A = { env = "NOT_SET_EITHER" }
B = { env = "NOT_SET_EITHER" }
[roles.execution]
name = "Execution"
trust = "trust.json"
[roles.task]
name = "Task"
trust = "trust.json"
[task_definition]
file = "aws/web.json"
"#;

const FILE: &str = r#"{
  "family": "web",
  "requiresCompatibilities": ["FARGATE"],
  "networkMode": "awsvpc",
  "cpu": "256",
  "memory": "512",
  "executionRoleArn": "${roles.execution.arn}",
  "taskRoleArn": "${roles.task.arn}",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "${image.web}",
      "portMappings": [{ "name": "web", "containerPort": 4567, "appProtocol": "http" }],
      "healthCheck": { "command": ["CMD", "/bin/check"], "startPeriod": 10 },
      "environment": [{ "name": "REGION", "value": "${AWS_REGION}" }, { "name": "PRICE", "value": "5$$" }],
      "secrets": [
        { "name": "A", "valueFrom": "arn:${AWS_PARTITION}:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter${params.prefix}/A" },
        { "name": "B", "valueFrom": "${params.prefix}/B" }
      ],
      "logConfiguration": {
        "logDriver": "awslogs",
        "options": {
          "awslogs-group": "${log_group.name}",
          "awslogs-region": "${AWS_REGION}",
          "awslogs-stream-prefix": "web"
        }
      }
    }
  ]
}
"#;

/// The ARN of a revision.
fn arn(revision: usize) -> String {
    format!("arn:aws:ecs:us-east-1:123456789012:task-definition/web:{revision}")
}

/// Where the tests' image is.
fn image() -> String {
    format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/apps/web@{DIGEST}")
}

fn with_file(aws: &FakeAws, file: &str) -> Tool {
    aws.tool("register-task-definition")
        .config_text(CONFIG)
        .file("aws/web.json", file)
}

fn tool(aws: &FakeAws) -> Tool {
    with_file(aws, FILE)
}

/// What the file becomes, as ECS is to get it.
fn expanded() -> Value {
    let text = FILE
        .replace(
            "${roles.execution.arn}",
            "arn:aws:iam::123456789012:role/Execution",
        )
        .replace("${roles.task.arn}", "arn:aws:iam::123456789012:role/Task")
        .replace("${image.web}", &image())
        .replace("${AWS_PARTITION}", "aws")
        .replace("${AWS_REGION}", "us-east-1")
        .replace("${AWS_ACCOUNT_ID}", "123456789012")
        .replace("${params.prefix}", "/apps/web")
        .replace("${log_group.name}", "web-logs")
        .replace("$$", "$");
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["tags"] = json!([{"key": "app", "value": "e2e"}, {"key": "stage", "value": "test"}]);
    value
}

/// An account where the file, with `change`, is registered already.
fn registered(change: impl FnOnce(&mut Value)) -> (FakeAws, Account) {
    let (aws, account) = Account::ready();
    let mut body = expanded();
    change(&mut body);
    register(&mut account.state(), &body);
    (aws, account)
}

/// The names of the writing calls.
fn writes(aws: &FakeAws) -> Vec<String> {
    let requests = aws.writes().into_iter();
    requests.map(|request| request.operation().to_owned()).collect()
}

#[test]
fn registers_the_first_revision_and_nothing_the_second_time() {
    let (aws, _account) = Account::ready();
    let output = tool(&aws).run().exits(0).prints(&arn(1));
    output
        .says("web: created\n")
        .says(&format!(
            "  containerDefinitions[web].image: (none) -> {}\n",
            image()
        ))
        .says("  tags.app: (none) -> e2e\n");
    assert_eq!(aws.bodies(ecs("RegisterTaskDefinition")), [expanded()]);
    assert_eq!(writes(&aws), ["RegisterTaskDefinition"]);
    // Only the image that the file names is looked up, and nothing is decrypted.
    let looked_up = aws.bodies(support::aws::ecr("BatchGetImage"));
    assert_eq!(looked_up.len(), 1, "{looked_up:?}");
    assert_eq!(looked_up[0]["imageIds"], json!([{"imageTag": "latest"}]));
    let parameters = aws.bodies(support::aws::ssm("GetParameters"));
    assert_eq!(
        parameters,
        [json!({"Names": ["/apps/web/A", "/apps/web/B"], "WithDecryption": false})]
    );

    aws.forget();
    let second = tool(&aws).args(["-o", "json"]).run().exits(0);
    let document = second.json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(
        document["items"],
        json!([{"kind": "task-definition", "name": "web", "action": "none", "changes": [], "arn": arn(1), "revision": 1}])
    );
    second.says("web: unchanged\n");
    assert_eq!(writes(&aws), [""; 0]);
    // The caller identity, the latest revision, the image: what was checked before the registration is not read again.
    assert_eq!(aws.requests().len(), 3, "{:?}", aws.targets());
    tool(&aws).arg("--check").run().exits(0).prints(&arn(1));
    tool(&aws).arg("-q").run().exits(0).prints(&arn(1));
}

#[test]
fn neither_signed_address_nor_value_is_shown() {
    for architecture in ["amd64", "arm64"] {
        let (aws, _account) = Account::ready();
        account::platform(&aws, architecture);
        let output = tool(&aws).args(["-v", "-o", "json"]).run();
        assert!(
            aws.targets().contains(&format!("GET {}", account::SIGNED)),
            "{:?}",
            aws.targets()
        );
        for stream in [&output.stdout, &output.stderr] {
            assert!(!stream.contains("canary"), "{}", output.transcript());
        }
    }
    // Nor when the download fails.
    let (aws, _account) = Account::ready();
    aws.answer_text(format!("GET {}", account::SIGNED), 403, "denied", "text/plain");
    let output = tool(&aws).arg("-v").run().exits(0);
    assert!(!output.stderr.contains("canary"), "{}", output.transcript());
    output.says("warning: not judged: whether image `apps/web` is for linux/amd64: `127.0.0.1:");
}

#[test]
fn an_image_may_be_named_on_the_command_line() {
    let (aws, account) = registered(|_| {});
    let other = format!("sha256:{}", "ef".repeat(32));
    let reference = image().replace(DIGEST, &other);
    let push = (
        "apps/web:other".to_owned(),
        (other, account::index(&["linux/amd64", "linux/arm64"])),
    );
    account.state().images.extend([push]);
    tool(&aws)
        .args(["--image", &format!("web={reference}")])
        .run()
        .exits(0)
        .prints(&arn(2))
        .says(&format!(
            "  containerDefinitions[web].image: {} -> {reference}\n",
            image()
        ));
    // What was named is not looked up by its tag.
    let looked_up = aws.bodies(support::aws::ecr("BatchGetImage"));
    assert!(
        looked_up
            .iter()
            .all(|body| body["imageIds"][0]["imageTag"].is_null()),
        "{looked_up:?}"
    );
    aws.forget();
    for (given, words) in [
        (
            "api=busybox:1",
            "failed to use --image `api`: `aws/web.json` has no `${image.api}`",
        ),
        ("web", "it must be NAME=REF"),
        ("web=Not an image", "is not an image reference"),
    ] {
        tool(&aws).args(["--image", given]).run().exits(2).says(words);
    }
    assert_eq!(aws.requests(), []);
    // From elsewhere: taken, and not judged.
    tool(&aws)
        .args(["--image", "web=busybox:1.36"])
        .run()
        .exits(0)
        .says("not judged: whether image `busybox:1.36` exists: it is not in a private registry of ECR");
}

#[test]
fn another_region_and_another_app() {
    let (aws, account) = Account::ready();
    let config = CONFIG
        .replace("apps/web", "shop/api")
        .replace("Execution", "ShopExecution");
    let file = FILE.replace("\"family\": \"web\"", "\"family\": \"shop\"");
    let mut state = account.state();
    let image = state.images.remove("apps/web:latest").unwrap();
    state.images.insert("shop/api:latest".into(), image);
    let role = state.roles.remove("Execution").unwrap();
    state.roles.insert("ShopExecution".into(), role);
    state.parameters = ["/shop/api/A".into(), "/shop/api/B".into()].into();
    drop(state);
    with_file(&aws, &file)
        .config_text(&config)
        .args(["--region", "eu-west-1"])
        .run()
        .exits(0);
    let body = &aws.bodies(ecs("RegisterTaskDefinition"))[0];
    assert_eq!(body["family"], "shop");
    let container = &body["containerDefinitions"][0];
    let expected = format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api@{DIGEST}");
    assert_eq!(container["image"], expected.as_str());
    assert_eq!(
        container["logConfiguration"]["options"]["awslogs-region"],
        "eu-west-1"
    );
    assert_eq!(
        container["secrets"][0]["valueFrom"],
        "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/api/A"
    );
}

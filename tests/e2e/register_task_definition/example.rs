//! The project's own task definition.

use super::account::{Account, DIGEST, TRUST, single};
use serde_json::{Value, json};
use support::Tool;
use support::aws::{FakeAws, ecs};

fn example(aws: &FakeAws) -> Tool {
    let copied = |path: &str| std::fs::read_to_string(support::root().join(path)).unwrap();
    let file = "aws/task-definitions/backend-flask.json";
    aws.tool("register-task-definition")
        .config_text(&copied("ops.toml"))
        .file(file, copied(file))
}

/// An account in which the earlier steps have run.
fn prepared() -> (FakeAws, Account) {
    let (aws, account) = Account::empty();
    let mut state = account.state();
    for role in ["CruddurServiceExecutionRole", "CruddurTaskRole"] {
        state
            .roles
            .insert(role.into(), (TRUST.into(), "2024-01-01T00:00:00Z".into()));
    }
    state.log_groups.insert("cruddur".into());
    state
        .images
        .insert("backend-flask:latest".into(), (DIGEST.into(), single()));
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "CONNECTION_URL",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "ROLLBAR_ACCESS_TOKEN",
    ];
    state.parameters = names.map(|name| format!("/cruddur/backend-flask/{name}")).into();
    drop(state);
    (aws, account)
}

#[test]
fn it_is_registered_as_it_is_meant() {
    let (aws, _account) = prepared();
    example(&aws)
        .run()
        .exits(0)
        .prints("arn:aws:ecs:us-east-1:123456789012:task-definition/backend-flask:1");
    let body = &aws.bodies(ecs("RegisterTaskDefinition"))[0];
    for (pointer, expected) in [
        ("/family", json!("backend-flask")),
        ("/requiresCompatibilities", json!(["FARGATE"])),
        ("/networkMode", json!("awsvpc")),
        ("/cpu", json!("256")),
        ("/memory", json!("512")),
        (
            "/executionRoleArn",
            json!("arn:aws:iam::123456789012:role/CruddurServiceExecutionRole"),
        ),
        (
            "/taskRoleArn",
            json!("arn:aws:iam::123456789012:role/CruddurTaskRole"),
        ),
        (
            "/containerDefinitions/0/image",
            json!(format!(
                "123456789012.dkr.ecr.us-east-1.amazonaws.com/backend-flask@{DIGEST}"
            )),
        ),
        (
            "/containerDefinitions/0/portMappings",
            json!([{"name": "backend-flask", "containerPort": 4567, "protocol": "tcp", "appProtocol": "http"}]),
        ),
        (
            "/containerDefinitions/0/healthCheck/command",
            json!(["CMD", "/usr/local/bin/health-check"]),
        ),
        (
            "/containerDefinitions/0/logConfiguration/options",
            json!({"awslogs-group": "cruddur", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "backend-flask"}),
        ),
        // Not root; and writable, because ECS Exec, which the service turns on, needs it.
        ("/containerDefinitions/0/user", json!("4567:4567")),
        (
            "/tags",
            json!([{"key": "app", "value": "cruddur"}, {"key": "managed-by", "value": "cruddur-ops"}]),
        ),
    ] {
        assert_eq!(body.pointer(pointer), Some(&expected), "{pointer}");
    }
    let secrets: Vec<&Value> = body["containerDefinitions"][0]["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| &secret["valueFrom"])
        .collect();
    assert_eq!(secrets.len(), 5);
    assert_eq!(
        secrets[2],
        "arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/backend-flask/CONNECTION_URL"
    );
    example(&aws).run().exits(0).says("backend-flask: unchanged");
}

#[test]
fn it_needs_nothing_of_the_shell() {
    let (aws, _account) = Account::empty();
    example(&aws).arg("--dry-run").run().exits(0);
}

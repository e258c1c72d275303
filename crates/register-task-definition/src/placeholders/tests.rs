use super::*;
use aws_documents::Document;
use aws_documents::task_definition::difference;
use common::config::Variables;
use common::documents::expand;
use std::path::Path;

const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
[log_group]
name = "web-logs"
[[image]]
name = "web"
repository = "apps/web"
tags = ["latest"]
from = "x"
[params]
prefix = "/apps/web"
[roles.execution]
name = "Execution"
trust = "t.json"
"#;

fn target() -> AwsTarget {
    AwsTarget {
        account: "123456789012".into(),
        region: "us-east-1".into(),
    }
}

fn live() -> Value {
    let digest = "ab".repeat(32);
    json!({
        "taskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/web:3",
        "family": "web", "revision": 3, "status": "ACTIVE", "registeredAt": 1.5, "registeredBy": "x",
        "compatibilities": ["EC2", "FARGATE"], "requiresAttributes": [{"name": "y"}],
        "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/Execution",
        "taskRoleArn": "arn:aws:iam::123456789012:role/Other",
        "volumes": [], "placementConstraints": [], "pidMode": "", "proxyConfiguration": null,
        "containerDefinitions": [{
            "name": "web", "cpu": 0, "mountPoints": [], "volumesFrom": [], "essential": true,
            "image": format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/apps/web@sha256:{digest}"),
            "portMappings": [{"name": "web", "containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
            "command": ["sh", "-c", "echo $HOME"],
            "environment": [
                {"name": "AWS_DEFAULT_REGION", "value": "us-east-1"}, {"name": "EMPTY", "value": ""},
                {"name": "PRICE", "value": "5$"},
            ],
            "secrets": [
                {"name": "A", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/apps/web/A"},
                {"name": "B", "valueFrom": "/apps/web/B"},
                {"name": "C", "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/apps/website/C"},
            ],
            "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": "web-logs", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web",
            }},
        }],
    })
}

fn written() -> Value {
    let tags = [
        ("app", "e2e"),
        ("owner", "us"),
        ("aws:cloudformation:stack-name", "z"),
    ];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let config = Config::parse(Path::new("ops.toml"), CONFIG).unwrap();
    let app = Tags::from([("app".into(), "e2e".into())]);
    file(&live(), &tags, &app, &config, &target())
}

#[test]
fn names_of_the_configuration_stand_in_the_file() {
    let expected = json!({
        "family": "web",
        "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "executionRoleArn": "${roles.execution.arn}",
        "taskRoleArn": "arn:${AWS_PARTITION}:iam::${AWS_ACCOUNT_ID}:role/Other",
        "containerDefinitions": [{
            "name": "web", "essential": true, "image": "${image.web}",
            "portMappings": [{"name": "web", "containerPort": 80, "protocol": "tcp"}],
            "command": ["sh", "-c", "echo $$HOME"],
            "environment": [
                {"name": "AWS_DEFAULT_REGION", "value": "${AWS_REGION}"}, {"name": "EMPTY", "value": ""},
                {"name": "PRICE", "value": "5$$"},
            ],
            "secrets": [
                {"name": "A", "valueFrom": "arn:${AWS_PARTITION}:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter${params.prefix}/A"},
                {"name": "B", "valueFrom": "${params.prefix}/B"},
                {"name": "C", "valueFrom": "arn:${AWS_PARTITION}:ssm:eu-west-1:111122223333:parameter/apps/website/C"},
            ],
            "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": "${log_group.name}", "awslogs-region": "${AWS_REGION}", "awslogs-stream-prefix": "web",
            }},
        }],
        "tags": [{"key": "owner", "value": "us"}],
    });
    assert_eq!(written(), expected);
    assert_eq!(followed(&written()), ["web"]);
}

#[test]
fn expanded_again_it_is_what_is_live() {
    let config = Config::parse(Path::new("ops.toml"), CONFIG).unwrap();
    let mut variables = Variables::over(&config.schema, &target(), |_| None);
    variables.set(
        "image.web",
        live()["containerDefinitions"][0]["image"].as_str().unwrap(),
    );
    let document = Document::parse(Path::new("t.json"), &written().to_string()).unwrap();
    let mut expanded = expand(&document, &variables).unwrap().to_value();
    expanded.as_object_mut().unwrap().shift_remove("tags");
    let mut live = live();
    // The emulator's empty text for what was not given.
    live.as_object_mut().unwrap().shift_remove("pidMode");
    assert_eq!(difference(&live, &expanded, aws_documents::Values::Shown), []);
}

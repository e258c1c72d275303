mod compare;
mod containers;
mod secrets;
mod task;

use super::*;
use crate::Values;
use serde_json::{Value, json};
use std::path::Path;

/// The task definition of the job, as it would stand in a file.
fn good() -> Value {
    json!({
        "family": "backend-flask",
        "executionRoleArn": "arn:aws:iam::123456789012:role/CruddurServiceExecutionRole",
        "taskRoleArn": "arn:aws:iam::123456789012:role/CruddurTaskRole",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{
            "name": "backend-flask",
            "image": format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/backend-flask@sha256:{}", "a".repeat(64)),
            "essential": true,
            "healthCheck": {"command": ["CMD", "/usr/local/bin/health-check"], "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 60},
            "portMappings": [{"name": "backend-flask", "containerPort": 4567, "protocol": "tcp", "appProtocol": "http"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "cruddur", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "backend-flask"}},
            "environment": [{"name": "AWS_DEFAULT_REGION", "value": "us-east-1"}],
            "secrets": [{"name": "CONNECTION_URL", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/backend-flask/CONNECTION_URL"}],
        }],
    })
}

/// [`good`] with the value at a JSON pointer replaced, or taken out by null.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut definition = good();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match definition.pointer_mut(parent).unwrap() {
            Value::Object(members) if value.is_null() => drop(members.remove(key)),
            Value::Object(members) => drop(members.insert(key.to_owned(), value.clone())),
            Value::Array(elements) if key == "-" => elements.push(value.clone()),
            Value::Array(elements) => elements[key.parse::<usize>().unwrap()] = value.clone(),
            other => panic!("{pointer}: {other}"),
        }
    }
    definition
}

/// Path and message of each diagnostic, warnings with a `?`.
fn diagnostics(definition: &Value) -> Vec<String> {
    let document = Document::parse(Path::new("t.json"), &definition.to_string()).unwrap();
    let line = |diagnostic: Diagnostic| {
        let mark = if diagnostic.is_error() { "" } else { "? " };
        assert!(diagnostic.position.is_some(), "{diagnostic}");
        if diagnostic.path.is_empty() {
            format!("{mark}{}", diagnostic.message)
        } else {
            format!("{mark}{}: {}", diagnostic.path, diagnostic.message)
        }
    };
    check(&document).into_iter().map(line).collect()
}

/// The diagnostics of [`good`] with changes below its only container.
#[track_caller]
fn container(changes: &[(&str, Value)], expected: &[&str]) {
    let pointers: Vec<String> = changes
        .iter()
        .map(|(pointer, _)| format!("/containerDefinitions/0{pointer}"))
        .collect();
    let changes: Vec<(&str, Value)> = pointers
        .iter()
        .zip(changes)
        .map(|(pointer, (_, value))| (pointer.as_str(), value.clone()))
        .collect();
    let expected: Vec<String> = expected
        .iter()
        .map(|line| {
            line.replace("C:", "containerDefinitions[0]:")
                .replace("C.", "containerDefinitions[0].")
        })
        .collect();
    assert_eq!(diagnostics(&with(&changes)), expected, "{changes:?}");
}

#[track_caller]
fn task(changes: &[(&str, Value)], expected: &[&str]) {
    assert_eq!(diagnostics(&with(changes)), expected, "{changes:?}");
}

/// Calls `check`, which is [`task`] or [`container`], for each line `POINTER VALUE => DIAGNOSTIC` of `cases`. Without an
/// arrow there is none, and a line that begins with the arrow has one more.
#[track_caller]
fn table(check: fn(&[(&str, Value)], &[&str]), cases: &str) {
    for case in cases.trim().replace("\n  => ", " => ").lines() {
        let mut parts = case.split(" => ");
        let (pointer, value) = parts.next().unwrap().split_once(' ').unwrap();
        let value = serde_json::from_str(value).unwrap();
        check(&[(pointer, value)], &parts.collect::<Vec<_>>());
    }
}

/// The lines of a diff that hides what may hold secrets.
fn shown(registered: &Value, desired: &Value) -> Vec<String> {
    lines_of(&difference(registered, desired, Values::Hidden))
}

fn lines_of(changes: &[cli::Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

//! Task definitions for Fargate: what RegisterTaskDefinition would refuse, what fails only when a task
//! starts, and what differs from a registered revision.
//!
//! Judged is what the document alone says. Whether the image, the log group and the parameters exist is
//! for the caller to ask.

mod container;
mod dependencies;
mod exposed;
pub(crate) mod fields;
mod health_check;
mod logging;
mod normalise;
mod ports;
mod size;
mod task;
mod variables;

pub(crate) use logging::check_configuration as check_log_configuration;
pub(crate) use normalise::drop_empty;
pub use normalise::{concealed, difference, normalise, secrets};
pub use size::{cpu_units, mebibytes};

use crate::document::{Content, Document, Field};
use crate::position::{Fault, Faults};
use crate::{shape, tags};
use serde_json::Value;

/// The largest task definition (Amazon ECS service quotas).
const LARGEST: usize = 64 * 1024;

/// All faults of a task definition, in the order of the file. It must be expanded.
pub fn check(document: &Document) -> Vec<Fault> {
    let mut faults = Faults::new(&document.file);
    let root = document.field();
    if matches!(root.node.content, Content::Object(_)) && root.get("taskDefinition").is_some() {
        faults.error(&root, "this is an answer of DescribeTaskDefinition");
        faults.hint("keep what stands under `taskDefinition`, without what only AWS fills in");
        return faults.into_vec();
    }
    shape::check(&root, &fields::REQUEST, stranger, &mut faults);
    if !matches!(root.node.content, Content::Object(_)) {
        return faults.into_vec();
    }
    task::check(&root, &mut faults);
    tags::check(&root, &mut faults);
    let size = document.to_value().to_string().len();
    if size > LARGEST {
        faults.error(
            &root,
            format!("it has {size} bytes, and a task definition at most {LARGEST}"),
        );
    }
    faults.into_vec()
}

/// What only DescribeTaskDefinition has.
pub const ONLY_DESCRIBED: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

fn stranger(key: &str) -> Option<&'static str> {
    ONLY_DESCRIBED
        .contains(&key)
        .then_some("take it out: AWS fills it in")
}

/// A port of a container that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPort {
    /// The name of the port mapping.
    pub name: String,
    /// The container.
    pub container: String,
    /// The port.
    pub port: i64,
    /// `http`, `http2`, `grpc`; absent is TCP.
    pub app_protocol: Option<String>,
}

/// The named ports of all containers, which a service may put into Service Connect.
pub fn named_ports(definition: &Value) -> Vec<NamedPort> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut ports = Vec::new();
    for container in list(definition, "containerDefinitions") {
        for mapping in list(container, "portMappings") {
            if let Some(name) = text(mapping, "name") {
                ports.push(NamedPort {
                    name,
                    container: text(container, "name").unwrap_or_default(),
                    port: mapping
                        .get("containerPort")
                        .and_then(Value::as_i64)
                        .unwrap_or_default(),
                    app_protocol: text(mapping, "appProtocol"),
                });
            }
        }
    }
    ports
}

/// The elements under `key`; none when it is no list.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// A number with the limits that AWS documents for it.
fn between(field: &Field, key: &str, least: i64, most: i64, unit: &str, faults: &mut Faults) {
    let Some(found) = field.get(key) else { return };
    if found
        .number()
        .is_some_and(|number| !(least..=most).contains(&number))
    {
        faults.error(&found, format!("it must be {least} to {most}{unit}"));
    }
}

/// The names of ECS: letters, digits, `_`, `-`.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=255).contains(&text.len()) && text.bytes().all(allowed)
}

/// The names of ports and of Cloud Map services: small letters, digits, `_`, `-`, not beginning with `-`.
pub(crate) fn is_port_name(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests;

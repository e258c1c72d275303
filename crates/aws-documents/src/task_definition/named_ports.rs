//! The ports that a service may publish by Service Connect.

use crate::json::list;
use serde_json::Value;

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

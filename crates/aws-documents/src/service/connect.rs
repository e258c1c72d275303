//! Service Connect: the names under which other services reach this one.

use super::setting::Setting;
use crate::diagnostic::Diagnostics;
use crate::json::list;
use crate::node::Field;
use crate::task_definition::{NamedPort, cpu_units, is_port_name, mebibytes, named_ports};
use serde_json::Value;
use std::collections::BTreeSet;

/// What AWS recommends for the proxy alone, on top of the containers' own needs (Amazon ECS developer guide,
/// "Service Connect: considerations"): 256 CPU units and 64 MiB.
const SMALL_CPU: u64 = 256;
const SMALL_MEMORY: u64 = 512;

pub(super) fn check(service: &Field, setting: &Setting, diagnostics: &mut Diagnostics) {
    let Some(configuration) = service.get("serviceConnectConfiguration") else {
        return;
    };
    let services = configuration.list("services");
    if configuration.flag_of("enabled") == Some(false) {
        if !services.is_empty() {
            diagnostics.warning(
                &configuration,
                "it is not enabled, so its services are not published",
            );
        }
        return;
    }
    namespace(&configuration, setting, diagnostics);
    if let Some(logs) = configuration.get("logConfiguration") {
        crate::task_definition::check_log_configuration(&logs, diagnostics);
    } else if let Some(access) = configuration.get("accessLogConfiguration") {
        diagnostics.error(&access, "it needs `logConfiguration` beside it");
    }
    let ports = setting.task_definition.map(named_ports);
    let mut discovered = BTreeSet::new();
    let mut aliases = BTreeSet::new();
    for one in &services {
        let port = port(one, ports.as_deref(), diagnostics);
        let name = one.get("discoveryName").or_else(|| one.get("portName"));
        if let Some(name) = name.filter(|name| name.text().is_some()) {
            let text = name.text().unwrap_or_default();
            if name.path.ends_with("discoveryName") && !is_port_name(text) {
                diagnostics.error(
                    &name,
                    "it has 1 to 64 small letters, digits, `_` and `-`, and no `-` first",
                );
            }
            if !discovered.insert(text.to_owned()) {
                diagnostics.error(&name, format!("two services are discovered as `{text}`"));
            }
        }
        client_aliases(one, &mut aliases, diagnostics);
        timeouts(one, port.as_ref(), diagnostics);
        port_number(one, "ingressPortOverride", diagnostics);
    }
    if let Some(definition) = setting.task_definition {
        proxy_fits(&configuration, definition, diagnostics);
    }
}

fn namespace(configuration: &Field, setting: &Setting, diagnostics: &mut Diagnostics) {
    match configuration.get("namespace") {
        None if setting.default_namespace == Some(false) => {
            diagnostics.error(
                configuration,
                "`namespace` is missing, and the cluster has no default one",
            );
            diagnostics.hint("write ${cluster.service_connect_namespace}");
        }
        Some(namespace) if namespace.text().is_some_and(|text| !is_namespace(text)) => {
            diagnostics.error(
                &namespace,
                "a namespace has 1 to 1024 characters, none of them < > \" or white space",
            );
        }
        _ => {}
    }
}

/// A name, or an ARN with its slash.
fn is_namespace(text: &str) -> bool {
    let name = text.starts_with("arn:") || !text.contains('/');
    let strange = |character: char| "<>\"".contains(character) || character.is_whitespace();
    (1..=1024).contains(&text.len()) && name && !text.contains(strange)
}

/// The port of the task definition that a service publishes.
fn port(one: &Field, ports: Option<&[NamedPort]>, diagnostics: &mut Diagnostics) -> Option<NamedPort> {
    let name = one.get("portName")?;
    let text = name.text()?;
    let ports = ports?;
    let found = ports.iter().find(|port| port.name == text).cloned();
    if found.is_none() {
        diagnostics.error(
            &name,
            format!("no port of the task definition has the name `{text}`"),
        );
        let known: Vec<String> = ports.iter().map(|port| format!("`{}`", port.name)).collect();
        diagnostics.hint(if known.is_empty() {
            "give a port mapping of the task definition a `name`".to_owned()
        } else {
            format!("it has {}", known.join(", "))
        });
    }
    found
}

fn client_aliases(one: &Field, seen: &mut BTreeSet<(String, i64)>, diagnostics: &mut Diagnostics) {
    let aliases = one.list("clientAliases");
    match (one.get("clientAliases"), aliases.len()) {
        (None | Some(_), 0) => {
            diagnostics.error(one, "`clientAliases` is missing: clients need one, with a `port`");
        }
        (Some(field), count) if count > 1 => {
            diagnostics.error(&field, format!("there are {count}, and one is allowed"))
        }
        _ => {}
    }
    for alias in &aliases {
        port_number(alias, "port", diagnostics);
        let name = alias.get("dnsName");
        if let Some(name) = name
            .as_ref()
            .filter(|name| name.text().is_some_and(|text| !is_dns_name(text)))
        {
            diagnostics.error(
                name,
                "it has 1 to 127 small letters, digits, `_`, `-` and `.`, and no `-` first",
            );
        }
        let default = one.text_of("discoveryName").or_else(|| one.text_of("portName"));
        let text = name
            .as_ref()
            .and_then(Field::text)
            .or(default)
            .unwrap_or_default();
        if let Some(port) = alias.number_of("port")
            && !seen.insert((text.to_owned(), port))
        {
            diagnostics.error(alias, format!("two aliases are `{text}:{port}`"));
        }
    }
}

fn is_dns_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
    (1..=127).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(allowed)
}

fn port_number(field: &Field, key: &str, diagnostics: &mut Diagnostics) {
    if let Some(port) = field
        .get(key)
        .filter(|port| port.number().is_some_and(|port| !(1..=65_535).contains(&port)))
    {
        diagnostics.error(&port, "a port is 1 to 65535");
    }
}

fn timeouts(one: &Field, port: Option<&NamedPort>, diagnostics: &mut Diagnostics) {
    let Some(timeout) = one.get("timeout") else { return };
    let plain_tcp = port.is_some_and(|port| port.app_protocol.is_none());
    if let Some(request) = timeout.get("perRequestTimeoutSeconds").filter(|_| plain_tcp) {
        diagnostics.error(
            &request,
            "the port has no `appProtocol`, and plain TCP has no requests",
        );
    }
    for key in ["idleTimeoutSeconds", "perRequestTimeoutSeconds"] {
        if let Some(seconds) = timeout
            .get(key)
            .filter(|field| field.number().is_some_and(|seconds| seconds < 0))
        {
            diagnostics.error(&seconds, "it can't be negative");
        }
    }
}

fn proxy_fits(configuration: &Field, definition: &Value, diagnostics: &mut Diagnostics) {
    let size = |key: &str, measure: fn(&str) -> Option<u64>| {
        definition.get(key).and_then(Value::as_str).and_then(measure)
    };
    let (cpu, memory) = (size("cpu", cpu_units), size("memory", mebibytes));
    if cpu.is_some_and(|cpu| cpu <= SMALL_CPU) && memory.is_some_and(|memory| memory <= SMALL_MEMORY) {
        let message = "the proxy shares the task's 256 CPU units and 512 MiB; AWS recommends 256 units and 64 MiB for it alone";
        diagnostics.warning(configuration, message);
        diagnostics.hint("give the task definition 512 CPU units and 1024 MiB");
    }
}

/// The named ports of Service Connect whose protocol differs between `before` and `after`: ECS rejects
/// that for an existing service.
pub fn changed_protocols(before: &Value, after: &Value, service: &Value) -> Vec<String> {
    let services = service
        .get("serviceConnectConfiguration")
        .map(|configuration| list(configuration, "services"));
    let protocol = |definition: &Value, name: &str| {
        let port = named_ports(definition)
            .into_iter()
            .find(|port| port.name == name)?;
        Some(port.app_protocol.unwrap_or_else(|| "tcp".to_owned()))
    };
    let mut changed = Vec::new();
    for name in services
        .unwrap_or_default()
        .iter()
        .filter_map(|one| one.get("portName").and_then(Value::as_str))
    {
        if let (Some(old), Some(new)) = (protocol(before, name), protocol(after, name))
            && old != new
        {
            changed.push(format!("port `{name}` is {old}, and becomes {new}"));
        }
    }
    changed
}

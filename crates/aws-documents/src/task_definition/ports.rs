//! The ports of the containers. In network mode awsvpc they all share one network.

use super::values::is_port_name;
use crate::diagnostic::Diagnostics;
use crate::node::Field;
use std::collections::BTreeMap;

/// The rules of one container's mappings.
pub(super) fn check_mappings(container: &Field, diagnostics: &mut Diagnostics) {
    let mut protocols = BTreeMap::new();
    for mapping in container.list("portMappings") {
        let range = mapping.get("containerPortRange");
        match (mapping.get("containerPort"), &range) {
            (None, None) => diagnostics.error(&mapping, "`containerPort` is missing"),
            (Some(_), Some(range)) => diagnostics.error(range, "it can't stand beside `containerPort`"),
            (Some(port), None) => {
                if port
                    .number()
                    .is_some_and(|number| !(1..=65_535).contains(&number))
                {
                    diagnostics.error(&port, "a port is 1 to 65535");
                }
                let protocol = mapping.text_of("protocol").unwrap_or("tcp");
                let number = port.number().unwrap_or_default();
                if let Some(other) = protocols
                    .insert(number, protocol)
                    .filter(|other| *other != protocol)
                {
                    diagnostics.error(
                        &mapping,
                        format!("ECS takes port {number} once, not for {other} and {protocol}"),
                    );
                }
            }
            (None, Some(range)) => check_range(range, diagnostics),
        }
        host_port(&mapping, diagnostics);
        if let Some(name) = mapping
            .get("name")
            .filter(|name| name.text().is_some_and(|text| !is_port_name(text)))
        {
            diagnostics.error(
                &name,
                "a port's name has 1 to 64 small letters, digits, `_` and `-`, and no `-` first",
            );
        }
        if let Some(protocol) = mapping.get("appProtocol")
            && mapping.text_of("protocol") == Some("udp")
        {
            diagnostics.error(&protocol, "it belongs to tcp, and the mapping is udp");
        }
    }
}

fn check_range(range: &Field, diagnostics: &mut Diagnostics) {
    let text = range.text().unwrap_or_default();
    let numbers = text
        .split_once('-')
        .and_then(|(from, to)| Some((from.parse::<u16>().ok()?, to.parse::<u16>().ok()?)));
    if !numbers.is_some_and(|(from, to)| 0 < from && from <= to) {
        diagnostics.error(range, "a range of ports looks like 8000-8010");
    }
}

fn host_port(mapping: &Field, diagnostics: &mut Diagnostics) {
    let Some(host) = mapping.get("hostPort") else {
        return;
    };
    let port = mapping.number_of("containerPort");
    if host.number().is_some() && port.is_some() && host.number() != port {
        diagnostics.error(
            &host,
            format!(
                "in network mode awsvpc it is the container's port, {}",
                port.unwrap_or_default()
            ),
        );
        diagnostics.hint("leave it out");
    }
}

/// The rules across containers: names and ports are unique in a task.
pub(super) fn check(containers: &[Field], diagnostics: &mut Diagnostics) {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut ports: BTreeMap<(i64, &str), String> = BTreeMap::new();
    for container in containers {
        let owner = container.text_of("name").unwrap_or_default();
        for mapping in container.list("portMappings") {
            if let Some(name) = mapping.get("name")
                && let Some(text) = name.text()
                && let Some(first) = names.insert(text, owner.to_owned())
            {
                diagnostics.error(
                    &name,
                    format!("the port name `{text}` is there already, in container `{first}`"),
                );
            }
            let protocol = mapping.text_of("protocol").unwrap_or("tcp");
            if let Some(port) = mapping.get("containerPort")
                && let Some(number) = port.number()
                && let Some(first) = ports.insert((number, protocol), owner.to_owned())
            {
                diagnostics.error(
                    &port,
                    format!("container `{first}` has port {number}/{protocol} already"),
                );
                diagnostics.hint("the containers of a task share one network");
            }
        }
    }
}

//! Dependencies of containers on each other and on the task's volumes.

use super::values::is_essential;
use crate::diagnostic::Diagnostics;
use crate::node::Field;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(task: &Field, containers: &[Field], diagnostics: &mut Diagnostics) {
    let names: BTreeMap<&str, &Field> = containers
        .iter()
        .filter_map(|one| one.text_of("name").map(|name| (name, one)))
        .collect();
    let volumes = task.list("volumes");
    let volumes: BTreeSet<&str> = volumes
        .iter()
        .filter_map(|volume| volume.text_of("name"))
        .collect();
    for container in containers {
        let own = container.text_of("name").unwrap_or_default();
        for dependency in container.list("dependsOn") {
            depends_on(own, &dependency, &names, diagnostics);
        }
        for mount in container.list("mountPoints") {
            let Some(source) = mount.get("sourceVolume") else {
                diagnostics.error(&mount, "`sourceVolume` is missing");
                continue;
            };
            if let Some(text) = source.text().filter(|text| !volumes.contains(text)) {
                diagnostics.error(&source, format!("the task has no volume `{text}`"));
            }
            match mount.get("containerPath") {
                None => diagnostics.error(&mount, "`containerPath` is missing"),
                Some(path) if path.text().is_some_and(|text| !text.starts_with('/')) => {
                    diagnostics.error(&path, "it must be an absolute path");
                }
                Some(_) => {}
            }
        }
        for source in container
            .list("volumesFrom")
            .iter()
            .filter_map(|one| one.get("sourceContainer"))
        {
            if let Some(text) = source
                .text()
                .filter(|text| !names.contains_key(text) || *text == own)
            {
                diagnostics.error(&source, format!("the task has no other container `{text}`"));
            }
        }
    }
    cycles(&names, diagnostics);
}

fn depends_on(own: &str, dependency: &Field, names: &BTreeMap<&str, &Field>, diagnostics: &mut Diagnostics) {
    let Some(target) = dependency.get("containerName") else {
        return;
    };
    let text = target.text().unwrap_or_default();
    if text == own {
        return diagnostics.error(&target, "a container can't wait for itself");
    }
    let Some(other) = names.get(text) else {
        return diagnostics.error(&target, format!("the task has no container `{text}`"));
    };
    let Some(condition) = dependency.get("condition") else {
        return;
    };
    match condition.text() {
        Some("HEALTHY") if other.get("healthCheck").is_none() => {
            diagnostics.error(&condition, format!("container `{text}` has no `healthCheck`"));
            diagnostics.hint("ECS ignores the HEALTHCHECK of a Dockerfile");
        }
        Some(word @ ("COMPLETE" | "SUCCESS")) if is_essential(other) => {
            diagnostics.error(
                &condition,
                format!(
                    "{word} can't be waited for: container `{text}` is essential, and the task ends with it"
                ),
            );
        }
        _ => {}
    }
}

/// Containers in a dependency cycle never start.
fn cycles(names: &BTreeMap<&str, &Field>, diagnostics: &mut Diagnostics) {
    for (start, container) in names {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&str> = targets(container);
        while let Some(name) = next.pop() {
            if name == *start && !seen.is_empty() {
                diagnostics.error(container, "it waits for containers that wait for it");
                break;
            }
            if name != *start && seen.insert(name) {
                next.extend(names.get(name).map(|one| targets(one)).unwrap_or_default());
            }
        }
    }
}

fn targets<'a>(container: &Field<'a>) -> Vec<&'a str> {
    let dependencies = container.list("dependsOn");
    dependencies
        .iter()
        .filter_map(|one| one.text_of("containerName"))
        .collect()
}

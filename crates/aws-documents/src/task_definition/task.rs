//! The rules of the task.

use super::size::{self, cpu_units, mebibytes};
use super::values::{between, is_essential, is_name};
use super::{container, dependencies, logging, ports};

use crate::diagnostic::Diagnostics;
use crate::node::Field;
use std::collections::BTreeSet;

/// The most containers in one task (Amazon ECS service quotas).
const MOST_CONTAINERS: usize = 10;

pub(super) fn check(task: &Field, diagnostics: &mut Diagnostics) {
    if let Some(family) = task
        .get("family")
        .filter(|family| family.text().is_some_and(|text| !is_name(text)))
    {
        diagnostics.error(&family, "a family has 1 to 255 letters, digits, `_` and `-`");
    }
    fargate(task, diagnostics);
    sizes(task, diagnostics);
    roles(task, diagnostics);
    volumes(task, diagnostics);
    let containers = task.list("containerDefinitions");
    if let Some(field) = task.get("containerDefinitions") {
        if containers.is_empty() && field.node.kind() == "an array" {
            diagnostics.error(&field, "there is no container");
        } else if containers.len() > MOST_CONTAINERS {
            diagnostics.error(
                &field,
                format!(
                    "there are {} containers, and {MOST_CONTAINERS} are allowed",
                    containers.len()
                ),
            );
        }
        if !containers.is_empty() && !containers.iter().any(is_essential) {
            diagnostics.error(&field, "no container is essential");
            diagnostics.hint("a task stops with its essential containers: at least one must be");
        }
    }
    let mut names = BTreeSet::new();
    for one in &containers {
        container::check(one, diagnostics);
        if let Some(name) = one
            .get("name")
            .filter(|name| name.text().is_some_and(|text| !names.insert(text)))
        {
            diagnostics.error(
                &name,
                format!(
                    "two containers have the name `{}`",
                    name.text().unwrap_or_default()
                ),
            );
        }
    }
    ports::check(&containers, diagnostics);
    dependencies::check(task, &containers, diagnostics);
    logging::check_routers(&containers, diagnostics);
}

fn fargate(task: &Field, diagnostics: &mut Diagnostics) {
    let compatibilities = task.get("requiresCompatibilities");
    let on_fargate = |field: &Field| field.elements().iter().any(|one| one.text() == Some("FARGATE"));
    match &compatibilities {
        None => diagnostics.error(
            task,
            "`requiresCompatibilities` is missing: it must hold \"FARGATE\"",
        ),
        Some(field) if !on_fargate(field) => diagnostics.error(field, "it must hold \"FARGATE\""),
        Some(_) => {}
    }
    match task.get("networkMode") {
        None => diagnostics.error(task, "`networkMode` is missing: on Fargate it must be \"awsvpc\""),
        Some(mode) if mode.text() != Some("awsvpc") => {
            diagnostics.error(&mode, "on Fargate it must be \"awsvpc\"")
        }
        Some(_) => {}
    }
    for key in ["ipcMode", "placementConstraints", "inferenceAccelerators"] {
        let set = task
            .get(key)
            .filter(|field| field.text().is_some() || !field.elements().is_empty());
        set.into_iter()
            .for_each(|field| diagnostics.error(&field, "Fargate does not take it"));
    }
    if let Some(mode) = task.get("pidMode").filter(|mode| mode.text() == Some("host")) {
        diagnostics.error(&mode, "on Fargate it must be \"task\"");
    }
    if let Some(storage) = task.get("ephemeralStorage") {
        between(&storage, "sizeInGiB", 21, 200, " GiB", diagnostics);
    }
}

fn sizes(task: &Field, diagnostics: &mut Diagnostics) {
    let mut read = |key: &str, measure: fn(&str) -> Option<u64>, example: &str| {
        let Some(field) = task.get(key) else {
            diagnostics.error(task, format!("`{key}` is missing: Fargate wants it for the task"));
            return None;
        };
        let text = field.text()?;
        let value = measure(text);
        if value.is_none() {
            diagnostics.error(&field, format!("`{text}` is no size: write {example}"));
        }
        value.map(|value| (field, value))
    };
    let cpu = read("cpu", cpu_units, "\"256\" or \"0.25 vCPU\"");
    let memory = read("memory", mebibytes, "\"512\" or \"0.5 GB\"");
    if let Some((field, cpu)) = &cpu
        && let Some(message) = size::cpu_error(*cpu)
    {
        diagnostics.error(field, message);
    }
    if let (Some((_, cpu)), Some((field, memory))) = (&cpu, &memory)
        && let Some(message) = size::memory_error(*cpu, *memory)
    {
        diagnostics.error(field, message);
    }
    let containers = task.list("containerDefinitions");
    for (key, whole, unit) in [("cpu", cpu, "CPU units"), ("memory", memory, "MiB")] {
        let Some((field, whole)) = whole else { continue };
        // The limit of the container, else its reservation.
        let of = |one: &Field| {
            one.number_of(key).or_else(|| {
                (key == "memory")
                    .then(|| one.number_of("memoryReservation"))
                    .flatten()
            })
        };
        let sum: i64 = containers.iter().filter_map(of).fold(0, i64::saturating_add);
        if u64::try_from(sum).is_ok_and(|sum| sum > whole) {
            diagnostics.error(
                &field,
                format!("its containers want {sum} {unit}, and the task has {whole}"),
            );
        }
    }
}

/// Why the execution role is needed, when it is.
fn needs_execution_role(container: &Field) -> Option<&'static str> {
    let image = container.text_of("image").unwrap_or_default();
    let logs = container.get("logConfiguration");
    let driver = logs.as_ref().and_then(|logs| logs.text_of("logDriver"));
    if !container.list("secrets").is_empty() {
        Some("its secrets are read with it")
    } else if image.contains(".dkr.ecr") {
        Some("its image is pulled from ECR with it")
    } else if driver == Some("awslogs") {
        Some("its logs are written with it")
    } else if container.get("repositoryCredentials").is_some() {
        Some("the credentials for its image are read with it")
    } else {
        None
    }
}

fn roles(task: &Field, diagnostics: &mut Diagnostics) {
    let containers = task.list("containerDefinitions");
    if task.get("executionRoleArn").is_none()
        && let Some((one, why)) = containers
            .iter()
            .find_map(|one| needs_execution_role(one).map(|why| (one, why)))
    {
        let name = one.text_of("name").unwrap_or_default();
        diagnostics.error(
            task,
            format!("`executionRoleArn` is missing, and container `{name}` needs it: {why}"),
        );
        diagnostics.hint("write ${roles.execution.arn}");
    }
    for key in ["executionRoleArn", "taskRoleArn"] {
        let Some(field) = task.get(key) else { continue };
        let Some(text) = field.text() else { continue };
        if text.is_empty() {
            diagnostics.error(&field, "it is empty: leave it out, or name a role");
        } else if !text.starts_with("arn:") {
            diagnostics.error(&field, "it must be the ARN of a role");
            diagnostics.hint("write ${roles.KEY.arn}, with a key of [roles]");
        } else {
            for diagnostic in arn::problems(text, None) {
                diagnostics.error(&field, format!("`{text}`: {}", diagnostic.message));
                diagnostic
                    .hint
                    .into_iter()
                    .for_each(|hint| diagnostics.hint(hint));
            }
            let is_role = |parts: arn::Arn| parts.service == "iam" && parts.resource.starts_with("role/");
            if arn::split(text).is_some_and(|parts| !is_role(parts)) {
                diagnostics.error(&field, format!("`{text}` is not the ARN of a role"));
            }
        }
    }
}

fn volumes(task: &Field, diagnostics: &mut Diagnostics) {
    let mut names = BTreeSet::new();
    for volume in task.list("volumes") {
        match volume.get("name") {
            None => diagnostics.error(&volume, "`name` is missing"),
            Some(name) => {
                let text = name.text().unwrap_or_default();
                if !is_name(text) {
                    diagnostics.error(&name, "a volume's name has 1 to 255 letters, digits, `_` and `-`");
                } else if !names.insert(text) {
                    diagnostics.error(&name, format!("two volumes have the name `{text}`"));
                }
            }
        }
        if let Some(path) = volume.get("host").and_then(|host| host.get("sourcePath")) {
            diagnostics.error(&path, "Fargate has no host to mount a folder of");
            diagnostics.hint("leave it out, and the task gets a folder of its own");
        }
        if let Some(docker) = volume.get("dockerVolumeConfiguration") {
            diagnostics.error(&docker, "Fargate has no Docker volumes");
        }
        if let Some(efs) = volume.get("efsVolumeConfiguration") {
            let authorised = efs.get("authorizationConfig").is_some_and(|config| {
                config.text_of("iam") == Some("ENABLED") || config.text_of("accessPointId").is_some()
            });
            if authorised && efs.text_of("transitEncryption") != Some("ENABLED") {
                diagnostics.error(
                    &efs,
                    "with `authorizationConfig` it needs `transitEncryption` \"ENABLED\"",
                );
            }
        }
    }
}

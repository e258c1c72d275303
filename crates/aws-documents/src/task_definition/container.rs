//! The rules of one container.

use super::values::{between, is_name};
use super::{exposed, health_check, logging, ports, variables};

use crate::diagnostic::Diagnostics;
use crate::node::{Content, Field};

/// The longest image name before the digest.
const LONGEST_IMAGE: usize = 255;

/// Docker's own least memory for a container, in MiB.
const LEAST_MEMORY: i64 = 6;

pub(super) fn check(container: &Field, diagnostics: &mut Diagnostics) {
    if let Some(name) = container
        .get("name")
        .filter(|name| name.text().is_some_and(|text| !is_name(text)))
    {
        diagnostics.error(
            &name,
            "a container's name has 1 to 255 letters, digits, `_` and `-`",
        );
    }
    if let Some(image) = container.get("image") {
        check_image(&image, diagnostics);
    }
    memory(container, diagnostics);
    ports::check_mappings(container, diagnostics);
    if let Some(health_check) = container.get("healthCheck") {
        health_check::check(&health_check, diagnostics);
    }
    logging::check(container, diagnostics);
    variables::check(container, diagnostics);
    exposed::check(container, diagnostics);
    not_on_fargate(container, diagnostics);
    if let Some(folder) = container.get("workingDirectory").filter(|folder| {
        // `C:\` on Windows.
        let absolute = |text: &str| text.is_empty() || text.starts_with('/') || text.get(1..2) == Some(":");
        folder.text().is_some_and(|text| !absolute(text))
    }) {
        diagnostics.error(&folder, "it must be an absolute path");
    }
    between(container, "startTimeout", 2, 120, " s", diagnostics);
    between(container, "stopTimeout", 2, 120, " s", diagnostics);
    if let Some(policy) = container.get("restartPolicy") {
        between(&policy, "restartAttemptPeriod", 60, 1800, " s", diagnostics);
        if let Some(codes) = policy
            .get("ignoredExitCodes")
            .filter(|codes| codes.elements().len() > 50)
        {
            diagnostics.error(&codes, "at most 50 exit codes");
        }
    }
    for limit in container.list("ulimits") {
        if let Some(name) = limit
            .get("name")
            .filter(|name| name.text().is_some_and(|text| text != "nofile"))
        {
            diagnostics.error(&name, "Fargate takes only `nofile`");
        }
        if let (Some(soft), Some(hard)) = (limit.number_of("softLimit"), limit.number_of("hardLimit"))
            && soft > hard
        {
            diagnostics.error(
                &limit,
                format!("its soft limit {soft} is above its hard limit {hard}"),
            );
        }
    }
}

fn check_image(image: &Field, diagnostics: &mut Diagnostics) {
    let Some(text) = image.text() else { return };
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:./#".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_IMAGE || !name.bytes().all(allowed) {
        diagnostics.error(
            image,
            "it is no image: 1 to 255 letters, digits and -_:./# before the digest",
        );
    } else if text.contains("://") {
        diagnostics.error(image, "an image has no scheme: leave https:// out");
    } else if let Some(digest) = digest {
        let hexadecimal = digest
            .strip_prefix("sha256:")
            .filter(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if hexadecimal.is_none() {
            diagnostics.error(image, "its digest is not sha256: and 64 hexadecimal digits");
        }
    } else {
        let last = name.rsplit('/').next().unwrap_or_default();
        let tag = last.split_once(':').map(|(_, tag)| tag);
        // The placeholder for an image that is looked up later has neither tag nor registry.
        if name != "preview" && matches!(tag, None | Some("latest")) {
            diagnostics.warning(
                image,
                format!("`{text}` is whatever `latest` is when a task starts"),
            );
            diagnostics.hint("write ${image.NAME}, which names the digest");
        }
    }
}

fn memory(container: &Field, diagnostics: &mut Diagnostics) {
    let (limit, reserved) = (container.get("memory"), container.get("memoryReservation"));
    for field in [&limit, &reserved].into_iter().flatten() {
        if field.number().is_some_and(|number| number < LEAST_MEMORY) {
            diagnostics.error(field, format!("a container needs at least {LEAST_MEMORY} MiB"));
        }
    }
    let numbers = (
        limit.as_ref().and_then(Field::number),
        reserved.as_ref().and_then(Field::number),
    );
    if let ((Some(limit), Some(reserved)), Some(field)) = (numbers, &reserved)
        && reserved >= limit
    {
        diagnostics.error(field, format!("it must be less than `memory`, which is {limit}"));
    }
    if let Some(cpu) = container
        .get("cpu")
        .filter(|cpu| cpu.number().is_some_and(|number| number < 0))
    {
        diagnostics.error(&cpu, "it can't be negative");
    }
}

/// Reports what Fargate, or its network mode awsvpc, does not support.
fn not_on_fargate(container: &Field, diagnostics: &mut Diagnostics) {
    if let Some(field) = container
        .get("privileged")
        .filter(|field| field.flag() == Some(true))
    {
        diagnostics.error(&field, "Fargate runs no privileged container");
    }
    let is_set = |field: &Field| match &field.node.content {
        Content::Array(nodes) => !nodes.is_empty(),
        Content::Flag(flag) => *flag,
        _ => true,
    };
    let keys = [
        (
            "links",
            "in network mode awsvpc containers reach each other at localhost",
        ),
        ("extraHosts", "network mode awsvpc does not take it"),
        ("hostname", "network mode awsvpc does not take it"),
        ("disableNetworking", "network mode awsvpc does not take it"),
        ("dockerSecurityOptions", "Fargate does not take it"),
        ("resourceRequirements", "Fargate has no devices"),
    ];
    for (key, message) in keys {
        if let Some(field) = container.get(key).filter(is_set) {
            diagnostics.error(&field, message);
        }
    }
    let Some(linux) = container.get("linuxParameters") else {
        return;
    };
    for key in ["devices", "sharedMemorySize", "maxSwap", "swappiness"] {
        if let Some(field) = linux.get(key).filter(is_set) {
            diagnostics.error(&field, "Fargate does not take it");
        }
    }
    let added = linux
        .get("capabilities")
        .map(|capabilities| capabilities.list("add"))
        .unwrap_or_default();
    for capability in added {
        if capability.text().is_some_and(|text| text != "SYS_PTRACE") {
            diagnostics.error(&capability, "Fargate adds no capability but SYS_PTRACE");
        }
    }
}

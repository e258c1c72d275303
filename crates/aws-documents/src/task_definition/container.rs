//! The rules of one container.

use super::{between, exposed, health_check, is_name, logging, ports, variables};

use crate::document::{Content, Field};
use crate::position::Faults;

/// The longest image name before the digest.
const LONGEST_IMAGE: usize = 255;

/// Docker's own least memory for a container, in MiB.
const LEAST_MEMORY: i64 = 6;

pub(super) fn check(container: &Field, faults: &mut Faults) {
    if let Some(name) = container
        .get("name")
        .filter(|name| name.text().is_some_and(|text| !is_name(text)))
    {
        faults.error(
            &name,
            "a container's name has 1 to 255 letters, digits, `_` and `-`",
        );
    }
    if let Some(image) = container.get("image") {
        check_image(&image, faults);
    }
    memory(container, faults);
    ports::check_mappings(container, faults);
    if let Some(health_check) = container.get("healthCheck") {
        health_check::check(&health_check, faults);
    }
    logging::check(container, faults);
    variables::check(container, faults);
    exposed::check(container, faults);
    not_on_fargate(container, faults);
    if let Some(folder) = container.get("workingDirectory").filter(|folder| {
        // `C:\` is one of Windows.
        let absolute = |text: &str| text.is_empty() || text.starts_with('/') || text.get(1..2) == Some(":");
        folder.text().is_some_and(|text| !absolute(text))
    }) {
        faults.error(&folder, "it must be an absolute path");
    }
    between(container, "startTimeout", 2, 120, " s", faults);
    between(container, "stopTimeout", 2, 120, " s", faults);
    if let Some(policy) = container.get("restartPolicy") {
        between(&policy, "restartAttemptPeriod", 60, 1800, " s", faults);
        if let Some(codes) = policy
            .get("ignoredExitCodes")
            .filter(|codes| codes.elements().len() > 50)
        {
            faults.error(&codes, "at most 50 exit codes");
        }
    }
    for limit in container.list("ulimits") {
        if let Some(name) = limit
            .get("name")
            .filter(|name| name.text().is_some_and(|text| text != "nofile"))
        {
            faults.error(&name, "Fargate takes only `nofile`");
        }
        if let (Some(soft), Some(hard)) = (limit.number_of("softLimit"), limit.number_of("hardLimit"))
            && soft > hard
        {
            faults.error(
                &limit,
                format!("its soft limit {soft} is above its hard limit {hard}"),
            );
        }
    }
}

fn check_image(image: &Field, faults: &mut Faults) {
    let Some(text) = image.text() else { return };
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:./#".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_IMAGE || !name.bytes().all(allowed) {
        faults.error(
            image,
            "it is no image: 1 to 255 letters, digits and -_:./# before the digest",
        );
    } else if text.contains("://") {
        faults.error(image, "an image has no scheme: leave https:// out");
    } else if let Some(digest) = digest {
        let hexadecimal = digest
            .strip_prefix("sha256:")
            .filter(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if hexadecimal.is_none() {
            faults.error(image, "its digest is not sha256: and 64 hexadecimal digits");
        }
    } else {
        let last = name.rsplit('/').next().unwrap_or_default();
        let tag = last.split_once(':').map(|(_, tag)| tag);
        // The stand-in for an image that is looked up later has neither tag nor registry.
        if name != "preview" && matches!(tag, None | Some("latest")) {
            faults.warning(
                image,
                format!("`{text}` is whatever `latest` is when a task starts"),
            );
            faults.hint("write ${image.NAME}, which names the digest");
        }
    }
}

fn memory(container: &Field, faults: &mut Faults) {
    let (limit, reserved) = (container.get("memory"), container.get("memoryReservation"));
    for field in [&limit, &reserved].into_iter().flatten() {
        if field.number().is_some_and(|number| number < LEAST_MEMORY) {
            faults.error(field, format!("a container needs at least {LEAST_MEMORY} MiB"));
        }
    }
    let numbers = (
        limit.as_ref().and_then(Field::number),
        reserved.as_ref().and_then(Field::number),
    );
    if let ((Some(limit), Some(reserved)), Some(field)) = (numbers, &reserved)
        && reserved >= limit
    {
        faults.error(field, format!("it must be less than `memory`, which is {limit}"));
    }
    if let Some(cpu) = container
        .get("cpu")
        .filter(|cpu| cpu.number().is_some_and(|number| number < 0))
    {
        faults.error(&cpu, "it can't be negative");
    }
}

/// What Fargate, or the network mode awsvpc that it wants, does not take.
fn not_on_fargate(container: &Field, faults: &mut Faults) {
    if let Some(field) = container
        .get("privileged")
        .filter(|field| field.flag() == Some(true))
    {
        faults.error(&field, "Fargate runs no privileged container");
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
            faults.error(&field, message);
        }
    }
    let Some(linux) = container.get("linuxParameters") else {
        return;
    };
    for key in ["devices", "sharedMemorySize", "maxSwap", "swappiness"] {
        if let Some(field) = linux.get(key).filter(is_set) {
            faults.error(&field, "Fargate does not take it");
        }
    }
    let added = linux
        .get("capabilities")
        .map(|capabilities| capabilities.list("add"))
        .unwrap_or_default();
    for capability in added {
        if capability.text().is_some_and(|text| text != "SYS_PTRACE") {
            faults.error(&capability, "Fargate adds no capability but SYS_PTRACE");
        }
    }
}

/// A reference to a secret: the ARN of a parameter or a secret, or the name of a parameter.
pub(super) fn check_secret(reference: &Field, faults: &mut Faults) {
    let Some(text) = reference.text() else { return };
    if !text.starts_with("arn:") {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte);
        if text.is_empty() {
            faults.error(reference, "it is empty");
        } else if text.contains("//") {
            faults.error(reference, "a parameter's name has no two slashes in a row");
        } else if !text.bytes().all(allowed) {
            // Not the text itself: somebody may have put the secret here.
            faults.error(reference, "it is neither an ARN nor the name of a parameter");
            faults.hint("write arn:…:parameter/NAME, arn:…:secret:NAME, or the parameter's name");
        }
        return;
    }
    let wrong = arn::faults(text, None);
    for fault in &wrong {
        faults.error(reference, format!("`{text}`: {}", fault.message));
        fault.hint.iter().for_each(|hint| faults.hint(hint.as_str()));
    }
    let Some(parts) = arn::split(text).filter(|_| wrong.is_empty()) else {
        return;
    };
    let segments = parts.resource.split(':').count();
    match parts.service {
        "ssm" if parts.resource.starts_with("parameter/") && segments == 1 => {}
        "ssm" => faults.error(
            reference,
            format!("`{text}` is no parameter: it must end with parameter/NAME"),
        ),
        // secret:NAME, or secret:NAME:KEY:STAGE:VERSION with any of the last three empty.
        "secretsmanager" if matches!(segments, 2 | 5) => {}
        "secretsmanager" => {
            faults.error(reference, format!("`{text}` has not the form of a secret"));
            faults.hint("it ends with secret:NAME, or with secret:NAME:KEY:STAGE:VERSION, of which parts may be empty");
        }
        service => faults.error(
            reference,
            format!("secrets come from ssm and secretsmanager, not from {service}"),
        ),
    }
}

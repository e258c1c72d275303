//! The log configuration of a container.

use super::{exposed, secret_reference};
use crate::diagnostic::Diagnostics;
use crate::node::Field;
use arn::looks_like_region;

/// The options of awslogs (Amazon ECS developer guide, "Send Amazon ECS logs to CloudWatch"); any other one
/// stops the task when it starts.
const OPTIONS: [&str; 9] = [
    "awslogs-create-group",
    "awslogs-datetime-format",
    "awslogs-endpoint",
    "awslogs-group",
    "awslogs-multiline-pattern",
    "awslogs-region",
    "awslogs-stream-prefix",
    "max-buffer-size",
    "mode",
];

pub(super) fn check(container: &Field, diagnostics: &mut Diagnostics) {
    match container.get("logConfiguration") {
        None if container.get("firelensConfiguration").is_some() => {}
        None => {
            diagnostics.warning(
                container,
                "without `logConfiguration` nothing that it prints can be seen",
            );
        }
        Some(configuration) => check_configuration(&configuration, diagnostics),
    }
}

/// The rules of a `logConfiguration`, the container's or the Service Connect proxy's.
pub(crate) fn check_configuration(configuration: &Field, diagnostics: &mut Diagnostics) {
    for secret in configuration.list("secretOptions") {
        secret
            .get("valueFrom")
            .iter()
            .for_each(|reference| secret_reference::check(reference, diagnostics));
    }
    if let Some(options) = configuration.get("options") {
        let hint = "put it into a parameter, and name it under `secretOptions`";
        exposed::texts(&options, hint, diagnostics);
    }
    let Some(driver) = configuration.get("logDriver") else {
        return;
    };
    match driver.text() {
        Some("awslogs") => awslogs(configuration, diagnostics),
        Some("splunk" | "awsfirelens") | None => {}
        Some(_) => diagnostics.error(&driver, "Fargate takes awslogs, splunk and awsfirelens"),
    }
}

fn awslogs(configuration: &Field, diagnostics: &mut Diagnostics) {
    let options = configuration.get("options");
    for key in ["awslogs-group", "awslogs-region", "awslogs-stream-prefix"] {
        let found = options.as_ref().and_then(|options| options.get(key));
        match (&found, &options) {
            (Some(value), _) if value.text() == Some("") => diagnostics.error(value, "it is empty"),
            (Some(_), _) => {}
            (None, Some(options)) => diagnostics.error(
                options,
                format!("`{key}` is missing: on Fargate awslogs needs it"),
            ),
            (None, None) => diagnostics.error(configuration, format!("`options` with `{key}` is missing")),
        }
    }
    let Some(options) = options else { return };
    for (member, value) in options.members() {
        if !OPTIONS.contains(&member.key.as_str()) {
            diagnostics.error_at(
                member.position,
                &value.path,
                format!("awslogs has no option `{}`: the task would not start", member.key),
            );
            diagnostics.hint(format!("they are {}", OPTIONS.join(", ")));
        }
    }
    if let Some(group) = options.get("awslogs-group") {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte);
        let text = group.text().unwrap_or_default();
        if !text.bytes().all(allowed) || text.len() > 512 {
            diagnostics.error(
                &group,
                "a log group's name has 1 to 512 letters, digits and .-_/#",
            );
        }
    }
    if let Some(region) = options.get("awslogs-region")
        && let Some(text) = region.text()
        && !text.is_empty()
        && !looks_like_region(text)
    {
        diagnostics.error(&region, format!("`{text}` has not the form of a region"));
        diagnostics.hint("write ${AWS_REGION}");
    }
    if let Some(prefix) = options.get("awslogs-stream-prefix")
        && prefix.text().is_some_and(|text| text.contains([':', '*']))
    {
        diagnostics.error(&prefix, "a log stream's name has no `:` and no `*`");
    }
    if let Some(mode) = options
        .get("mode")
        .filter(|mode| !matches!(mode.text(), Some("blocking" | "non-blocking")))
    {
        diagnostics.error(&mode, "it must be \"blocking\" or \"non-blocking\"");
    }
    if let Some(pattern) = options.get("awslogs-multiline-pattern")
        && options.get("awslogs-datetime-format").is_some()
    {
        diagnostics.error(&pattern, "it can't stand beside `awslogs-datetime-format`");
    }
    match options.get("awslogs-create-group") {
        Some(create) if create.text() == Some("true") => {
            diagnostics.warning(
                &create,
                "the execution role then needs logs:CreateLogGroup, which AWS's own policy does not give",
            );
            diagnostics.hint("leave it out: create-log-group makes the group, with its retention");
        }
        Some(create) if create.text() != Some("false") => {
            diagnostics.error(&create, "it must be \"true\" or \"false\"")
        }
        _ => {}
    }
}

/// The driver awsfirelens needs a container that routes the logs.
pub(super) fn check_routers(containers: &[Field], diagnostics: &mut Diagnostics) {
    let routers = containers
        .iter()
        .filter(|one| one.get("firelensConfiguration").is_some())
        .count();
    for container in containers {
        if let Some(configuration) = container.get("logConfiguration")
            && configuration.text_of("logDriver") == Some("awsfirelens")
            && routers == 0
        {
            diagnostics.error(
                &configuration,
                "awsfirelens needs a container with `firelensConfiguration`",
            );
        }
    }
}

//! One canonical form for all the ways of writing the same task definition, so that no revision is registered when
//! nothing changed.

use super::fields::{ONLY_DESCRIBED, REQUEST};
use super::size::{cpu_units, mebibytes};
use crate::difference::{self, List, difference_of};
use crate::json::drop_empty;
use crate::redaction::{self, Values};
use cli::Change;
use serde_json::{Map, Value, json};

/// `definition` in canonical form: without what only DescribeTaskDefinition has, without what is empty or the default,
/// with sizes as numbers and unordered lists sorted. It takes the shapes of RegisterTaskDefinition and of
/// DescribeTaskDefinition; the result is for comparing, not for registering.
pub fn normalise(definition: &Value) -> Value {
    let mut value = definition.clone();
    if let Some(members) = value.as_object_mut() {
        ONLY_DESCRIBED
            .iter()
            .for_each(|key| drop(members.shift_remove(*key)));
        for (key, measure) in [
            ("cpu", cpu_units as fn(&str) -> Option<u64>),
            ("memory", mebibytes),
        ] {
            if let Some(size) = members.get_mut(key) {
                normalise_size(size, measure);
            }
        }
        default(members, "networkMode", json!("awsvpc"));
        let awsvpc = members.get("networkMode") == Some(&json!("awsvpc"));
        let platform = members.entry("runtimePlatform").or_insert_with(|| json!({}));
        if let Some(platform) = platform.as_object_mut() {
            default(platform, "cpuArchitecture", json!("X86_64"));
            default(platform, "operatingSystemFamily", json!("LINUX"));
        }
        for_each(members, "containerDefinitions", |container| {
            normalise_container(container, awsvpc)
        });
        for_each(members, "volumes", |volume| {
            if let Some(efs) = volume
                .get_mut("efsVolumeConfiguration")
                .and_then(Value::as_object_mut)
            {
                default(efs, "rootDirectory", json!("/"));
                drop_when(efs, "transitEncryption", &json!("DISABLED"));
                if let Some(config) = efs.get_mut("authorizationConfig").and_then(Value::as_object_mut) {
                    drop_when(config, "iam", &json!("DISABLED"));
                }
            }
        });
        if let Some(proxy) = members
            .get_mut("proxyConfiguration")
            .and_then(Value::as_object_mut)
        {
            default(proxy, "type", json!("APPMESH"));
        }
        drop_when(members, "enableFaultInjection", &json!(false));
    }
    drop_empty(&mut value);
    difference::sort(&mut value, meaning);
    value
}

/// What registering `desired` would change, compared with the `registered` revision.
pub fn difference(registered: &Value, desired: &Value, values: Values) -> Vec<Change> {
    let (mut from, to) = (normalise(registered), normalise(desired));
    // A role may be given by its name, which ECS returns unchanged.
    for key in ["executionRoleArn", "taskRoleArn"] {
        if let (Some(Value::String(old)), Some(Value::String(new))) = (from.get(key), to.get(key))
            && same_role(old, new)
        {
            let new = new.clone();
            if let Some(slot) = from.get_mut(key) {
                *slot = new.into();
            }
        }
    }
    difference_of(&from, &to, meaning, &REQUEST, values)
}

/// The values of `definition` that look like secrets, to be redacted in the messages of ECS.
pub fn secrets(definition: &Value) -> Vec<String> {
    redaction::secret_texts(definition, &REQUEST)
}

/// `definition` with `(hidden)` for each value that may hold a secret.
pub fn redacted(definition: &Value) -> Value {
    redaction::hide(definition, Some(&REQUEST))
}

/// The meaning of the order of each list.
fn meaning(field: &str) -> List {
    match field {
        "containerDefinitions" | "environment" | "secrets" | "secretOptions" | "ulimits" | "volumes" => {
            List::Keyed(&["name"])
        }
        "portMappings" => List::Keyed(&["containerPort", "containerPortRange", "protocol"]),
        "mountPoints" => List::Keyed(&["containerPath"]),
        "volumesFrom" => List::Keyed(&["sourceContainer"]),
        "dependsOn" => List::Keyed(&["containerName"]),
        "systemControls" => List::Keyed(&["namespace"]),
        "tags" => List::Keyed(&["key"]),
        "extraHosts" => List::Keyed(&["hostname"]),
        "tmpfs" => List::Keyed(&["containerPath"]),
        "inferenceAccelerators" => List::Keyed(&["deviceName"]),
        "properties" => List::Keyed(&["name"]),
        "requiresCompatibilities"
        | "add"
        | "drop"
        | "ignoredExitCodes"
        | "resourceRequirements"
        | "placementConstraints"
        | "mountOptions"
        | "permissions"
        | "dockerSecurityOptions"
        | "links" => List::Set,
        _ => List::Ordered,
    }
}

fn normalise_container(container: &mut Map<String, Value>, awsvpc: bool) {
    drop_when(container, "essential", &json!(true));
    drop_when(container, "cpu", &json!(0));
    drop_when(container, "versionConsistency", &json!("enabled"));
    for key in [
        "privileged",
        "readonlyRootFilesystem",
        "interactive",
        "pseudoTerminal",
        "disableNetworking",
    ] {
        drop_when(container, key, &json!(false));
    }
    for_each(container, "portMappings", |mapping| {
        default(mapping, "protocol", json!("tcp"));
        // In awsvpc the host port is the container port.
        if awsvpc || mapping.get("hostPort") == Some(&json!(0)) {
            mapping.shift_remove("hostPort");
        }
    });
    for list in ["mountPoints", "volumesFrom"] {
        for_each(container, list, |one| drop_when(one, "readOnly", &json!(false)));
    }
    // A variable without a value is an empty string.
    for_each(container, "environment", |one| default(one, "value", json!("")));
    if let Some(health_check) = container.get_mut("healthCheck").and_then(Value::as_object_mut) {
        for (key, number) in [("interval", 30), ("timeout", 5), ("retries", 3)] {
            default(health_check, key, json!(number));
        }
        drop_when(health_check, "startPeriod", &json!(0));
    }
    if let Some(linux) = container
        .get_mut("linuxParameters")
        .and_then(Value::as_object_mut)
    {
        drop_when(linux, "initProcessEnabled", &json!(false));
    }
    if let Some(policy) = container.get_mut("restartPolicy").and_then(Value::as_object_mut) {
        if policy.get("enabled") == Some(&json!(false)) {
            policy.clear();
        } else {
            default(policy, "restartAttemptPeriod", json!(300));
        }
    }
}

fn normalise_size(size: &mut Value, measure: fn(&str) -> Option<u64>) {
    let text = match &*size {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    *size = measure(&text).map_or(text, |units| units.to_string()).into();
}

fn for_each(members: &mut Map<String, Value>, key: &str, mut change: impl FnMut(&mut Map<String, Value>)) {
    let elements = members.get_mut(key).and_then(Value::as_array_mut);
    elements
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
        .for_each(&mut change);
}

/// Sets AWS's default for an absent key.
fn default(members: &mut Map<String, Value>, key: &str, value: Value) {
    if members.get(key).is_none_or(Value::is_null) {
        members.insert(key.to_owned(), value);
    }
}

fn drop_when(members: &mut Map<String, Value>, key: &str, value: &Value) {
    if members.get(key) == Some(value) {
        members.shift_remove(key);
    }
}

fn same_role(one: &str, other: &str) -> bool {
    let name =
        |role: &str| arn::split(role).map(|parts| parts.resource.trim_start_matches("role/").to_owned());
    match (name(one), name(other)) {
        (Some(_), Some(_)) => one == other,
        (Some(name), None) => name == other,
        (None, Some(name)) => name == one,
        (None, None) => one == other,
    }
}

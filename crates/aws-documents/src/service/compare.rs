//! What differs between a service's document and the running service.

use super::fields::REQUEST;
use super::normalise::{Namespaces, as_created, default_of, normalise};
use crate::difference::{List, difference_of};
use crate::redaction::Values;
use cli::Change;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What UpdateService can't change; the service must be deleted and created again.
pub const UNCHANGEABLE: [&str; 4] = ["launchType", "schedulingStrategy", "deploymentController", "role"];

/// What starts a new deployment when it changes.
pub const NEEDS_DEPLOYMENT: [&str; 9] = [
    "capacityProviderStrategy",
    "taskDefinition",
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

/// What ECS changes only together with `forceNewDeployment`: else it returns InvalidParameterException.
pub const NEEDS_FORCE: [&str; 1] = ["capacityProviderStrategy"];

/// What starts no deployment and applies only to new tasks.
pub const ONLY_NEW_TASKS: [&str; 3] = ["enableExecuteCommand", "enableECSManagedTags", "propagateTags"];

/// What differs, and in which fields of CreateService.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// Field by field.
    pub changes: Vec<Change>,
    /// The fields at the top.
    pub fields: BTreeSet<String>,
}

impl Difference {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether one of `fields` differs.
    pub fn touches(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.fields.contains(*field))
    }
}

/// `desired` with this project's default where the file has none: a circuit breaker that rolls back.
pub fn complete(desired: &Value) -> Value {
    let mut complete = desired.clone();
    let Some(members) = complete.as_object_mut() else {
        return complete;
    };
    let deployment = members
        .entry("deploymentConfiguration")
        .or_insert_with(|| json!({}));
    if let Some(deployment) = deployment.as_object_mut() {
        // The other deployment strategies have no circuit breaker.
        let rolling = deployment
            .get("strategy")
            .is_none_or(|strategy| strategy == "ROLLING");
        if rolling && !deployment.contains_key("deploymentCircuitBreaker") {
            deployment.insert(
                "deploymentCircuitBreaker".into(),
                json!({"enable": true, "rollback": true}),
            );
        }
    }
    complete
}

/// What has to change on `observed`, a service of DescribeServices, to become `desired`, in CreateService's shape.
/// Values that may hold secrets are hidden. A field that `desired` does not have is not compared, unless its default
/// is documented: there absent means the default, and without `serviceConnectConfiguration` Service Connect is off.
pub fn difference(observed: &Value, desired: &Value, namespaces: &Namespaces) -> Difference {
    let mut from = as_created(observed);
    let mut to = complete(desired);
    for side in [&mut from, &mut to] {
        normalise(side, namespaces);
    }
    keep_desired(&mut from, &to);
    let mut difference = Difference {
        changes: difference_of(&from, &to, meaning, &REQUEST, Values::Hidden),
        fields: BTreeSet::new(),
    };
    difference
        .changes
        .retain(|change| change.path != "cluster" && change.path != "serviceName");
    let first = |path: &str| path.split(['.', '[']).next().unwrap_or_default().to_owned();
    difference.fields = difference
        .changes
        .iter()
        .map(|change| first(&change.path))
        .collect();
    difference
}

/// The fields of UpdateService that make the difference, without `cluster` and `service`; tags go by another
/// call. Removing Service Connect must be explicit: absent would mean unchanged.
pub fn update(desired: &Value, difference: &Difference) -> Value {
    let complete = complete(desired);
    let mut members = Map::new();
    let other = |field: &&String| *field != "tags" && !UNCHANGEABLE.contains(&field.as_str());
    for field in difference.fields.iter().filter(other) {
        let value = complete.get(field).cloned().unwrap_or_default();
        let value = if value.is_null() { default_of(field) } else { value };
        members.insert(field.clone(), value);
    }
    Value::Object(members)
}

fn meaning(field: &str) -> List {
    match field {
        "subnets" | "securityGroups" | "alarmNames" | "lifecycleStages" | "metricNames" => List::Set,
        "services" => List::Keyed(&["portName"]),
        "clientAliases" => List::Keyed(&["port"]),
        "capacityProviderStrategy" => List::Keyed(&["capacityProvider"]),
        "loadBalancers" => List::Keyed(&[
            "targetGroupArn",
            "loadBalancerName",
            "containerName",
            "containerPort",
        ]),
        "serviceRegistries" => List::Keyed(&["registryArn"]),
        "volumeConfigurations" | "secretOptions" => List::Keyed(&["name"]),
        "tags" => List::Keyed(&["key"]),
        "vpcLatticeConfigurations" => List::Keyed(&["targetGroupArn"]),
        _ => List::Ordered,
    }
}

/// Drops from `from` what the file does not have, so that it is not compared.
fn keep_desired(from: &mut Value, to: &Value) {
    let (Some(from), Some(to)) = (from.as_object_mut(), to.as_object()) else {
        return;
    };
    from.retain(|key, _| to.contains_key(key));
    let tags = |members: &Map<String, Value>| {
        members
            .get("tags")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let desired = tags(to);
    if let Some(tags) = from.get_mut("tags").and_then(Value::as_array_mut) {
        tags.retain(|tag| desired.iter().any(|desired| desired.get("key") == tag.get("key")));
    }
    // The cluster's default namespace.
    let names = |members: &Map<String, Value>| {
        members
            .get("serviceConnectConfiguration")
            .is_some_and(|connect| connect.get("namespace").is_some())
    };
    if !names(to)
        && let Some(connect) = from
            .get_mut("serviceConnectConfiguration")
            .and_then(Value::as_object_mut)
    {
        connect.shift_remove("namespace");
    }
    // Without security groups ECS takes the VPC's default one, and may return it.
    let groups = |network: &Map<String, Value>| {
        network
            .get("networkConfiguration")
            .and_then(|one| one.get("awsvpcConfiguration"))
            .and_then(|one| one.get("securityGroups"))
            .is_some()
    };
    if !groups(to) {
        let network = from
            .get_mut("networkConfiguration")
            .and_then(|one| one.get_mut("awsvpcConfiguration"));
        if let Some(network) = network.and_then(Value::as_object_mut) {
            network.shift_remove("securityGroups");
        }
    }
}

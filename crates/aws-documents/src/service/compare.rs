//! What differs between a service's document and the service that runs.

use crate::difference::{self, List};
use crate::task_definition::drop_empty;
use common::Change;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The names of Cloud Map namespaces by their ARNs: a file has the name, ECS may give back the ARN.
pub type Namespaces = BTreeMap<String, String>;

/// What UpdateService can't change; the service has to be deleted and made again.
pub const UNCHANGEABLE: [&str; 4] = ["launchType", "schedulingStrategy", "deploymentController", "role"];

/// What starts a new deployment when it changes.
pub const NEEDS_DEPLOYMENT: [&str; 8] = [
    "taskDefinition",
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

/// What starts no deployment and is true only of tasks that start later.
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

/// `wanted` with what we take when a file says nothing: a circuit breaker that rolls back.
pub fn complete(wanted: &Value) -> Value {
    let mut complete = wanted.clone();
    let Some(members) = complete.as_object_mut() else {
        return complete;
    };
    let deployment = members
        .entry("deploymentConfiguration")
        .or_insert_with(|| json!({}));
    if let Some(deployment) = deployment.as_object_mut() {
        // A service that is steered in other ways has no circuit breaker.
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

/// What has to change on `current`, a service of DescribeServices, to become `wanted`, in CreateService's
/// shape. What `wanted` does not name stays as it is, but for what has a documented default: there absent
/// means the default, and without `serviceConnectConfiguration` Service Connect is off.
pub fn difference(current: &Value, wanted: &Value, namespaces: &Namespaces) -> Difference {
    let mut from = as_created(current);
    let mut to = complete(wanted);
    for side in [&mut from, &mut to] {
        normalise(side, namespaces);
    }
    keep_what_is_wanted(&mut from, &to);
    let mut difference = Difference {
        changes: difference::difference(&from, &to, meaning),
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
/// call. To take Service Connect away it must be told so: absent would mean unchanged.
pub fn update(wanted: &Value, difference: &Difference) -> Value {
    let complete = complete(wanted);
    let mut members = Map::new();
    let other = |field: &&String| *field != "tags" && !UNCHANGEABLE.contains(&field.as_str());
    for field in difference.fields.iter().filter(other) {
        let value = complete.get(field).cloned().unwrap_or_default();
        let value = if value.is_null() { default_of(field) } else { value };
        members.insert(field.clone(), value);
    }
    Value::Object(members)
}

/// The fields that are compared even when the file says nothing, and what absent means there.
fn default_of(field: &str) -> Value {
    match field {
        "enableExecuteCommand" | "enableECSManagedTags" => json!(false),
        "propagateTags" => json!("NONE"),
        "platformVersion" => json!("LATEST"),
        "serviceConnectConfiguration" => json!({"enabled": false}),
        _ => Value::Null,
    }
}

const WITH_DEFAULT: [&str; 5] = [
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "platformVersion",
    "serviceConnectConfiguration",
];

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

/// A service of DescribeServices in CreateService's shape. What belongs to a deployment stands on the primary
/// one there.
fn as_created(service: &Value) -> Value {
    let mut created = service.clone();
    let Some(members) = created.as_object_mut() else {
        return created;
    };
    let deployments = members.shift_remove("deployments").unwrap_or_default();
    let primary = deployments
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one.get("status") == Some(&json!("PRIMARY")));
    for key in [
        "serviceConnectConfiguration",
        "volumeConfigurations",
        "vpcLatticeConfigurations",
    ] {
        let value = primary
            .and_then(|primary| primary.get(key))
            .filter(|value| !value.is_null());
        if let Some(value) = value {
            members.insert(key.to_owned(), value.clone());
        }
    }
    let deployment = members
        .entry("deploymentConfiguration")
        .or_insert_with(|| json!({}));
    if let Some(deployment) = deployment.as_object_mut() {
        default(
            deployment,
            "deploymentCircuitBreaker",
            json!({"enable": false, "rollback": false}),
        );
    }
    created
}

fn normalise(service: &mut Value, namespaces: &Namespaces) {
    let Some(members) = service.as_object_mut() else {
        return;
    };
    for field in WITH_DEFAULT {
        default(members, field, default_of(field));
    }
    if let Some(text) = members.get("taskDefinition").and_then(Value::as_str) {
        // An ARN and `family:revision` name the same.
        let name = text
            .rsplit_once("task-definition/")
            .map_or(text, |(_, name)| name)
            .to_owned();
        members.insert("taskDefinition".into(), name.into());
    }
    if let Some(connect) = members
        .get_mut("serviceConnectConfiguration")
        .and_then(Value::as_object_mut)
    {
        normalise_connect(connect, namespaces);
    }
    if let Some(deployment) = members
        .get_mut("deploymentConfiguration")
        .and_then(Value::as_object_mut)
    {
        normalise_deployment(deployment);
    }
    let network = members
        .get_mut("networkConfiguration")
        .and_then(|network| network.get_mut("awsvpcConfiguration"));
    if let Some(network) = network.and_then(Value::as_object_mut) {
        default(network, "assignPublicIp", json!("DISABLED"));
    }
    for provider in members
        .get_mut("capacityProviderStrategy")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(provider) = provider.as_object_mut() {
            default(provider, "base", json!(0));
            default(provider, "weight", json!(0));
        }
    }
    // An empty list in the file means none, so it has to stay.
    let empty: Vec<String> = members
        .iter()
        .filter(|(_, value)| *value == &json!([]))
        .map(|(key, _)| key.clone())
        .collect();
    drop_empty(service);
    if let Some(members) = service.as_object_mut() {
        empty
            .into_iter()
            .for_each(|key| drop(members.insert(key, json!([]))));
    }
}

fn normalise_deployment(deployment: &mut Map<String, Value>) {
    default(deployment, "maximumPercent", json!(200));
    default(deployment, "minimumHealthyPercent", json!(100));
    default(deployment, "strategy", json!("ROLLING"));
    if deployment.get("bakeTimeInMinutes") == Some(&json!(0)) {
        deployment.shift_remove("bakeTimeInMinutes");
    }
    let off = |alarms: &Value| alarms.get("enable") != Some(&json!(true));
    if deployment.get("alarms").is_some_and(off) {
        deployment.shift_remove("alarms");
    }
    if let Some(breaker) = deployment
        .get_mut("deploymentCircuitBreaker")
        .and_then(Value::as_object_mut)
    {
        default(breaker, "resetOnHealthyTask", json!(true));
        default(
            breaker,
            "thresholdConfiguration",
            json!({"type": "BOUNDED_PERCENT", "value": 50}),
        );
        if breaker.get("enable") == Some(&json!(false)) {
            // What a circuit breaker that is off would do means nothing.
            breaker.retain(|key, _| key == "enable");
        }
    }
}

fn normalise_connect(connect: &mut Map<String, Value>, namespaces: &Namespaces) {
    if connect.get("enabled") != Some(&json!(true)) {
        connect.clear();
        connect.insert("enabled".into(), json!(false));
        return;
    }
    let given = connect
        .get("namespace")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let name = given.map(|given| namespaces.get(&given).cloned().unwrap_or(given));
    if let Some(name) = &name {
        connect.insert("namespace".into(), name.as_str().into());
    }
    for service in connect
        .get_mut("services")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let Some(service) = service.as_object_mut() else {
            continue;
        };
        let port = service.get("portName").cloned().unwrap_or_default();
        default(service, "discoveryName", port);
        let discovery = service
            .get("discoveryName")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        for alias in service
            .get_mut("clientAliases")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let Some(alias) = alias.as_object_mut() else {
                continue;
            };
            let full = name.as_ref().map(|name| format!("{discovery}.{name}"));
            if full.is_some() && alias.get("dnsName").and_then(Value::as_str).map(str::to_owned) == full {
                alias.shift_remove("dnsName");
            }
        }
    }
}

/// What the file does not name is not compared.
fn keep_what_is_wanted(from: &mut Value, to: &Value) {
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
    let wanted = tags(to);
    if let Some(tags) = from.get_mut("tags").and_then(Value::as_array_mut) {
        tags.retain(|tag| wanted.iter().any(|wanted| wanted.get("key") == tag.get("key")));
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
    // Without security groups ECS takes the default one of the VPC, and may name it.
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

fn default(members: &mut Map<String, Value>, key: &str, value: Value) {
    if members.get(key).is_none_or(Value::is_null) {
        members.insert(key.to_owned(), value);
    }
}

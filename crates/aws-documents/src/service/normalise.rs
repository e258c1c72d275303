//! One canonical form for a service in a file and in a response of DescribeServices.

use crate::json::drop_empty;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The names of Cloud Map namespaces by their ARNs: files use the name, ECS may return the ARN.
pub type Namespaces = BTreeMap<String, String>;

/// The fields that are compared even when the file does not have them, and the meaning of absent there.
pub(super) fn default_of(field: &str) -> Value {
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

/// A service of DescribeServices in CreateService's shape. There some fields are part of the primary deployment.
pub(super) fn as_created(service: &Value) -> Value {
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

/// Sets defaults and removes what has no effect.
pub(super) fn normalise(service: &mut Value, namespaces: &Namespaces) {
    let Some(members) = service.as_object_mut() else {
        return;
    };
    for field in WITH_DEFAULT {
        default(members, field, default_of(field));
    }
    if let Some(text) = members.get("taskDefinition").and_then(Value::as_str) {
        // An ARN and `family:revision` are equivalent.
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
    // An empty list in the file removes all elements, so it stays.
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
            // The settings of a disabled circuit breaker have no effect.
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

fn default(members: &mut Map<String, Value>, key: &str, value: Value) {
    if members.get(key).is_none_or(Value::is_null) {
        members.insert(key.to_owned(), value);
    }
}

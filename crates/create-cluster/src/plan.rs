//! What differs between `ops.toml` and ECS, and the calls that change it. No I/O.

use crate::observed::Observed;
use crate::session::Sessions;
use cli::Change;
use common::config::{AwsTarget, Cluster, partition_of};
use reconcile::plan::{self, Step};
use reconcile::{Tags, tags};
use serde_json::{Value, json};

/// A cluster as the file has it. What the file does not name stays.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    pub(crate) cluster: Cluster,
    pub(crate) tags: Tags,
    /// The ARN that the cluster has, or will have.
    pub(crate) arn: String,
}

impl Desired {
    pub(crate) fn new(cluster: Cluster, tags: Tags, target: &AwsTarget) -> Self {
        let AwsTarget { account, region } = target;
        let partition = partition_of(region);
        let arn = format!("arn:{partition}:ecs:{region}:{account}:cluster/{}", cluster.name);
        Desired { cluster, tags, arn }
    }

    /// The body of CreateCluster.
    pub(crate) fn creation(&self) -> Value {
        let cluster = &self.cluster;
        let mut body = json!({"clusterName": cluster.name});
        if let Some(namespace) = &cluster.service_connect_namespace {
            body["serviceConnectDefaults"] = json!({"namespace": namespace});
        }
        if let Some(insights) = cluster.container_insights {
            body["settings"] = insights_setting(insights.as_str());
        }
        if let Some(table) = &cluster.execute_command {
            body["configuration"] = json!({"executeCommandConfiguration": Sessions::new(table).to_ecs()});
        }
        if !cluster.capacity_providers.is_empty() {
            body["capacityProviders"] = json!(cluster.capacity_providers);
        }
        if !self.tags.is_empty() {
            body["tags"] = tags::to_json(&self.tags);
        }
        body
    }
}

fn insights_setting(value: &str) -> Value {
    json!([{"name": "containerInsights", "value": value}])
}

/// What is to be done.
pub(crate) type Plan = plan::Plan<Action>;

/// One call that changes the cluster.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Action {
    pub(crate) operation: &'static str,
    pub(crate) body: Value,
    /// The purpose of the call, in words that complete "failed to … cluster `x`".
    pub(crate) purpose: &'static str,
}

/// Compares. Nothing that the file omits is changed: this includes capacity providers, tags and fields of
/// `execute_command`.
pub(crate) fn plan(desired: &Desired, observed: Option<&Observed>) -> Plan {
    let Some(observed) = observed else {
        return Plan::Create(changes_at_creation(desired), Vec::new());
    };
    let tag = |tags: Tags| Action {
        operation: "TagResource",
        body: json!({"resourceArn": desired.arn, "tags": tags::to_json(&tags)}),
        purpose: "tag",
    };
    let steps = [
        update(&desired.cluster, observed),
        capacity_providers(&desired.cluster, observed),
        tags::step(&desired.tags, &observed.tags, tag),
    ];
    Plan::update(steps.into_iter().flatten().collect())
}

fn changes_at_creation(desired: &Desired) -> Vec<Change> {
    let cluster = &desired.cluster;
    let new = |path: &str, to: Value| Change::new(path, Value::Null, to);
    let mut changes = Vec::new();
    if let Some(namespace) = &cluster.service_connect_namespace {
        changes.push(new("service_connect_namespace", namespace.as_str().into()));
    }
    if let Some(insights) = cluster.container_insights {
        changes.push(new("container_insights", insights.as_str().into()));
    }
    if let Some(table) = &cluster.execute_command {
        changes.extend(Sessions::new(table).changes(&Sessions::default()));
    }
    if !cluster.capacity_providers.is_empty() {
        changes.push(new(
            "capacity_providers",
            cluster.capacity_providers.clone().into(),
        ));
    }
    changes.extend(tags::changes(&desired.tags, &Tags::new()));
    changes
}

/// UpdateCluster, with the parts that differ.
fn update(cluster: &Cluster, observed: &Observed) -> Option<Step<Action>> {
    let mut body = json!({"cluster": cluster.name});
    let mut changes = Vec::new();
    let current = observed.namespace.as_ref();
    let desired = cluster.service_connect_namespace.as_deref();
    if let Some(namespace) = desired.filter(|name| !current.is_some_and(|current| current.is(name))) {
        let from = current.map_or(Value::Null, |current| current.shown().into());
        changes.push(Change::new("service_connect_namespace", from, namespace));
        body["serviceConnectDefaults"] = json!({"namespace": namespace});
    }
    let insights = cluster.container_insights.map(|insights| insights.as_str());
    if let Some(insights) = insights.filter(|insights| *insights != observed.insights) {
        let from = observed.insights.as_str();
        changes.push(Change::new("container_insights", from, insights));
        body["settings"] = insights_setting(insights);
    }
    let table = cluster.execute_command.as_ref();
    let sessions = table.map(|table| observed.sessions.with(table));
    if let Some(sessions) = sessions.filter(|sessions| *sessions != observed.sessions) {
        changes.extend(sessions.changes(&observed.sessions));
        let mut configuration = json!({"executeCommandConfiguration": sessions.to_ecs()});
        // ECS replaces the whole configuration, also the part that the file does not have.
        if let Some(storage) = &observed.managed_storage {
            configuration["managedStorageConfiguration"] = storage.clone();
        }
        body["configuration"] = configuration;
    }
    let action = Action {
        operation: "UpdateCluster",
        body,
        purpose: "update",
    };
    Step::of(action, changes)
}

/// PutClusterCapacityProviders, with all providers that the cluster has and will have.
fn capacity_providers(cluster: &Cluster, observed: &Observed) -> Option<Step<Action>> {
    let current = &observed.capacity_providers;
    let missing = cluster
        .capacity_providers
        .iter()
        .filter(|name| !current.contains(name));
    let mut all = current.clone();
    all.extend(missing.cloned());
    if all.len() == current.len() {
        return None;
    }
    let action = Action {
        operation: "PutClusterCapacityProviders",
        body: json!({
            "cluster": cluster.name,
            "capacityProviders": all,
            // ECS removes a strategy that is not sent.
            "defaultCapacityProviderStrategy": observed.strategy,
        }),
        purpose: "set the capacity providers of",
    };
    let change = Change::new("capacity_providers", current.clone(), all);
    Step::of(action, vec![change])
}

#[cfg(test)]
mod tests;

//! What differs between `ops.toml` and ECS. No I/O.

use crate::session::Sessions;
use common::config::{Cluster, ContainerInsights, ExecuteCommand};
use common::plan::{self, Step};
use common::{Change, Tags};
use serde_json::Value;

/// A cluster as the file wants it. What it does not name is `None` or empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    /// By name or by ARN.
    pub(crate) namespace: Option<String>,
    pub(crate) insights: Option<ContainerInsights>,
    pub(crate) sessions: Option<ExecuteCommand>,
    pub(crate) capacity_providers: Vec<String>,
    pub(crate) tags: Tags,
}

impl Wanted {
    pub(crate) fn new(cluster: Cluster, tags: Tags) -> Self {
        Wanted {
            name: cluster.name,
            namespace: cluster.service_connect_namespace,
            insights: cluster.container_insights,
            sessions: cluster.execute_command,
            capacity_providers: cluster.capacity_providers,
            tags,
        }
    }
}

/// A cluster as ECS has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    pub(crate) namespace: Option<Namespace>,
    /// ECS's own word.
    pub(crate) insights: String,
    pub(crate) sessions: Sessions,
    pub(crate) capacity_providers: Vec<String>,
    pub(crate) tags: Tags,
}

/// The default namespace of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    /// What ECS says: on AWS the ARN, whatever it was given.
    pub(crate) reference: String,
    /// The name that Cloud Map knows it by; `None` when it was not asked for, or the namespace is gone.
    pub(crate) name: Option<String>,
}

impl Namespace {
    fn is(&self, wanted: &str) -> bool {
        self.reference == wanted || self.name.as_deref() == Some(wanted)
    }

    fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.reference)
    }
}

/// What is to be done.
pub(crate) type Plan = plan::Plan<Deed>;

/// What a call does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// UpdateCluster, with the parts that differ.
    Update(Parts),
    /// PutClusterCapacityProviders, with all that the cluster has and will have.
    CapacityProviders(Vec<String>),
    /// TagResource.
    Tag(Tags),
}

/// The parts of UpdateCluster; the others are not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) namespace: Option<String>,
    pub(crate) insights: Option<ContainerInsights>,
    /// The whole of it, because ECS replaces it as a whole.
    pub(crate) sessions: Option<Sessions>,
}

/// Compares. What the file does not name stays: so do capacity providers, tags and fields of `execute_command`.
pub(crate) fn plan(wanted: &Wanted, current: Option<&Current>) -> Plan {
    let Some(current) = current else {
        return Plan::Create(changes_of_creation(wanted), Vec::new());
    };
    let steps = [
        parts(wanted, current),
        providers(wanted, current),
        tags(wanted, current),
    ];
    Plan::update(steps.into_iter().flatten().collect())
}

fn changes_of_creation(wanted: &Wanted) -> Vec<Change> {
    let new = |path: &str, to: Value| Change::new(path, Value::Null, to);
    let namespace = wanted.namespace.as_deref();
    let mut changes: Vec<Change> = namespace
        .map(|namespace| new("service_connect_namespace", namespace.into()))
        .into_iter()
        .chain(
            wanted
                .insights
                .map(|word| new("container_insights", word.as_str().into())),
        )
        .collect();
    if let Some(sessions) = &wanted.sessions {
        changes.extend(Sessions::new(sessions).changes(&Sessions::default()));
    }
    if !wanted.capacity_providers.is_empty() {
        changes.push(new(
            "capacity_providers",
            wanted.capacity_providers.clone().into(),
        ));
    }
    changes.extend(common::tags::changes(&wanted.tags, &Tags::new()));
    changes
}

fn parts(wanted: &Wanted, current: &Current) -> Option<Step<Deed>> {
    let mut parts = Parts::default();
    let mut changes = Vec::new();
    let other_namespace = wanted.namespace.as_deref().filter(|namespace| {
        !current
            .namespace
            .as_ref()
            .is_some_and(|current| current.is(namespace))
    });
    if let Some(namespace) = other_namespace {
        let from = current
            .namespace
            .as_ref()
            .map_or(Value::Null, |namespace| namespace.shown().into());
        changes.push(Change::new("service_connect_namespace", from, namespace));
        parts.namespace = Some(namespace.to_owned());
    }
    if let Some(insights) = wanted.insights.filter(|word| word.as_str() != current.insights) {
        let from = current.insights.as_str();
        changes.push(Change::new("container_insights", from, insights.as_str()));
        parts.insights = Some(insights);
    }
    let sessions = wanted.sessions.as_ref();
    let sessions = sessions.map(|table| current.sessions.with(table));
    if let Some(sessions) = sessions.filter(|sessions| *sessions != current.sessions) {
        changes.extend(sessions.changes(&current.sessions));
        parts.sessions = Some(sessions);
    }
    Step::of(Deed::Update(parts), changes)
}

fn providers(wanted: &Wanted, current: &Current) -> Option<Step<Deed>> {
    let mut all = current.capacity_providers.clone();
    for provider in &wanted.capacity_providers {
        if !all.contains(provider) {
            all.push(provider.clone());
        }
    }
    (all.len() > current.capacity_providers.len()).then(|| Step {
        changes: vec![Change::new(
            "capacity_providers",
            current.capacity_providers.clone(),
            all.clone(),
        )],
        deed: Deed::CapacityProviders(all),
    })
}

fn tags(wanted: &Wanted, current: &Current) -> Option<Step<Deed>> {
    let differing = common::tags::differing(&wanted.tags, &current.tags);
    let changes = common::tags::changes(&differing, &current.tags);
    Step::of(Deed::Tag(differing), changes)
}

#[cfg(test)]
mod tests;

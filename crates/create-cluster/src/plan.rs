//! What differs between `ops.toml` and ECS. No I/O.

use crate::session::Sessions;
use cli::Change;
use common::config::{Cluster, ContainerInsights, ExecuteCommand};
use reconcile::Tags;
use reconcile::plan::{self, Step};
use serde_json::Value;

/// A cluster as the file wants it. What it does not name is `None` or empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Desired {
    pub(crate) name: String,
    /// By name or by ARN.
    pub(crate) namespace: Option<String>,
    pub(crate) insights: Option<ContainerInsights>,
    pub(crate) sessions: Option<ExecuteCommand>,
    pub(crate) capacity_providers: Vec<String>,
    pub(crate) tags: Tags,
}

impl Desired {
    pub(crate) fn new(cluster: Cluster, tags: Tags) -> Self {
        Desired {
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
pub(crate) struct Observed {
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
    fn is(&self, desired: &str) -> bool {
        self.reference == desired || self.name.as_deref() == Some(desired)
    }

    fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.reference)
    }
}

/// What is to be done.
pub(crate) type Plan = plan::Plan<Action>;

/// What a call does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
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
pub(crate) fn plan(desired: &Desired, observed: Option<&Observed>) -> Plan {
    let Some(observed) = observed else {
        return Plan::Create(changes_of_creation(desired), Vec::new());
    };
    let steps = [
        parts(desired, observed),
        providers(desired, observed),
        tags(desired, observed),
    ];
    Plan::update(steps.into_iter().flatten().collect())
}

fn changes_of_creation(desired: &Desired) -> Vec<Change> {
    let new = |path: &str, to: Value| Change::new(path, Value::Null, to);
    let namespace = desired.namespace.as_deref();
    let mut changes: Vec<Change> = namespace
        .map(|namespace| new("service_connect_namespace", namespace.into()))
        .into_iter()
        .chain(
            desired
                .insights
                .map(|word| new("container_insights", word.as_str().into())),
        )
        .collect();
    if let Some(sessions) = &desired.sessions {
        changes.extend(Sessions::new(sessions).changes(&Sessions::default()));
    }
    if !desired.capacity_providers.is_empty() {
        changes.push(new(
            "capacity_providers",
            desired.capacity_providers.clone().into(),
        ));
    }
    changes.extend(reconcile::tags::changes(&desired.tags, &Tags::new()));
    changes
}

fn parts(desired: &Desired, observed: &Observed) -> Option<Step<Action>> {
    let mut parts = Parts::default();
    let mut changes = Vec::new();
    let other_namespace = desired.namespace.as_deref().filter(|namespace| {
        !observed
            .namespace
            .as_ref()
            .is_some_and(|observed| observed.is(namespace))
    });
    if let Some(namespace) = other_namespace {
        let from = observed
            .namespace
            .as_ref()
            .map_or(Value::Null, |namespace| namespace.shown().into());
        changes.push(Change::new("service_connect_namespace", from, namespace));
        parts.namespace = Some(namespace.to_owned());
    }
    if let Some(insights) = desired.insights.filter(|word| word.as_str() != observed.insights) {
        let from = observed.insights.as_str();
        changes.push(Change::new("container_insights", from, insights.as_str()));
        parts.insights = Some(insights);
    }
    let sessions = desired.sessions.as_ref();
    let sessions = sessions.map(|table| observed.sessions.with(table));
    if let Some(sessions) = sessions.filter(|sessions| *sessions != observed.sessions) {
        changes.extend(sessions.changes(&observed.sessions));
        parts.sessions = Some(sessions);
    }
    Step::of(Action::Update(parts), changes)
}

fn providers(desired: &Desired, observed: &Observed) -> Option<Step<Action>> {
    let mut all = observed.capacity_providers.clone();
    for provider in &desired.capacity_providers {
        if !all.contains(provider) {
            all.push(provider.clone());
        }
    }
    (all.len() > observed.capacity_providers.len()).then(|| Step {
        changes: vec![Change::new(
            "capacity_providers",
            observed.capacity_providers.clone(),
            all.clone(),
        )],
        action: Action::CapacityProviders(all),
    })
}

fn tags(desired: &Desired, observed: &Observed) -> Option<Step<Action>> {
    let differing = reconcile::tags::differing(&desired.tags, &observed.tags);
    let changes = reconcile::tags::changes(&differing, &observed.tags);
    Step::of(Action::Tag(differing), changes)
}

#[cfg(test)]
mod tests;

//! The cluster as ECS has it.

use crate::session::Sessions;
use cli::Failure;
use reconcile::Tags;
use serde_json::Value;

/// The cluster as ECS has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observed {
    pub(crate) status: Status,
    pub(crate) namespace: Option<Namespace>,
    /// ECS's word.
    pub(crate) insights: String,
    pub(crate) sessions: Sessions,
    /// A part of the configuration that `ops.toml` does not have. UpdateCluster gets it back unchanged.
    pub(crate) managed_storage: Option<Value>,
    pub(crate) capacity_providers: Vec<String>,
    /// The default strategy of the capacity providers. PutClusterCapacityProviders gets it back unchanged, because ECS
    /// removes a strategy that is not sent.
    pub(crate) strategy: Value,
    pub(crate) tags: Tags,
    /// The attachments that failed, or else all of them, with the reasons of ECS.
    pub(crate) attachments: String,
}

/// The state of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Usable.
    Active,
    /// It is being created or changed; with ECS's word.
    Busy(String),
    /// It is being deleted.
    Deprovisioning,
    /// It could not be created.
    Failed,
    /// It is usable, but its last change failed.
    UpdateFailed,
}

/// The default namespace of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    /// As ECS returns it: on AWS the ARN, also of a namespace that was given by its name.
    pub(crate) reference: String,
    /// The name in Cloud Map; `None` when it was not read, or the namespace is gone.
    pub(crate) name: Option<String>,
}

impl Namespace {
    pub(crate) fn is(&self, desired: &str) -> bool {
        self.reference == desired || self.name.as_deref() == Some(desired)
    }

    pub(crate) fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.reference)
    }
}

/// The error for a cluster that could not be provisioned.
pub(crate) fn failed(name: &str, attachments: &str) -> Failure {
    let why = if attachments.is_empty() {
        "ECS gives no reason"
    } else {
        attachments
    };
    Failure::error(format!("failed to use cluster `{name}`: it is FAILED: {why}"))
        .code("cluster-failed")
        .hint(format!(
            "remove the cause, then `aws ecs delete-cluster --cluster {name}` and run this again"
        ))
}

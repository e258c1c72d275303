//! Services of ECS: what CreateService would refuse, what Service Connect wants of the task definition, and
//! what differs from a service that runs.

mod compare;
mod connect;
mod fields;
mod network;
mod normal;
mod rules;

pub use compare::{
    Difference, NEEDS_DEPLOYMENT, NEEDS_FORCE, ONLY_NEW_TASKS, UNCHANGEABLE, complete, difference, update,
};
pub use connect::changed_protocols;
pub use network::fill;
pub use normal::Namespaces;
pub use rules::check;

use serde_json::Value;

/// What a service's document is judged with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting<'a> {
    /// The task definition that it runs, when it is known.
    pub task_definition: Option<&'a Value>,
    /// The subnets that `ops.toml` names.
    pub subnets: Option<&'a [String]>,
    /// The security groups that `ops.toml` names.
    pub security_groups: Option<&'a [String]>,
    /// Whether the cluster has a default namespace for Service Connect; `None` when that is not known.
    pub default_namespace: Option<bool>,
}

#[cfg(test)]
mod tests;

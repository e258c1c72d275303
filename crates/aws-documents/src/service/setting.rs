//! What the rules of a service need to know beside its document.

use serde_json::Value;

/// The task definition, the cluster and `ops.toml`, as far as they are known.
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

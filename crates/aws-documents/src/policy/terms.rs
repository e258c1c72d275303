//! Kinds of policies, and IAM's versions and quotas.

use serde_json::Value;

/// What a policy is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To a role: what it may do.
    Identity,
    /// A role's trust policy: who may assume it.
    Trust,
    /// To a resource: who may do what with it.
    Resource,
}

/// The version that has IAM's policy variables.
pub const VERSION: &str = "2012-10-17";

/// IAM's default for a policy without `Version`.
pub(super) const OLD_VERSION: &str = "2008-10-17";

/// All inline policies of a role together (IAM quotas). White space does not count.
pub const LARGEST_INLINE_SUM: usize = 10_240;

/// The largest trust policy under the default quota.
pub const LARGEST_TRUST: usize = 2_048;

/// The largest trust policy under the highest quota.
pub const LARGEST_TRUST_EVER: usize = 8_192;

/// The most managed policies on a role under the default quota.
pub const MOST_MANAGED: usize = 10;

/// The most managed policies on a role under the highest quota.
pub const MOST_MANAGED_EVER: usize = 25;

/// The size of a policy as IAM counts it: without white space.
pub fn size(policy: &Value) -> usize {
    let text = policy.to_string();
    text.chars()
        .filter(|character| !character.is_whitespace())
        .count()
}

/// The elements of a list, which may be written as its only element.
pub(super) fn as_list(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(elements)) => elements.clone(),
        Some(one) => vec![one.clone()],
    }
}

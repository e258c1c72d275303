//! One role as a resource of the loop.

use crate::client::{Iam, PolicyLookup};
use crate::desired::Desired;
use crate::plan::{self, Action, Observed, Plan, policies_of, removals, unmanaged};
use anyhow::Result;
use cli::{ErrorKind, Failure, Item};
use common::config::{AwsTarget, partition_of};
use reconcile::{Backoff, Created, Lookup, Resource, Step};
use serde_json::json;
use std::time::Duration;

/// How long IAM may take to show what was set, and to propagate a new role: seconds, as a rule.
pub(crate) const PROPAGATION: Backoff = Backoff {
    max_elapsed: Duration::from_secs(60),
    ..Backoff::PROPAGATION
};

/// One role.
pub(crate) struct Role<'a> {
    pub(crate) iam: &'a Iam<'a>,
    pub(crate) desired: Desired,
    pub(crate) target: &'a AwsTarget,
    /// Whether policies that the file does not name are removed.
    pub(crate) prune: bool,
}

impl Role<'_> {
    /// The ARN that the role has, or will have.
    pub(crate) fn arn(&self, observed: Option<&Observed>) -> String {
        let Some(observed) = observed else {
            let partition = partition_of(&self.target.region);
            let Desired { path, name, .. } = &self.desired;
            return format!("arn:{partition}:iam::{}:role{path}{name}", self.target.account);
        };
        observed.arn.clone()
    }
}

impl Resource for Role<'_> {
    type Observed = Observed;
    type Action = Action;
    const KIND: &'static str = "role";

    fn name(&self) -> &str {
        &self.desired.name
    }

    async fn observe(&self) -> Result<Lookup<Observed>> {
        self.iam.describe(&self.desired).await
    }

    fn plan(&self, observed: Option<&Observed>) -> Result<Plan, Failure> {
        plan::plan(&self.desired, observed, self.prune)
    }

    /// A managed policy of this account that does not exist is an error before the first role is half made. AWS's own
    /// are left to AttachRolePolicy: their names are public.
    async fn check_plan(&self, plan: &Plan) -> Result<()> {
        let is_own = |text: &&String| arn::split(text).is_some_and(|arn| arn.account == self.target.account);
        let policies = policies_of(plan, &self.desired);
        for arn in policies.iter().filter(is_own) {
            match self.iam.find_policy(arn).await? {
                PolicyLookup::Found => {}
                PolicyLookup::Denied => self.iam.console.warn(format!(
                    "not judged: whether `{arn}` exists (iam:GetPolicy was denied)"
                )),
                PolicyLookup::NotFound => {
                    let message = format!("failed to find policy `{arn}` for {}", self.label());
                    let failure = Failure::error(message).kind(ErrorKind::NotFound);
                    let hint = "create it first, or correct its ARN in ops.toml";
                    return Err(failure.code("NoSuchEntity").hint(hint).into());
                }
            }
        }
        Ok(())
    }

    fn destroys(&self, plan: &Plan) -> Vec<String> {
        removals(plan, self.name())
    }

    fn confirmed(&self, plan: Plan, performed: &[Step<Action>]) -> Plan {
        plan::remaining(plan, performed)
    }

    async fn create(&self) -> Result<Created> {
        self.iam.create(&self.desired).await
    }

    async fn perform(&self, action: &Action, just_created: bool) -> Result<()> {
        self.iam.perform(self.name(), action, just_created).await
    }

    /// That ECS may assume the role takes longer; the tools that pass the role to ECS wait for that.
    fn convergence(&self) -> Backoff {
        PROPAGATION
    }

    async fn explain_missing(&self) -> Failure {
        if let Some(failure) = self.iam.find_ignoring_case(self.name()).await {
            return failure;
        }
        let label = self.label();
        Failure::error(format!(
            "failed to create {label}: IAM answers that it exists, and does not return it"
        ))
        .kind(ErrorKind::Conflict)
        .code("EntityAlreadyExists")
        .hint("another role may have this name in another case, or another caller is deleting it")
    }

    fn item(&self, item: Item, observed: Option<&Observed>) -> Item {
        let item = item
            .detail("key", self.desired.key.as_str())
            .detail("arn", self.arn(observed));
        let Some(observed) = observed else { return item };
        let unmanaged = unmanaged(&self.desired, observed);
        if unmanaged.inline.is_empty() && unmanaged.managed.is_empty() {
            return item;
        }
        let lists = json!({"inline": unmanaged.inline, "managed": unmanaged.managed});
        item.detail("unnamed", lists)
    }

    /// The unmanaged policies, unless they are about to be removed.
    fn notes(&self, plan: &Plan, observed: Option<&Observed>) -> Vec<String> {
        let Some(observed) = observed.filter(|_| removals(plan, self.name()).is_empty()) else {
            return Vec::new();
        };
        let unmanaged = unmanaged(&self.desired, observed);
        let inline = unmanaged
            .inline
            .iter()
            .map(|name| format!("inline policy `{name}`"));
        let managed = unmanaged
            .managed
            .iter()
            .map(|arn| format!("managed policy `{arn}`"));
        inline
            .chain(managed)
            .map(|what| format!("also has {what}, which ops.toml does not name; --prune removes it"))
            .collect()
    }

    fn line(&self, observed: Option<&Observed>) -> Option<String> {
        Some(self.arn(observed))
    }
}

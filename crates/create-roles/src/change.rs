//! The calls that change one thing on a role.

use crate::apply::SHOWING;
use crate::plan::Action;
use crate::store::{MISSING, Store, known, tags_to_sdk};
use anyhow::{Context, Result};
use aws_sdk_iam::error::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use common::aws::call;
use reconcile::backoff::Backoff;
use std::time::Duration;

/// How long two requests that met may take, and a principal that is made. One that stays unknown is a wrong one.
const SETTLING: Backoff = Backoff {
    max_elapsed: Duration::from_secs(20),
    ..Backoff::PROPAGATION
};

impl Store<'_> {
    /// Does one thing to a role; `fresh` when the role was made a moment ago.
    ///
    /// # Errors
    /// When IAM refuses.
    pub(crate) async fn change(&self, name: &str, action: &Action, fresh: bool) -> Result<()> {
        let client = &self.client;
        let of_role = |operation: &str| format!("{operation} for role `{name}`");
        let of_policy =
            |operation: &str, policy: &str| format!("{operation} of `{policy}` for role `{name}`");
        match action {
            Action::Trust(document) => {
                let operation = "iam:UpdateAssumeRolePolicy";
                let request = client.update_assume_role_policy().role_name(name);
                let request = request.policy_document(document.to_string());
                let sent = self.settled(of_role(operation), fresh, async || request.clone().send().await);
                let sent = sent.await.map(drop).map_err(call(operation));
                sent.with_context(|| format!("failed to change the trust policy of role `{name}`"))
            }
            Action::Bound(arn) => {
                let operation = "iam:PutRolePermissionsBoundary";
                let request = client.put_role_permissions_boundary().role_name(name);
                let request = request.permissions_boundary(arn);
                let sent = self.settled(of_policy(operation, arn), fresh, async || {
                    request.clone().send().await
                });
                let sent = sent.await.map(drop).map_err(call(operation));
                sent.with_context(|| format!("failed to set the permissions boundary of role `{name}`"))
            }
            Action::Attach(arn) => {
                let operation = "iam:AttachRolePolicy";
                let request = client.attach_role_policy().role_name(name).policy_arn(arn);
                let sent = self.settled(of_policy(operation, arn), fresh, async || {
                    request.clone().send().await
                });
                let sent = sent.await.map(drop).map_err(call(operation));
                sent.with_context(|| format!("failed to attach `{arn}` to role `{name}`"))
            }
            Action::Put(policy, document) => {
                let operation = "iam:PutRolePolicy";
                let request = client.put_role_policy().role_name(name).policy_name(policy);
                let request = request.policy_document(document.to_string());
                let sent = self.settled(of_policy(operation, policy), fresh, async || {
                    request.clone().send().await
                });
                let sent = sent.await.map(drop).map_err(call(operation));
                sent.with_context(|| format!("failed to put inline policy `{policy}` of role `{name}`"))
            }
            Action::Tag(tags) => {
                let operation = "iam:TagRole";
                let request = client.tag_role().role_name(name).set_tags(tags_to_sdk(tags)?);
                let sent = self.settled(of_role(operation), fresh, async || request.clone().send().await);
                let sent = sent.await.map(drop).map_err(call(operation));
                sent.with_context(|| format!("failed to tag role `{name}`"))
            }
            Action::Detach(arn) => {
                let operation = "iam:DetachRolePolicy";
                let request = client.detach_role_policy().role_name(name).policy_arn(arn);
                let sent = self.settled(of_policy(operation, arn), fresh, async || {
                    request.clone().send().await
                });
                let sent = known(sent.await).map(drop).map_err(call(operation));
                sent.with_context(|| format!("failed to detach `{arn}` from role `{name}`"))
            }
            Action::Delete(policy) => {
                let operation = "iam:DeleteRolePolicy";
                let request = client.delete_role_policy().role_name(name).policy_name(policy);
                let sent = self.settled(of_policy(operation, policy), fresh, async || {
                    request.clone().send().await
                });
                let sent = known(sent.await).map(drop).map_err(call(operation));
                sent.with_context(|| format!("failed to delete inline policy `{policy}` of role `{name}`"))
            }
        }
    }

    /// Tries again while two requests have met, and while IAM does not know everywhere what was made a moment
    /// ago: the role itself, or a principal of its trust policy. `words` are for `Console::sending`.
    pub(crate) async fn settled<T, E, R>(
        &self,
        words: String,
        fresh: bool,
        mut request: impl AsyncFnMut() -> Result<T, SdkError<E, R>>,
    ) -> Result<T, SdkError<E, R>>
    where
        E: ProvideErrorMetadata,
    {
        let retry_reason = |error: &SdkError<E, R>| {
            let error = error.as_service_error()?;
            let message = error.message().unwrap_or_default().to_ascii_lowercase();
            match error.code()? {
                "ConcurrentModification" | "ConcurrentModificationException" | "DeleteConflict" => {
                    Some("somebody else is changing the role".to_owned())
                }
                // Not when it is the policy that is missing.
                MISSING if fresh && message.contains("role") && !message.contains("policy") => {
                    Some("IAM does not know the new role everywhere yet".to_owned())
                }
                "MalformedPolicyDocument" if message.contains("invalid principal") => {
                    Some("IAM does not know a principal of the trust policy (yet)".to_owned())
                }
                _ => None,
            }
        };
        let attempt = async || self.console.in_flight(words.as_str(), request()).await;
        let patience = if fresh { SHOWING } else { SETTLING };
        patience.retry(self.console, retry_reason, attempt).await
    }
}

//! The calls that change a role.

use crate::client::{Iam, MISSING, known, tags_to_sdk};
use crate::plan::Action;
use crate::resource::PROPAGATION;
use anyhow::{Context, Result};
use aws_sdk_iam::error::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use common::aws::call;
use reconcile::Backoff;
use std::error::Error;
use std::time::Duration;

/// How long two conflicting requests may take, and a new principal to propagate. One that stays unknown is wrong.
const CONFLICT: Backoff = Backoff {
    max_elapsed: Duration::from_secs(20),
    ..Backoff::PROPAGATION
};

impl Iam<'_> {
    /// Sends one call; `just_created` when the role was created a moment ago.
    ///
    /// # Errors
    /// When IAM refuses.
    pub(crate) async fn perform(&self, name: &str, action: &Action, just_created: bool) -> Result<()> {
        let iam = &self.client;
        let of_role = |operation: &str| format!("{operation} for role `{name}`");
        let of_policy =
            |operation: &str, policy: &str| format!("{operation} of `{policy}` for role `{name}`");
        let (what, result) = match action {
            Action::Trust(document) => {
                let operation = "iam:UpdateAssumeRolePolicy";
                let request = iam.update_assume_role_policy().role_name(name);
                let request = request.policy_document(document.to_string());
                let send = async || request.clone().send().await;
                let sent = self.send(of_role(operation), just_created, send).await;
                let what = format!("change the trust policy of role `{name}`");
                (what, sent.map(drop).map_err(call(operation)))
            }
            Action::Bound(arn) => {
                let operation = "iam:PutRolePermissionsBoundary";
                let request = iam.put_role_permissions_boundary().role_name(name);
                let request = request.permissions_boundary(arn);
                let send = async || request.clone().send().await;
                let sent = self.send(of_policy(operation, arn), just_created, send).await;
                let what = format!("set the permissions boundary of role `{name}`");
                (what, sent.map(drop).map_err(call(operation)))
            }
            Action::Attach(arn) => {
                let operation = "iam:AttachRolePolicy";
                let request = iam.attach_role_policy().role_name(name).policy_arn(arn);
                let send = async || request.clone().send().await;
                let sent = self.send(of_policy(operation, arn), just_created, send).await;
                let what = format!("attach `{arn}` to role `{name}`");
                (what, sent.map(drop).map_err(call(operation)))
            }
            Action::Put(policy, document) => {
                let operation = "iam:PutRolePolicy";
                let request = iam.put_role_policy().role_name(name).policy_name(policy);
                let request = request.policy_document(document.to_string());
                let send = async || request.clone().send().await;
                let sent = self.send(of_policy(operation, policy), just_created, send).await;
                let what = format!("put inline policy `{policy}` of role `{name}`");
                (what, sent.map(drop).map_err(call(operation)))
            }
            Action::Tag(tags) => {
                let operation = "iam:TagRole";
                let request = iam.tag_role().role_name(name).set_tags(tags_to_sdk(tags)?);
                let send = async || request.clone().send().await;
                let sent = self.send(of_role(operation), just_created, send).await;
                (
                    format!("tag role `{name}`"),
                    sent.map(drop).map_err(call(operation)),
                )
            }
            Action::Detach(arn) => {
                let operation = "iam:DetachRolePolicy";
                let request = iam.detach_role_policy().role_name(name).policy_arn(arn);
                let send = async || request.clone().send().await;
                let sent = self.send(of_policy(operation, arn), just_created, send).await;
                let what = format!("detach `{arn}` from role `{name}`");
                (what, known(sent).map(drop).map_err(call(operation)))
            }
            Action::Delete(policy) => {
                let operation = "iam:DeleteRolePolicy";
                let request = iam.delete_role_policy().role_name(name).policy_name(policy);
                let send = async || request.clone().send().await;
                let sent = self.send(of_policy(operation, policy), just_created, send).await;
                let what = format!("delete inline policy `{policy}` of role `{name}`");
                (what, known(sent).map(drop).map_err(call(operation)))
            }
        };
        result.with_context(|| format!("failed to {what}"))
    }

    /// Sends a request, and again while another request conflicts with it, or IAM has not propagated what was created
    /// a moment ago: the role itself, or a principal of its trust policy. `words` are for [`cli::Console::in_flight`].
    pub(crate) async fn send<T, E: ProvideErrorMetadata + Error, R>(
        &self,
        words: String,
        just_created: bool,
        mut request: impl AsyncFnMut() -> Result<T, SdkError<E, R>>,
    ) -> Result<T, SdkError<E, R>> {
        let retry_reason = |error: &SdkError<E, R>| {
            let error = error.as_service_error()?;
            // IAM has one code for several cases; only the text of its message differs.
            let message = error.message().unwrap_or_default().to_ascii_lowercase();
            match error.code()? {
                "ConcurrentModification" | "ConcurrentModificationException" | "DeleteConflict" => {
                    Some("another caller is changing the role".to_owned())
                }
                // Not when it is the policy that does not exist.
                MISSING if just_created && message.contains("role") && !message.contains("policy") => {
                    Some("IAM has not propagated the new role yet".to_owned())
                }
                "MalformedPolicyDocument" if message.contains("invalid principal") => {
                    Some("a principal of the trust policy does not exist (yet)".to_owned())
                }
                _ => None,
            }
        };
        let attempt = async || self.console.in_flight(words.as_str(), request()).await;
        let backoff = if just_created { PROPAGATION } else { CONFLICT };
        backoff.retry(self.console, retry_reason, attempt).await
    }
}

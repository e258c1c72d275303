//! The calls that change a role.

use crate::client::{Iam, MISSING, known, tags_to_iam};
use crate::plan::Action;
use crate::resource::PROPAGATION;
use anyhow::{Context, Result};
use cli::Failure;
use common::aws::CallError;
use reconcile::Backoff;
use serde_json::{Value, json};
use std::time::Duration;

/// How long two conflicting requests may take, and a new principal to propagate. One that stays unknown is wrong.
const CONFLICT: Backoff = Backoff {
    max_elapsed: Duration::from_secs(20),
    ..Backoff::PROPAGATION
};

/// The call for an action, and what it is for.
struct Call {
    operation: &'static str,
    request: Value,
    /// After "failed to".
    purpose: String,
    /// The policy that the call is about.
    policy: Option<String>,
    /// Whether the call removes something: then a thing that does not exist is no error.
    removes: bool,
}

impl Call {
    fn of(name: &str, action: &Action) -> Self {
        let call = |operation, request, purpose| Call {
            operation,
            request,
            purpose,
            policy: None,
            removes: false,
        };
        let about = |policy: &String, call: Call| Call {
            policy: Some(policy.clone()),
            ..call
        };
        match action {
            Action::Trust(document) => call(
                "UpdateAssumeRolePolicy",
                json!({"RoleName": name, "PolicyDocument": document.to_string()}),
                format!("change the trust policy of role `{name}`"),
            ),
            Action::Bound(arn) => about(
                arn,
                call(
                    "PutRolePermissionsBoundary",
                    json!({"RoleName": name, "PermissionsBoundary": arn}),
                    format!("set the permissions boundary of role `{name}`"),
                ),
            ),
            Action::Attach(arn) => about(
                arn,
                call(
                    "AttachRolePolicy",
                    json!({"RoleName": name, "PolicyArn": arn}),
                    format!("attach `{arn}` to role `{name}`"),
                ),
            ),
            Action::Put(policy, document) => about(
                policy,
                call(
                    "PutRolePolicy",
                    json!({"RoleName": name, "PolicyName": policy, "PolicyDocument": document.to_string()}),
                    format!("put inline policy `{policy}` of role `{name}`"),
                ),
            ),
            Action::Tag(tags) => call(
                "TagRole",
                json!({"RoleName": name, "Tags": tags_to_iam(tags)}),
                format!("tag role `{name}`"),
            ),
            Action::Detach(arn) => Call {
                removes: true,
                ..about(
                    arn,
                    call(
                        "DetachRolePolicy",
                        json!({"RoleName": name, "PolicyArn": arn}),
                        format!("detach `{arn}` from role `{name}`"),
                    ),
                )
            },
            Action::Delete(policy) => Call {
                removes: true,
                ..about(
                    policy,
                    call(
                        "DeleteRolePolicy",
                        json!({"RoleName": name, "PolicyName": policy}),
                        format!("delete inline policy `{policy}` of role `{name}`"),
                    ),
                )
            },
        }
    }
}

impl Iam<'_> {
    /// Sends one call; `just_created` when the role was created a moment ago.
    ///
    /// # Errors
    /// When IAM refuses.
    pub(crate) async fn perform(&self, name: &str, action: &Action, just_created: bool) -> Result<()> {
        let call = Call::of(name, action);
        let policy = call
            .policy
            .map(|policy| format!(" of `{policy}`"))
            .unwrap_or_default();
        let words = format!("iam:{}{policy} for role `{name}`", call.operation);
        let mut sent = self
            .send(call.operation, &call.request, words, just_created)
            .await;
        if call.removes {
            sent = known(sent).map(drop);
        }
        sent.map_err(Failure::from)
            .with_context(|| format!("failed to {}", call.purpose))
    }

    /// Sends a request, and again while another request conflicts with it, or IAM has not propagated what was created
    /// a moment ago: the role itself, or a principal of its trust policy. `words` are for [`cli::Console::in_flight`].
    pub(crate) async fn send(
        &self,
        operation: &str,
        request: &Value,
        words: String,
        just_created: bool,
    ) -> Result<(), CallError> {
        let retry_reason = |error: &CallError| {
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
        // An attempt that got no response may have been applied, also when a later one is refused for another reason.
        let mut applied = false;
        let attempt = async || {
            let call = self.client.call(operation, request);
            let sent = self.console.in_flight(words.as_str(), call).await;
            sent.map(drop).map_err(|error| {
                applied |= error.may_have_applied();
                error.or_applied(applied)
            })
        };
        let backoff = if just_created { PROPAGATION } else { CONFLICT };
        backoff.retry(self.console, retry_reason, attempt).await
    }
}

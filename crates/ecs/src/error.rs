//! Calls to ECS that failed, and what a caller decides by them.

use cli::{ErrorKind, Failure};
use common::aws::CallError;
use common::aws::PASS_ROLE_HINT;

/// A call to ECS that failed.
#[derive(Debug)]
pub struct EcsError {
    failure: Box<Failure>,
    kind: ErrorKind,
    code: Option<String>,
    reason: Reason,
    may_have_applied: bool,
}

/// Why ECS refused a call, as far as callers act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The cluster does not exist, or is not visible yet.
    ClusterNotFound,
    /// The Cloud Map namespace does not exist, or is not visible yet.
    NamespaceNotFound,
    /// The task definition does not exist.
    TaskDefinitionNotFound,
    /// The service does not exist, or was deleted.
    ServiceNotFound,
    /// A service of this name exists.
    ServiceExists,
    /// A cluster of this name exists, with other properties.
    ClusterDiffers,
    /// The service-linked role of ECS does not exist, or is not usable yet.
    ServiceLinkedRole,
    /// ECS can't assume a role of the task, or does not find it.
    Role,
    /// The caller may not pass a role to ECS.
    PassRole,
    /// Another caller registers a revision of the same family.
    ConcurrentRegistration,
    /// Another update of the same cluster is in progress.
    UpdateInProgress,
    /// The endpoint does not have the operation.
    Unsupported,
    /// None of these.
    Other,
}

impl Reason {
    /// ECS has no code of its own for half of these. Its message decides there; this is the one place that reads it.
    fn of(code: &str, message: &str) -> Self {
        let contains = |words: &str| message.contains(words);
        match code {
            "ClusterNotFoundException" => Reason::ClusterNotFound,
            "NamespaceNotFoundException" => Reason::NamespaceNotFound,
            "ServiceNotFoundException" | "ServiceNotActiveException" => Reason::ServiceNotFound,
            "UpdateInProgressException" => Reason::UpdateInProgress,
            "UnsupportedFeatureException" | "UnknownOperationException" | "InvalidAction" => {
                Reason::Unsupported
            }
            "AccessDeniedException" if contains("iam:PassRole") => Reason::PassRole,
            "ClientException" if contains("Unable to describe task definition") => {
                Reason::TaskDefinitionNotFound
            }
            "ClientException" if contains("Too many concurrent attempts") => Reason::ConcurrentRegistration,
            "InvalidParameterException"
                if contains("Arguments on this idempotent request are inconsistent") =>
            {
                Reason::ClusterDiffers
            }
            "InvalidParameterException" if contains("not idempotent") => Reason::ServiceExists,
            _ if contains("nable to assume the service linked role") => Reason::ServiceLinkedRole,
            _ if contains("nable to assume the role") || contains("Role is not valid") => Reason::Role,
            _ => Reason::Other,
        }
    }

    /// Why a call that was refused for this reason may succeed in a moment: AWS is eventually consistent, and what
    /// was created a moment ago is not visible everywhere.
    pub fn retry_reason(self) -> Option<&'static str> {
        match self {
            Reason::ServiceLinkedRole => Some("the service-linked role of ECS is not usable yet"),
            Reason::Role => Some("ECS can't assume the task's role yet"),
            Reason::NamespaceNotFound => Some("the new namespace is not visible everywhere yet"),
            Reason::ClusterNotFound => Some("the new cluster is not visible everywhere yet"),
            _ => None,
        }
    }
}

impl EcsError {
    /// A response that was read and is not usable.
    pub fn response(message: impl Into<String>) -> Self {
        let kind = ErrorKind::Other;
        EcsError {
            failure: Box::new(Failure::error(message).kind(kind)),
            kind,
            code: None,
            reason: Reason::Other,
            may_have_applied: false,
        }
    }

    /// The response of `operation` (`RunTask`) lacks `field`.
    pub fn omitted(operation: &str, field: &str) -> Self {
        Self::response(format!("ecs:{operation} response omitted `{field}`"))
    }

    /// The code that ECS gave; `None` when it did not answer.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Why ECS refused the call.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Whether the call may have changed something: no response, or one that only reports an internal error of ECS.
    pub fn may_have_applied(&self) -> bool {
        self.may_have_applied
    }

    /// With another hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.failure = Box::new(self.failure.hint(hint));
        self
    }

    /// The error below `message`, as anyhow's own `context` makes it.
    pub fn context(self, message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::from(self).context(message.into())
    }
}

impl From<CallError> for EcsError {
    fn from(error: CallError) -> Self {
        let code = error.code().map(str::to_owned);
        let reason = Reason::of(
            code.as_deref().unwrap_or_default(),
            error.message().unwrap_or_default(),
        );
        let (kind, may_have_applied) = (error.kind(), error.may_have_applied());
        let failure = Failure::from(error);
        EcsError {
            failure: Box::new(match reason {
                Reason::PassRole => failure.hint(PASS_ROLE_HINT),
                _ => failure,
            }),
            kind,
            code,
            reason,
            may_have_applied,
        }
    }
}

impl From<EcsError> for Failure {
    fn from(error: EcsError) -> Self {
        *error.failure
    }
}

impl From<EcsError> for anyhow::Error {
    fn from(error: EcsError) -> Self {
        (*error.failure).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_comes_from_the_code_and_else_from_the_message() {
        let role = "ECS was unable to assume the role 'x' that was provided for this task.";
        for (code, message, expected) in [
            (
                "ClusterNotFoundException",
                "Cluster not found.",
                Reason::ClusterNotFound,
            ),
            ("NamespaceNotFoundException", "", Reason::NamespaceNotFound),
            ("ServiceNotActiveException", "", Reason::ServiceNotFound),
            ("UpdateInProgressException", "", Reason::UpdateInProgress),
            (
                "ClientException",
                "Unable to describe task definition.",
                Reason::TaskDefinitionNotFound,
            ),
            (
                "AnotherException",
                "Unable to describe task definition.",
                Reason::Other,
            ),
            (
                "InvalidParameterException",
                "Creation of service was not idempotent.",
                Reason::ServiceExists,
            ),
            (
                "InvalidParameterException",
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
                Reason::ClusterDiffers,
            ),
            (
                "InvalidParameterException",
                "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
                Reason::ServiceLinkedRole,
            ),
            ("ClientException", role, Reason::Role),
            ("ClientException", "Role is not valid", Reason::Role),
            (
                "ClientException",
                "Too many concurrent attempts to create a new revision of the specified family.",
                Reason::ConcurrentRegistration,
            ),
            (
                "AccessDeniedException",
                "User: ci is not authorized to perform: iam:PassRole on resource: x",
                Reason::PassRole,
            ),
            ("AccessDeniedException", "no", Reason::Other),
            ("", "", Reason::Other),
        ] {
            assert_eq!(Reason::of(code, message), expected, "{code}: {message}");
        }
    }
}

//! Calls to AWS that did not go through, and which of them heal.

use anyhow::Result;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use cli::Failure;
use common::aws::{PASS_ROLE_HINT, call};
use std::error::Error;

/// A call that did not go through.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Empty when AWS has not answered.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) failure: Failure,
}

impl From<Refusal> for anyhow::Error {
    fn from(refusal: Refusal) -> Self {
        refusal.failure.into()
    }
}

/// anyhow's [`Context`] for refusals: they become the failure that they carry, with what was being done.
pub(crate) trait RefusalContext<T> {
    /// As anyhow has it.
    fn context(self, what: impl Into<String>) -> Result<T>;
    /// As anyhow has it.
    fn with_context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> RefusalContext<T> for Result<T, Refusal> {
    fn context(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|refusal| anyhow::Error::from(refusal).context(what.into()))
    }

    fn with_context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|refusal| anyhow::Error::from(refusal).context(what()))
    }
}

impl Refusal {
    pub(crate) fn of<E, R>(operation: &str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let service = error.as_service_error();
        let code = service.and_then(ProvideErrorMetadata::code).unwrap_or_default();
        let message = service
            .and_then(ProvideErrorMetadata::message)
            .unwrap_or_default();
        Refusal {
            code: code.to_owned(),
            message: message.to_owned(),
            failure: call(operation)(error),
        }
    }

    /// With another hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.failure = self.failure.hint(hint);
        self
    }

    /// Whether ECS does not know the cluster.
    pub(crate) fn no_cluster(&self) -> bool {
        self.code == "ClusterNotFoundException"
    }

    /// Whether there was no answer of AWS at all, for want of a connection.
    pub(crate) fn is_network(&self) -> bool {
        self.code.is_empty() && !self.failure.to_string().contains("credentials")
    }

    /// Whether it may go through at the next attempt: a broken connection, throttling.
    pub(crate) fn passes(&self) -> bool {
        matches!(
            self.code.as_str(),
            "ThrottlingException"
                | "Throttling"
                | "TooManyRequestsException"
                | "ServerException"
                | "InternalFailure"
                | "InternalServerError"
                | "ServiceUnavailable"
                | "ServiceUnavailableException"
        ) || self.is_network()
    }

    /// What to do, where ECS's words leave it open.
    pub(crate) fn explained(self, cluster: &str) -> Self {
        match self.code.as_str() {
            "ClusterNotFoundException" => {
                let hint = format!("`create-cluster` makes cluster `{cluster}`");
                self.hint(hint)
            }
            "NamespaceNotFoundException" => self
                .hint("`create-cluster` makes the namespace of `service_connect_namespace`; a service can't"),
            "AccessDeniedException" if self.message.contains("iam:PassRole") => self.hint(PASS_ROLE_HINT),
            _ => self,
        }
    }

    /// Whether the caller may not.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.code.as_str(), "AccessDeniedException" | "AccessDenied")
    }

    /// Whether there is no such call where it was sent.
    pub(crate) fn is_unsupported(&self) -> bool {
        let is_unreadable = self.failure.to_string().contains("was answered with something");
        let unknown = [
            "UnsupportedFeatureException",
            "UnknownOperationException",
            "InvalidAction",
        ];
        is_unreadable || unknown.contains(&self.code.as_str())
    }

    /// Why it may go through in a moment: what was made just now is not known everywhere.
    pub(crate) fn heals(&self) -> Option<String> {
        let says = |words: &str| self.message.contains(words);
        if says("nable to assume the service linked role") {
            Some("the service-linked role of ECS is not usable yet".into())
        } else if says("nable to assume the role") || says("Role is not valid") {
            Some("ECS can't assume the task's role yet".into())
        } else if self.code == "NamespaceNotFoundException" {
            Some("the namespace is not known everywhere yet".into())
        } else {
            None
        }
    }
}

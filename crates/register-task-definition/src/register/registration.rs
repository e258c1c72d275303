//! The call that registers a revision. It is not idempotent: when there is no response, the latest revision is read
//! before the call is sent again.

use crate::plan::Plan;
use anyhow::Result;
use aws_documents::Values;
use cli::{Console, ErrorKind};
use ecs::{EcsClient, EcsError, Reason, TaskDefinition};
use reconcile::backoff::Backoff;
use reconcile::{Tags, tags};
use serde_json::Value;
use std::time::Duration;

/// How often the call is sent when there is no response: the SDK's own number of attempts.
const ATTEMPTS: u32 = 3;

/// How long ECS gets to finish a call without a response before the revision is read; doubled the second time.
const PAUSE: Duration = Duration::from_millis(500);

/// The result of a registration.
pub(super) enum Registered {
    /// This run registered the revision.
    New(TaskDefinition),
    /// Another run registered the same definition in the meantime.
    Existing(TaskDefinition),
}

/// The revision with its tags; `None` when it does not exist.
///
/// # Errors
/// When the call fails.
pub(crate) async fn describe(ecs: &EcsClient, reference: &str) -> Result<Option<TaskDefinition>> {
    let described = ecs.describe_task_definition(reference, &["TAGS"]).await;
    described.map_err(|error| error.context(format!("failed to describe task definition `{reference}`")))
}

/// What is registered.
pub(super) struct Registration<'a> {
    pub(super) ecs: &'a EcsClient,
    pub(super) console: &'a Console,
    pub(super) family: &'a str,
    pub(super) definition: &'a Value,
    pub(super) tags: &'a Tags,
}

impl Registration<'_> {
    /// Registers the definition. Retries what is transient: a concurrent registration, a role that was created a moment
    /// ago, throttling.
    pub(super) async fn register(&self, role_is_new: Option<bool>) -> Result<Registered> {
        let mut request = self.definition.clone();
        if let Some(members) = request.as_object_mut().filter(|_| !self.tags.is_empty()) {
            members.insert("tags".to_owned(), tags::to_json(self.tags));
        }
        let backoff = match role_is_new {
            Some(true) => Backoff::PROPAGATION,
            _ => Backoff::CONFLICT,
        };
        let retry_reason = |error: &EcsError| match error.reason() {
            _ if error.kind() == ErrorKind::Throttled => Some("ECS is throttling".to_owned()),
            _ if error.may_have_applied() => None,
            Reason::ConcurrentRegistration => Some("another caller is registering a revision".to_owned()),
            Reason::Role | Reason::PassRole if role_is_new != Some(false) => {
                Some("the new role is not visible to ECS everywhere yet".to_owned())
            }
            _ => None,
        };
        // Whether a call of this run may have been applied, and whether another caller was registering a revision.
        let (mut unsure, mut concurrent) = (false, false);
        let attempt = async || {
            if concurrent && let Ok(Some(latest)) = self.latest_if_desired().await {
                return Ok(if unsure {
                    Registered::New(latest)
                } else {
                    Registered::Existing(latest)
                });
            }
            let words = format!("ecs:RegisterTaskDefinition for task definition `{}`", self.family);
            let sent = self.send(&request, &mut unsure);
            let result = self.console.in_flight(words, sent).await;
            concurrent = matches!(&result, Err(error) if error.reason() == Reason::ConcurrentRegistration);
            result.map(Registered::New)
        };
        let registered = backoff.retry(self.console, retry_reason, attempt).await;
        let context = || format!("failed to register task definition `{}`", self.family);
        registered.map_err(|error| error.context(context()))
    }

    /// Sends the call. When there is no response, reads the latest revision, and sends the call again only when that is
    /// not the desired one.
    async fn send(&self, request: &Value, unsure: &mut bool) -> Result<TaskDefinition, EcsError> {
        let mut attempt = 1;
        loop {
            let error = match self.ecs.register_task_definition(request).await {
                Err(error) if error.may_have_applied() && error.kind() != ErrorKind::Throttled => error,
                other => return other,
            };
            *unsure = true;
            tokio::time::sleep(PAUSE * attempt).await;
            match self.latest_if_desired().await {
                Ok(Some(latest)) => {
                    self.console
                        .debug("no response to ecs:RegisterTaskDefinition: it was applied");
                    return Ok(latest);
                }
                Ok(None) if attempt < ATTEMPTS => {
                    self.console.debug(
                        "no response to ecs:RegisterTaskDefinition: it was not applied, sending it again",
                    );
                }
                Ok(None) | Err(_) => return Err(error),
            }
            attempt += 1;
        }
    }

    /// The latest revision, when it is the desired one.
    async fn latest_if_desired(&self) -> Result<Option<TaskDefinition>> {
        let latest = describe(self.ecs, self.family).await?;
        let is_desired = |latest: &TaskDefinition| {
            Plan::new(self.definition, self.tags, Some(latest), Values::Hidden) == Plan::Nothing
        };
        Ok(latest.filter(is_desired))
    }
}

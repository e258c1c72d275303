//! Task definitions in ECS, as plain JSON on both ways: a field that this build of the SDK does not know yet
//! is neither lost when it is compared nor when it is registered.

use anyhow::{Context, Result};
use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::Config;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::operation::register_task_definition::RegisterTaskDefinitionError;
use aws_sdk_ecs::types::{Tag, TaskDefinitionField};
use cli::{ErrorKind, Failure};
use common::aws::json::RawJsonBody;
use common::aws::{PASS_ROLE_HINT, UNSURE_HINT, call, is_throttling};
use reconcile::Tags;
use reconcile::tags;
use serde_json::Value;

/// ECS, for one run.
pub(crate) struct EcsClient {
    client: Client,
}

/// A registered revision.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TaskDefinition {
    /// What stands under `taskDefinition`.
    pub(crate) definition: Value,
    pub(crate) tags: Tags,
}

impl TaskDefinition {
    /// Its ARN.
    pub(crate) fn arn(&self) -> &str {
        text(&self.definition, "taskDefinitionArn")
    }

    /// Its number in the family.
    pub(crate) fn revision(&self) -> Option<i64> {
        self.definition.get("revision").and_then(Value::as_i64)
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl EcsClient {
    pub(crate) fn new(client: Client) -> Self {
        EcsClient { client }
    }

    /// `FAMILY:REVISION`, or the latest active revision of `FAMILY`; `None` when there is none.
    ///
    /// # Errors
    /// When ECS says anything but that it is not there.
    pub(crate) async fn describe_task_definition(
        &self,
        name: &str,
        _: &[&str],
    ) -> Result<Option<TaskDefinition>> {
        let exchange = RawJsonBody::default();
        let request = self
            .client
            .describe_task_definition()
            .task_definition(name)
            .include(TaskDefinitionField::Tags);
        let sent = request.customize().interceptor(exchange.clone()).send().await;
        let read = match sent {
            Ok(_) => task_definition(exchange.answer(), "ecs:DescribeTaskDefinition"),
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => Err(call("ecs:DescribeTaskDefinition")(error)),
        };
        read.map(Some)
            .with_context(|| format!("failed to describe task definition `{name}`"))
    }

    /// Registers `request`, the body of the call. It is not idempotent, so the SDK makes one attempt of it.
    pub(crate) async fn register_task_definition(&self, request: &Value) -> Result<TaskDefinition, EcsError> {
        let exchange = RawJsonBody::sending(request);
        let operation = self
            .client
            .register_task_definition()
            .family(text(request, "family"))
            .customize()
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .interceptor(exchange.clone());
        match operation.send().await {
            Ok(_) => {
                task_definition(exchange.answer(), "ecs:RegisterTaskDefinition").map_err(|failure| EcsError {
                    failure,
                    kind: ErrorKind::Other,
                    reason: Reason::Other,
                    may_have_applied: false,
                })
            }
            Err(error) => Err(EcsError::of(error)),
        }
    }

    /// Sets tags of a revision that stays as it is.
    ///
    /// # Errors
    /// When ECS refuses.
    pub(crate) async fn tag_resource(&self, arn: &str, tags: &Tags) -> Result<()> {
        let tags = tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build());
        let request = self.client.tag_resource().resource_arn(arn);
        let result = request.set_tags(Some(tags.collect())).send().await;
        result
            .map_err(call("ecs:TagResource"))
            .with_context(|| format!("failed to tag task definition `{arn}`"))?;
        Ok(())
    }
}

/// A registration that failed.
#[derive(Debug)]
pub(crate) struct EcsError {
    failure: Failure,
    kind: ErrorKind,
    reason: Reason,
    may_have_applied: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    ConcurrentRegistration,
    Role,
    PassRole,
    Other,
}

impl EcsError {
    fn of(error: SdkError<RegisterTaskDefinitionError>) -> Self {
        let (code, message) = match error.as_service_error() {
            Some(service) => (service.code(), service.message().unwrap_or_default()),
            None => (None, ""),
        };
        let reason = match code {
            Some("ClientException") if message.contains("Too many concurrent attempts") => {
                Reason::ConcurrentRegistration
            }
            Some("ClientException") if message.contains("Role is not valid") => Reason::Role,
            Some("AccessDeniedException") if message.contains("iam:PassRole") => Reason::PassRole,
            _ => Reason::Other,
        };
        let kind = if code.is_some_and(is_throttling) {
            ErrorKind::Throttled
        } else {
            ErrorKind::Other
        };
        let may_have_applied = is_unanswered(&error);
        let failure = call("ecs:RegisterTaskDefinition")(error);
        let failure = match reason {
            Reason::PassRole => failure.hint(PASS_ROLE_HINT),
            _ if may_have_applied && kind != ErrorKind::Throttled => failure.hint(UNSURE_HINT),
            _ => failure,
        };
        EcsError {
            failure,
            kind,
            reason,
            may_have_applied,
        }
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn reason(&self) -> Reason {
        self.reason
    }

    pub(crate) fn may_have_applied(&self) -> bool {
        self.may_have_applied
    }

    pub(crate) fn context(self, message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::from(self.failure).context(message.into())
    }
}

impl From<EcsError> for Failure {
    fn from(error: EcsError) -> Self {
        error.failure
    }
}

/// Whether ECS may have done it: no answer came back, or one that tells only of a diagnostic of ECS itself.
fn is_unanswered<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::ServiceError(context) => context.raw().status().is_server_error(),
        _ => true,
    }
}

/// ECS has no code of its own for it.
fn is_missing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().is_some_and(|error| {
        let message = error.message().unwrap_or_default();
        error.code() == Some("ClientException") && message.contains("Unable to describe task definition")
    })
}

/// What was answered, when it names the revision.
fn task_definition(mut answer: Value, operation: &str) -> Result<TaskDefinition, Failure> {
    let mut definition = answer
        .get_mut("taskDefinition")
        .map(Value::take)
        .unwrap_or_default();
    // AWS leaves out what was not given; others that speak its language show it as an empty text.
    if let Some(members) = definition.as_object_mut() {
        members.retain(|_, value| value.as_str() != Some(""));
    }
    if text(&definition, "taskDefinitionArn").is_empty() {
        return Err(Failure::error(format!(
            "{operation} answered without `taskDefinitionArn`"
        )));
    }
    Ok(TaskDefinition {
        definition,
        tags: tags::of_json(&answer),
    })
}

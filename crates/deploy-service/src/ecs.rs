//! ECS, as plain JSON on both ways: a field that this build of the SDK does not know yet is neither lost when a
//! service is compared nor when it is made.

use crate::service::{Service, list, text};
use anyhow::Result;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::Intercept;
use aws_sdk_ecs::error::SdkError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use common::aws::call;
use common::config::{Place, partition_of};
use common::{Failure, Tags};
use serde_json::{Value, json};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

/// ECS, for one cluster.
pub(crate) struct Ecs {
    client: Client,
    pub(crate) cluster: String,
}

/// A call that did not go through.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Empty when ECS has not answered.
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
    fn of<E, R>(operation: &str, error: SdkError<E, R>) -> Self
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

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.failure = self.failure.hint(hint);
        self
    }

    /// Whether ECS does not know the cluster.
    pub(crate) fn no_cluster(&self) -> bool {
        self.code == "ClusterNotFoundException"
    }

    /// Whether there was no answer of ECS at all, for want of a connection.
    pub(crate) fn is_network(&self) -> bool {
        self.code.is_empty() && !self.failure.to_string().contains("credentials")
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
            "AccessDeniedException" if self.message.contains("iam:PassRole") => self.hint(
                "allow `iam:PassRole` on the two roles, with iam:PassedToService ecs-tasks.amazonaws.com",
            ),
            _ => self,
        }
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

/// Keeps the body of the last answer.
#[derive(Clone, Debug, Default)]
struct Answer(Arc<Mutex<Vec<u8>>>);

impl Intercept for Answer {
    fn name(&self) -> &'static str {
        "Answer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}

impl Answer {
    fn json(&self) -> Value {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice(&body).unwrap_or_default()
    }
}

/// Sends one call with this body.
macro_rules! send {
    ($request:expr, $operation:literal, $body:expr) => {{
        let answer = Answer::default();
        let body: Value = $body;
        let body = body.to_string();
        let sent = $request
            .customize()
            .interceptor(answer.clone())
            // Before it is signed.
            .mutate_request(move |request| {
                request
                    .headers_mut()
                    .insert("content-length", body.len().to_string());
                *request.body_mut() = SdkBody::from(body.as_str());
            })
            .send()
            .await;
        match sent {
            Ok(_) => Ok(answer.json()),
            Err(error) => Err(Refusal::of($operation, error)),
        }
    }};
}

impl Ecs {
    pub(crate) fn new(client: Client, cluster: &str) -> Self {
        Ecs {
            client,
            cluster: cluster.to_owned(),
        }
    }

    /// The service; `None` when ECS lists none of this name.
    pub(crate) async fn service(&self, name: &str) -> Result<Option<Service>, Refusal> {
        let body = json!({"cluster": self.cluster, "services": [name], "include": ["TAGS"]});
        let answer = send!(
            self.client.describe_services().services(name),
            "ecs:DescribeServices",
            body
        )?;
        let found = list(&answer, "services").first().cloned();
        if found.is_none()
            && let Some(failure) = list(&answer, "failures").first()
            && text(failure, "reason") != "MISSING"
        {
            let reason = text(failure, "reason");
            return Err(Refusal {
                code: reason.to_owned(),
                message: String::new(),
                failure: Failure::could_not(format!("ecs:DescribeServices answered {reason}")),
            });
        }
        Ok(found.map(Service::of))
    }

    /// Whether the cluster is listed, if only as one that is being made.
    pub(crate) async fn cluster_exists(&self) -> Result<bool, Refusal> {
        let body = json!({"clusters": [self.cluster]});
        let answer = send!(self.client.describe_clusters(), "ecs:DescribeClusters", body)?;
        let mut clusters = list(&answer, "clusters").iter();
        Ok(clusters.any(|cluster| matches!(text(cluster, "status"), "ACTIVE" | "PROVISIONING")))
    }

    /// `FAMILY:REVISION`, or the latest active revision of `FAMILY`; `None` when there is none.
    ///
    /// # Errors
    /// When ECS says anything but that it is not there.
    pub(crate) async fn task_definition(&self, name: &str) -> Result<Option<Value>> {
        let body = json!({"taskDefinition": name});
        let sent = send!(
            self.client.describe_task_definition().task_definition(name),
            "ecs:DescribeTaskDefinition",
            body
        );
        match sent {
            Ok(mut answer) => Ok(answer.get_mut("taskDefinition").map(Value::take)),
            Err(refusal)
                if refusal.code == "ClientException"
                    && refusal.message.contains("Unable to describe task definition") =>
            {
                Ok(None)
            }
            Err(refusal) => {
                Err(refusal).with_context(|| format!("failed to describe task definition `{name}`"))
            }
        }
    }

    /// The active revisions of `family`, the newest first.
    pub(crate) async fn revisions(&self, family: &str) -> Result<Vec<String>> {
        let body = json!({"familyPrefix": family, "status": "ACTIVE", "sort": "DESC", "maxResults": 100});
        let answer = send!(
            self.client.list_task_definitions(),
            "ecs:ListTaskDefinitions",
            body
        )
        .with_context(|| format!("failed to list the revisions of `{family}`"))?;
        let arns = list(&answer, "taskDefinitionArns").iter();
        Ok(arns
            .filter_map(Value::as_str)
            .map(|arn| crate::rollout::short(arn).to_owned())
            .filter(|name| name.split(':').next() == Some(family))
            .collect())
    }

    pub(crate) async fn create(&self, body: Value) -> Result<Service, Refusal> {
        send!(self.client.create_service(), "ecs:CreateService", body).map(made)
    }

    pub(crate) async fn update(&self, body: Value) -> Result<Service, Refusal> {
        send!(self.client.update_service(), "ecs:UpdateService", body).map(made)
    }

    pub(crate) async fn tag(&self, arn: &str, tags: &Tags) -> Result<(), Refusal> {
        let body = json!({"resourceArn": arn, "tags": tags_to_json(tags)});
        send!(self.client.tag_resource(), "ecs:TagResource", body).map(drop)
    }

    /// The tasks that `filter` finds, described.
    pub(crate) async fn tasks(&self, filter: Value) -> Result<Vec<Value>, Refusal> {
        let mut body = filter;
        if let Some(members) = body.as_object_mut() {
            members.insert("cluster".into(), self.cluster.as_str().into());
        }
        let answer = send!(self.client.list_tasks(), "ecs:ListTasks", body)?;
        let arns = list(&answer, "taskArns");
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        self.describe_tasks(arns).await
    }

    pub(crate) async fn describe_tasks(&self, arns: &[Value]) -> Result<Vec<Value>, Refusal> {
        let body = json!({"cluster": self.cluster, "tasks": arns});
        let answer = send!(self.client.describe_tasks(), "ecs:DescribeTasks", body)?;
        Ok(list(&answer, "tasks").to_vec())
    }

    pub(crate) async fn stop(&self, task: &str) -> Result<(), Refusal> {
        let body = json!({"cluster": self.cluster, "task": task, "reason": "its command has ended"});
        send!(self.client.stop_task(), "ecs:StopTask", body).map(drop)
    }

    pub(crate) async fn run(&self, body: Value) -> Result<Value, Refusal> {
        send!(self.client.run_task(), "ecs:RunTask", body)
    }
}

fn made(mut answer: Value) -> Service {
    Service::of(answer.get_mut("service").map(Value::take).unwrap_or_default())
}

/// Tags as the calls take them.
pub(crate) fn tags_to_json(tags: &Tags) -> Value {
    let tags = tags
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}));
    tags.collect()
}

/// The ARN that a service has, or will have.
pub(crate) fn service_arn(place: &Place, cluster: &str, service: &str) -> String {
    let Place { account, region } = place;
    let cluster = cluster.rsplit('/').next().unwrap_or_default();
    format!(
        "arn:{}:ecs:{region}:{account}:service/{cluster}/{service}",
        partition_of(region)
    )
}

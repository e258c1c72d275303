//! The client.

use crate::error::{EcsError, Reason};
use common::aws::Aws;
use common::aws::Client;
use common::aws::service::ECS;
use common::json::{list, take, text};
use reconcile::Tags;
use reconcile::tags;
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// The most tasks that DescribeTasks takes (its API reference).
const DESCRIBED_TASKS: usize = 100;

/// ECS in one account and region.
#[derive(Debug)]
pub struct EcsClient {
    client: Client,
    /// For calls that are not idempotent.
    single_attempt: Client,
}

/// A registered revision.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskDefinition {
    /// What stands under `taskDefinition`.
    pub definition: Value,
    /// Its tags, where they were asked for.
    pub tags: Tags,
}

impl TaskDefinition {
    /// The revision in the response of `operation`.
    ///
    /// # Errors
    /// When the response does not name it.
    fn of_answer(answer: Value, operation: &str) -> Result<Self, EcsError> {
        let tags = tags::of_json(&answer);
        let mut definition = take(answer, "taskDefinition");
        // AWS leaves out what was not given; emulators send it as an empty text.
        if let Some(members) = definition.as_object_mut() {
            members.retain(|_, value| value.as_str() != Some(""));
        }
        if text(&definition, "taskDefinitionArn").is_empty() {
            return Err(EcsError::omitted(operation, "taskDefinitionArn"));
        }
        Ok(TaskDefinition { definition, tags })
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        text(&self.definition, "taskDefinitionArn")
    }

    /// Its number in the family.
    pub fn revision(&self) -> Option<i64> {
        self.definition.get("revision").and_then(Value::as_i64)
    }
}

impl EcsClient {
    /// The client for the account and region of `aws`.
    pub fn new(aws: &Aws) -> Self {
        EcsClient {
            client: Client::new(aws, &ECS),
            single_attempt: Client::new(&aws.without_retries(), &ECS),
        }
    }

    /// Sends `body` to `operation` (`UpdateService`), and gives the response.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn call(&self, operation: &str, body: &Value) -> Result<Value, EcsError> {
        Ok(self.client.call(operation, body).await?)
    }

    /// Gives the entries of the list `key` to `visit`, page by page, until it breaks off.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn for_each_page(
        &self,
        operation: &str,
        mut body: Value,
        key: &str,
        mut visit: impl FnMut(&[Value]) -> ControlFlow<()>,
    ) -> Result<(), EcsError> {
        loop {
            let answer = self.call(operation, &body).await?;
            let token = text(&answer, "nextToken");
            let is_last = token.is_empty() || token == text(&body, "nextToken");
            if visit(list(&answer, key)).is_break() || is_last {
                return Ok(());
            }
            if let Some(members) = body.as_object_mut() {
                members.insert("nextToken".into(), token.into());
            }
        }
    }

    /// The service `name` with its tags; `None` when ECS reports that it does not exist.
    ///
    /// # Errors
    /// When the call fails, or the response does not name the service.
    pub async fn describe_service(&self, cluster: &str, name: &str) -> Result<Option<Value>, EcsError> {
        let body = json!({"cluster": cluster, "services": [name], "include": ["TAGS"]});
        self.describe("DescribeServices", &body, "services").await
    }

    /// The cluster `name` with the parts that `include` names; `None` when ECS reports that it does not exist.
    ///
    /// # Errors
    /// When the call fails, or the response does not name the cluster.
    pub async fn describe_cluster(&self, name: &str, include: &[&str]) -> Result<Option<Value>, EcsError> {
        let mut body = json!({"clusters": [name]});
        if let Some(members) = body.as_object_mut().filter(|_| !include.is_empty()) {
            members.insert("include".into(), include.into());
        }
        self.describe("DescribeClusters", &body, "clusters").await
    }

    /// The one resource that `body` names. A response that names neither it nor a failure is never taken for "it
    /// does not exist".
    async fn describe(&self, operation: &str, body: &Value, key: &str) -> Result<Option<Value>, EcsError> {
        let answer = self.call(operation, body).await?;
        if let Some(found) = list(&answer, key).first() {
            return Ok(Some(found.clone()));
        }
        let failure = list(&answer, "failures").first();
        let failure = failure.ok_or_else(|| EcsError::omitted(operation, key))?;
        match (text(failure, "reason"), text(failure, "detail")) {
            ("MISSING", _) => Ok(None),
            (reason, "") => Err(EcsError::response(format!("ecs:{operation} reports {reason}"))),
            (reason, detail) => Err(EcsError::response(format!(
                "ecs:{operation} reports {reason}: {detail}"
            ))),
        }
    }

    /// The revision `FAMILY:REVISION`, or the latest active one of `FAMILY`; `None` when it does not exist.
    ///
    /// # Errors
    /// When the call fails for any other reason.
    pub async fn describe_task_definition(
        &self,
        reference: &str,
        include: &[&str],
    ) -> Result<Option<TaskDefinition>, EcsError> {
        let operation = "DescribeTaskDefinition";
        let mut body = json!({"taskDefinition": reference});
        if let Some(members) = body.as_object_mut().filter(|_| !include.is_empty()) {
            members.insert("include".into(), include.into());
        }
        match self.call(operation, &body).await {
            Ok(answer) => TaskDefinition::of_answer(answer, operation).map(Some),
            Err(error) if error.reason() == Reason::TaskDefinitionNotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Registers `body` in a single attempt: the call is not idempotent, and a repetition may register a second
    /// revision.
    ///
    /// # Errors
    /// When the call fails, or the response does not name the revision.
    pub async fn register_task_definition(&self, body: &Value) -> Result<TaskDefinition, EcsError> {
        let operation = "RegisterTaskDefinition";
        TaskDefinition::of_answer(self.single_attempt.call(operation, body).await?, operation)
    }

    /// Sets `tags` of the resource `arn`; its other tags stay.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn tag_resource(&self, arn: &str, tags: &Tags) -> Result<(), EcsError> {
        let body = json!({"resourceArn": arn, "tags": tags::to_json(tags)});
        self.call("TagResource", &body).await.map(drop)
    }

    /// The ARNs of the tasks of `cluster` that `filter` finds, from all pages.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn list_tasks(&self, cluster: &str, filter: Value) -> Result<Vec<Value>, EcsError> {
        let mut body = filter;
        if let Some(members) = body.as_object_mut() {
            members.insert("cluster".into(), cluster.into());
        }
        let mut arns = Vec::new();
        let visit = |page: &[Value]| {
            arns.extend_from_slice(page);
            ControlFlow::Continue(())
        };
        self.for_each_page("ListTasks", body, "taskArns", visit).await?;
        Ok(arns)
    }

    /// The tasks with these ARNs, as far as ECS lists them. Without an ARN nothing is sent.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn describe_tasks(&self, cluster: &str, arns: &[Value]) -> Result<Vec<Value>, EcsError> {
        let mut tasks = Vec::new();
        for arns in arns.chunks(DESCRIBED_TASKS) {
            let body = json!({"cluster": cluster, "tasks": arns});
            let answer = self.call("DescribeTasks", &body).await?;
            tasks.extend_from_slice(list(&answer, "tasks"));
        }
        Ok(tasks)
    }
}

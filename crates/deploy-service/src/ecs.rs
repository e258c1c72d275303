//! ECS, as plain JSON on both ways: a field that this build of the SDK does not know yet is neither lost when a
//! service is compared nor when it is made.

use crate::refusal::{Refusal, RefusalContext};
use crate::rollout::short;
use crate::service::{Service, list, text};
use anyhow::Result;
use aws_sdk_ecs::Client;
use cli::Failure;
use common::aws::json::RawJsonBody;
use common::config::{AwsTarget, partition_of};
use reconcile::Tags;
use reconcile::tags;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

/// The most tasks that DescribeTasks takes (its API reference).
const DESCRIBED_AT_ONCE: usize = 100;

/// So many successful deployments are looked back on.
const HISTORY: usize = 100;

/// So many pages of them are read: ECS keeps the deployments of 90 days.
const HISTORY_PAGES: usize = 20;

/// The most service revisions that DescribeServiceRevisions takes (its API reference).
const DESCRIBED_REVISIONS: usize = 20;

/// ECS, for one cluster.
pub(crate) struct Ecs {
    client: Client,
    pub(crate) cluster: String,
}

/// Sends one call with this body.
macro_rules! send {
    ($request:expr, $operation:literal, $body:expr) => {{
        let exchange = RawJsonBody::sending(&$body);
        let sent = $request.customize().interceptor(exchange.clone()).send().await;
        match sent {
            Ok(_) => Ok(exchange.answer()),
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
        // An answer that says nothing is not taken for "there is none".
        if answer.get("services").is_none_or(|services| !services.is_array()) {
            return Err(Refusal {
                code: "no-services".into(),
                message: String::new(),
                failure: Failure::error("ecs:DescribeServices answered without `services`"),
            });
        }
        let found = list(&answer, "services").first().cloned();
        if found.is_none()
            && let Some(failure) = list(&answer, "failures").first()
            && text(failure, "reason") != "MISSING"
        {
            let reason = text(failure, "reason");
            return Err(Refusal {
                code: reason.to_owned(),
                message: String::new(),
                failure: Failure::error(format!("ecs:DescribeServices answered {reason}")),
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

    pub(crate) async fn create(&self, body: Value) -> Result<Service, Refusal> {
        send!(self.client.create_service(), "ecs:CreateService", body).map(made)
    }

    pub(crate) async fn update(&self, body: Value) -> Result<Service, Refusal> {
        send!(self.client.update_service(), "ecs:UpdateService", body).map(made)
    }

    pub(crate) async fn tag(&self, arn: &str, tags: &Tags) -> Result<(), Refusal> {
        let body = json!({"resourceArn": arn, "tags": tags::to_json(tags)});
        send!(self.client.tag_resource(), "ecs:TagResource", body).map(drop)
    }

    /// The ARNs of the tasks that `filter` finds, page by page.
    pub(crate) async fn list_tasks(&self, filter: Value) -> Result<Vec<Value>, Refusal> {
        let mut body = filter;
        let mut arns = Vec::new();
        if let Some(members) = body.as_object_mut() {
            members.insert("cluster".into(), self.cluster.as_str().into());
        }
        loop {
            let answer = send!(self.client.list_tasks(), "ecs:ListTasks", body.clone())?;
            arns.extend_from_slice(list(&answer, "taskArns"));
            if !turn(&mut body, &answer) {
                return Ok(arns);
            }
        }
    }

    /// These tasks; none costs no call.
    pub(crate) async fn describe_tasks(&self, arns: &[Value]) -> Result<Vec<Value>, Refusal> {
        let mut tasks = Vec::new();
        for arns in arns.chunks(DESCRIBED_AT_ONCE) {
            let body = json!({"cluster": self.cluster, "tasks": arns});
            let answer = send!(self.client.describe_tasks(), "ecs:DescribeTasks", body)?;
            tasks.extend_from_slice(list(&answer, "tasks"));
        }
        Ok(tasks)
    }

    pub(crate) async fn stop(&self, task: &str) -> Result<(), Refusal> {
        let body = json!({"cluster": self.cluster, "task": task, "reason": "its command has ended"});
        send!(self.client.stop_task(), "ecs:StopTask", body).map(drop)
    }

    pub(crate) async fn run(&self, body: Value) -> Result<Value, Refusal> {
        send!(self.client.run_task(), "ecs:RunTask", body)
    }

    /// The revisions of task definitions that were deployed successfully, the newest first, as far as ECS keeps
    /// its history.
    pub(crate) async fn deployed(&self, service: &str) -> Result<Vec<String>, Refusal> {
        let mut body = json!({
            "cluster": self.cluster, "service": service, "status": ["SUCCESSFUL"], "maxResults": 100,
        });
        let mut deployments = Vec::new();
        for _ in 0..HISTORY_PAGES {
            let answer = send!(
                self.client.list_service_deployments().service(service),
                "ecs:ListServiceDeployments",
                body.clone()
            )?;
            deployments.extend_from_slice(list(&answer, "serviceDeployments"));
            if !turn(&mut body, &answer) {
                break;
            }
        }
        let time = |one: &Value| one.get("createdAt").and_then(Value::as_f64).unwrap_or_default();
        deployments.sort_by(|one, other| time(other).total_cmp(&time(one)));
        deployments.truncate(HISTORY);
        let revisions: Vec<&str> = deployments
            .iter()
            .map(|one| text(one, "targetServiceRevisionArn"))
            .collect();
        let mut definitions = BTreeMap::new();
        for some in revisions.chunks(DESCRIBED_REVISIONS) {
            let body = json!({"serviceRevisionArns": some});
            let request = self.client.describe_service_revisions();
            let request = request.service_revision_arns(some.first().copied().unwrap_or_default());
            let answer = send!(request, "ecs:DescribeServiceRevisions", body)?;
            for one in list(&answer, "serviceRevisions") {
                let name = short(text(one, "taskDefinition")).to_owned();
                definitions.insert(text(one, "serviceRevisionArn").to_owned(), name);
            }
        }
        let names = revisions.iter().filter_map(|arn| definitions.get(*arn).cloned());
        Ok(names.filter(|name| !name.is_empty()).collect())
    }

    /// The active revision of `family` with the highest number below that of `revision`.
    pub(crate) async fn active_before(&self, family: &str, revision: &str) -> Result<Option<String>> {
        let number = |name: &str| {
            name.rsplit_once(':')
                .and_then(|(_, number)| number.parse::<u64>().ok())
        };
        let mut body = json!({"familyPrefix": family, "status": "ACTIVE", "sort": "DESC", "maxResults": 100});
        loop {
            let answer = send!(
                self.client.list_task_definitions(),
                "ecs:ListTaskDefinitions",
                body.clone()
            )
            .with_context(|| format!("failed to list the revisions of `{family}`"))?;
            let mut names = list(&answer, "taskDefinitionArns")
                .iter()
                .filter_map(Value::as_str)
                .map(short)
                .filter(|name| name.split(':').next() == Some(family));
            if let Some(found) = names.find(|name| number(name) < number(revision)) {
                return Ok(Some(found.to_owned()));
            }
            if !turn(&mut body, &answer) {
                return Ok(None);
            }
        }
    }
}

/// Turns `body` to the next page; false after the last one.
fn turn(body: &mut Value, answer: &Value) -> bool {
    let token = text(answer, "nextToken");
    let is_new = !token.is_empty() && token != text(body, "nextToken");
    if is_new && let Some(members) = body.as_object_mut() {
        members.insert("nextToken".into(), token.into());
    }
    is_new
}

fn made(mut answer: Value) -> Service {
    Service::of(answer.get_mut("service").map(Value::take).unwrap_or_default())
}

/// What makes a request that is sent again the same one: 32 random hexadecimal digits.
pub(crate) fn client_token() -> String {
    let random = RandomState::new();
    format!("{:016x}{:016x}", random.hash_one(0), random.hash_one(1))
}

/// The ARN that a service has, or will have.
pub(crate) fn service_arn(place: &AwsTarget, cluster: &str, service: &str) -> String {
    let AwsTarget { account, region } = place;
    let cluster = cluster.rsplit('/').next().unwrap_or_default();
    format!(
        "arn:{}:ecs:{region}:{account}:service/{cluster}/{service}",
        partition_of(region)
    )
}

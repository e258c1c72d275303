//! Reads the cluster, and the name of its namespace.

use crate::observed::{Namespace, Observed, Status};
use crate::session::Sessions;
use crate::validation::is_namespace_arn;
use anyhow::{Context, Result};
use cli::{ErrorKind, Failure};
use common::aws::{Aws, Client};
use reconcile::{Lookup, tags};
use serde::Deserialize;
use serde_json::{Value, json};

/// The response of DescribeClusters. A field of the wrong type fails the read. It must not count as absent, because
/// the plan sets absent fields.
#[derive(Deserialize)]
struct Response {
    clusters: Option<Vec<Cluster>>,
    failures: Option<Vec<Reason>>,
}

#[derive(Deserialize)]
struct Reason {
    reason: Option<String>,
    detail: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    status: Option<String>,
    attachments_status: Option<String>,
    service_connect_defaults: Option<ServiceConnectDefaults>,
    settings: Option<Vec<NamedValue>>,
    configuration: Option<Configuration>,
    capacity_providers: Option<Vec<String>>,
    default_capacity_provider_strategy: Option<Vec<Value>>,
    attachments: Option<Vec<Attachment>>,
    tags: Option<Value>,
}

#[derive(Deserialize)]
struct ServiceConnectDefaults {
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct NamedValue {
    name: Option<String>,
    value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(default)]
    execute_command_configuration: Value,
    managed_storage_configuration: Option<Value>,
}

#[derive(Deserialize)]
struct Attachment {
    r#type: Option<String>,
    status: Option<String>,
    details: Option<Vec<NamedValue>>,
}

/// Reads one cluster.
pub(crate) struct Reader<'a> {
    pub(crate) client: Client,
    pub(crate) aws: &'a Aws,
    /// The caller's account.
    pub(crate) account: &'a str,
    pub(crate) name: String,
    /// The namespace in `ops.toml`.
    pub(crate) namespace: Option<String>,
}

impl Reader<'_> {
    /// Reads the cluster with all that the file may name.
    ///
    /// # Errors
    /// When a call fails.
    pub(crate) async fn describe(&self) -> Result<Lookup<Observed>> {
        let read = self.read().await;
        read.with_context(|| format!("failed to describe cluster `{}`", self.name))
    }

    async fn read(&self) -> Result<Lookup<Observed>> {
        let body = json!({
            "clusters": [self.name],
            "include": ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "TAGS"],
        });
        let response = self.client.call("DescribeClusters", &body).await;
        let response = serde_json::from_value::<Response>(response.map_err(Failure::from)?);
        let response = response.map_err(|error| {
            let message = format!("ecs:DescribeClusters returned an unparseable response: {error}");
            Failure::error(message).kind(ErrorKind::Unparseable)
        })?;
        if let Some(cluster) = response.clusters.into_iter().flatten().next() {
            return self.observed(cluster).await;
        }
        let Some(failure) = response.failures.into_iter().flatten().next() else {
            return Err(omitted("clusters").into());
        };
        let reason = failure.reason.as_deref();
        if reason == Some("MISSING") {
            return Ok(Lookup::NotFound);
        }
        let reason = reason.unwrap_or("a failure without a reason");
        let detail = failure
            .detail
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default();
        Err(Failure::error(format!("ecs:DescribeClusters reports {reason}{detail}")).into())
    }

    async fn observed(&self, cluster: Cluster) -> Result<Lookup<Observed>> {
        let status = cluster.status.ok_or_else(|| omitted("status"))?;
        let status = match (status.as_str(), cluster.attachments_status.as_deref()) {
            ("INACTIVE", _) => return Ok(Lookup::NotFound),
            ("ACTIVE", Some(changing @ "UPDATE_IN_PROGRESS")) => Status::Busy(changing.to_owned()),
            ("ACTIVE", Some("UPDATE_FAILED")) => Status::UpdateFailed,
            ("ACTIVE", _) => Status::Active,
            ("PROVISIONING", _) => Status::Busy(status),
            ("DEPROVISIONING", _) => Status::Deprovisioning,
            ("FAILED", _) => Status::Failed,
            (other, _) => {
                return Err(Failure::error(format!("it is in the unknown state {other}")).into());
            }
        };
        let defaults = cluster.service_connect_defaults;
        let reference = defaults.and_then(|defaults| defaults.namespace);
        let namespace = match reference.filter(|reference| !reference.is_empty()) {
            Some(reference) => Some(Namespace {
                name: self.namespace_name(&reference).await?,
                reference,
            }),
            None => None,
        };
        let mut settings = cluster.settings.into_iter().flatten();
        let insights = settings.find(|setting| setting.name.as_deref() == Some("containerInsights"));
        let configuration = cluster.configuration.unwrap_or_default();
        Ok(Lookup::Found(Observed {
            status,
            namespace,
            insights: insights
                .and_then(|setting| setting.value)
                .unwrap_or_else(|| "disabled".to_owned()),
            sessions: Sessions::from_ecs(&configuration.execute_command_configuration),
            managed_storage: configuration.managed_storage_configuration,
            capacity_providers: cluster.capacity_providers.unwrap_or_default(),
            strategy: cluster
                .default_capacity_provider_strategy
                .unwrap_or_default()
                .into(),
            tags: tags::of_json(&json!({"tags": cluster.tags})),
            attachments: shown(&cluster.attachments.unwrap_or_default()),
        }))
    }

    /// The name of a namespace that ECS returns as an ARN. Read only when the file has a name.
    async fn namespace_name(&self, reference: &str) -> Result<Option<String>> {
        let by_name = self
            .namespace
            .as_deref()
            .is_some_and(|namespace| !is_namespace_arn(namespace));
        if !by_name || !is_namespace_arn(reference) {
            return Ok(None);
        }
        ecs::namespace::name_of(self.aws, reference, self.account, "in ops.toml").await
    }
}

fn omitted(field: &str) -> Failure {
    Failure::error(format!("ecs:DescribeClusters response omitted `{field}`")).kind(ErrorKind::Unparseable)
}

fn shown(attachments: &[Attachment]) -> String {
    let is_failed = |attachment: &&Attachment| attachment.status.as_deref() == Some("FAILED");
    let mut chosen: Vec<&Attachment> = attachments.iter().filter(is_failed).collect();
    if chosen.is_empty() {
        chosen = attachments.iter().collect();
    }
    let line = |attachment: &Attachment| {
        let details = attachment.details.iter().flatten().map(|pair| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            format!("{} {}", text(&pair.name), text(&pair.value))
        });
        let details: Vec<String> = details.collect();
        let kind = attachment.r#type.as_deref().unwrap_or("unknown");
        let status = attachment.status.as_deref().unwrap_or("unknown");
        let colon = if details.is_empty() { "" } else { ": " };
        format!("attachment `{kind}` is {status}{colon}{}", details.join(", "))
    };
    let lines: Vec<String> = chosen.into_iter().map(line).collect();
    lines.join("; ")
}

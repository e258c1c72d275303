//! Reads the cluster, and the namespace that it names.

use super::Store;
use crate::check::is_namespace_arn;
use crate::plan::{Desired, Namespace, Observed};
use crate::session::Sessions;
use anyhow::{Context, Result};
use aws_sdk_ecs::types::{
    Attachment, CapacityProviderStrategyItem, Cluster, ClusterConfiguration, ClusterField,
    ClusterSettingName, ManagedStorageConfiguration,
};
use cli::Failure;
use common::aws::call;

/// What DescribeClusters says of one name.
#[derive(Debug)]
pub(crate) enum Found {
    /// There is none, or it was deleted.
    Absent,
    /// There is one, whatever its state.
    There(Box<Seen>),
}

/// A cluster at one moment.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: Status,
    pub(crate) observed: Observed,
    /// The default strategy of the capacity providers, to be sent back as it is.
    pub(crate) strategy: Vec<CapacityProviderStrategyItem>,
    /// A part of the configuration that is not ours.
    pub(crate) managed_storage: Option<ManagedStorageConfiguration>,
    /// What ECS says about its attachments, when it says anything of note.
    pub(crate) attachments: String,
}

/// The state of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Usable.
    Active,
    /// It comes about, or is being changed; with ECS's word.
    Busy(String),
    /// It is being deleted.
    Deprovisioning,
    /// It could not come about.
    Failed,
    /// It is usable, but its last change failed.
    UpdateFailed,
}

impl Store<'_> {
    /// Reads the cluster with all that the file may name.
    ///
    /// # Errors
    /// When a call fails: that is never taken for "not there".
    pub(crate) async fn describe(&self, desired: &Desired) -> Result<Found> {
        let name = &desired.name;
        self.read(desired)
            .await
            .with_context(|| format!("failed to describe cluster `{name}`"))
    }

    async fn read(&self, desired: &Desired) -> Result<Found> {
        let include = [
            ClusterField::Attachments,
            ClusterField::Configurations,
            ClusterField::Settings,
            ClusterField::Tags,
        ];
        let request = self
            .client
            .describe_clusters()
            .clusters(&desired.name)
            .set_include(Some(include.to_vec()));
        let answer = request.send().await.map_err(call("ecs:DescribeClusters"))?;
        if let Some(cluster) = answer.clusters().first() {
            return self.seen(desired, cluster).await;
        }
        let Some(failure) = answer.failures().first() else {
            return Err(Failure::error("ecs:DescribeClusters answered without `clusters`").into());
        };
        match failure.reason() {
            Some("MISSING") => Ok(Found::Absent),
            reason => Err(Failure::error(format!(
                "ecs:DescribeClusters reports {}{}",
                reason.unwrap_or("a failure without a reason"),
                failure
                    .detail()
                    .map(|detail| format!(": {detail}"))
                    .unwrap_or_default()
            ))
            .into()),
        }
    }

    async fn seen(&self, desired: &Desired, cluster: &Cluster) -> Result<Found> {
        let word = cluster
            .status()
            .ok_or_else(|| Failure::error("ecs:DescribeClusters answered without `status`"))?;
        let status = match (word, cluster.attachments_status()) {
            ("INACTIVE", _) => return Ok(Found::Absent),
            ("ACTIVE", Some(changing @ "UPDATE_IN_PROGRESS")) => Status::Busy(changing.to_owned()),
            ("ACTIVE", Some("UPDATE_FAILED")) => Status::UpdateFailed,
            ("ACTIVE", _) => Status::Active,
            ("PROVISIONING", _) => Status::Busy(word.to_owned()),
            ("DEPROVISIONING", _) => Status::Deprovisioning,
            ("FAILED", _) => Status::Failed,
            (other, _) => {
                return Err(Failure::error(format!("it is in the unknown state {other}")).into());
            }
        };
        let namespace = match cluster
            .service_connect_defaults()
            .and_then(|defaults| defaults.namespace())
            .filter(|reference| !reference.is_empty())
        {
            Some(reference) => Some(Namespace {
                name: self.name_of(desired, reference).await?,
                reference: reference.to_owned(),
            }),
            None => None,
        };
        let setting = cluster
            .settings()
            .iter()
            .find(|setting| setting.name() == Some(&ClusterSettingName::ContainerInsights));
        let configuration = cluster.configuration();
        Ok(Found::There(Box::new(Seen {
            status,
            observed: Observed {
                namespace,
                insights: setting
                    .and_then(|setting| setting.value())
                    .unwrap_or("disabled")
                    .to_owned(),
                sessions: Sessions::from_ecs(
                    configuration.and_then(ClusterConfiguration::execute_command_configuration),
                ),
                capacity_providers: cluster.capacity_providers().to_vec(),
                tags: cluster
                    .tags()
                    .iter()
                    .filter_map(|tag| {
                        Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))
                    })
                    .collect(),
            },
            strategy: cluster.default_capacity_provider_strategy().to_vec(),
            managed_storage: configuration.and_then(|all| all.managed_storage_configuration().cloned()),
            attachments: shown(cluster.attachments()),
        })))
    }

    /// The name of a namespace that ECS gives as an ARN; asked for only when the file wants one by its name.
    async fn name_of(&self, desired: &Desired, reference: &str) -> Result<Option<String>> {
        let by_name = desired
            .namespace
            .as_deref()
            .is_some_and(|namespace| !is_namespace_arn(namespace));
        if !by_name || !is_namespace_arn(reference) {
            return Ok(None);
        }
        ecs::namespace::name_of(&self.aws, reference, &self.place.account, "in ops.toml").await
    }
}

/// The attachments that failed, or else all of them, with what ECS says about them.
fn shown(attachments: &[Attachment]) -> String {
    let failed: Vec<&Attachment> = attachments
        .iter()
        .filter(|attachment| attachment.status() == Some("FAILED"))
        .collect();
    let chosen = if failed.is_empty() {
        attachments.iter().collect()
    } else {
        failed
    };
    let lines: Vec<String> = chosen
        .iter()
        .map(|attachment| {
            let details: Vec<String> = attachment
                .details()
                .iter()
                .map(|pair| {
                    format!(
                        "{} {}",
                        pair.name().unwrap_or_default(),
                        pair.value().unwrap_or_default()
                    )
                })
                .collect();
            let kind = attachment.r#type().unwrap_or("unknown");
            let status = attachment.status().unwrap_or("unknown");
            let colon = if details.is_empty() { "" } else { ": " };
            format!("attachment `{kind}` is {status}{colon}{}", details.join(", "))
        })
        .collect();
    lines.join("; ")
}

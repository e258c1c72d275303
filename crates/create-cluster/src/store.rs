//! The calls to ECS and Cloud Map.

mod describe;

pub(crate) use describe::{Found, Seen, Status};

use crate::linked_role;
use crate::plan::{Action, Desired, Parts};
use crate::session::Sessions;
use anyhow::{Context, Result};
use aws_sdk_ecs::Client;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::types::{
    ClusterConfiguration, ClusterServiceConnectDefaultsRequest, ClusterSetting, ClusterSettingName, Tag,
};
use cli::{Change, Console, Failure, Item};
use common::aws::{Aws, call, code_of};
use common::config::{AwsTarget, ContainerInsights, partition_of};
use reconcile::Tags;
use reconcile::backoff::Backoff;
use std::cell::RefCell;

/// What the calls need.
pub(crate) struct Store<'a> {
    client: Client,
    pub(crate) aws: Aws,
    pub(crate) console: &'a Console,
    place: AwsTarget,
    /// What came of making the service-linked role, if that was tried; `true` when it is new.
    role: RefCell<Option<Result<bool, Failure>>>,
}

/// What came of [`Store::create`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// We made it, or somebody else the very same.
    New,
    /// There is one of this name that is another.
    Exists,
}

/// How long ECS gets to make the service-linked role by itself, when we may not make it.
const OWN_ROLE: Backoff = Backoff {
    max_elapsed: std::time::Duration::from_secs(10),
    ..Backoff::PROPAGATION
};

impl<'a> Store<'a> {
    pub(crate) fn new(aws: Aws, console: &'a Console, place: AwsTarget) -> Self {
        Store {
            client: Client::new(&aws.sdk),
            aws,
            console,
            place,
            role: RefCell::new(None),
        }
    }

    /// The ARN that the cluster has, or will have.
    pub(crate) fn arn(&self, name: &str) -> String {
        let AwsTarget { account, region } = &self.place;
        format!(
            "arn:{}:ecs:{region}:{account}:cluster/{name}",
            partition_of(region)
        )
    }

    /// The cluster in the report.
    pub(crate) fn item(&self, desired: &Desired, action: &str, changes: Vec<Change>) -> Item {
        Item::new("cluster", &desired.name, action)
            .changes(changes)
            .detail("arn", self.arn(&desired.name))
    }

    /// Makes the cluster with all that the file names.
    ///
    /// # Errors
    /// When ECS refuses.
    pub(crate) async fn create(&self, desired: &Desired) -> Result<Created> {
        let name = &desired.name;
        let configuration = desired.sessions.as_ref().map(|table| {
            ClusterConfiguration::builder()
                .execute_command_configuration(Sessions::new(table).to_ecs())
                .build()
        });
        let providers = (!desired.capacity_providers.is_empty()).then(|| desired.capacity_providers.clone());
        let request = self
            .client
            .create_cluster()
            .cluster_name(name)
            .set_service_connect_defaults(namespace(desired.namespace.as_deref())?)
            .set_settings(desired.insights.map(settings))
            .set_configuration(configuration)
            .set_capacity_providers(providers)
            .set_tags(tags(&desired.tags));
        let operation = "ecs:CreateCluster";
        let sent = self.send(name, operation, false, async || request.clone().send().await);
        match sent.await {
            Ok(_) => Ok(Created::New),
            Err(error) if is_inconsistent(&error) => Ok(Created::Exists),
            Err(error) => {
                let failure = self.explained(call(operation), error);
                Err(failure).with_context(|| format!("failed to create cluster `{name}`"))
            }
        }
    }

    /// Does one call. A cluster that is `fresh` may not be known everywhere yet.
    ///
    /// # Errors
    /// When ECS refuses.
    pub(crate) async fn change(
        &self,
        desired: &Desired,
        seen: &Seen,
        action: &Action,
        fresh: bool,
    ) -> Result<()> {
        let name = &desired.name;
        match action {
            Action::Update(parts) => self
                .update(name, seen, parts, fresh)
                .await
                .with_context(|| format!("failed to update cluster `{name}`")),
            Action::CapacityProviders(providers) => {
                let operation = "ecs:PutClusterCapacityProviders";
                let request = self
                    .client
                    .put_cluster_capacity_providers()
                    .cluster(name)
                    .set_capacity_providers(Some(providers.clone()))
                    // Left out it would be taken away.
                    .set_default_capacity_provider_strategy(Some(seen.strategy.clone()));
                let sent = self.send(name, operation, fresh, async || request.clone().send().await);
                let sent = sent.await.map(drop);
                sent.map_err(|error| self.explained(call(operation), error))
                    .with_context(|| format!("failed to set the capacity providers of cluster `{name}`"))
            }
            Action::Tag(desired) => {
                let operation = "ecs:TagResource";
                let request = self.client.tag_resource().resource_arn(self.arn(name));
                let request = request.set_tags(tags(desired));
                let sent = self.send(name, operation, fresh, async || request.clone().send().await);
                let sent = sent.await.map(drop);
                sent.map_err(call(operation))
                    .with_context(|| format!("failed to tag cluster `{name}`"))
            }
        }
    }

    async fn update(&self, name: &str, seen: &Seen, parts: &Parts, fresh: bool) -> Result<()> {
        let configuration = parts.sessions.as_ref().map(|sessions| {
            ClusterConfiguration::builder()
                .execute_command_configuration(sessions.to_ecs())
                // ECS replaces the configuration as a whole; this part is not ours.
                .set_managed_storage_configuration(seen.managed_storage.clone())
                .build()
        });
        let request = self
            .client
            .update_cluster()
            .cluster(name)
            .set_service_connect_defaults(namespace(parts.namespace.as_deref())?)
            .set_settings(parts.insights.map(settings))
            .set_configuration(configuration);
        let operation = "ecs:UpdateCluster";
        let sent = self.send(name, operation, fresh, async || request.clone().send().await);
        let sent = sent.await.map(drop);
        sent.map_err(|error| self.explained(call(operation), error))
    }

    /// Makes the service-linked role.
    ///
    /// # Errors
    /// When IAM refuses.
    pub(crate) async fn create_role(&self) -> Result<()> {
        let client = aws_sdk_iam::Client::new(&self.aws.sdk);
        let words = format!("iam:CreateServiceLinkedRole for `{}`", linked_role::NAME);
        let made = linked_role::create(&client);
        let made = self.console.in_flight(words, made).await?;
        if made {
            self.console.announce(&role_item(), false);
        }
        *self.role.borrow_mut() = Some(Ok(made));
        Ok(())
    }

    /// The service-linked role in the report, when we made it.
    pub(crate) fn made_role(&self) -> Option<Item> {
        matches!(&*self.role.borrow(), Some(Ok(true))).then(role_item)
    }

    /// Sends until it goes through or fails for good.
    async fn send<T, E: ProvideErrorMetadata>(
        &self,
        name: &str,
        operation: &str,
        fresh: bool,
        mut request: impl AsyncFnMut() -> Result<T, SdkError<E>>,
    ) -> Result<T, SdkError<E>> {
        let words = format!("{operation} for cluster `{name}`");
        let mut attempt = async || self.console.in_flight(&words, request()).await;
        let retry_reason = |error: &SdkError<E>| match code_of(error)? {
            "InvalidParameterException" if is_about_role(error) && !self.role_was_refused() => Some(format!(
                "the service-linked role `{}` is not usable yet",
                linked_role::NAME
            )),
            "UpdateInProgressException" => Some("another update of the cluster goes on".to_owned()),
            "ClusterNotFoundException" if fresh => {
                Some("the new cluster is not known everywhere yet".to_owned())
            }
            _ => None,
        };
        let result = Backoff::PROPAGATION
            .retry(self.console, retry_reason, async || {
                let result = attempt().await;
                if result.as_ref().is_err_and(is_about_role) && self.role.borrow().is_none() {
                    self.make_role_for_ecs().await;
                }
                result
            })
            .await;
        if !(result.as_ref().is_err_and(is_about_role) && self.role_was_refused()) {
            return result;
        }
        // ECS may be making the role itself.
        let retry_reason = |error: &SdkError<E>| {
            is_about_role(error)
                .then(|| format!("the service-linked role `{}` is missing", linked_role::NAME))
        };
        OWN_ROLE.retry(self.console, retry_reason, attempt).await
    }

    async fn make_role_for_ecs(&self) {
        let Err(error) = self.create_role().await else {
            return;
        };
        let described = cli::error::ErrorSummary::of(&error);
        let failure = Failure::error(described.message);
        let failure = described.code.into_iter().fold(failure, Failure::code);
        let failure = described.hint.into_iter().fold(failure, Failure::hint);
        *self.role.borrow_mut() = Some(Err(failure));
    }

    fn role_was_refused(&self) -> bool {
        matches!(&*self.role.borrow(), Some(Err(_)))
    }

    /// The error of a call; when it failed for want of the service-linked role, why there is none.
    fn explained<E: ProvideErrorMetadata>(
        &self,
        call: impl FnOnce(SdkError<E>) -> Failure,
        error: SdkError<E>,
    ) -> anyhow::Error {
        let about_role = is_about_role(&error);
        let failure = call(error);
        if about_role
            && self.role_was_refused()
            && let Some(Err(role)) = self.role.take()
        {
            return anyhow::Error::from(role).context(failure.to_string());
        }
        failure.into()
    }
}

/// The service-linked role in the report.
pub(crate) fn role_item() -> Item {
    Item::new("service-linked-role", linked_role::NAME, "create")
}

fn message_of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> &str {
    let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
    message.unwrap_or_default()
}

/// `Unable to assume the service linked role. Please verify that the ECS service linked role exists.`
fn is_about_role<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    message_of(error).contains("Unable to assume the service linked role")
}

/// `Arguments on this idempotent request are inconsistent with arguments used in previous request(s).`
fn is_inconsistent<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    code_of(error) == Some("InvalidParameterException")
        && message_of(error).contains("Arguments on this idempotent request are inconsistent")
}

fn namespace(name: Option<&str>) -> Result<Option<ClusterServiceConnectDefaultsRequest>> {
    let request = name.map(|name| {
        ClusterServiceConnectDefaultsRequest::builder()
            .namespace(name)
            .build()
    });
    request.transpose().context("failed to build the namespace")
}

fn settings(insights: ContainerInsights) -> Vec<ClusterSetting> {
    vec![
        ClusterSetting::builder()
            .name(ClusterSettingName::ContainerInsights)
            .value(insights.as_str())
            .build(),
    ]
}

fn tags(tags: &Tags) -> Option<Vec<Tag>> {
    let tags = tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags: Vec<Tag> = tags.collect();
    (!tags.is_empty()).then_some(tags)
}

//! The calls to ECR.

mod describe;

use crate::plan::{Action, AtCreation, Mutability};
use anyhow::{Context, Result};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability,
    ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType, Tag,
};
use cli::Console;
use common::aws::{AttemptTracker, call, code_of};
use common::config::{AwsTarget, Encryption, partition_of};
use reconcile::{Backoff, Created, Tags};
use std::time::Duration;

/// The client of ECR.
pub(crate) struct Ecr<'a> {
    pub(crate) client: Client,
    pub(crate) console: &'a Console,
    pub(crate) target: AwsTarget,
}

/// How long a new role may take to become a principal for ECR.
const NEW_PRINCIPAL: Backoff = Backoff {
    max_elapsed: Duration::from_secs(60),
    ..Backoff::PROPAGATION
};

impl Ecr<'_> {
    /// The ARN that the repository has, or will have.
    pub(crate) fn arn(&self, name: &str) -> String {
        let AwsTarget { account, region } = &self.target;
        format!(
            "arn:{}:ecr:{region}:{account}:repository/{name}",
            partition_of(region)
        )
    }

    /// The URI that a repository of this name will have.
    pub(crate) fn uri(&self, name: &str) -> String {
        format!("{}/{name}", self.target.ecr_registry())
    }

    /// Creates a repository, with its tags at creation. The policies are calls of their own.
    ///
    /// # Errors
    /// When ECR refuses.
    pub(crate) async fn create(&self, name: &str, new: &AtCreation) -> Result<Created> {
        let context = || format!("failed to create repository `{name}`");
        let request = self
            .client
            .create_repository()
            .repository_name(name)
            .image_tag_mutability(ImageTagMutability::from(new.mutability.word))
            .set_image_tag_mutability_exclusion_filters(filters(&new.mutability)?)
            .image_scanning_configuration(scanning(new.scan_on_push))
            .set_encryption_configuration(encryption(new.encryption.as_ref())?)
            .set_tags(tags(&new.tags)?);
        let operation = "ecr:CreateRepository";
        let words = format!("{operation} for repository `{name}`");
        let tracker = AttemptTracker::default();
        let sent = request.customize().interceptor(tracker.clone()).send();
        match self.console.in_flight(words, sent).await {
            Ok(_) => Ok(Created::New),
            Err(error) if code_of(&error) == Some("RepositoryAlreadyExistsException") => {
                Ok(Created::existing(tracker.may_have_applied()))
            }
            Err(error) => Err(call(operation)(error)).with_context(context),
        }
    }

    /// Sends one call.
    ///
    /// # Errors
    /// When ECR refuses.
    pub(crate) async fn perform(&self, name: &str, action: &Action, just_created: bool) -> Result<()> {
        let (what, result) = match action {
            Action::Mutability(mutability) => {
                let operation = "ecr:PutImageTagMutability";
                let request = self
                    .client
                    .put_image_tag_mutability()
                    .repository_name(name)
                    .image_tag_mutability(ImageTagMutability::from(mutability.word))
                    .set_image_tag_mutability_exclusion_filters(filters(mutability)?);
                let sent = self.send(name, operation, just_created, async || {
                    request.clone().send().await
                });
                let sent = sent.await.map(drop).map_err(call(operation));
                ("set the tag mutability of", sent)
            }
            Action::Scanning(scan_on_push) => {
                let operation = "ecr:PutImageScanningConfiguration";
                let request = self
                    .client
                    .put_image_scanning_configuration()
                    .repository_name(name)
                    .image_scanning_configuration(scanning(*scan_on_push));
                let sent = self.send(name, operation, just_created, async || {
                    request.clone().send().await
                });
                let sent = sent.await.map(drop).map_err(call(operation));
                ("set scan on push of", sent)
            }
            Action::Policy(policy) => {
                let operation = "ecr:SetRepositoryPolicy";
                let request = self
                    .client
                    .set_repository_policy()
                    .repository_name(name)
                    .policy_text(policy.to_string());
                let sent = self.send(name, operation, just_created, async || {
                    request.clone().send().await
                });
                let sent = sent.await.map(drop).map_err(call(operation));
                ("set the policy of", sent)
            }
            Action::Lifecycle(policy) => {
                let operation = "ecr:PutLifecyclePolicy";
                let request = self
                    .client
                    .put_lifecycle_policy()
                    .repository_name(name)
                    .lifecycle_policy_text(policy.to_string());
                let sent = self.send(name, operation, just_created, async || {
                    request.clone().send().await
                });
                let sent = sent.await.map(drop).map_err(call(operation));
                ("put the lifecycle policy of", sent)
            }
            Action::Tag(differing) => {
                let operation = "ecr:TagResource";
                let request = self.client.tag_resource().resource_arn(self.arn(name));
                let request = request.set_tags(tags(differing)?);
                let sent = self.send(name, operation, just_created, async || {
                    request.clone().send().await
                });
                ("tag", sent.await.map(drop).map_err(call(operation)))
            }
        };
        result.with_context(|| format!("failed to {what} repository `{name}`"))
    }

    /// Sends a request, and again while ECR has not propagated the repository or a principal of its policy.
    async fn send<T, E: ProvideErrorMetadata>(
        &self,
        name: &str,
        operation: &str,
        just_created: bool,
        mut request: impl AsyncFnMut() -> Result<T, SdkError<E>>,
    ) -> Result<T, SdkError<E>> {
        let retry_reason = |error: &SdkError<E>| match code_of(error)? {
            "RepositoryNotFoundException" if just_created => {
                Some("ECR has not propagated the new repository yet".to_owned())
            }
            "InvalidParameterException" if is_about_principal(error) => {
                Some("a principal of the policy does not exist (yet)".to_owned())
            }
            _ => None,
        };
        let words = format!("{operation} for repository `{name}`");
        let attempt = async || self.console.in_flight(&words, request()).await;
        NEW_PRINCIPAL.retry(self.console, retry_reason, attempt).await
    }
}

/// ECR has no code of its own for this case, so the message decides:
/// `Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'`
fn is_about_principal<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
    message.is_some_and(|message| message.contains("Principal not found"))
}

fn scanning(scan_on_push: bool) -> ImageScanningConfiguration {
    ImageScanningConfiguration::builder()
        .scan_on_push(scan_on_push)
        .build()
}

fn filters(mutability: &Mutability) -> Result<Option<Vec<ImageTagMutabilityExclusionFilter>>> {
    if mutability.exclusions.is_empty() {
        return Ok(None);
    }
    let filters = mutability.exclusions.iter().map(|pattern| {
        ImageTagMutabilityExclusionFilter::builder()
            .filter_type(ImageTagMutabilityExclusionFilterType::Wildcard)
            .filter(pattern)
            .build()
    });
    let filters = filters.collect::<Result<_, _>>();
    Ok(Some(
        filters.context("failed to build the exceptions of tag mutability")?,
    ))
}

fn encryption(desired: Option<&Encryption>) -> Result<Option<EncryptionConfiguration>> {
    let build = |desired: &Encryption| {
        EncryptionConfiguration::builder()
            .encryption_type(EncryptionType::from(desired.r#type.as_str()))
            .set_kms_key(desired.kms_key.clone())
            .build()
    };
    desired
        .map(build)
        .transpose()
        .context("failed to build the encryption")
}

fn tags(tags: &Tags) -> Result<Option<Vec<Tag>>> {
    if tags.is_empty() {
        return Ok(None);
    }
    let tags = tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build());
    Ok(Some(
        tags.collect::<Result<_, _>>()
            .context("failed to build the tags")?,
    ))
}

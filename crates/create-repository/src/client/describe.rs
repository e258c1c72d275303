//! Reads a repository with all that the file may name, in calls that run side by side.

use super::Ecr;
use crate::desired::Desired;
use crate::plan::Observed;
use anyhow::{Context, Result};
use aws_sdk_ecr::types::{ImageScanningConfiguration, ImageTagMutability, Repository};
use cli::Failure;
use common::aws::{call, code_of};
use reconcile::{Lookup, Tags};
use serde_json::Value;

/// The answer of one of the calls; `None` when the repository does not exist.
type Part<T> = Result<Option<T>>;

impl Ecr<'_> {
    /// Reads one repository. The calls run at the same time, since the ARN is known beforehand.
    ///
    /// # Errors
    /// When a call fails for any other reason than that the repository does not exist.
    pub(crate) async fn describe(&self, desired: &Desired) -> Result<Lookup<Observed>> {
        let (repository, tags, policy, lifecycle) = tokio::join!(
            self.repository(desired.name()),
            self.tags(desired),
            self.policy(desired),
            self.lifecycle(desired)
        );
        let (repository, tags, policy, lifecycle) = (repository?, tags?, policy?, lifecycle?);
        let Some(repository) = repository else {
            return Ok(Lookup::NotFound);
        };
        let (Some(tags), Some(policy), Some(lifecycle)) = (tags, policy, lifecycle) else {
            return Ok(Lookup::Inconsistent);
        };
        let observed = observed(&repository, tags, policy, lifecycle);
        observed
            .map(Lookup::Found)
            .with_context(|| format!("failed to describe repository `{}`", desired.name()))
    }

    async fn repository(&self, name: &str) -> Part<Repository> {
        let context = || format!("failed to describe repository `{name}`");
        let answer = match self
            .client
            .describe_repositories()
            .repository_names(name)
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) if is_not_found(code_of(&error)) => return Ok(None),
            Err(error) => return Err(call("ecr:DescribeRepositories")(error)).with_context(context),
        };
        let first = answer.repositories.unwrap_or_default().into_iter().next();
        let missing = || Failure::error("ecr:DescribeRepositories response omitted `repositories`");
        first.ok_or_else(missing).map(Some).with_context(context)
    }

    /// Read only when the file has tags.
    async fn tags(&self, desired: &Desired) -> Part<Tags> {
        if desired.tags.is_empty() {
            return Ok(Some(Tags::new()));
        }
        let name = desired.name();
        let request = self.client.list_tags_for_resource().resource_arn(self.arn(name));
        match request.send().await {
            Ok(answer) => {
                let tags = answer.tags().iter();
                Ok(Some(
                    tags.map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                        .collect(),
                ))
            }
            Err(error) if is_not_found(code_of(&error)) => Ok(None),
            Err(error) => Err(call("ecr:ListTagsForResource")(error))
                .with_context(|| format!("failed to read the tags of repository `{name}`")),
        }
    }

    /// Read only when the file names one.
    async fn policy(&self, desired: &Desired) -> Part<Option<Value>> {
        if desired.policy.is_none() {
            return Ok(Some(None));
        }
        let name = desired.name();
        let context = || format!("failed to read the policy of repository `{name}`");
        let answer = match self
            .client
            .get_repository_policy()
            .repository_name(name)
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) if code_of(&error) == Some("RepositoryPolicyNotFoundException") => {
                return Ok(Some(None));
            }
            Err(error) if is_not_found(code_of(&error)) => return Ok(None),
            Err(error) => return Err(call("ecr:GetRepositoryPolicy")(error)).with_context(context),
        };
        let text = json("ecr:GetRepositoryPolicy", "policyText", answer.policy_text());
        text.map(|policy| Some(Some(policy))).with_context(context)
    }

    /// Read only when the file names one.
    async fn lifecycle(&self, desired: &Desired) -> Part<Option<Value>> {
        if desired.lifecycle.is_none() {
            return Ok(Some(None));
        }
        let name = desired.name();
        let context = || format!("failed to read the lifecycle policy of repository `{name}`");
        let answer = match self
            .client
            .get_lifecycle_policy()
            .repository_name(name)
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) if code_of(&error) == Some("LifecyclePolicyNotFoundException") => {
                return Ok(Some(None));
            }
            Err(error) if is_not_found(code_of(&error)) => return Ok(None),
            Err(error) => return Err(call("ecr:GetLifecyclePolicy")(error)).with_context(context),
        };
        let text = answer.lifecycle_policy_text();
        let text = json("ecr:GetLifecyclePolicy", "lifecyclePolicyText", text);
        text.map(|policy| Some(Some(policy))).with_context(context)
    }
}

fn is_not_found(code: Option<&str>) -> bool {
    code == Some("RepositoryNotFoundException")
}

fn json(operation: &str, field: &str, text: Option<&str>) -> Result<Value, Failure> {
    let text = text.ok_or_else(|| Failure::error(format!("{operation} response omitted `{field}`")))?;
    let value = serde_json::from_str(text);
    value.map_err(|error| {
        Failure::error(format!("{operation} returned invalid JSON in `{field}`")).source(error)
    })
}

fn observed(
    repository: &Repository,
    tags: Tags,
    policy: Option<Value>,
    lifecycle: Option<Value>,
) -> Result<Observed> {
    let uri = repository
        .repository_uri()
        .ok_or_else(|| Failure::error("ecr:DescribeRepositories response omitted `repositoryUri`"))?;
    let encryption = repository.encryption_configuration();
    Ok(Observed {
        uri: uri.to_owned(),
        tag_mutability: repository
            .image_tag_mutability()
            .map_or("MUTABLE", ImageTagMutability::as_str)
            .to_owned(),
        exclusions: repository
            .image_tag_mutability_exclusion_filters()
            .iter()
            .map(|filter| filter.filter().to_owned())
            .collect(),
        scan_on_push: repository
            .image_scanning_configuration()
            .is_some_and(ImageScanningConfiguration::scan_on_push),
        encryption: encryption
            .map_or("AES256", |encryption| encryption.encryption_type().as_str())
            .to_owned(),
        kms_key: encryption
            .and_then(|encryption| encryption.kms_key())
            .map(str::to_owned),
        policy,
        lifecycle,
        tags,
    })
}

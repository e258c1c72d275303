//! The calls to ECR.

use crate::plan::{Current, Update, Wanted, word};
use anyhow::{Context, Result};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{ImageScanningConfiguration, ImageTagMutability, Repository, Tag};
use common::Failure;
use common::aws::{call, code_of};
use common::config::TagMutability;
use std::collections::BTreeMap;

/// Reads one repository with its tags; `None` when there is none of this name.
///
/// # Errors
/// When a call fails for any other reason: that is never taken for "not there".
pub(crate) async fn describe(client: &Client, name: &str) -> Result<Option<Current>> {
    let answer = match client.describe_repositories().repository_names(name).send().await {
        Ok(answer) => answer,
        Err(error) if code_of(&error) == Some("RepositoryNotFoundException") => return Ok(None),
        Err(error) => {
            let failure = call("ecr:DescribeRepositories")(error);
            return Err(failure).with_context(|| format!("failed to describe repository `{name}`"));
        }
    };
    let missing =
        |field: &str| Failure::could_not(format!("ecr:DescribeRepositories answered without `{field}`"));
    let repository = answer
        .repositories()
        .first()
        .ok_or_else(|| missing("repositories"))?;
    let arn = repository
        .repository_arn()
        .ok_or_else(|| missing("repositoryArn"))?;
    let tags = client.list_tags_for_resource().resource_arn(arn).send().await;
    let tags = tags
        .map_err(call("ecr:ListTagsForResource"))
        .with_context(|| format!("failed to read the tags of repository `{name}`"))?;
    Ok(Some(Current {
        arn: arn.to_owned(),
        uri: uri_of(repository)?,
        tag_mutability: repository
            .image_tag_mutability()
            .map_or("MUTABLE", ImageTagMutability::as_str)
            .to_owned(),
        scan_on_push: repository
            .image_scanning_configuration()
            .is_some_and(ImageScanningConfiguration::scan_on_push),
        tags: tags
            .tags()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect(),
    }))
}

/// What came of [`create`].
pub(crate) enum Created {
    /// The new repository's URI.
    New(String),
    /// Somebody else made it in the meantime.
    Exists,
}

/// Makes a repository, with its tags from birth.
///
/// # Errors
/// When ECR refuses.
pub(crate) async fn create(client: &Client, name: &str, wanted: &Wanted) -> Result<Created> {
    let scanning = ImageScanningConfiguration::builder()
        .scan_on_push(wanted.scan_on_push)
        .build();
    let request = client
        .create_repository()
        .repository_name(name)
        .image_tag_mutability(to_sdk(wanted.tag_mutability))
        .image_scanning_configuration(scanning)
        .set_tags(tags_to_sdk(&wanted.tags)?);
    match request.send().await {
        Ok(answer) => {
            let repository = answer.repository();
            let missing = || Failure::could_not("ecr:CreateRepository answered without `repository`");
            Ok(Created::New(uri_of(repository.ok_or_else(missing)?)?))
        }
        Err(error) if code_of(&error) == Some("RepositoryAlreadyExistsException") => Ok(Created::Exists),
        Err(error) => {
            let failure = call("ecr:CreateRepository")(error);
            Err(failure).with_context(|| format!("failed to create repository `{name}`"))
        }
    }
}

/// Changes what differs, and nothing else.
///
/// # Errors
/// When ECR refuses one of the calls.
pub(crate) async fn update(client: &Client, name: &str, current: &Current, update: &Update) -> Result<()> {
    let context = || format!("failed to update repository `{name}`");
    if let Some(mutability) = update.tag_mutability {
        let request = client
            .put_image_tag_mutability()
            .repository_name(name)
            .image_tag_mutability(to_sdk(mutability));
        request
            .send()
            .await
            .map_err(call("ecr:PutImageTagMutability"))
            .with_context(context)?;
    }
    if let Some(scan_on_push) = update.scan_on_push {
        let scanning = ImageScanningConfiguration::builder()
            .scan_on_push(scan_on_push)
            .build();
        let request = client
            .put_image_scanning_configuration()
            .repository_name(name)
            .image_scanning_configuration(scanning);
        request
            .send()
            .await
            .map_err(call("ecr:PutImageScanningConfiguration"))
            .with_context(context)?;
    }
    if !update.tags.is_empty() {
        let request = client
            .tag_resource()
            .resource_arn(&current.arn)
            .set_tags(tags_to_sdk(&update.tags)?);
        request
            .send()
            .await
            .map_err(call("ecr:TagResource"))
            .with_context(context)?;
    }
    Ok(())
}

fn uri_of(repository: &Repository) -> Result<String> {
    let uri = repository
        .repository_uri()
        .ok_or_else(|| Failure::could_not("ECR answered without `repositoryUri`"))?;
    Ok(uri.to_owned())
}

fn to_sdk(mutability: TagMutability) -> ImageTagMutability {
    ImageTagMutability::from(word(mutability))
}

fn tags_to_sdk(tags: &BTreeMap<String, String>) -> Result<Option<Vec<Tag>>> {
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

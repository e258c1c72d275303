//! The calls to ECR. They need no engine and move no image; what moves one is the engine.

use crate::remote::{Remote, Repository};
use anyhow::{Context, Result};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{ImageFailure, ImageFailureCode, ImageIdentifier, ImageTagMutability};
use cli::{Console, Failure};
use common::aws::{call, code_of};
use registry::{Credentials, Token};
use secrecy::ExposeSecret;

/// Every kind of manifest. To a client that takes fewer, ECR gives a converted one, whose digest is another.
const MANIFESTS: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// Reads one repository; `None` when there is none of this name.
///
/// # Errors
/// When the call fails for any other reason: that is never taken for "not there".
pub(crate) async fn describe(client: &Client, name: &str) -> Result<Option<Repository>> {
    let answer = match client.describe_repositories().repository_names(name).send().await {
        Ok(answer) => answer,
        Err(error) if code_of(&error) == Some("RepositoryNotFoundException") => return Ok(None),
        Err(error) => {
            let failure = call("ecr:DescribeRepositories")(error);
            return Err(failure).with_context(|| format!("failed to describe repository `{name}`"));
        }
    };
    let missing = |field: &str| {
        Failure::error(format!(
            "failed to describe repository `{name}`: ecr:DescribeRepositories answered without `{field}`"
        ))
    };
    let found = answer
        .repositories()
        .first()
        .ok_or_else(|| missing("repositories"))?;
    let uri = found.repository_uri().ok_or_else(|| missing("repositoryUri"))?;
    let mutability = found
        .image_tag_mutability()
        .map_or("MUTABLE", ImageTagMutability::as_str);
    let exclusions = found.image_tag_mutability_exclusion_filters().iter();
    Ok(Some(Repository {
        uri: uri.to_owned(),
        immutable: mutability.starts_with("IMMUTABLE"),
        exclusions: exclusions.map(|filter| filter.filter().to_owned()).collect(),
    }))
}

/// The image behind `tag`; `None` when the repository has no such tag.
///
/// # Errors
/// When the call fails, or says of the tag anything else than that it is not there.
pub(crate) async fn tagged(client: &Client, repository: &str, tag: &str) -> Result<Option<Remote>> {
    let context = || format!("failed to look for image `{repository}:{tag}`");
    let desired = ImageIdentifier::builder().image_tag(tag).build();
    let answer = client
        .batch_get_image()
        .repository_name(repository)
        .image_ids(desired)
        .set_accepted_media_types(Some(MANIFESTS.map(str::to_owned).to_vec()))
        .send()
        .await
        .map_err(call("ecr:BatchGetImage"))
        .with_context(context)?;
    if let Some(image) = answer.images().first() {
        let digest = image.image_id().and_then(ImageIdentifier::image_digest);
        let missing = || Failure::error("ecr:BatchGetImage answered without `imageDigest`");
        let digest = digest.ok_or_else(missing).with_context(context)?;
        return Ok(Some(match image.image_manifest() {
            Some(text) => Remote::with_manifest(digest, text, image.image_manifest_media_type()),
            None => Remote::known_by(digest),
        }));
    }
    match answer.failures().first() {
        Some(failure) if failure.failure_code() == Some(&ImageFailureCode::ImageNotFound) => Ok(None),
        Some(failure) => Err(why(failure)).with_context(context),
        None => Err(Failure::error("ecr:BatchGetImage answered without `images`")).with_context(context),
    }
}

fn why(failure: &ImageFailure) -> Failure {
    let code = failure.failure_code().map_or("no code", ImageFailureCode::as_str);
    let reason = failure.failure_reason().unwrap_or("no reason");
    Failure::error(format!("ecr:BatchGetImage said {code}: {reason}")).code(code)
}

/// Gives an image that the repository has already another tag.
///
/// # Errors
/// When ECR refuses, or the image's manifest is not known.
pub(crate) async fn put_tag(client: &Client, repository: &str, image: &Remote, tag: &str) -> Result<()> {
    let context = || format!("failed to tag image `{repository}:{tag}`");
    let (text, media_type) = image
        .manifest
        .clone()
        .ok_or_else(|| Failure::error("ecr:BatchGetImage answered without `imageManifest`"))
        .with_context(context)?;
    let answer = client
        .put_image()
        .repository_name(repository)
        .image_manifest(text)
        .set_image_manifest_media_type(media_type)
        // ECR then refuses a manifest that is not the one that this digest stands for.
        .image_digest(&image.digest)
        .image_tag(tag)
        .send()
        .await;
    match answer {
        Ok(_) => Ok(()),
        // Somebody else was quicker, with the same image.
        Err(error) if code_of(&error) == Some("ImageAlreadyExistsException") => Ok(()),
        Err(error) => Err(call("ecr:PutImage")(error)).with_context(context),
    }
}

/// Gets a login for the account's registry. It is told to the console, which keeps it out of all output, and
/// goes nowhere but to the engine.
///
/// # Errors
/// When ECR gives none, or one for another account's registry.
pub(crate) async fn login(client: &Client, console: &Console) -> Result<Credentials> {
    let context = "failed to get a token for the registry";
    let answer = client
        .get_authorization_token()
        .send()
        .await
        .map_err(call("ecr:GetAuthorizationToken"))
        .context(context)?;
    let missing = |field: &str| {
        Failure::error(format!(
            "{context}: ecr:GetAuthorizationToken answered without `{field}`"
        ))
    };
    let data = answer.authorization_data().first();
    let data = data.ok_or_else(|| missing("authorizationData"))?;
    let text = data
        .authorization_token()
        .ok_or_else(|| missing("authorizationToken"))?;
    console.redact(text);
    let endpoint = data.proxy_endpoint().ok_or_else(|| missing("proxyEndpoint"))?;
    let token = Token::decode(text, endpoint)?;
    console.redact(token.credentials.password.expose_secret());
    Ok(token.credentials)
}

//! The calls to ECR. Image layers are not uploaded by these calls, but by the engine.

use crate::remote::{RemoteImage, Repository};
use anyhow::{Context, Result};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{ImageFailure, ImageFailureCode, ImageIdentifier, ImageTagMutability};
use cli::{Console, ErrorKind, Failure};
use common::aws::{call, code_of, kind_of};
use registry::{Credentials, Token};
use secrecy::ExposeSecret;

/// Every type of manifest. If a type is not accepted, ECR returns a converted manifest with another digest.
const MANIFESTS: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// Reads one repository; `None` when it does not exist.
///
/// # Errors
/// When the call fails for any other reason.
pub(crate) async fn describe(client: &Client, name: &str) -> Result<Option<Repository>> {
    let answer = match client.describe_repositories().repository_names(name).send().await {
        Ok(answer) => answer,
        Err(error) if code_of(&error) == Some("RepositoryNotFoundException") => return Ok(None),
        Err(error) => {
            let failure = call("ecr:DescribeRepositories")(error);
            return Err(failure).with_context(|| format!("failed to describe repository `{name}`"));
        }
    };
    let context = || format!("failed to describe repository `{name}`");
    let missing = |field: &str| omitted("ecr:DescribeRepositories", field);
    let found = answer.repositories().first();
    let found = found
        .ok_or_else(|| missing("repositories"))
        .with_context(context)?;
    let uri = found.repository_uri();
    let uri = uri
        .ok_or_else(|| missing("repositoryUri"))
        .with_context(context)?;
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

/// The image of `tag`; `None` when the repository does not have the tag.
///
/// # Errors
/// When the call fails, or reports another failure for the tag.
pub(crate) async fn image(client: &Client, repository: &str, tag: &str) -> Result<Option<RemoteImage>> {
    let context = || format!("failed to look up image `{repository}:{tag}`");
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
        let missing = || omitted("ecr:BatchGetImage", "imageDigest");
        let digest = digest.ok_or_else(missing).with_context(context)?;
        return Ok(Some(match image.image_manifest() {
            Some(text) => RemoteImage::with_manifest(digest, text, image.image_manifest_media_type()),
            None => RemoteImage::with_digest(digest),
        }));
    }
    match answer.failures().first() {
        Some(failure) if failure.failure_code() == Some(&ImageFailureCode::ImageNotFound) => Ok(None),
        Some(failure) => Err(failed(failure)).with_context(context),
        None => Err(omitted("ecr:BatchGetImage", "images")).with_context(context),
    }
}

/// The field `field` is missing in the response to `call`.
fn omitted(call: &str, field: &str) -> Failure {
    Failure::error(format!("{call} response omitted `{field}`")).kind(ErrorKind::Unparseable)
}

fn failed(failure: &ImageFailure) -> Failure {
    let code = failure.failure_code().map_or("no code", ImageFailureCode::as_str);
    let reason = failure.failure_reason().unwrap_or("no reason");
    Failure::error(format!("ecr:BatchGetImage failed: {code}: {reason}"))
        .kind(kind_of(code, None))
        .code(code)
}

/// Gives an image of the repository another tag.
///
/// # Errors
/// When the call fails, or the manifest of the image is not known.
pub(crate) async fn put_tag(client: &Client, repository: &str, image: &RemoteImage, tag: &str) -> Result<()> {
    let context = || format!("failed to tag image `{repository}:{tag}`");
    let (text, media_type) = image
        .manifest
        .clone()
        .ok_or_else(|| omitted("ecr:BatchGetImage", "imageManifest"))
        .with_context(context)?;
    let answer = client
        .put_image()
        .repository_name(repository)
        .image_manifest(text)
        .set_image_manifest_media_type(media_type)
        // ECR rejects the call when the manifest does not have this digest.
        .image_digest(&image.digest)
        .image_tag(tag)
        .send()
        .await;
    match answer {
        Ok(_) => Ok(()),
        // Another client has given the tag to the same image meanwhile.
        Err(error) if code_of(&error) == Some("ImageAlreadyExistsException") => Ok(()),
        Err(error) => Err(call("ecr:PutImage")(error)).with_context(context),
    }
}

/// Requests a login for the account's registry. The console redacts it in all output; it is sent to the engine only.
///
/// # Errors
/// When the call fails, or the response is incomplete.
pub(crate) async fn login(client: &Client, console: &Console) -> Result<Credentials> {
    let context = "failed to get a token for the registry";
    let answer = client
        .get_authorization_token()
        .send()
        .await
        .map_err(call("ecr:GetAuthorizationToken"))
        .context(context)?;
    let missing = |field: &str| omitted("ecr:GetAuthorizationToken", field);
    let data = answer.authorization_data().first();
    let data = data
        .ok_or_else(|| missing("authorizationData"))
        .context(context)?;
    let text = data.authorization_token();
    let text = text
        .ok_or_else(|| missing("authorizationToken"))
        .context(context)?;
    console.redact(text);
    let endpoint = data.proxy_endpoint();
    let endpoint = endpoint
        .ok_or_else(|| missing("proxyEndpoint"))
        .context(context)?;
    let token = Token::decode(text, endpoint)?;
    console.redact(token.credentials.password.expose_secret());
    Ok(token.credentials)
}

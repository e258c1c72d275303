//! Images in ECR: the digest behind a tag, and the platforms of an image.

use crate::download::download;
use crate::source::SourceImage;
use anyhow::{Context, Result};
use aws_config::{Region, SdkConfig};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{ImageFailureCode, ImageIdentifier};
use cli::Failure;
use common::aws::{call, code_of};
use common::config::AwsTarget;
use futures_util::future::join_all;
use registry::{EcrHost, Manifest, Platform, Reference};
use std::collections::BTreeMap;

/// The accepted manifests. The last two are those of multi-platform images.
const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
];

/// The placeholder for the digest of an image that is only planned.
const NO_DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The ECR clients of one run.
pub(crate) struct Ecr<'a> {
    pub(crate) sdk: &'a SdkConfig,
    pub(crate) target: &'a AwsTarget,
}

/// An image by its name in ECR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EcrImage {
    account: String,
    region: String,
    pub(crate) repository: String,
    /// `sha256:…`, else a tag.
    id: String,
}

/// The result of looking up an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ImageLookup {
    Found(StoredImage),
    /// The image or its repository does not exist.
    Missing,
    /// The caller lacks the permission.
    Denied,
}

/// An image in ECR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredImage {
    digest: String,
    manifest: String,
}

/// The references behind `${image.NAME}`, and the images that were looked up for them.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// By the image's name in `ops.toml`.
    pub(crate) references: BTreeMap<String, String>,
    /// By the reference.
    pub(crate) known: BTreeMap<String, ImageLookup>,
}

impl EcrImage {
    /// The name behind a reference; `None` when it is not in a private registry of ECR.
    pub(crate) fn of(reference: &str) -> Option<Self> {
        let reference = Reference::parse(reference).ok()?;
        let host = EcrHost::parse(&reference.host)?;
        Some(EcrImage {
            account: host.account,
            region: host.region,
            repository: reference.repository,
            id: reference
                .digest
                .or(reference.tag)
                .unwrap_or_else(|| "latest".into()),
        })
    }

    /// Whether it is in the registry of `target`.
    pub(crate) fn is_in(&self, target: &AwsTarget) -> bool {
        self.account == target.account && self.region == target.region
    }
}

impl Ecr<'_> {
    fn client(&self, region: &str) -> Client {
        if region == self.target.region {
            return Client::new(self.sdk);
        }
        let config = aws_sdk_ecr::config::Builder::from(self.sdk).region(Region::new(region.to_owned()));
        Client::from_conf(config.build())
    }

    /// Looks up the digests of the images in the file.
    ///
    /// # Errors
    /// When a call fails: without the digest there is no plan.
    pub(crate) async fn resolve(&self, images: &[SourceImage]) -> Result<Resolved> {
        let found = join_all(images.iter().map(|image| self.resolve_one(image))).await;
        let mut resolved = Resolved::default();
        for (image, found) in images.iter().zip(found) {
            let (reference, lookup) = found?;
            resolved.references.insert(image.name.clone(), reference.clone());
            resolved.known.extend(lookup.map(|lookup| (reference, lookup)));
        }
        Ok(resolved)
    }

    async fn resolve_one(&self, image: &SourceImage) -> Result<(String, Option<ImageLookup>)> {
        if let Some(given) = &image.given {
            return Ok((given.clone(), None));
        }
        let SourceImage {
            name,
            repository,
            tag,
            ..
        } = image;
        let asked = EcrImage {
            account: self.target.account.clone(),
            region: self.target.region.clone(),
            repository: repository.clone(),
            id: tag.clone(),
        };
        let context = || format!("failed to look up the digest of image `{name}` (`{repository}:{tag}`)");
        let lookup = self.look_up(&asked, false).await.with_context(context)?;
        let digest = match &lookup {
            ImageLookup::Found(found) => found.digest.as_str(),
            ImageLookup::Missing | ImageLookup::Denied => NO_DIGEST,
        };
        let reference = format!("{}/{repository}@{digest}", self.target.ecr_registry());
        Ok((reference, Some(lookup)))
    }

    /// Looks up one image. With `is_check` a missing permission is a result, not an error.
    ///
    /// # Errors
    /// When the call fails.
    pub(crate) async fn look_up(&self, name: &EcrImage, is_check: bool) -> Result<ImageLookup> {
        let id = if name.id.starts_with("sha256:") {
            ImageIdentifier::builder().image_digest(&name.id)
        } else {
            ImageIdentifier::builder().image_tag(&name.id)
        };
        let request = self
            .client(&name.region)
            .batch_get_image()
            .registry_id(&name.account)
            .repository_name(&name.repository)
            .image_ids(id.build())
            .set_accepted_media_types(Some(MEDIA_TYPES.map(str::to_owned).to_vec()));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                return match code_of(&error) {
                    Some("RepositoryNotFoundException") => Ok(ImageLookup::Missing),
                    Some("AccessDeniedException") if is_check => Ok(ImageLookup::Denied),
                    _ => Err(call("ecr:BatchGetImage")(error).into()),
                };
            }
        };
        if let Some(image) = answer.images().first() {
            let digest = image.image_id().and_then(ImageIdentifier::image_digest);
            let (Some(digest), Some(manifest)) = (digest, image.image_manifest()) else {
                let message = "ecr:BatchGetImage response omitted digest or manifest";
                return Err(Failure::error(message).into());
            };
            return Ok(ImageLookup::Found(StoredImage {
                digest: digest.to_owned(),
                manifest: manifest.to_owned(),
            }));
        }
        match answer.failures().first() {
            Some(failure) if failure.failure_code() == Some(&ImageFailureCode::ImageNotFound) => {
                Ok(ImageLookup::Missing)
            }
            Some(failure) => {
                let code = failure.failure_code().map_or("no code", ImageFailureCode::as_str);
                let reason = failure.failure_reason().unwrap_or_default();
                let message = format!("ecr:BatchGetImage failed with {code}: {reason}");
                Err(Failure::error(message).code(code).into())
            }
            None => Err(Failure::error("ecr:BatchGetImage response omitted image and failure").into()),
        }
    }

    /// The platforms of an image.
    ///
    /// # Errors
    /// With the reason, when they can't be found out.
    pub(crate) async fn platforms(
        &self,
        name: &EcrImage,
        found: &StoredImage,
    ) -> Result<Vec<Platform>, String> {
        match Manifest::parse(&found.manifest).map_err(|error| error.to_string())? {
            Manifest::Index(platforms) => Ok(platforms),
            Manifest::Image { config } => {
                let request = self
                    .client(&name.region)
                    .get_download_url_for_layer()
                    .registry_id(&name.account)
                    .repository_name(&name.repository)
                    .layer_digest(config);
                let answer = request
                    .send()
                    .await
                    .map_err(|error| call("ecr:GetDownloadUrlForLayer")(error).to_string())?;
                let config = download(self.sdk, answer.download_url().unwrap_or_default()).await?;
                let platform = Platform::of_config(&config).map_err(|error| error.to_string())?;
                Ok(vec![platform])
            }
        }
    }
}

/// Replaces the placeholder for the digest of a planned image.
pub(crate) fn show_planned_digest(text: &str) -> String {
    text.replace(NO_DIGEST, "(the digest that push-image pushes)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_ecr_are_distinguished_from_others() {
        let target = AwsTarget {
            account: "123456789012".into(),
            region: "us-east-1".into(),
        };
        let name = |reference: &str| {
            EcrImage::of(reference).map(|name| (name.is_in(&target), name.repository, name.id))
        };
        let host = target.ecr_registry();
        assert_eq!(
            name(&format!("{host}/a/b:1")),
            Some((true, "a/b".into(), "1".into()))
        );
        assert_eq!(
            name(&format!("{host}/a@{NO_DIGEST}")),
            Some((true, "a".into(), NO_DIGEST.into()))
        );
        assert_eq!(
            name("111122223333.dkr.ecr.eu-west-1.amazonaws.com/a"),
            Some((false, "a".into(), "latest".into()))
        );
        assert_eq!(name("busybox:1"), None);
        assert_eq!(name("public.ecr.aws/xray/aws-xray-daemon:1"), None);
    }
}

//! The desired state: the images of this run and their sources, from `ops.toml` and the command line. No I/O.

use anyhow::Result;
use cli::{ErrorKind, Failure};
use common::config::Image;
use registry::Reference;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// One image of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Desired {
    pub(crate) name: String,
    /// The repository, without the registry.
    pub(crate) repository: String,
    pub(crate) tags: Vec<String>,
    pub(crate) source: Source,
}

/// The source of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An image of another registry, or of the engine.
    Copy {
        reference: Reference,
        /// The source in `ops.toml`, when the command line or the environment replaces it.
        instead_of: Option<String>,
    },
    /// A build from a Dockerfile.
    Build {
        context: String,
        dockerfile: String,
        platform: Option<String>,
        target: Option<String>,
        arguments: Arguments,
    },
}

/// The arguments of a build. `Debug` shows only their names, because a value may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments(pub(crate) BTreeMap<String, String>);

impl fmt::Debug for Arguments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Source {
    /// A description for the report: the reference, or the path of the Dockerfile.
    pub(crate) fn describe(&self) -> String {
        match self {
            Source::Copy { reference, .. } => reference.to_string(),
            Source::Build {
                context, dockerfile, ..
            } => format!("{}/{dockerfile}", context.trim_end_matches('/')),
        }
    }
}

/// `NAME=REF`: replaces the source of a copied image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Override {
    name: String,
    reference: Reference,
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, reference) = text.split_once('=').ok_or("write NAME=REF")?;
        if name.is_empty() {
            return Err("write NAME=REF".into());
        }
        Ok(Override {
            name: name.to_owned(),
            reference: Reference::parse(reference).map_err(|error| error.to_string())?,
        })
    }
}

/// The overrides of the command line and of the environment. Those of the command line take precedence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    flags: Vec<Override>,
    environment: Vec<Override>,
}

impl Overrides {
    /// Combines `--from` and `$OPS_IMAGE_FROM`, whose overrides are separated by commas or spaces.
    ///
    /// # Errors
    /// When the variable is malformed.
    pub(crate) fn read(flags: &[Override], variable: Option<&str>) -> Result<Self> {
        let words = variable
            .unwrap_or_default()
            .split([',', ' '])
            .filter(|word| !word.is_empty());
        let environment = words.map(|word| {
            word.parse().map_err(|error: String| {
                Failure::error(format!("failed to read $OPS_IMAGE_FROM: {error}"))
                    .kind(ErrorKind::Usage)
                    .code("usage")
                    .hint("write NAME=REF, for example `cruddur-python=python:3.11-slim`")
            })
        });
        Ok(Overrides {
            flags: flags.to_vec(),
            environment: environment.collect::<Result<_, _>>()?,
        })
    }

    fn of(&self, name: &str) -> Option<&Reference> {
        let all = self.flags.iter().rev().chain(self.environment.iter().rev());
        all.into_iter()
            .find(|one| one.name == name)
            .map(|one| &one.reference)
    }

    /// The overrides of the environment that apply to no image, and the reason. The variable may be meant for another
    /// `ops.toml`, so these are not errors.
    pub(crate) fn unused<'a>(&'a self, images: &[Image]) -> Vec<(&'a str, &'static str)> {
        let reason = |name: &str| match images.iter().find(|image| image.name == name) {
            None => Some("is not an image"),
            Some(image) if image.from.is_none() => Some("is a built image, not a copied one,"),
            Some(_) => None,
        };
        let names = self.environment.iter().map(|one| one.name.as_str());
        names.filter_map(|name| Some((name, reason(name)?))).collect()
    }
}

/// The images of this run, checked as far as possible without a call. `host` is the registry.
///
/// # Errors
/// With the first error.
pub(crate) fn desired(images: Vec<Image>, overrides: &Overrides, host: &str) -> Result<Vec<Desired>> {
    for flag in &overrides.flags {
        let image = images.iter().find(|image| image.name == flag.name);
        let reason = match image {
            None => "it is not among the images of this run",
            Some(image) if image.from.is_none() => "it is built, not copied",
            Some(_) => continue,
        };
        return Err(Failure::error(format!(
            "failed to use --from for image `{}`: {reason}",
            flag.name
        ))
        .kind(ErrorKind::Usage)
        .code("usage")
        .into());
    }
    let mut taken = BTreeSet::new();
    let mut all = Vec::new();
    for image in images {
        let name = &image.name;
        for tag in &image.tags {
            let target = format!("{host}/{}:{tag}", image.repository);
            let parsed = Reference::parse(&target);
            // A tag that contains `@` or a slash would be parsed as a digest or as part of the repository.
            if !parsed.is_ok_and(|parsed| parsed.to_string() == target && parsed.tag.as_deref() == Some(tag))
            {
                return Err(Failure::config(format!(
                    "failed to use image `{name}`: `{}:{tag}` is not a valid repository and tag",
                    image.repository
                ))
                .into());
            }
            if !taken.insert(target) {
                return Err(Failure::config(format!(
                    "failed to use image `{name}`: `{}:{tag}` is configured twice",
                    image.repository
                ))
                .into());
            }
        }
        let source = source(&image, overrides)?;
        all.push(Desired {
            name: image.name,
            repository: image.repository,
            tags: image.tags,
            source,
        });
    }
    Ok(all)
}

fn source(image: &Image, overrides: &Overrides) -> Result<Source> {
    if let Some(from) = &image.from {
        let own = Reference::parse(from).map_err(|error| {
            Failure::config(format!("failed to use `from` of image `{}`: {error}", image.name))
        })?;
        let other = overrides.of(&image.name);
        return Ok(Source::Copy {
            instead_of: other.filter(|other| **other != own).map(|_| from.clone()),
            reference: other.cloned().unwrap_or(own),
        });
    }
    let build = image
        .build
        .as_ref()
        .ok_or_else(|| Failure::config(format!("image `{}` needs either `from` or `build`", image.name)))?;
    let dockerfile = build.dockerfile.clone().unwrap_or_else(|| "Dockerfile".into());
    let dockerfile = dockerfile.trim_start_matches("./").to_owned();
    if dockerfile.starts_with('/') || dockerfile.split('/').any(|part| part == "..") {
        return Err(Failure::config(format!(
            "failed to use `build.dockerfile` of image `{}`: it must be inside the context",
            image.name
        ))
        .into());
    }
    Ok(Source::Build {
        context: build.context.clone(),
        dockerfile,
        platform: build.platform.clone(),
        target: build.target.clone(),
        arguments: Arguments(
            build
                .args
                .iter()
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect(),
        ),
    })
}

/// Whether the image tables refer to the account, the region or the partition.
pub(crate) fn refers_to_aws(images: &[Image]) -> bool {
    let texts = images.iter().flat_map(|image| {
        let build = image.build.iter().flat_map(|build| {
            let others = [
                Some(&build.context),
                build.dockerfile.as_ref(),
                build.platform.as_ref(),
                build.target.as_ref(),
            ];
            others
                .into_iter()
                .flatten()
                .chain(build.args.iter().map(|(_, value)| value))
        });
        image
            .tags
            .iter()
            .chain([&image.repository])
            .chain(&image.from)
            .chain(build)
    });
    texts.into_iter().any(|text| text.contains("${AWS_"))
}

#[cfg(test)]
mod tests;

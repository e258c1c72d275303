//! What `ops.toml` and the command line want: the images of this run, and where each comes from. No I/O.

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
    /// Without the registry.
    pub(crate) repository: String,
    pub(crate) tags: Vec<String>,
    pub(crate) source: Source,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Another registry, or this machine.
    Copy {
        reference: Reference,
        /// What `ops.toml` says, when the command line or the environment says something else.
        instead_of: Option<String>,
    },
    /// A Dockerfile.
    Build {
        context: String,
        dockerfile: String,
        platform: Option<String>,
        target: Option<String>,
        arguments: Arguments,
    },
}

/// The arguments of a build. `Debug` shows their names: a value may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments(pub(crate) BTreeMap<String, String>);

impl fmt::Debug for Arguments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Source {
    /// For people: the reference, or the Dockerfile.
    pub(crate) fn describe(&self) -> String {
        match self {
            Source::Copy { reference, .. } => reference.to_string(),
            Source::Build {
                context, dockerfile, ..
            } => format!("{}/{dockerfile}", context.trim_end_matches('/')),
        }
    }
}

/// `NAME=REF`: another source for an image that is copied.
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

/// The sources that the command line and the environment name. The command line wins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    flags: Vec<Override>,
    environment: Vec<Override>,
}

impl Overrides {
    /// `--from`, and the text of `$OPS_IMAGE_FROM`, in which commas or spaces stand between several.
    ///
    /// # Errors
    /// When the variable is malformed.
    pub(crate) fn read(flags: &[Override], variable: Option<&str>) -> Result<Self> {
        let words = variable
            .unwrap_or_default()
            .split([',', ' '])
            .filter(|word| !word.is_empty());
        let environment = words.map(|word| {
            word.parse().map_err(|fault: String| {
                Failure::error(format!("failed to read $OPS_IMAGE_FROM: {fault}"))
                    .kind(ErrorKind::Usage)
                    .code("usage")
                    .hint("it is NAME=REF, as in `cruddur-python=python:3.11-slim`")
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

    /// The names in the variable that it can't give a source to, and why. It may be there for another file.
    pub(crate) fn useless<'a>(&'a self, images: &[Image]) -> Vec<(&'a str, &'static str)> {
        let why = |name: &str| match images.iter().find(|image| image.name == name) {
            None => Some("is no image"),
            Some(image) if image.from.is_none() => Some("is a built image, and no copied one,"),
            Some(_) => None,
        };
        let names = self.environment.iter().map(|one| one.name.as_str());
        names.filter_map(|name| Some((name, why(name)?))).collect()
    }
}

/// The images of this run, checked as far as they can be without asking anybody. `host` is the registry.
///
/// # Errors
/// With the first fault.
pub(crate) fn desired(images: Vec<Image>, overrides: &Overrides, host: &str) -> Result<Vec<Desired>> {
    let fault = |message: String| Failure::error(message).kind(ErrorKind::Config).code("config");
    for flag in &overrides.flags {
        let image = images.iter().find(|image| image.name == flag.name);
        let why = match image {
            None => "it is not among the images of this run",
            Some(image) if image.from.is_none() => "it is built, and not copied",
            Some(_) => continue,
        };
        return Err(
            Failure::error(format!("failed to use --from for image `{}`: {why}", flag.name))
                .kind(ErrorKind::Usage)
                .code("usage")
                .into(),
        );
    }
    let mut taken = BTreeSet::new();
    let mut all = Vec::new();
    for image in images {
        let name = &image.name;
        for tag in &image.tags {
            let place = format!("{host}/{}:{tag}", image.repository);
            let parsed = Reference::parse(&place);
            // A tag with an `@` or a slash in it would be read as something else.
            if !parsed.is_ok_and(|parsed| parsed.to_string() == place && parsed.tag.as_deref() == Some(tag)) {
                return Err(fault(format!(
                    "failed to use image `{name}`: `{}:{tag}` is no repository and tag",
                    image.repository
                ))
                .into());
            }
            if !taken.insert(place) {
                return Err(fault(format!(
                    "failed to use image `{name}`: `{}:{tag}` is named twice",
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
    let fault = |message: String| Failure::error(message).kind(ErrorKind::Config).code("config");
    if let Some(from) = &image.from {
        let own = Reference::parse(from)
            .map_err(|error| fault(format!("failed to use `from` of image `{}`: {error}", image.name)))?;
        let other = overrides.of(&image.name);
        return Ok(Source::Copy {
            instead_of: other.filter(|other| **other != own).map(|_| from.clone()),
            reference: other.cloned().unwrap_or(own),
        });
    }
    let build = image
        .build
        .as_ref()
        .ok_or_else(|| fault(format!("image `{}` needs either `from` or `build`", image.name)))?;
    let dockerfile = build.dockerfile.clone().unwrap_or_else(|| "Dockerfile".into());
    let dockerfile = dockerfile.trim_start_matches("./").to_owned();
    if dockerfile.starts_with('/') || dockerfile.split('/').any(|part| part == "..") {
        return Err(fault(format!(
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

#[cfg(test)]
mod tests;

//! The input of a build that is read from this machine: the Dockerfile, the ignore file and the arguments.

use crate::context::Ignore;
use crate::desired::Source;
use crate::dockerfile::{self, Base};
use crate::engine::build::BuildSettings;
use crate::secret_args::{is_name_of_secret, is_proxy, password_in};
use anyhow::{Context as _, Result};
use cli::{Console, Failure, FailureExt};
use registry::Reference;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The input of a build.
pub(crate) struct BuildInput {
    pub(crate) folder: PathBuf,
    pub(crate) settings: BuildSettings,
    pub(crate) ignore: Ignore,
    /// The base images of the Dockerfile.
    pub(crate) bases: Vec<Base>,
    /// The arguments that refer to environment variables, with these variables.
    from_environment: BTreeMap<String, Vec<String>>,
}

impl BuildInput {
    /// Reads the Dockerfile and the ignore file; `None` for a copied image. `resolve` converts a path that is relative
    /// to `ops.toml`. `from_environment` has the arguments that refer to environment variables.
    ///
    /// # Errors
    /// When the context is not a folder, or one of the files cannot be read.
    pub(crate) fn read(
        source: &Source,
        image: &str,
        from_environment: BTreeMap<String, Vec<String>>,
        resolve: impl Fn(&str) -> PathBuf,
    ) -> Result<Option<Self>> {
        let Source::Build {
            context,
            dockerfile,
            platform,
            target,
            arguments,
        } = source
        else {
            return Ok(None);
        };
        let folder = resolve(context);
        if !folder.is_dir() {
            return Err(Failure::config(format!(
                "failed to use the build context of image `{image}`: `{}` is not a folder",
                folder.display()
            ))
            .hint("`build.context` is relative to ops.toml")
            .into());
        }
        let path = folder.join(dockerfile);
        let text = read_text(&path).or_error(
            format!(
                "failed to read the Dockerfile of image `{image}`, `{}`",
                path.display()
            ),
            "`build.dockerfile` is relative to the context",
        )?;
        Ok(Some(BuildInput {
            ignore: read_ignore(&folder, dockerfile)?,
            bases: dockerfile::bases(&text, &arguments.0, target.as_deref()),
            from_environment,
            folder,
            settings: BuildSettings {
                dockerfile: dockerfile.clone(),
                arguments: arguments.clone(),
                target: target.clone(),
                platform: platform.clone(),
            },
        }))
    }

    /// Redacts secret arguments in all output, and warns of those that the image discloses.
    pub(crate) fn guard_arguments(&self, image: &str, console: &Console) {
        for (name, value) in &self.settings.arguments.0 {
            let password = password_in(value);
            // The name of a base image is not a secret.
            let is_base = Reference::parse(value)
                .is_ok_and(|value| self.bases.iter().any(|base| base.reference == value));
            let reason = if is_name_of_secret(name) || password.is_some() {
                "looks like a secret"
            } else if self.from_environment.contains_key(name) && !is_base {
                "comes from the environment"
            } else {
                continue;
            };
            console.redact(value);
            // Messages may contain the value of the variable without the text around it.
            let variables = self.from_environment.get(name).into_iter().flatten();
            for value in variables.filter_map(|variable| std::env::var(variable).ok()) {
                console.redact(&value);
            }
            password.into_iter().for_each(|password| console.redact(password));
            if !is_proxy(name) {
                console.warn(format!(
                    "{image}: the build argument `{name}` {reason}, and everyone who has the image can read it"
                ));
            }
        }
    }
}

/// Reads a regular file. Reading a pipe could block forever.
fn read_text(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.is_file() {
        fs::read_to_string(path)
    } else {
        Err(io::Error::other("not a regular file"))
    }
}

/// Reads `DOCKERFILE.dockerignore` if it exists, else `.dockerignore`.
fn read_ignore(folder: &Path, dockerfile: &str) -> Result<Ignore> {
    for name in [format!("{dockerfile}.dockerignore"), ".dockerignore".to_owned()] {
        let path = folder.join(&name);
        match read_text(&path) {
            Ok(text) => return Ignore::parse(&path.display().to_string(), &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("failed to read `{}`", path.display())),
        }
    }
    Ok(Ignore::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ignore_file_of_the_dockerfile_takes_precedence() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let none = read_ignore(folder.path(), "Dockerfile").unwrap();
        assert!(!none.excludes("general"));
        write(".dockerignore", "general");
        assert!(
            read_ignore(folder.path(), "Dockerfile")
                .unwrap()
                .excludes("general")
        );
        write("Dockerfile.dockerignore", "special");
        let own = read_ignore(folder.path(), "Dockerfile").unwrap();
        assert!(own.excludes("special") && !own.excludes("general"));
        assert!(read_ignore(folder.path(), "Other").unwrap().excludes("general"));
    }
}

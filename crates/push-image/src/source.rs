//! Gets an image onto the engine: pulled, found there, or built.

use crate::context::{Context, Ignore, latest_time};
use crate::desired::Source;
use crate::destination::Destination;
use crate::dockerfile::{self, Base};
use crate::engine::build::{BuildSettings, warn_of_size};
use crate::engine::{Engine, LocalImage};
use crate::secret::{is_name_of_secret, is_proxy, password_in};
use anyhow::{Context as _, Result};
use cli::progress::Progress;
use cli::{Console, ErrorKind, Failure, FailureExt};
use registry::{Credentials, Reference};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a Dockerfile builds from, as far as this machine alone can say.
pub(crate) struct Build {
    folder: PathBuf,
    settings: BuildSettings,
    /// The name of the file with `ignore`'s rules.
    ignore: Ignore,
    /// The images that it builds upon.
    pub(crate) bases: Vec<Base>,
    /// The arguments that take something out of the environment, and the variables.
    from_environment: BTreeMap<String, Vec<String>>,
}

impl Build {
    /// Reads the Dockerfile and the ignore file; `resolve` makes paths of `ops.toml` paths of this process.
    /// `from_environment` are the arguments that take something out of the environment.
    ///
    /// # Errors
    /// When the context is no folder, or one of the files cannot be read.
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
            return Err(Failure::error(format!(
                "failed to use the build context of image `{image}`: `{}` is no folder",
                folder.display()
            ))
            .kind(ErrorKind::Config)
            .code("config")
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
        Ok(Some(Build {
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

    /// Keeps secret arguments out of all output, and tells of those that the image will not keep.
    fn guard_arguments(&self, image: &str, console: &Console) {
        for (name, value) in &self.settings.arguments.0 {
            let password = password_in(value);
            // The image that is built upon is no secret, wherever its name comes from.
            let is_base = Reference::parse(value)
                .is_ok_and(|value| self.bases.iter().any(|base| base.reference == value));
            let why = if is_name_of_secret(name) || password.is_some() {
                "looks like a secret"
            } else if self.from_environment.contains_key(name) && !is_base {
                "comes from the environment"
            } else {
                continue;
            };
            console.redact(value);
            // A server may repeat it without the text around it.
            let variables = self.from_environment.get(name).into_iter().flatten();
            for outside in variables.filter_map(|variable| std::env::var(variable).ok()) {
                console.redact(&outside);
            }
            password.into_iter().for_each(|password| console.redact(password));
            if !is_proxy(name) {
                console.warn(format!(
                    "{image}: the build argument `{name}` {why}, and everybody who has the image can read it"
                ));
            }
        }
    }
}

/// The text of a regular file: a pipe would be waited for.
fn read_text(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.is_file() {
        fs::read_to_string(path)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// The rules for this Dockerfile alone, when there are such, else those of the folder.
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

/// The engine, and where logins come from.
pub(crate) struct Workshop<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) destination: &'a Destination<'a>,
    pub(crate) console: &'a Console,
    pub(crate) progress: &'a Progress<'a>,
}

impl Workshop<'_> {
    /// Gets `reference` onto the engine, as `docker pull` does: its registry is asked. An image that was made on
    /// this machine is taken as it is, and when the registry cannot be asked, so is the one from the last time.
    ///
    /// # Errors
    /// When it is neither there nor here.
    pub(crate) async fn fetch(
        &self,
        image: &str,
        reference: &Reference,
        platform: Option<&str>,
    ) -> Result<LocalImage> {
        let name = named(reference);
        let here = self.engine.image(&name).await?;
        let asked = self.destination.must_be_asked(&reference.host);
        if let Some(here) = here.as_ref().filter(|_| !asked) {
            if reference.digest.is_some() {
                return Ok(here.clone());
            }
            if !here.digests.iter().any(|digest| is_of(digest, reference)) {
                self.console.debug(format!(
                    "{image}: `{name}` was made on this machine: no registry is asked for it"
                ));
                return Ok(here.clone());
            }
        }
        self.progress.info(format!("{image}: pulling {name}"));
        let login = self.destination.login_for(self.engine, &reference.host).await?;
        let pulled = self
            .engine
            .pull(reference, platform, login.as_ref(), self.progress)
            .await;
        match (pulled, here) {
            (Ok(()), _) => {}
            (Err(error), Some(here)) if !asked => {
                self.console
                    .warn(format!("{image}: {error:#}: the image on this machine is taken"));
                return Ok(here);
            }
            (Err(error), _) => return Err(error),
        }
        let found = self.engine.image(&name).await?;
        found.ok_or_else(|| {
            Failure::error(format!(
                "failed to pull `{name}`: the engine does not have it all the same"
            ))
            .code("engine")
            .into()
        })
    }

    /// Builds, upon images that are up to date, and gives the image.
    ///
    /// # Errors
    /// When one of them cannot be had, the context cannot be read, or the build fails.
    pub(crate) async fn build(&self, image: &str, build: &Build) -> Result<LocalImage> {
        build.guard_arguments(image, self.console);
        let mut logins: BTreeMap<String, Credentials> = BTreeMap::new();
        for base in &build.bases {
            let platform = base.platform.as_deref().or(build.settings.platform.as_deref());
            self.fetch(image, &base.reference, platform).await?;
            // The builder pulls by itself what is here for another platform only.
            let host = &base.reference.host;
            if let Some(login) = self.destination.login_for(self.engine, host).await? {
                logins.insert(base.reference.host.clone(), login);
            }
        }
        let failed = || format!("failed to build image `{image}`");
        let latest = latest_time(std::env::var("SOURCE_DATE_EPOCH").ok().as_deref())?;
        let (folder, ignore) = (build.folder.clone(), build.ignore.clone());
        let dockerfile = build.settings.dockerfile.clone();
        // A folder over a network may take its time: the deadline and Ctrl-C must still work.
        let listed = tokio::task::spawn_blocking(move || {
            Context::list(&folder, &ignore, &[&dockerfile, ".dockerignore"], latest)
        });
        let context = listed
            .await
            .context("the listing ended")
            .flatten()
            .with_context(failed)?;
        warn_of_size(&context, image, self.console);
        self.progress.info(format!(
            "{image}: building {}",
            build.folder.join(&build.settings.dockerfile).display()
        ));
        let mut settings = build.settings.clone();
        for (name, value) in self.destination.proxies(self.engine)? {
            settings.arguments.0.entry(name).or_insert(value);
        }
        let id = self
            .engine
            .build(&settings, context, &logins, self.console, self.progress)
            .await
            .with_context(failed)?;
        let found = self.engine.image(&id).await?;
        found.ok_or_else(|| {
            Failure::error(format!(
                "failed to build image `{image}`: the engine does not have it"
            ))
            .code("engine")
            .into()
        })
    }
}

/// The name that the engine looks for; without a tag it is `latest`.
fn named(reference: &Reference) -> String {
    match (&reference.tag, &reference.digest) {
        (None, None) => format!("{reference}:latest"),
        // The engine knows by one or by the other.
        (Some(_), Some(digest)) => format!("{}@{digest}", reference.name()),
        _ => reference.to_string(),
    }
}

/// Whether `digest`, `python@sha256:…`, is one of the repository of `reference`.
fn is_of(digest: &str, reference: &Reference) -> bool {
    Reference::parse(digest).is_ok_and(|known| known.name() == reference.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Reference {
        Reference::parse(text).unwrap()
    }

    #[test]
    fn the_engine_is_asked_by_tag_or_by_digest() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        for (text, expected) in [
            ("python", "docker.io/library/python:latest".to_owned()),
            ("python:3", "docker.io/library/python:3".to_owned()),
            (
                &format!("python:3@{digest}"),
                format!("docker.io/library/python@{digest}"),
            ),
            (
                &format!("host.example/a@{digest}"),
                format!("host.example/a@{digest}"),
            ),
        ] {
            assert_eq!(named(&reference(text)), expected);
        }
    }

    #[test]
    fn an_image_is_from_a_registry_when_it_has_a_digest_of_it() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        assert!(is_of(&format!("python@{digest}"), &reference("python:3")));
        assert!(is_of(
            &format!("docker.io/library/python@{digest}"),
            &reference("python:3")
        ));
        assert!(!is_of(
            &format!("host.example/python@{digest}"),
            &reference("python:3")
        ));
        assert!(!is_of("<none>@<none>", &reference("python:3")));
    }

    #[test]
    fn the_dockerfiles_own_ignore_file_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(
            read_ignore(folder.path(), "Dockerfile").unwrap(),
            Ignore::default()
        );
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

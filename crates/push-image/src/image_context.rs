//! Gets an image onto the engine: pulls it, finds it there, or builds it.

use crate::build_input::BuildInput;
use crate::context::{Context, latest_time};
use crate::destination::Destination;
use crate::engine::build::warn_of_size;
use crate::engine::{Engine, LocalImage};
use anyhow::{Context as _, Result};
use cli::progress::Progress;
use cli::{Console, ErrorKind, Failure};
use registry::{Credentials, Reference};
use std::collections::BTreeMap;

/// What is needed to get an image onto the engine.
#[derive(Clone, Copy)]
pub(crate) struct ImageContext<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) destination: &'a Destination<'a>,
    pub(crate) console: &'a Console,
    pub(crate) progress: &'a Progress<'a>,
}

impl ImageContext<'_> {
    /// Pulls `reference`. An image that was built on this machine is used without a pull, and an image of an earlier
    /// pull is used when the pull fails.
    ///
    /// # Errors
    /// When neither the registry nor the engine has the image.
    pub(crate) async fn pull(
        &self,
        image: &str,
        reference: &Reference,
        platform: Option<&str>,
    ) -> Result<LocalImage> {
        let name = local_name(reference);
        let local = self.engine.image(&name).await?;
        let must_pull = self.destination.must_pull(&reference.host);
        if let Some(local) = local.as_ref().filter(|_| !must_pull) {
            if reference.digest.is_some() {
                return Ok(local.clone());
            }
            if !local
                .digests
                .iter()
                .any(|digest| is_in_repository(digest, reference))
            {
                self.console
                    .debug(format!("{image}: `{name}` was built on this machine: not pulled"));
                return Ok(local.clone());
            }
        }
        self.progress.info(format!("{image}: pulling {name}"));
        let login = self.destination.login_for(self.engine, &reference.host).await?;
        let pulled = self
            .engine
            .pull(reference, platform, login.as_ref(), self.progress)
            .await;
        match (pulled, local) {
            (Ok(()), _) => {}
            (Err(error), Some(local)) if !must_pull => {
                self.console
                    .warn(format!("{image}: {error:#}: using the image of an earlier pull"));
                return Ok(local);
            }
            (Err(error), _) => return Err(error),
        }
        let found = self.engine.image(&name).await?;
        found.ok_or_else(|| {
            Failure::error(format!(
                "failed to pull `{name}`: pull succeeded but the image is missing locally"
            ))
            .kind(ErrorKind::NotFound)
            .code("engine")
            .into()
        })
    }

    /// Pulls the base images, builds, and returns the image.
    ///
    /// # Errors
    /// When a base image cannot be pulled, the context cannot be read, or the build fails.
    pub(crate) async fn build(&self, image: &str, build: &BuildInput) -> Result<LocalImage> {
        build.guard_arguments(image, self.console);
        let mut logins: BTreeMap<String, Credentials> = BTreeMap::new();
        for base in &build.bases {
            let platform = base.platform.as_deref().or(build.settings.platform.as_deref());
            self.pull(image, &base.reference, platform).await?;
            // The builder itself pulls a base image that the engine has only for another platform.
            let host = &base.reference.host;
            if let Some(login) = self.destination.login_for(self.engine, host).await? {
                logins.insert(base.reference.host.clone(), login);
            }
        }
        let failed = || format!("failed to build image `{image}`");
        let latest = latest_time(std::env::var("SOURCE_DATE_EPOCH").ok().as_deref())?;
        let (folder, ignore) = (build.folder.clone(), build.ignore.clone());
        let dockerfile = build.settings.dockerfile.clone();
        // A network folder may be slow. It is listed in another thread, so that the deadline and Ctrl-C still work.
        let listed = tokio::task::spawn_blocking(move || {
            Context::list(&folder, &ignore, &[&dockerfile, ".dockerignore"], latest)
        });
        let context = listed
            .await
            .context("failed to list the build context")
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
                "failed to build image `{image}`: build succeeded but the image is missing locally"
            ))
            .kind(ErrorKind::NotFound)
            .code("engine")
            .into()
        })
    }
}

/// The name of an image on the engine; the default tag is `latest`.
fn local_name(reference: &Reference) -> String {
    match (&reference.tag, &reference.digest) {
        (None, None) => format!("{reference}:latest"),
        // The engine finds an image by its tag or by its digest, but not by both.
        (Some(_), Some(digest)) => format!("{}@{digest}", reference.name()),
        _ => reference.to_string(),
    }
}

/// Whether `digest`, `python@sha256:…`, belongs to the repository of `reference`.
fn is_in_repository(digest: &str, reference: &Reference) -> bool {
    Reference::parse(digest).is_ok_and(|known| known.name() == reference.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Reference {
        Reference::parse(text).unwrap()
    }

    #[test]
    fn a_local_name_has_a_tag_or_a_digest() {
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
            assert_eq!(local_name(&reference(text)), expected);
        }
    }

    #[test]
    fn a_digest_belongs_to_a_repository() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        assert!(is_in_repository(
            &format!("python@{digest}"),
            &reference("python:3")
        ));
        assert!(is_in_repository(
            &format!("docker.io/library/python@{digest}"),
            &reference("python:3")
        ));
        assert!(!is_in_repository(
            &format!("host.example/python@{digest}"),
            &reference("python:3")
        ));
        assert!(!is_in_repository("<none>@<none>", &reference("python:3")));
    }
}

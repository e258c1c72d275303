//! The client of the Docker engine.

pub(crate) mod build;
mod endpoint;
pub(crate) mod error;
mod insecure;
pub(crate) mod layers;
mod messages;
mod push;
mod transport;

pub(crate) use endpoint::{is_loopback, name_of};

use anyhow::{Context as _, Result};
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::query_parameters::{CreateImageOptions, TagImageOptions};
use bollard::{API_DEFAULT_VERSION, Docker};
use cli::progress::Progress;
use cli::{Console, ErrorKind, Failure};
use endpoint::Endpoint;
use error::{EngineError, EngineErrorKind};
use futures_util::StreamExt;
use insecure::Insecure;
use layers::LayerProgress;
use registry::{Credentials, Reference};
use secrecy::ExposeSecret;
use std::io;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long the engine may take to answer the first request.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// bollard's limit in seconds for the start of a response. The response to a build starts only after the upload of
/// the context, so the limit is far above any `--timeout`.
const NO_LIMIT: u64 = 7 * 24 * 3600;

/// A connection to the engine.
pub(crate) struct Engine {
    docker: Docker,
    endpoint: Endpoint,
    insecure: OnceCell<Insecure>,
}

/// An image of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LocalImage {
    /// The digest of the configuration (overlay2 store), or of the manifest or index (containerd store).
    pub(crate) id: String,
    /// `host/repository@sha256:…` for each registry that it was pulled from or pushed to.
    pub(crate) digests: Vec<String>,
    /// Its names on the engine.
    pub(crate) tags: Vec<String>,
    /// Whether it is an index of several platforms (containerd store).
    pub(crate) is_index: bool,
}

impl Engine {
    /// Finds the engine and negotiates the version of its API.
    ///
    /// # Errors
    /// When there is no engine, or the caller may not use it.
    pub(crate) async fn connect(console: &Console) -> Result<Self> {
        let endpoint = Endpoint::find()?;
        let address = endpoint.clone();
        let transport = move |request| transport::send(address.clone(), request);
        // bollard only builds URLs from the address here; the transport connects to the real one.
        let docker = Docker::connect_with_custom_transport(
            transport,
            Some("http://engine"),
            NO_LIMIT,
            API_DEFAULT_VERSION,
        )
        .context("failed to set up the client of the Docker engine")?;
        let docker = tokio::time::timeout(CONNECT_TIMEOUT, docker.negotiate_version())
            .await
            .map_err(|_| {
                let seconds = CONNECT_TIMEOUT.as_secs();
                Failure::error(format!(
                    "failed to reach the Docker engine at `{endpoint}`: no response after {seconds} s"
                ))
                .kind(ErrorKind::Timeout)
                .code("engine")
            })?
            .map_err(|error| unreachable(error, &endpoint))?;
        console.debug(format!(
            "Docker engine at {endpoint}, API {}",
            docker.client_version()
        ));
        if endpoint.is_remote() {
            console.warn(format!(
                "the connection to the Docker engine at {endpoint} has no TLS: the registry's login is sent over the network unencrypted"
            ));
        }
        Ok(Engine {
            docker,
            endpoint,
            insecure: OnceCell::new(),
        })
    }

    /// The engine's address in the form of docker's configuration.
    pub(crate) fn address(&self) -> String {
        self.endpoint.to_string()
    }

    /// The image of this name; `None` when the engine has none.
    ///
    /// # Errors
    /// When the engine fails.
    pub(crate) async fn image(&self, name: &str) -> Result<Option<LocalImage>> {
        let found = match self.docker.inspect_image(name).await {
            Ok(found) => found,
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
            Err(error) => {
                let failure = EngineError::from(error).into_failure(None);
                return Err(failure).with_context(|| format!("failed to inspect image `{name}`"));
            }
        };
        let id = found.id.ok_or_else(|| {
            Failure::error(format!("failed to inspect image `{name}`: response omitted `Id`"))
        })?;
        let media_type = found.descriptor.and_then(|descriptor| descriptor.media_type);
        Ok(Some(LocalImage {
            id,
            is_index: media_type.is_some_and(|kind| kind.contains("index") || kind.contains("manifest.list")),
            digests: found.repo_digests.unwrap_or_default(),
            tags: found.repo_tags.unwrap_or_default(),
        }))
    }

    /// Pulls `reference`.
    ///
    /// # Errors
    /// When the engine or the registry fails.
    pub(crate) async fn pull(
        &self,
        reference: &Reference,
        platform: Option<&str>,
        credentials: Option<&Credentials>,
        progress: &Progress<'_>,
    ) -> Result<()> {
        let version = reference.digest.as_ref().or(reference.tag.as_ref());
        let options = CreateImageOptions {
            from_image: Some(reference.name()),
            // Without a tag, the engine pulls all tags.
            tag: Some(version.map_or("latest", String::as_str).to_owned()),
            platform: platform.unwrap_or_default().to_owned(),
            ..CreateImageOptions::default()
        };
        let credentials = credentials.map(|credentials| for_engine(credentials, &reference.host));
        let mut layers = LayerProgress::new(progress);
        let mut messages = std::pin::pin!(self.docker.create_image(Some(options), None, credentials));
        while let Some(message) = messages.next().await {
            let message = message
                .map_err(|error| EngineError::from(error).into_failure(Some(&reference.host)))
                .with_context(|| format!("failed to pull `{reference}`"))?;
            layers.show(&message.into());
        }
        Ok(())
    }

    /// Adds the name `repository:tag` to the image `id`.
    ///
    /// # Errors
    /// When the engine fails.
    pub(crate) async fn tag(&self, id: &str, repository: &str, tag: &str) -> Result<()> {
        let options = TagImageOptions {
            repo: Some(repository.to_owned()),
            tag: Some(tag.to_owned()),
        };
        self.docker
            .tag_image(id, Some(options))
            .await
            .map_err(|error| EngineError::from(error).into_failure(None))
            .with_context(|| format!("failed to tag image `{repository}:{tag}`"))
    }

    /// The digest that the registry has for `reference`, read through the engine; `None` when it has none.
    ///
    /// # Errors
    /// When the engine or the registry fails.
    pub(crate) async fn digest_in_registry(
        &self,
        reference: &Reference,
        credentials: Option<&Credentials>,
    ) -> Result<Option<String>> {
        let credentials = credentials.map(|credentials| for_engine(credentials, &reference.host));
        match self
            .docker
            .inspect_registry_image(&reference.to_string(), credentials)
            .await
        {
            Ok(found) => Ok(found.descriptor.digest),
            Err(error) => {
                let error = EngineError::from(error);
                match error.kind {
                    EngineErrorKind::ImageNotFound | EngineErrorKind::RepositoryNotFound => Ok(None),
                    _ => Err(error.into_failure(Some(&reference.host)))
                        .with_context(|| format!("failed to look up `{reference}`")),
                }
            }
        }
    }

    /// Whether the engine is configured to connect to `host` by plain HTTP, or without verifying its certificate.
    ///
    /// # Errors
    /// When the engine fails.
    pub(crate) async fn is_insecure(&self, host: &str) -> Result<bool> {
        let insecure = self.insecure.get_or_try_init(|| async {
            let info = self.docker.info().await;
            let info = info
                .map_err(|error| EngineError::from(error).into_failure(Some(host)))
                .context("failed to read the engine's settings")?;
            anyhow::Ok(Insecure::read(info.registry_config.unwrap_or_default()))
        });
        Ok(insecure.await?.includes(host).await)
    }
}

/// Converts credentials to the engine's form.
fn for_engine(credentials: &Credentials, host: &str) -> DockerCredentials {
    let password = credentials.password.expose_secret().to_owned();
    let serveraddress = Some(host.to_owned());
    if credentials.is_identity_token() {
        return DockerCredentials {
            identitytoken: Some(password),
            serveraddress,
            ..DockerCredentials::default()
        };
    }
    DockerCredentials {
        username: Some(credentials.username.clone()),
        password: Some(password),
        serveraddress,
        ..DockerCredentials::default()
    }
}

fn unreachable(error: Error, endpoint: &Endpoint) -> Failure {
    const START: &str =
        "start the engine (`sudo systemctl start docker`), or set DOCKER_HOST to another engine";
    let kind = match &error {
        Error::IOError { err } => Some(err.kind()),
        _ => None,
    };
    let (kind, reason, hint) = match kind {
        Some(io::ErrorKind::NotFound) => (ErrorKind::Network, "the socket does not exist".to_owned(), START),
        Some(io::ErrorKind::ConnectionRefused) => {
            (ErrorKind::Network, "connection refused".to_owned(), START)
        }
        Some(io::ErrorKind::PermissionDenied) => (
            ErrorKind::Denied,
            "permission denied".to_owned(),
            "join the group of the socket (`sudo usermod -aG docker $USER`, then sign in again), or use sudo",
        ),
        _ => (
            ErrorKind::Network,
            EngineError::from(error).to_string(),
            "check that `docker version` works, and DOCKER_HOST",
        ),
    };
    Failure::error(format!(
        "failed to reach the Docker engine at `{endpoint}`: {reason}"
    ))
    .kind(kind)
    .code("engine")
    .hint(hint)
}

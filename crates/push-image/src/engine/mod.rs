//! The Docker engine.

pub(crate) mod build;
mod endpoint;
pub(crate) mod fault;
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
use cli::{Console, Failure};
use endpoint::Endpoint;
use futures_util::StreamExt;
use insecure::Insecure;
use layers::Layers;
use registry::{Credentials, Reference};
use secrecy::ExposeSecret;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long the engine may take to say who it is.
const FIRST_ANSWER: Duration = Duration::from_secs(20);

/// bollard's own limit for an answer to begin. A build's begins when its context is there: `--timeout`
/// decides, and not this.
const NO_LIMIT: u64 = 7 * 24 * 3600;

/// A connection to the engine.
pub(crate) struct Engine {
    docker: Docker,
    endpoint: Endpoint,
    insecure: OnceCell<Insecure>,
}

/// An image that the engine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LocalImage {
    /// The digest of its configuration; in the newer image store that of its manifest or index.
    pub(crate) id: String,
    /// What registries know it as: `host/repository@sha256:…`.
    pub(crate) digests: Vec<String>,
    /// Its names here.
    pub(crate) tags: Vec<String>,
    /// Whether it is an index over several platforms, as the newer image store keeps them.
    pub(crate) is_index: bool,
}

impl Engine {
    /// Finds the engine and agrees with it on a version of its API.
    ///
    /// # Errors
    /// When there is none, or it does not let us in.
    pub(crate) async fn connect(console: &Console) -> Result<Self> {
        let endpoint = Endpoint::find()?;
        let place = endpoint.clone();
        let transport = move |request| transport::send(place.clone(), request);
        // The address is only there to make URLs from: the transport knows the real one.
        let docker = Docker::connect_with_custom_transport(
            transport,
            Some("http://engine"),
            NO_LIMIT,
            API_DEFAULT_VERSION,
        )
        .context("failed to set up the client of the Docker engine")?;
        let docker = tokio::time::timeout(FIRST_ANSWER, docker.negotiate_version())
            .await
            .map_err(|_| {
                let seconds = FIRST_ANSWER.as_secs();
                Failure::error(format!(
                    "failed to reach the Docker engine at `{endpoint}`: no answer after {seconds} s"
                ))
                .code("engine")
            })?
            .map_err(|error| unreachable(error, &endpoint))?;
        console.debug(format!(
            "Docker engine at {endpoint}, API {}",
            docker.client_version()
        ));
        if endpoint.is_remote() {
            console.warn(format!(
                "the Docker engine at {endpoint} is spoken to without TLS: the registry's login goes over the network in the clear"
            ));
        }
        Ok(Engine {
            docker,
            endpoint,
            insecure: OnceCell::new(),
        })
    }

    /// Where it is, as docker's configuration would name it.
    pub(crate) fn address(&self) -> String {
        self.endpoint.to_string()
    }

    /// The image of this name; `None` when the engine has none.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub(crate) async fn image(&self, name: &str) -> Result<Option<LocalImage>> {
        let found = match self.docker.inspect_image(name).await {
            Ok(found) => found,
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
            Err(error) => {
                let failure = fault::failure(&fault::message(error), "the registry");
                return Err(failure).with_context(|| format!("failed to inspect image `{name}`"));
            }
        };
        let id = found
            .id
            .ok_or_else(|| Failure::error(format!("the engine described image `{name}` without its `Id`")))?;
        let media_type = found.descriptor.and_then(|descriptor| descriptor.media_type);
        Ok(Some(LocalImage {
            id,
            is_index: media_type.is_some_and(|kind| kind.contains("index") || kind.contains("manifest.list")),
            digests: found.repo_digests.unwrap_or_default(),
            tags: found.repo_tags.unwrap_or_default(),
        }))
    }

    /// Has the engine pull `reference`.
    ///
    /// # Errors
    /// With the words of the engine or of the registry.
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
            // Without one, the engine would pull all tags.
            tag: Some(version.map_or("latest", String::as_str).to_owned()),
            platform: platform.unwrap_or_default().to_owned(),
            ..CreateImageOptions::default()
        };
        let credentials = credentials.map(|credentials| for_engine(credentials, &reference.host));
        let mut layers = Layers::new(progress);
        let mut messages = std::pin::pin!(self.docker.create_image(Some(options), None, credentials));
        while let Some(message) = messages.next().await {
            let message = message
                .map_err(|error| fault::failure(&fault::message(error), &reference.host))
                .with_context(|| format!("failed to pull `{reference}`"))?;
            layers.show(&message.into());
        }
        Ok(())
    }

    /// Names the image `id` `repository:tag` as well.
    ///
    /// # Errors
    /// When the engine refuses.
    pub(crate) async fn tag(&self, id: &str, repository: &str, tag: &str) -> Result<()> {
        let options = TagImageOptions {
            repo: Some(repository.to_owned()),
            tag: Some(tag.to_owned()),
        };
        self.docker
            .tag_image(id, Some(options))
            .await
            .map_err(|error| fault::failure(&fault::message(error), repository))
            .with_context(|| format!("failed to tag image `{repository}:{tag}`"))
    }

    /// The digest that the registry has for `reference`, asked by the engine; `None` when it has none.
    ///
    /// # Errors
    /// When the engine cannot ask, or the registry refuses.
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
                let message = fault::message(error);
                match fault::Topic::of(&message) {
                    fault::Topic::Image | fault::Topic::Repository => Ok(None),
                    _ => Err(fault::failure(&message, &reference.host))
                        .with_context(|| format!("failed to look for `{reference}`")),
                }
            }
        }
    }

    /// Whether the engine is set up to speak with `host` in plain HTTP, or with a certificate that it does not
    /// check.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub(crate) async fn is_insecure(&self, host: &str) -> Result<bool> {
        let insecure = self.insecure.get_or_try_init(|| async {
            let info = self.docker.info().await;
            let info = info
                .map_err(|error| fault::failure(&fault::message(error), host))
                .context("failed to read the engine's settings")?;
            anyhow::Ok(Insecure::read(info.registry_config.unwrap_or_default()))
        });
        Ok(insecure.await?.has(host).await)
    }
}

/// Credentials in the engine's form.
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
    let kind = match &error {
        Error::IOError { err } => Some(err.kind()),
        _ => None,
    };
    let (why, hint) = match kind {
        Some(ErrorKind::NotFound) => (
            "there is no such socket".to_owned(),
            "start the engine (`sudo systemctl start docker`), or name another one in DOCKER_HOST",
        ),
        Some(ErrorKind::ConnectionRefused) => (
            "nobody listens there".to_owned(),
            "start the engine (`sudo systemctl start docker`), or name another one in DOCKER_HOST",
        ),
        Some(ErrorKind::PermissionDenied) => (
            "permission denied".to_owned(),
            "join the group of the socket (`sudo usermod -aG docker $USER`, then sign in again), or use sudo",
        ),
        _ => (
            fault::message(error),
            "look whether `docker version` works, and at DOCKER_HOST",
        ),
    };
    Failure::error(format!(
        "failed to reach the Docker engine at `{endpoint}`: {why}"
    ))
    .code("engine")
    .hint(hint)
}

//! The Docker engine.

mod endpoint;
pub(crate) mod fault;
pub(crate) mod layers;
mod messages;
mod transport;

pub(crate) use endpoint::is_loopback;

use crate::context::Context;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::query_parameters::{BuildImageOptions, CreateImageOptions, TagImageOptions};
use bollard::{API_DEFAULT_VERSION, Docker, body_full, body_try_stream};
use bytes::Bytes;
use common::progress::Progress;
use common::{Console, Failure};
use endpoint::Endpoint;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::Request;
use layers::{Layers, show_bytes};
use messages::{Lines, Message};
use registry::{Credentials, Reference};
use secrecy::ExposeSecret;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::ErrorKind;
use std::time::Duration;

/// How long the engine may take to say who it is.
const FIRST_ANSWER: Duration = Duration::from_secs(20);

/// bollard's own limit for an answer to begin. A build's begins when its context is there: `--timeout`
/// decides, and not this.
const NO_LIMIT: u64 = 7 * 24 * 3600;

/// How much of a failed build's output is shown.
const LAST_LINES: usize = 20;

/// A connection to the engine.
pub(crate) struct Engine {
    docker: Docker,
    endpoint: Endpoint,
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

/// What a build is made from, beside its context.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildSettings {
    pub(crate) dockerfile: String,
    pub(crate) arguments: BTreeMap<String, String>,
    pub(crate) target: Option<String>,
    pub(crate) platform: Option<String>,
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
                Failure::could_not(format!(
                    "failed to reach the Docker engine at `{endpoint}`: no answer after {seconds} s"
                ))
                .code("engine")
            })?
            .map_err(|error| unreachable(error, &endpoint))?;
        console.detail(format!(
            "Docker engine at {endpoint}, API {}",
            docker.client_version()
        ));
        if endpoint.is_remote() {
            console.warn(format!(
                "the Docker engine at {endpoint} is spoken to without TLS: the registry's login goes over the network in the clear"
            ));
        }
        Ok(Engine { docker, endpoint })
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
        let id = found.id.ok_or_else(|| {
            Failure::could_not(format!("the engine described image `{name}` without its `Id`"))
        })?;
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

    /// Builds an image and gives its id. The builder is the classic one, which every engine has and which
    /// needs no session; the images that it builds upon are on the engine already.
    ///
    /// # Errors
    /// When a file of the context cannot be sent, or the build fails; its last lines are printed then.
    pub(crate) async fn build(
        &self,
        settings: &BuildSettings,
        context: Context,
        logins: &BTreeMap<String, Credentials>,
        console: &Console,
        progress: &Progress<'_>,
    ) -> Result<String> {
        let task = progress.task("context");
        let total = context.bytes();
        let archive = context.into_stream(move |sent| task.advance(sent.min(total), total.max(1)));
        let options = BuildImageOptions {
            dockerfile: settings.dockerfile.clone(),
            buildargs: Some(settings.arguments.clone().into_iter().collect::<HashMap<_, _>>()),
            target: settings.target.clone().unwrap_or_default(),
            platform: settings.platform.clone().unwrap_or_default(),
            rm: true,
            // Also what an interrupted build leaves.
            forcerm: true,
            ..BuildImageOptions::default()
        };
        let logins: HashMap<String, DockerCredentials> = logins
            .iter()
            .map(|(host, login)| (registry::key_of(host).to_owned(), for_engine(login, host)))
            .collect();
        let steps = progress.task("build");
        let mut output = Output::new(console, progress);
        let mut built = None;
        let mut messages = std::pin::pin!(self.docker.build_image(
            options,
            Some(logins),
            Some(body_try_stream(archive))
        ));
        while let Some(message) = messages.next().await {
            let message = match message {
                Ok(message) => Message::from(message),
                Err(error) => {
                    drop(steps);
                    output.show_last();
                    return Err(fault::failure(&fault::message(error), "the registry").into());
                }
            };
            if let Some(id) = message.built() {
                built = Some(id.to_owned());
            }
            if let Some(step) = message.stream.as_deref().and_then(|text| output.take(text)) {
                steps.say(step);
            }
        }
        built.ok_or_else(|| {
            Failure::could_not("the engine ended the build without an image and without an error")
                .code("engine")
                .into()
        })
    }

    /// Pushes `repository:tag` and gives the digest that the engine says it has in the registry now.
    ///
    /// # Errors
    /// With the words of the engine or of the registry.
    pub(crate) async fn push(
        &self,
        repository: &str,
        tag: &str,
        credentials: Option<&Credentials>,
        progress: &Progress<'_>,
    ) -> Result<String, Failure> {
        let host = repository.split('/').next().unwrap_or_default();
        let mut layers = Layers::new(progress);
        match self
            .send_push(repository, tag, host, credentials, &mut layers)
            .await
        {
            Ok(Some(digest)) => Ok(digest),
            Ok(None) => Err(Failure::could_not(
                "the engine ended the push without a digest and without an error",
            )
            .code("engine")),
            Err(message) if layers.retries > 0 => {
                let retries = layers.retries;
                Err(fault::failure(
                    &format!("{message} (after {retries} retries of a layer)"),
                    host,
                ))
            }
            Err(message) => Err(fault::failure(&message, host)),
        }
    }

    /// The call itself: bollard's own would lose the layers and the digest.
    async fn send_push(
        &self,
        repository: &str,
        tag: &str,
        host: &str,
        credentials: Option<&Credentials>,
        layers: &mut Layers<'_>,
    ) -> Result<Option<String>, String> {
        // The header must be there even when nobody is signed in.
        let login = credentials
            .map(|credentials| for_engine(credentials, host))
            .unwrap_or_default();
        let login = serde_json::to_vec(&login).map_err(|error| error.to_string())?;
        let request = Request::post(format!("/images/{repository}/push?tag={tag}"))
            .header("X-Registry-Auth", URL_SAFE.encode(login))
            .body(body_full(Bytes::new()))
            .map_err(|error| error.to_string())?;
        let answer = transport::send(self.endpoint.clone(), request)
            .await
            .map_err(fault::message)?;
        let status = answer.status();
        let mut body = answer.into_body();
        let mut lines = Lines::default();
        let mut digest = None;
        let broken = |error: &dyn std::fmt::Display| format!("the connection to the engine broke: {error}");
        let strange = |error: serde_json::Error| {
            format!("the engine answered with something that is not its API: {error}")
        };
        if !status.is_success() {
            let text = body.collect().await.map_err(|error| broken(&error))?.to_bytes();
            let message = serde_json::from_slice::<serde_json::Value>(&text).ok();
            let message = message
                .as_ref()
                .and_then(|document| document.get("message")?.as_str());
            return Err(message.map_or_else(|| format!("the engine answered with {status}"), str::to_owned));
        }
        let mut take = |messages: Vec<Message>| {
            for message in messages {
                if let Some(error) = message.error() {
                    return Err(error.to_owned());
                }
                layers.show(&message);
                if let Some(pushed) = message.pushed() {
                    digest = Some(pushed.to_owned());
                }
            }
            Ok(())
        };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            if let Some(bytes) = frame.data_ref() {
                take(lines.take(bytes).map_err(strange)?)?;
            }
        }
        take(lines.finish().map_err(strange)?)?;
        Ok(digest)
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

    /// Whether the engine is set up to speak plain HTTP with `host`.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub(crate) async fn is_insecure(&self, host: &str) -> Result<bool> {
        let info = self.docker.info().await;
        let info = info.map_err(|error| fault::failure(&fault::message(error), host))?;
        let known = info.registry_config.and_then(|config| config.index_configs);
        Ok(known.is_some_and(|known| known.get(host).is_some_and(|index| index.secure == Some(false))))
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
    Failure::could_not(format!(
        "failed to reach the Docker engine at `{endpoint}`: {why}"
    ))
    .code("engine")
    .hint(hint)
}

/// What a build prints: its steps as they come, the rest with `-v`, and the end of it all when it fails.
struct Output<'a> {
    console: &'a Console,
    progress: &'a Progress<'a>,
    open: String,
    last: VecDeque<String>,
}

impl<'a> Output<'a> {
    fn new(console: &'a Console, progress: &'a Progress<'a>) -> Self {
        Output {
            console,
            progress,
            open: String::new(),
            last: VecDeque::new(),
        }
    }

    /// Takes a piece of output; gives the last step that began in it.
    fn take(&mut self, text: &str) -> Option<String> {
        self.open.push_str(text);
        let mut begun = None;
        while let Some((line, rest)) = self.open.split_once('\n') {
            // What overwrites itself on a terminal is one line: its last state.
            let line = line.trim_end().rsplit('\r').next().unwrap_or_default().to_owned();
            self.open = rest.to_owned();
            if line.starts_with("Step ") {
                self.progress.note(format!("  {line}"));
                begun = Some(line.clone());
            } else if self.console.is_verbose() {
                self.progress.note(format!("  {line}"));
            }
            if !line.is_empty() {
                self.last.push_back(line);
            }
            if self.last.len() > LAST_LINES {
                self.last.pop_front();
            }
        }
        begun
    }

    fn show_last(&self) {
        // With -v it has been shown; without, also --quiet wants to know why.
        if !self.console.is_verbose() {
            for line in self
                .last
                .iter()
                .chain(Some(&self.open).filter(|line| !line.is_empty()))
            {
                self.console.stderr(&format!("  {line}"));
            }
        }
    }
}

/// A warning for a context that is likely to hold more than it should.
pub(crate) fn warn_of_size(context: &Context, image: &str, console: &Console) {
    let bytes = context.bytes();
    if bytes < crate::context::LARGE {
        return;
    }
    let most = context
        .largest()
        .map(|(name, size)| format!(", {} of it in `{name}`", show_bytes(size)));
    console.warn(format!(
        "{image}: the build context has {}{}: name in .dockerignore what the build does not need",
        show_bytes(bytes),
        most.unwrap_or_default()
    ));
}

//! Where the images go: the account's private ECR registry, or the one that `--registry` names.

use crate::ecr;
use crate::engine::{Engine, is_loopback, name_of};
use crate::push::Args;
use crate::remote::{Remote, Repository};
use anyhow::{Context, Result};
use aws_sdk_ecr::Client;
use cli::{Console, Failure};
use common::aws::Aws;
use common::config::{AwsTarget, Config, Image, Variables};
use futures_util::future::try_join_all;
use registry::{Credentials, DockerConfig, EcrHost, Reference};
use secrecy::ExposeSecret;
use std::cell::{OnceCell, RefCell};
use std::time::Duration;

/// How long ECR may take until it shows what was pushed.
const SHOWN_WITHIN: Duration = Duration::from_secs(3);

/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// The registry, and the logins for it and for those that images come from.
pub(crate) struct Destination<'a> {
    /// Its host, with a port when it has one.
    pub(crate) host: String,
    /// Where AWS's names are expanded.
    pub(crate) place: Option<AwsTarget>,
    /// The ARN of the caller.
    pub(crate) identity: Option<String>,
    /// The client of ECR; without it, the registry is asked through the engine.
    ecr: Option<Client>,
    login: RefCell<Option<Credentials>>,
    docker: OnceCell<DockerConfig>,
    console: &'a Console,
}

impl<'a> Destination<'a> {
    /// Finds out who the caller is and where the images go.
    ///
    /// # Errors
    /// When the caller is not known, or it is the wrong account or region.
    pub(crate) async fn find(args: &Args, config: &Config, console: &'a Console) -> Result<Self> {
        let mut destination = Destination {
            host: args.registry.clone().unwrap_or_default(),
            place: None,
            identity: None,
            ecr: None,
            login: RefCell::new(None),
            docker: OnceCell::new(),
            console,
        };
        // Another registry has nothing to do with AWS, unless the file names its account or region.
        if args.registry.is_some() && !names_aws(&config.schema.image) {
            return Ok(destination);
        }
        let aws = Aws::load(&args.aws, Some(config), console).await?;
        let caller = common::identity::caller(&aws)
            .await
            .context("failed to find out whose account this is")?;
        let place = aws.place(&caller.account)?;
        destination.identity = Some(caller.arn);
        if args.registry.is_none() {
            destination.host = place.ecr_registry();
            destination.ecr = Some(Client::new(&aws.sdk));
        }
        destination.place = Some(place);
        Ok(destination)
    }

    /// The names that stand in the file's image tables.
    pub(crate) fn variables<'v>(&self, config: &Config) -> Variables<'v> {
        let nowhere = AwsTarget {
            account: String::new(),
            region: String::new(),
        };
        let mut variables = Variables::new(&config.schema, self.place.as_ref().unwrap_or(&nowhere));
        variables.set("ECR_REGISTRY", &self.host);
        variables
    }

    /// The repositories of these names, each `None` when it is not there. Other registries make them when
    /// something is pushed.
    ///
    /// # Errors
    /// When ECR does not say.
    pub(crate) async fn repositories(&self, names: &[&str]) -> Result<Vec<Option<Repository>>> {
        match &self.ecr {
            Some(client) => try_join_all(names.iter().map(|name| ecr::describe(client, name))).await,
            None => Ok(names.iter().map(|name| Some(self.made_by_a_push(name))).collect()),
        }
    }

    fn made_by_a_push(&self, name: &str) -> Repository {
        Repository {
            uri: format!("{}/{name}", self.host),
            ..Repository::default()
        }
    }

    /// What the registry has behind `repository:tag`.
    ///
    /// # Errors
    /// When it does not say.
    pub(crate) async fn tagged(
        &self,
        engine: &Engine,
        repository: &str,
        tag: &str,
    ) -> Result<Option<Remote>> {
        if let Some(client) = &self.ecr {
            return ecr::tagged(client, repository, tag).await;
        }
        let reference = self.reference(repository, tag)?;
        let login = self.login(false).await?;
        let digest = engine.digest_in_registry(&reference, login.as_ref()).await?;
        Ok(digest.map(Remote::known_by))
    }

    /// What the registry has behind `repository:tag` after a push that gave it `digest`: asked of it, and not
    /// believed of the engine.
    ///
    /// # Errors
    /// When it does not say, or it is another image.
    pub(crate) async fn pushed(
        &self,
        engine: &Engine,
        repository: &str,
        tag: &str,
        digest: &str,
    ) -> Result<Remote> {
        let end = tokio::time::Instant::now() + SHOWN_WITHIN;
        loop {
            let found = self.tagged(engine, repository, tag).await?;
            match found {
                Some(remote) if remote.digest == digest => return Ok(remote),
                _ if tokio::time::Instant::now() < end => tokio::time::sleep(ASK_EVERY).await,
                found => {
                    let (has, hint) = match found {
                        Some(remote) => (
                            remote.digest,
                            "somebody else pushes to this tag: run it again when they are done",
                        ),
                        None => (
                            "nothing under this tag".to_owned(),
                            "somebody or a lifecycle policy may have deleted it: look at the repository, and run it again",
                        ),
                    };
                    return Err(Failure::error(format!(
                        "failed to verify image `{repository}:{tag}`: the engine pushed {digest}, and the registry has {has}"
                    ))
                    .code("digest-mismatch")
                    .hint(hint)
                    .into());
                }
            }
        }
    }

    /// Gives `image` another tag without an engine; `false` when this registry can only be pushed to.
    ///
    /// # Errors
    /// When ECR refuses.
    pub(crate) async fn put_tag(&self, repository: &str, image: &Remote, tag: &str) -> Result<bool> {
        let Some(client) = &self.ecr else { return Ok(false) };
        ecr::put_tag(client, repository, image, tag).await?;
        Ok(true)
    }

    /// The login for this registry. ECR is asked for one the first time, and for another one when it is to be
    /// `fresh`.
    ///
    /// # Errors
    /// When there is none to be had.
    pub(crate) async fn login(&self, fresh: bool) -> Result<Option<Credentials>> {
        let Some(client) = &self.ecr else {
            return self.of_docker(&self.host).await;
        };
        let known = self.login.borrow().clone().filter(|_| !fresh);
        if known.is_some() {
            return Ok(known);
        }
        let login = ecr::login(client, self.console).await?;
        self.login.replace(Some(login.clone()));
        Ok(Some(login))
    }

    /// Whether a login that was refused can be replaced by a new one.
    pub(crate) fn can_renew(&self) -> bool {
        self.ecr.is_some()
    }

    /// The login for the registry at `host`, which an image comes from.
    ///
    /// # Errors
    /// When ECR or docker's configuration has none to give, or the engine would send it in the clear.
    pub(crate) async fn login_for(&self, engine: &Engine, host: &str) -> Result<Option<Credentials>> {
        let login = self.known_login_for(host).await?;
        if login.is_some() {
            self.refuse_plain_http(engine, host).await?;
        }
        Ok(login)
    }

    async fn known_login_for(&self, host: &str) -> Result<Option<Credentials>> {
        if host == self.host {
            return self.login(false).await;
        }
        if let Some(login) = self.of_docker(host).await? {
            return Ok(Some(login));
        }
        // One token is good for all registries of its region that the caller may read.
        let ours = self.place.as_ref().filter(|_| self.ecr.is_some());
        let same_region =
            EcrHost::parse(host).is_some_and(|ecr| ours.is_some_and(|place| place.region == ecr.region));
        if same_region {
            self.login(false).await
        } else {
            Ok(None)
        }
    }

    /// What docker's configuration has for `host`.
    async fn of_docker(&self, host: &str) -> Result<Option<Credentials>> {
        let (config, name) = (self.docker_config()?.clone(), host.to_owned());
        // A helper is another program, and may take its time: the deadline and Ctrl-C must still work.
        let found = tokio::task::spawn_blocking(move || config.credentials_for(&name)).await;
        match found.context("failed to ask a credential helper")? {
            Ok(Some(found)) => {
                self.console.redact(found.password.expose_secret());
                self.console.redact(found.to_basic().expose_secret());
                Ok(Some(found))
            }
            Ok(None) => Ok(None),
            // As docker has it: many images can be had without one.
            Err(error) => {
                self.console.warn(format!("no login for {host}: {error:#}"));
                Ok(None)
            }
        }
    }

    /// What docker's configuration gives every build: the proxies of this network.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn proxies(&self, engine: &Engine) -> Result<Vec<(String, String)>> {
        let proxies = self.docker_config()?.proxies(&engine.address());
        for (_, value) in proxies.iter().filter(|(_, value)| value.contains('@')) {
            self.console.redact(value);
        }
        Ok(proxies)
    }

    /// Docker's configuration, read once.
    fn docker_config(&self) -> Result<&DockerConfig> {
        if let Some(known) = self.docker.get() {
            return Ok(known);
        }
        let read = DockerConfig::locate().and_then(|path| DockerConfig::read(&path))?;
        Ok(self.docker.get_or_init(|| read))
    }

    /// Refuses to have images and the password for `host` sent in the clear over a network.
    ///
    /// # Errors
    /// When the engine would speak plain HTTP with a registry on another machine.
    pub(crate) async fn refuse_plain_http(&self, engine: &Engine, host: &str) -> Result<()> {
        if is_loopback(name_of(host)) || !engine.is_insecure(host).await? {
            return Ok(());
        }
        let what = if host == self.host {
            "push to"
        } else {
            "sign in to"
        };
        Err(Failure::error(format!(
            "refused to {what} `{host}`: the engine has it among its `insecure-registries`, and it is another machine"
        ))
        .code("plain-http")
        .hint("give the registry a certificate, and take it out of the engine's daemon.json")
        .into())
    }

    /// `repository:tag` of this registry.
    ///
    /// # Errors
    /// When that is no image reference.
    pub(crate) fn reference(&self, repository: &str, tag: &str) -> Result<Reference> {
        Ok(Reference::parse(&format!("{}/{repository}:{tag}", self.host))?)
    }

    /// Whether only ECR's own answer is good enough for an image of `host`: what runs comes from there, and
    /// the engine may remember an older one.
    pub(crate) fn must_be_asked(&self, host: &str) -> bool {
        host == self.host || EcrHost::parse(host).is_some()
    }
}

/// Whether the image tables name the account, the region or the partition.
fn names_aws(images: &[Image]) -> bool {
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

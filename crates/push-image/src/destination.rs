//! The registry that images are pushed to: the account's private ECR registry, or that of `--registry`.

use crate::args::Args;
use crate::desired::refers_to_aws;
use crate::ecr;
use crate::engine::{Engine, is_loopback, name_of};
use crate::remote::{RemoteImage, Repository};
use anyhow::{Context, Result};
use aws_sdk_ecr::Client;
use cli::{Console, ErrorKind, Failure};
use common::aws::Aws;
use common::config::{AwsTarget, Config, Variables};
use futures_util::future::try_join_all;
use registry::{Credentials, DockerConfig, EcrHost, Reference};
use secrecy::ExposeSecret;
use std::cell::{OnceCell, RefCell};
use std::time::Duration;

/// How long ECR may take to return a pushed image.
const CONVERGENCE_TIMEOUT: Duration = Duration::from_secs(3);

/// The interval between two reads meanwhile.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The registry, with the logins for it and for the registries that images come from.
pub(crate) struct Destination<'a> {
    /// The host of the registry, with its port if there is one.
    pub(crate) host: String,
    /// The account and the region, for the variables of `ops.toml`.
    pub(crate) aws: Option<AwsTarget>,
    /// The ARN of the caller.
    pub(crate) identity: Option<String>,
    /// The client of ECR. Another registry is read through the engine.
    ecr: Option<Client>,
    login: RefCell<Option<Credentials>>,
    docker: OnceCell<DockerConfig>,
    console: &'a Console,
}

impl<'a> Destination<'a> {
    /// Finds the registry; for ECR this needs the caller's account and region.
    ///
    /// # Errors
    /// When there are no valid credentials, or they are for another account or region than expected.
    pub(crate) async fn find(args: &Args, config: &Config, console: &'a Console) -> Result<Self> {
        let mut destination = Destination {
            host: args.registry.clone().unwrap_or_default(),
            aws: None,
            identity: None,
            ecr: None,
            login: RefCell::new(None),
            docker: OnceCell::new(),
            console,
        };
        // Another registry needs no call to AWS, unless the image tables refer to the account or the region.
        if args.registry.is_some() && !refers_to_aws(&config.schema.image) {
            return Ok(destination);
        }
        let aws = Aws::load(&args.common.aws, Some(config), console).await?;
        let caller = common::identity::caller(&aws)
            .await
            .context("failed to get caller identity")?;
        let target = aws.target(&caller.account)?;
        destination.identity = Some(caller.arn);
        if args.registry.is_none() {
            destination.host = target.ecr_registry();
            destination.ecr = Some(Client::new(&aws.sdk));
        }
        destination.aws = Some(target);
        Ok(destination)
    }

    /// The variables of the image tables.
    pub(crate) fn variables<'v>(&self, config: &Config) -> Variables<'v> {
        let unset = AwsTarget {
            account: String::new(),
            region: String::new(),
        };
        let mut variables = Variables::new(&config.schema, self.aws.as_ref().unwrap_or(&unset));
        variables.set("ECR_REGISTRY", &self.host);
        variables
    }

    /// The repositories of these names, each `None` when it does not exist. Registries other than ECR create a
    /// repository at the first push.
    ///
    /// # Errors
    /// When the call fails.
    pub(crate) async fn repositories(&self, names: &[&str]) -> Result<Vec<Option<Repository>>> {
        match &self.ecr {
            Some(client) => try_join_all(names.iter().map(|name| ecr::describe(client, name))).await,
            None => Ok(names
                .iter()
                .map(|name| Some(self.created_by_push(name)))
                .collect()),
        }
    }

    fn created_by_push(&self, name: &str) -> Repository {
        Repository {
            uri: format!("{}/{name}", self.host),
            ..Repository::default()
        }
    }

    /// The registry's image of `repository:tag`.
    ///
    /// # Errors
    /// When the call fails.
    pub(crate) async fn image(
        &self,
        engine: &Engine,
        repository: &str,
        tag: &str,
    ) -> Result<Option<RemoteImage>> {
        if let Some(client) = &self.ecr {
            return ecr::image(client, repository, tag).await;
        }
        let reference = self.reference(repository, tag)?;
        let login = self.login(false).await?;
        let digest = engine.digest_in_registry(&reference, login.as_ref()).await?;
        Ok(digest.map(RemoteImage::with_digest))
    }

    /// Reads the image of `repository:tag` back after a push for which the engine reported `digest`.
    ///
    /// # Errors
    /// When the call fails, or the registry has another image.
    pub(crate) async fn verify_push(
        &self,
        engine: &Engine,
        repository: &str,
        tag: &str,
        digest: &str,
    ) -> Result<RemoteImage> {
        let end = tokio::time::Instant::now() + CONVERGENCE_TIMEOUT;
        loop {
            let found = self.image(engine, repository, tag).await?;
            match found {
                Some(remote) if remote.digest == digest => return Ok(remote),
                _ if tokio::time::Instant::now() < end => tokio::time::sleep(POLL_INTERVAL).await,
                found => {
                    let (has, hint) = match found {
                        Some(remote) => (
                            remote.digest,
                            "another client is pushing to this tag: re-run when it is done",
                        ),
                        None => (
                            "no image under this tag".to_owned(),
                            "it may have been deleted, for example by a lifecycle policy: check the repository and re-run",
                        ),
                    };
                    return Err(Failure::error(format!(
                        "failed to verify image `{repository}:{tag}`: the engine pushed {digest}, and the registry has {has}"
                    ))
                    .kind(ErrorKind::Conflict)
                    .code("digest-mismatch")
                    .hint(hint)
                    .into());
                }
            }
        }
    }

    /// Gives `image` another tag by a call to ECR; `false` when the registry is not ECR and needs a push.
    ///
    /// # Errors
    /// When the call fails.
    pub(crate) async fn put_tag(&self, repository: &str, image: &RemoteImage, tag: &str) -> Result<bool> {
        let Some(client) = &self.ecr else { return Ok(false) };
        let call = format!("ecr:PutImage for image `{repository}:{tag}`");
        let put = ecr::put_tag(client, repository, image, tag);
        self.console.in_flight(call, put).await?;
        Ok(true)
    }

    /// The login for this registry. A token of ECR is requested once, and again with `renew`.
    ///
    /// # Errors
    /// When the call fails.
    pub(crate) async fn login(&self, renew: bool) -> Result<Option<Credentials>> {
        let Some(client) = &self.ecr else {
            return self.dockers_login(&self.host).await;
        };
        let known = self.login.borrow().clone().filter(|_| !renew);
        if known.is_some() {
            return Ok(known);
        }
        let login = ecr::login(client, self.console).await?;
        self.login.replace(Some(login.clone()));
        Ok(Some(login))
    }

    /// Whether a rejected login can be replaced by a new one.
    pub(crate) fn can_renew(&self) -> bool {
        self.ecr.is_some()
    }

    /// The login for the registry `host` that an image comes from.
    ///
    /// # Errors
    /// When a call fails, or the engine would send the login unencrypted.
    pub(crate) async fn login_for(&self, engine: &Engine, host: &str) -> Result<Option<Credentials>> {
        let login = self.find_login(host).await?;
        if login.is_some() {
            self.refuse_plain_http(engine, host).await?;
        }
        Ok(login)
    }

    async fn find_login(&self, host: &str) -> Result<Option<Credentials>> {
        if host == self.host {
            return self.login(false).await;
        }
        if let Some(login) = self.dockers_login(host).await? {
            return Ok(Some(login));
        }
        // A token is valid for all registries of its region that the caller may read.
        let target = self.aws.as_ref().filter(|_| self.ecr.is_some());
        let same_region =
            EcrHost::parse(host).is_some_and(|ecr| target.is_some_and(|target| target.region == ecr.region));
        if same_region {
            self.login(false).await
        } else {
            Ok(None)
        }
    }

    /// The login for `host` in docker's configuration.
    async fn dockers_login(&self, host: &str) -> Result<Option<Credentials>> {
        let (config, name) = (self.docker_config()?.clone(), host.to_owned());
        // A credential helper may be slow. It runs in another thread, so that the deadline and Ctrl-C still work.
        let found = tokio::task::spawn_blocking(move || config.credentials_for(&name)).await;
        match found.context("failed to run a credential helper")? {
            Ok(Some(found)) => {
                self.console.redact(found.password.expose_secret());
                self.console.redact(found.to_basic().expose_secret());
                Ok(Some(found))
            }
            Ok(None) => Ok(None),
            // As in docker: many images can be pulled without a login.
            Err(error) => {
                self.console.warn(format!("no login for {host}: {error:#}"));
                Ok(None)
            }
        }
    }

    /// The proxy settings that docker's configuration adds to every build.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub(crate) fn proxies(&self, engine: &Engine) -> Result<Vec<(String, String)>> {
        let proxies = self.docker_config()?.proxies(&engine.address());
        for (_, value) in proxies.iter().filter(|(_, value)| value.contains('@')) {
            self.console.redact(value);
        }
        Ok(proxies)
    }

    /// Docker's configuration, read at the first use.
    fn docker_config(&self) -> Result<&DockerConfig> {
        if let Some(known) = self.docker.get() {
            return Ok(known);
        }
        let read = DockerConfig::locate().and_then(|path| DockerConfig::read(&path))?;
        Ok(self.docker.get_or_init(|| read))
    }

    /// Fails when the engine would send images and the login for `host` unencrypted over the network.
    ///
    /// # Errors
    /// When the engine connects to `host` by plain HTTP, or without verifying its certificate, and `host` is not this
    /// machine.
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
            "refused to {what} `{host}`: it is one of the engine's `insecure-registries` and not this machine"
        ))
        .kind(ErrorKind::Config)
        .code("plain-http")
        .hint("give the registry a certificate, and remove it from the engine's daemon.json")
        .into())
    }

    /// The reference of `repository:tag` in this registry.
    ///
    /// # Errors
    /// When it is not a valid image reference.
    pub(crate) fn reference(&self, repository: &str, tag: &str) -> Result<Reference> {
        Ok(Reference::parse(&format!("{}/{repository}:{tag}", self.host))?)
    }

    /// Whether an image of `host` has to be pulled even if the engine has one of that name. Deployed images come from
    /// there, and the engine's image may be older.
    pub(crate) fn must_pull(&self, host: &str) -> bool {
        host == self.host || EcrHost::parse(host).is_some()
    }
}

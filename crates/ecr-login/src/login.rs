//! One token, one entry.

use anyhow::{Context, Result};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ecr::types::AuthorizationData;
use clap::Parser;
use common::aws::{Aws, call};
use common::cli::{AwsArgs, ConfigArgs, OutputArgs};
use common::config::Config;
use common::{Console, Failure, FailureExt, Item, Outcome, Report};
use registry::{DockerConfig, Stored, Token};
use secrecy::ExposeSecret;
use std::time::Duration;

/// Sign docker in to the account's private ECR registry
///
/// The token is stored where docker will find it: with the credential helper
/// that covers the registry, else in $DOCKER_CONFIG/config.json or
/// ~/.docker/config.json, which keeps everything else that stands in it. It is
/// valid for 12 hours, and is never printed.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Get a token and say where it would be stored, but store nothing
    #[arg(long)]
    dry_run: bool,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = common::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const HELP: &str = "\
ops.toml is not needed; where there is one, its expect_account and
expect_region are kept to.

Examples:
  ecr-login                              the account and region of the shell
  ecr-login --region ca-central-1 --profile prod
  registry=$(ecr-login -q | cut -d' ' -f1)

Permission: ecr:GetAuthorizationToken

Exit codes:
  0  docker is signed in
  2  could not: usage, credentials, permission, network, docker's file
  3  not done within --timeout";

/// Does it.
///
/// # Errors
/// When ECR gives no token, or it cannot be stored.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find_optional(args.config.config.as_deref())?;
    let path = DockerConfig::locate()?;
    // A file that cannot be read is found before a token is asked for.
    let docker = DockerConfig::read(&path)?;
    let aws = Aws::load(&args.aws, config.as_ref(), console).await?;
    let answer = Client::new(&aws.sdk)
        .get_authorization_token()
        .send()
        .await
        .map_err(call("ecr:GetAuthorizationToken"))
        .context("failed to get a token for docker")?;
    let data = answer.authorization_data().first();
    let data = data.ok_or_else(|| {
        Failure::could_not("ecr:GetAuthorizationToken answered without `authorizationData`")
    })?;
    let token = decode(data, console)?;
    aws.place(&token.account)?;

    let host = &token.host;
    let until = data.expires_at().map(readable).unwrap_or_default();
    let item = |action: &str, place: String| {
        Item::new("registry", host, action)
            .detail("expires", until.clone())
            .detail("stored", place)
    };
    if args.dry_run {
        let place = match docker.helper_for(host) {
            Some(name) => format!("docker-credential-{name}"),
            None => path.display().to_string(),
        };
        let mut report =
            Report::new(Outcome::Planned).line(format!("{host} until {until}: would be stored: {place}"));
        report.items.push(item("store", place));
        return Ok(report);
    }
    let stored = registry::store(&path, host, &token.credentials).or_could_not(
        format!("failed to store the login for `{host}`"),
        "look at the file, or point DOCKER_CONFIG at another folder",
    )?;
    if std::env::var_os("DOCKER_AUTH_CONFIG").is_some_and(|value| !value.is_empty()) {
        console.warn("$DOCKER_AUTH_CONFIG is set: docker reads it before its own configuration");
    }
    let (outcome, action, place) = match stored {
        Stored::File(path) => (Outcome::Changed, "store", path.display().to_string()),
        Stored::Helper(name) => (Outcome::Changed, "store", format!("docker-credential-{name}")),
        Stored::NotNeeded(name) => {
            console.note(format!(
                "docker-credential-{name} gets tokens for {host} by itself: nothing to store"
            ));
            (Outcome::Unchanged, "none", format!("docker-credential-{name}"))
        }
    };
    if outcome == Outcome::Changed {
        console.note(format!("signed in to {host}: stored in {place}"));
    }
    let mut report = Report::new(outcome).line(format!("{host} until {until}"));
    report.items.push(item(action, place));
    Ok(report)
}

fn decode(data: &AuthorizationData, console: &Console) -> Result<Token> {
    let field = |value: Option<&str>, name: &str| {
        value
            .map(str::to_owned)
            .ok_or_else(|| Failure::could_not(format!("ecr:GetAuthorizationToken answered without `{name}`")))
    };
    let text = field(data.authorization_token(), "authorizationToken")?;
    console.hide(&text);
    let token = Token::decode(&text, &field(data.proxy_endpoint(), "proxyEndpoint")?)?;
    console.hide(token.credentials.password.expose_secret());
    Ok(token)
}

/// `2026-11-24T22:10:00Z`
fn readable(time: &DateTime) -> String {
    DateTime::from_secs(time.secs())
        .fmt(DateTimeFormat::DateTime)
        .unwrap_or_default()
}

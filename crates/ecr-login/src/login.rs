//! One token, one entry.

use anyhow::{Context, Result};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ecr::types::AuthorizationData;
use clap::Parser;
use cli::OutputArgs;
use cli::args::{AwsArgs, ConfigArgs};
use cli::error::ErrorSummary;
use cli::{Console, Failure, Item, Outcome, Report};
use common::aws::{Aws, call};
use common::config::Config;
use registry::{DockerConfig, Keeper, Token};
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
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = cli::duration::parse)]
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
    let data =
        data.ok_or_else(|| Failure::error("ecr:GetAuthorizationToken answered without `authorizationData`"))?;
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
        let keeper = docker.keeper_of(host);
        let (outcome, action, words) = match keeper {
            Keeper::Itself(_) => (
                Outcome::Unchanged,
                "none",
                "nothing to store: gets tokens by itself",
            ),
            Keeper::File(_) | Keeper::Helper(_) => (Outcome::Planned, "store", "would be stored"),
        };
        let place = name_of(&keeper);
        let mut report = Report::new(outcome).line(format!("{host} until {until}: {words}: {place}"));
        report.items.push(item(action, place));
        return Ok(report);
    }
    let stored = registry::store(&path, host, &token.credentials).map_err(|error| not_stored(host, error))?;
    if std::env::var_os("DOCKER_AUTH_CONFIG").is_some_and(|value| !value.is_empty()) {
        console.warn("$DOCKER_AUTH_CONFIG is set: docker reads it before its own configuration");
    }
    let place = name_of(&stored.keeper);
    let (outcome, action) = if stored.changed {
        (Outcome::Changed, "store")
    } else {
        (Outcome::Unchanged, "none")
    };
    console.info(match (&stored.keeper, stored.changed) {
        (Keeper::Itself(_), _) => format!("{place} gets tokens for {host} by itself: nothing to store"),
        (_, true) => format!("signed in to {host}: stored in {place}"),
        (_, false) => format!("signed in to {host}: {place} has this token already"),
    });
    let mut report = Report::new(outcome).line(format!("{host} until {until}"));
    report.items.push(item(action, place));
    Ok(report)
}

fn name_of(keeper: &Keeper) -> String {
    match keeper {
        Keeper::File(path) => path.display().to_string(),
        Keeper::Helper(name) | Keeper::Itself(name) => format!("docker-credential-{name}"),
    }
}

fn not_stored(host: &str, error: anyhow::Error) -> anyhow::Error {
    let message = format!("failed to store the login for `{host}`");
    if ErrorSummary::of(&error).hint.is_some() {
        return error.context(message);
    }
    Failure::error(message)
        .hint("look at the file, or point DOCKER_CONFIG at another folder")
        .source(error)
        .into()
}

fn decode(data: &AuthorizationData, console: &Console) -> Result<Token> {
    let field = |value: Option<&str>, name: &str| {
        value
            .map(str::to_owned)
            .ok_or_else(|| Failure::error(format!("ecr:GetAuthorizationToken answered without `{name}`")))
    };
    let text = field(data.authorization_token(), "authorizationToken")?;
    console.redact(&text);
    let token = Token::decode(&text, &field(data.proxy_endpoint(), "proxyEndpoint")?)?;
    console.redact(token.credentials.password.expose_secret());
    Ok(token)
}

/// `2026-11-24T22:10:00Z`
fn readable(time: &DateTime) -> String {
    DateTime::from_secs(time.secs())
        .fmt(DateTimeFormat::DateTime)
        .unwrap_or_default()
}

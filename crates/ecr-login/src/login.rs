//! Requests one token and stores it for Docker.

use crate::args::Args;
use anyhow::{Context, Result};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ecr::types::AuthorizationData;
use cli::error::ErrorSummary;
use cli::{Console, ErrorKind, Failure, Item, Outcome, Report};
use common::aws::{Aws, call};
use common::config::Config;
use registry::{CredentialStore, DockerConfig, Token};
use secrecy::ExposeSecret;

/// Requests a token and stores it, or prints where it would be stored.
///
/// # Errors
/// When ECR returns no token, or the token cannot be stored.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find_optional(args.common.config.config.as_deref())?;
    let path = DockerConfig::locate()?;
    // Read before the request, so that a malformed file is reported without a call.
    let docker = registry::read_to_store(&path)?;
    let aws = Aws::load(&args.common.aws, config.as_ref(), console).await?;
    let answer = Client::new(&aws.sdk)
        .get_authorization_token()
        .send()
        .await
        .map_err(call("ecr:GetAuthorizationToken"))
        .context("failed to get a token for docker")?;
    let data = answer.authorization_data().first();
    let data = data.ok_or_else(|| omitted("authorizationData"))?;
    let token = decode(data, console)?;
    aws.target(&token.account)?;

    let host = &token.host;
    let expires = data.expires_at().map(rfc3339).unwrap_or_default();
    let item = |action: &str, store: String| {
        Item::new("registry", host, action)
            .detail("expires", expires.clone())
            .detail("stored", store)
    };
    if args.dry_run {
        let store = CredentialStore::of(&docker, host);
        let (outcome, action, text) = match store {
            CredentialStore::SelfManaged(_) => (
                Outcome::Unchanged,
                "none",
                "nothing to store: gets tokens by itself",
            ),
            CredentialStore::ConfigFile(_) | CredentialStore::Helper(_) => {
                (Outcome::Planned, "store", "would be stored")
            }
        };
        let store = name_of(&store);
        let mut report = Report::new(outcome).line(format!("{host} until {expires}: {text}: {store}"));
        report.items.push(item(action, store));
        return Ok(report);
    }
    let stored = registry::store(&path, host, &token.credentials).map_err(|error| not_stored(host, error))?;
    if std::env::var_os("DOCKER_AUTH_CONFIG").is_some_and(|value| !value.is_empty()) {
        console.warn("$DOCKER_AUTH_CONFIG is set and takes precedence over docker's configuration");
    }
    let store = name_of(&stored.store);
    let (outcome, action) = if stored.changed {
        (Outcome::Changed, "store")
    } else {
        (Outcome::Unchanged, "none")
    };
    console.info(match (&stored.store, stored.changed) {
        (CredentialStore::SelfManaged(_), _) => {
            format!("{store} gets tokens for {host} by itself: nothing to store")
        }
        (_, true) => format!("signed in to {host}: stored in {store}"),
        (_, false) => format!("signed in to {host}: {store} already has this token"),
    });
    let mut report = Report::new(outcome).line(format!("{host} until {expires}"));
    report.items.push(item(action, store));
    Ok(report)
}

fn name_of(store: &CredentialStore) -> String {
    match store {
        CredentialStore::ConfigFile(path) => path.display().to_string(),
        CredentialStore::Helper(name) | CredentialStore::SelfManaged(name) => {
            format!("docker-credential-{name}")
        }
    }
}

fn not_stored(host: &str, error: anyhow::Error) -> anyhow::Error {
    let message = format!("failed to store the login for `{host}`");
    if ErrorSummary::of(&error).hint.is_some() {
        return error.context(message);
    }
    Failure::error(message)
        .hint("check the file, or set DOCKER_CONFIG to another folder")
        .source(error)
        .into()
}

fn decode(data: &AuthorizationData, console: &Console) -> Result<Token> {
    let token = data.authorization_token();
    let token = token.ok_or_else(|| omitted("authorizationToken"))?;
    console.redact(token);
    let endpoint = data.proxy_endpoint();
    let token = Token::decode(token, endpoint.ok_or_else(|| omitted("proxyEndpoint"))?)?;
    console.redact(token.credentials.password.expose_secret());
    Ok(token)
}

fn omitted(field: &str) -> Failure {
    Failure::error(format!("ecr:GetAuthorizationToken response omitted `{field}`"))
        .kind(ErrorKind::Unparseable)
}

/// `2026-11-24T22:10:00Z`
fn rfc3339(time: &DateTime) -> String {
    DateTime::from_secs(time.secs())
        .fmt(DateTimeFormat::DateTime)
        .unwrap_or_default()
}

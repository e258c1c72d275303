//! The AWS configuration that all tools share, and the client without an SDK crate. Typed clients belong to the tools: a
//! shared crate with all of them would make every tool depend on each.

mod attempts;
mod client;
mod credentials;
mod endpoint;
mod error;
mod expected;
mod http;
mod profile;
pub mod service;

pub use attempts::AttemptTracker;
pub use client::Client;
pub use error::{CallError, PASS_ROLE_HINT, UNSURE_HINT, call, code_of, is_throttling, kind_of};

use crate::config::{AwsTarget, Config};
use anyhow::Result;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use cli::Failure;
use cli::args::AwsArgs;
use cli::{Console, ErrorKind};
use credentials::Redacted;
use std::time::Duration;

/// How long the instance metadata service may take. On an instance it answers within milliseconds; elsewhere a run
/// without credentials must end within three seconds.
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);

/// How long establishing a connection may take. The deadline of the run is `--timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// How long the service may take to respond.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The account and region to work in, and the configuration of the service clients.
#[derive(Clone, Debug)]
pub struct Aws {
    /// For `Client::new`.
    pub sdk: SdkConfig,
    /// The region, `us-east-1`.
    pub region: String,
    expect_account: Option<String>,
}

impl Aws {
    /// Reads flags, environment and the AWS configuration files. Sends nothing, except to the instance metadata service
    /// when no other source names a region.
    ///
    /// # Errors
    /// When no region is configured, or `config` expects another one.
    pub async fn load(arguments: &AwsArgs, config: Option<&Config>, console: &Console) -> Result<Self> {
        let client = http::LazyTlsClient::new();
        let provider_config = ProviderConfig::default().with_http_client(client.clone());
        let metadata = imds::Client::builder()
            .configure(&provider_config)
            .max_attempts(1)
            .connect_timeout(METADATA_TIMEOUT)
            .read_timeout(METADATA_TIMEOUT)
            .build();

        let expected = expected::Expected::of(config)?;
        if let Some(profile) = &arguments.profile {
            profile::must_exist(profile).await?;
        }
        let region = region(arguments, &provider_config, &metadata).await?;
        let name = region.as_ref().to_owned();
        if let Some(expected) = expected.region.filter(|expected| *expected != name) {
            return Err(Failure::error(format!(
                "refused to work in region `{name}`: the config file expects `{expected}`"
            ))
            .kind(ErrorKind::Config)
            .code("wrong-region")
            .hint(format!("--region {expected}, or change `expect_region`"))
            .into());
        }

        let provider_config = provider_config.with_region(Some(region.clone()));
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(region.clone())
            .http_client(client);
        let provider = match &arguments.profile {
            Some(profile) => {
                loader = loader.profile_name(profile);
                SharedCredentialsProvider::new(profile::credentials(profile, &provider_config))
            }
            None => {
                SharedCredentialsProvider::new(credentials::default_chain(provider_config, region, metadata))
            }
        };
        loader = loader.credentials_provider(Redacted {
            provider,
            redactor: console.redactor(),
        });
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build();
        let sdk = loader.timeout_config(timeouts).load().await;
        endpoint::announce(&sdk, console);
        Ok(Aws {
            sdk,
            region: name,
            expect_account: expected.account,
        })
    }

    /// The same configuration with another number of attempts, for calls that are throttled for a long time.
    /// `AWS_MAX_ATTEMPTS` wins.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        if std::env::var_os("AWS_MAX_ATTEMPTS").is_none() {
            let retry = RetryConfig::standard().with_max_attempts(attempts);
            self.sdk = self.sdk.into_builder().retry_config(retry).build();
        }
        self
    }

    /// The same configuration for calls that must not be repeated. `AWS_MAX_ATTEMPTS` does not change that.
    #[must_use]
    pub fn without_retries(&self) -> Self {
        let sdk = self.sdk.to_builder().retry_config(RetryConfig::disabled());
        Aws {
            sdk: sdk.build(),
            ..self.clone()
        }
    }

    /// The same configuration in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let sdk = self.sdk.to_builder().region(Region::new(region.to_owned()));
        Aws {
            sdk: sdk.build(),
            region: region.to_owned(),
            ..self.clone()
        }
    }

    /// `account` in this region, after a check that it is the expected account.
    ///
    /// # Errors
    /// When the config file or `AWS_ACCOUNT_ID` names another account.
    pub fn target(&self, account: &str) -> Result<AwsTarget> {
        let expected = self
            .expect_account
            .clone()
            .map(|expected| (expected, "the config file expects"));
        let exported = std::env::var("AWS_ACCOUNT_ID")
            .ok()
            .filter(|value| !value.is_empty());
        let exported = exported.map(|exported| (exported, "$AWS_ACCOUNT_ID is"));
        for (required, words) in [expected, exported].into_iter().flatten() {
            if required != account {
                return Err(Failure::error(format!(
                    "refused to work in account `{account}`: {words} `{required}`"
                ))
                .kind(ErrorKind::Config)
                .code("wrong-account")
                .hint("sign in to the other account (AWS_PROFILE, --profile), or correct the number")
                .into());
            }
        }
        Ok(AwsTarget {
            account: account.to_owned(),
            region: self.region.clone(),
        })
    }
}

async fn region(arguments: &AwsArgs, config: &ProviderConfig, metadata: &imds::Client) -> Result<Region> {
    if let Some(region) = &arguments.region {
        return Ok(Region::new(region.clone()));
    }
    let mut profile = ProfileFileRegionProvider::builder().configure(config);
    if let Some(name) = &arguments.profile {
        profile = profile.profile_name(name);
    }
    let instance = imds::region::ImdsRegionProvider::builder()
        .configure(config)
        .imds_client(metadata.clone());
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .or_else(instance.build());
    chain.region().await.ok_or_else(|| {
        Failure::error("failed to find the AWS region: no --region, no $AWS_REGION, no $AWS_DEFAULT_REGION, none in the profile")
            .kind(ErrorKind::Config).code("no-region")
            .hint("export AWS_DEFAULT_REGION=us-east-1")
            .into()
    })
}

//! Where credentials come from, and how they are kept for a run.

use super::Aws;
use super::error::CallError;
use anyhow::Result;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, imds};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use cli::Failure;
use cli::redact::Redactor;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::OnceCell;

/// Credentials that expire sooner are resolved again.
const SPARE: Duration = Duration::from_secs(60);

impl Aws {
    /// Resolves the credentials and uses them for the calls that follow: a credential process may ask the user for an
    /// MFA code, and must ask only once.
    ///
    /// # Errors
    /// When there are none. The error names `operation`, the first call, which could not be sent.
    pub async fn credentials(&mut self, operation: &str) -> Result<Credentials> {
        let chain = self.sdk.credentials_provider();
        let failure = |error: &CredentialsError| Failure::from(CallError::no_credentials(operation, error));
        let chain =
            chain.ok_or_else(|| failure(&CredentialsError::not_loaded("no provider is configured")))?;
        let first = chain
            .provide_credentials()
            .await
            .map_err(|error| failure(&error))?;
        let resolved = ResolvedCredentials {
            first: first.clone(),
            chain,
        };
        let builder = self.sdk.clone().into_builder();
        self.sdk = builder
            .credentials_provider(SharedCredentialsProvider::new(resolved))
            .build();
        Ok(first)
    }
}

/// Shorter keys belong to an emulator (`test`), and are parts of names.
const MIN_SECRET_LENGTH: usize = 16;

/// Redacts what another provider provides: a server, or a proxy, may repeat what it was sent.
#[derive(Debug)]
pub(super) struct Redacted<P> {
    pub(super) provider: P,
    pub(super) redactor: Arc<Redactor>,
}

impl<P: ProvideCredentials> ProvideCredentials for Redacted<P> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let credentials = self.provider.provide_credentials().await?;
            let secrets = [Some(credentials.secret_access_key()), credentials.session_token()];
            let secrets = secrets.into_iter().flatten();
            let long = secrets.filter(|secret| secret.len() >= MIN_SECRET_LENGTH);
            long.for_each(|secret| self.redactor.add(secret));
            Ok(credentials)
        })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.provider.fallback_on_interrupt()
    }
}

/// The SDK's default chain. Its first source, the environment, is asked before the others are set up: they include a
/// client of STS, which costs a quarter of the instructions between the start of a tool and its first request.
pub(super) fn default_chain(
    config: ProviderConfig,
    region: Region,
    metadata: imds::Client,
) -> CredentialsProviderChain {
    let others = LazyChain {
        config,
        region,
        metadata,
        chain: OnceCell::new(),
    };
    CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
        .or_else("DefaultChain", others)
}

/// The default chain, set up when it is asked for the first time.
#[derive(Debug)]
struct LazyChain {
    config: ProviderConfig,
    region: Region,
    metadata: imds::Client,
    chain: OnceCell<DefaultCredentialsChain>,
}

impl LazyChain {
    async fn build(&self) -> DefaultCredentialsChain {
        DefaultCredentialsChain::builder()
            .configure(self.config.clone())
            .region(self.region.clone())
            .imds_client(self.metadata.clone())
            .build()
            .await
    }
}

impl ProvideCredentials for LazyChain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let chain = self.chain.get_or_init(|| self.build()).await;
            chain.provide_credentials().await
        })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.chain.get()?.fallback_on_interrupt()
    }
}

/// Returns credentials that were resolved before; asks the chain again when they expire.
#[derive(Debug)]
struct ResolvedCredentials {
    first: Credentials,
    chain: SharedCredentialsProvider,
}

impl ProvideCredentials for ResolvedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let soon = SystemTime::now() + SPARE;
        if self.first.expiry().is_none_or(|expiry| expiry > soon) {
            future::ProvideCredentials::ready(Ok(self.first.clone()))
        } else {
            self.chain.provide_credentials()
        }
    }
}

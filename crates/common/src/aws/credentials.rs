//! The credentials of a run, resolved before its first call.

use super::Aws;
use super::error::CallError;
use anyhow::Result;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use cli::Failure;
use std::time::{Duration, SystemTime};

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

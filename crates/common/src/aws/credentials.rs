//! The credentials that a run signs its calls with, known before the first of them.

use super::Aws;
use super::error::no_credentials;
use anyhow::Result;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use std::time::{Duration, SystemTime};

/// Credentials that end sooner are asked for anew.
const SPARE: Duration = Duration::from_secs(60);

impl Aws {
    /// Gets the credentials, and has the calls that follow use these very ones: a credential process may
    /// ask for a code, and nobody wants to type two.
    ///
    /// # Errors
    /// When there are none: in the words of `operation`, the first call, which could not be sent.
    pub async fn credentials(&mut self, operation: &str) -> Result<Credentials> {
        let chain = self.sdk.credentials_provider();
        let chain = chain.ok_or_else(|| {
            no_credentials(
                operation,
                &CredentialsError::not_loaded("no provider is configured"),
            )
        })?;
        let first = chain
            .provide_credentials()
            .await
            .map_err(|error| no_credentials(operation, &error))?;
        let known = Known {
            first: first.clone(),
            chain,
        };
        let builder = self.sdk.clone().into_builder();
        self.sdk = builder
            .credentials_provider(SharedCredentialsProvider::new(known))
            .build();
        Ok(first)
    }
}

/// Credentials that were got already; when they end, those who gave them are asked again.
#[derive(Debug)]
struct Known {
    first: Credentials,
    chain: SharedCredentialsProvider,
}

impl ProvideCredentials for Known {
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

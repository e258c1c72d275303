//! `--profile`. An explicit profile takes precedence over exported keys: the profile is the only source of credentials
//! then, as with the AWS CLI.

use anyhow::Result;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_types::os_shim_internal::{Env, Fs};
use cli::{ErrorKind, Failure};

/// The credentials of the profile `name`: keys, SSO, a role, or a credential process.
pub(super) fn credentials(name: &str, config: &ProviderConfig) -> ProfileFileCredentialsProvider {
    ProfileFileCredentialsProvider::builder()
        .configure(config)
        .profile_name(name)
        .build()
}

/// # Errors
/// When the AWS configuration has no profile `name`, or cannot be read.
pub(super) async fn must_exist(name: &str) -> Result<()> {
    let profiles = aws_config::profile::load(&Fs::real(), &Env::real(), &Default::default(), None)
        .await
        .map_err(|error| {
            Failure::error("failed to read the AWS configuration")
                .hint("look at ~/.aws/config and ~/.aws/credentials, or at $AWS_CONFIG_FILE and $AWS_SHARED_CREDENTIALS_FILE")
                .source(error)
        })?;
    if profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let mut known: Vec<&str> = profiles.profiles().collect();
    known.sort_unstable();
    let hint = if known.is_empty() {
        "the AWS configuration has no profile: `aws configure sso` makes one".to_owned()
    } else {
        format!("it has: {}", known.join(", "))
    };
    Err(Failure::error(format!(
        "failed to find profile `{name}` in the AWS configuration"
    ))
    .kind(ErrorKind::Config)
    .code("no-profile")
    .hint(hint)
    .into())
}

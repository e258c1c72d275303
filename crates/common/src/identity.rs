//! The identity of the caller.

use crate::aws::service::STS;
use crate::aws::{Aws, Client};
use crate::config::AwsTarget;
use anyhow::Result;
use cli::Failure;
use serde_json::{Value, json};

/// The response of `sts:GetCallerIdentity`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account, 12 digits.
    pub account: String,
    /// The ARN of the user or of the session of a role.
    pub arn: String,
}

/// Calls `sts:GetCallerIdentity`, which needs no permission.
///
/// # Errors
/// When the call fails, or the response has no account.
pub async fn caller(aws: &Aws) -> Result<Identity> {
    let response = Client::new(aws, &STS).call("GetCallerIdentity", &json!({})).await;
    let response = response.map_err(Failure::from)?;
    let text = |name: &str| response.get(name).and_then(Value::as_str).map(str::to_owned);
    let account = text("Account")
        .ok_or_else(|| Failure::error("response of sts:GetCallerIdentity omitted `Account`"))?;
    Ok(Identity {
        account,
        arn: text("Arn").unwrap_or_default(),
    })
}

/// The account of the caller in this region, after a check against the config file and `AWS_ACCOUNT_ID`.
///
/// # Errors
/// When the call fails, or another account is expected.
pub async fn target(aws: &Aws) -> Result<AwsTarget> {
    aws.target(&caller(aws).await?.account)
}

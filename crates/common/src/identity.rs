//! The identity of the caller. STS is the only typed client in `common`, because `aws-config` depends on it anyway.

use crate::aws::{Aws, call};
use crate::config::AwsTarget;
use anyhow::Result;
use aws_sdk_sts::Client;
use cli::Failure;

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
    let answer = Client::new(&aws.sdk)
        .get_caller_identity()
        .send()
        .await
        .map_err(call("sts:GetCallerIdentity"))?;
    let account = answer
        .account()
        .ok_or_else(|| Failure::error("response of sts:GetCallerIdentity omitted `Account`"))?;
    Ok(Identity {
        account: account.to_owned(),
        arn: answer.arn().unwrap_or_default().to_owned(),
    })
}

/// The account of the caller in this region, after a check against the config file and `AWS_ACCOUNT_ID`.
///
/// # Errors
/// When the call fails, or another account is expected.
pub async fn place(aws: &Aws) -> Result<AwsTarget> {
    aws.place(&caller(aws).await?.account)
}

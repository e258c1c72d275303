//! Who the caller is. A crate of its own, because `common` holds no service client.

use crate::aws::{Aws, call};
use crate::config::AwsTarget;
use anyhow::Result;
use aws_sdk_sts::Client;
use cli::Failure;

/// The answer of `sts:GetCallerIdentity`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account, 12 digits.
    pub account: String,
    /// The ARN of the user or of the session of a role.
    pub arn: String,
}

/// Asks AWS who the caller is. Needs no permission.
///
/// # Errors
/// When the call fails, or the answer names no account.
pub async fn caller(aws: &Aws) -> Result<Identity> {
    let answer = Client::new(&aws.sdk)
        .get_caller_identity()
        .send()
        .await
        .map_err(call("sts:GetCallerIdentity"))?;
    let account = answer
        .account()
        .ok_or_else(|| Failure::error("sts:GetCallerIdentity answered without `Account`"))?;
    Ok(Identity {
        account: account.to_owned(),
        arn: answer.arn().unwrap_or_default().to_owned(),
    })
}

/// The caller's account in this region, when it is the one that the config file and `AWS_ACCOUNT_ID` name.
///
/// # Errors
/// When the call fails, or it is another account.
pub async fn place(aws: &Aws) -> Result<AwsTarget> {
    aws.place(&caller(aws).await?.account)
}

//! The start of every tool that changes resources: the AWS configuration, the caller, and the account and region.

use crate::aws::Aws;
use crate::config::{AwsTarget, Config};
use crate::identity;
use anyhow::Result;
use cli::args::AwsArgs;
use cli::{Console, Outcome, Report};

/// The AWS configuration with the caller that it belongs to.
#[derive(Clone, Debug)]
pub struct Session {
    /// What service clients are made from.
    pub aws: Aws,
    /// The caller's account, and the region.
    pub target: AwsTarget,
    /// The ARN of the caller.
    pub identity: String,
}

impl Session {
    /// Loads the AWS configuration and asks AWS who the caller is.
    ///
    /// # Errors
    /// When no region is known, the call fails, or `config` or the environment expects another account or region.
    pub async fn open(arguments: &AwsArgs, config: &Config, console: &Console) -> Result<Self> {
        let aws = Aws::load(arguments, Some(config), console).await?;
        let caller = identity::caller(&aws).await?;
        let target = aws.target(&caller.account)?;
        Ok(Session {
            aws,
            target,
            identity: caller.arn,
        })
    }

    /// The report to begin with: nothing is changed yet.
    pub fn report(&self) -> Report {
        Report::new(Outcome::Unchanged)
            .detail("account", self.target.account.as_str())
            .detail("region", self.target.region.as_str())
            .detail("identity", self.identity.as_str())
    }
}

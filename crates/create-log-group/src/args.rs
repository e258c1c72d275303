//! The command line.

use clap::Parser;
use cli::args::{CommonArgs, ConfirmArgs, PlanArgs};
use std::time::Duration;

/// Create the CloudWatch log group of ops.toml, and keep it as it says
///
/// Describes the group first and changes only what differs: retention, KMS
/// key, deletion protection, tags. What the file does not name stays as it is.
/// A shorter retention deletes log events: it requires confirmation on a
/// terminal, or --yes. A second run changes nothing and says so.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const HELP: &str = "\
Examples:
  create-log-group               prints the group's ARN
  create-log-group --dry-run     what would be done
  create-log-group --yes         also when a shorter retention deletes events

Permissions: logs:DescribeLogGroups, logs:ListTagsForResource,
logs:DescribeLogStreams (else a shorter retention asks for an empty group
too), logs:CreateLogGroup, logs:PutRetentionPolicy, logs:DeleteRetentionPolicy,
logs:TagResource, logs:AssociateKmsKey, logs:DisassociateKmsKey,
logs:PutLogGroupDeletionProtection

Exit codes:
  0  done, or nothing to do
  1  differences under --check
  2  error: usage, configuration, credentials, permission, network, or a
     shorter retention that was not confirmed
  3  not done within --timeout
  4  partly done: something was changed before an error";

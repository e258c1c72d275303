//! The command line.

use clap::Parser;
use cli::args::{CommonArgs, PlanArgs};
use std::time::Duration;

/// Write the parameters of ops.toml to SSM, and only what differs
///
/// Every value is read and checked before the first call: unset and empty
/// variables, names, sizes, connection strings, headers, AWS keys. Then the
/// parameters that exist are compared, and only what differs is written: value,
/// type, and what the file names of key, tier, description and tags. Nothing is
/// deleted. A value is never printed.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Names from [params.entry] [default: all of them]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const HELP: &str = "\
Examples:
  put-params                             all of ops.toml
  put-params CONNECTION_URL --dry-run    the plan for one parameter
  put-params -q --check || echo 'run put-params'
  put-params | awk '$2 != \"unchanged\"'   what this run has changed

The source of a value stands in its entry:
  NAME = { env = \"VARIABLE\" }
  NAME = { template = \"x-team=${VARIABLE}\" }      $$ is a dollar
  NAME = { file = \"path\" }                        without its last newline

Permissions: ssm:GetParameters, ssm:PutParameter, ssm:AddTagsToResource,
ssm:ListTagsForResource; ssm:DescribeParameters on * where a parameter is
updated or the file names key, tier or description; with a kms_key of your
own kms:Encrypt and kms:Decrypt

Exit codes:
  0  done, or nothing to do
  1  differences under --check
  2  error: usage, configuration, a bad value, credentials, permission,
     network
  3  not done within --timeout
  4  some parameters were written and others failed";

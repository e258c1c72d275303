//! The command line.

use clap::Parser;
use cli::args::{CommonArgs, ConfirmArgs, PlanArgs};
use std::time::Duration;

/// Create the private ECR repositories of ops.toml, and keep them as it says
///
/// Describes each repository first and changes only what differs: tag
/// mutability and its exceptions, scan on push, repository policy, lifecycle
/// policy, tags. Before a lifecycle policy is put, ECR's own preview shows the
/// images that it would delete; the preview changes nothing. A policy that
/// deletes images, or may do so because ECR gives no preview, requires
/// confirmation on a terminal, or --yes. What the file does not name stays as
/// it is. A second run changes nothing and says so.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Names from [[repository]] [default: all of them]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
    /// Print lines for a shell, `export NAME=URI`, by the names in `export`
    #[arg(long)]
    pub(crate) export: bool,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const HELP: &str = "\
Examples:
  create-repository                      all of ops.toml; prints their URIs
  create-repository backend-flask --dry-run
  create-repository --yes                also when a lifecycle policy deletes
  eval \"$(create-repository --export)\"    sets ECR_PYTHON_URL and the others

Permissions: ecr:DescribeRepositories, ecr:ListTagsForResource,
ecr:CreateRepository, ecr:TagResource, ecr:PutImageTagMutability,
ecr:PutImageScanningConfiguration; with policies in the file also
ecr:GetRepositoryPolicy, ecr:SetRepositoryPolicy, ecr:GetLifecyclePolicy,
ecr:PutLifecyclePolicy, ecr:StartLifecyclePolicyPreview,
ecr:GetLifecyclePolicyPreview

Exit codes:
  0  done, or nothing to do
  1  differences under --check
  2  error: usage, configuration, credentials, permission, network, a
     difference that can't be changed in place, or a lifecycle policy that was
     not confirmed
  3  not done within --timeout
  4  partly done: something was changed before an error";

//! The command line.

use clap::Parser;
use cli::args::{CommonArgs, ConfirmArgs, PlanArgs};
use std::time::Duration;

/// Create the IAM roles of ops.toml, and keep them as it says
///
/// Checks the policy files before the first call, describes each role, and
/// changes only what differs: trust policy, inline and managed policies,
/// permissions boundary, tags. Policies that ops.toml does not name are
/// listed, and stay unless --prune. A second run changes nothing and says so.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Keys of [roles.*] [default: all of them]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// Remove inline and managed policies that ops.toml does not name
    #[arg(long)]
    pub(crate) prune: bool,
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
    /// Ask IAM's simulator whether the execution role may do what the task
    /// definition needs
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const HELP: &str = "\
Examples:
  create-roles                    all of ops.toml; prints their ARNs
  create-roles execution --dry-run
  create-roles --check --simulate
  create-roles task --prune       asks first; elsewhere give --yes

Permissions: iam:GetRole, iam:ListRolePolicies, iam:GetRolePolicy,
iam:ListAttachedRolePolicies, iam:CreateRole, iam:UpdateAssumeRolePolicy,
iam:PutRolePolicy, iam:AttachRolePolicy, iam:TagRole;
for a boundary iam:PutRolePermissionsBoundary; with --prune
iam:DeleteRolePolicy, iam:DetachRolePolicy; with --simulate
iam:SimulatePrincipalPolicy; to find errors ahead iam:GetPolicy, iam:ListRoles

Exit codes:
  0  done, or nothing to do
  1  differences under --check, or a permission is missing under --simulate
  2  error: usage, configuration, a policy file, credentials, permission,
     network, or a removal that was not confirmed
  3  not done within --timeout
  4  partly done: something was changed before an error";

//! The command line.

use clap::Parser;
use cli::args::{CommonArgs, PlanArgs};
use std::time::Duration;

/// Create the ECS cluster of ops.toml, and keep it as it says
///
/// Describes the cluster first and changes only what differs: the default
/// namespace of Service Connect (created with the cluster), Container Insights,
/// the logs of ECS Exec, capacity providers, tags. Then it waits until the
/// cluster is ACTIVE. What the file does not name stays as it is, and nothing
/// is deleted. Creates ECS's service-linked role in an account without it.
/// A second run changes nothing and says so.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// Give up after this time; ECS continues
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const HELP: &str = "\
Examples:
  create-cluster              prints the cluster's ARN when it is ACTIVE
  create-cluster --dry-run    what would be done
  create-cluster --check      exit 1 when the cluster is not as the file says

Permissions: ecs:DescribeClusters, ecs:CreateCluster, ecs:UpdateCluster,
ecs:PutClusterCapacityProviders, ecs:TagResource,
servicediscovery:GetNamespace; to create the namespace also
servicediscovery:CreateHttpNamespace, GetOperation, ListNamespaces;
iam:GetRole on the role AWSServiceRoleForECS, which is not judged without it;
where that role is missing iam:CreateServiceLinkedRole

Exit codes:
  0  done, or nothing to do
  1  differences under --check
  2  error: usage, configuration, credentials, permission, network, or the
     cluster is FAILED
  3  not ACTIVE within --timeout
  4  partly done: something was changed before an error";

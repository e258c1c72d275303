//! Describe, compare, change.

use crate::apply::{Run, announce, planned};
use crate::check::check;
use crate::linked_role;
use crate::plan::Desired;
use crate::store::Store;
use anyhow::Result;
use clap::Parser;
use cli::OutputArgs;
use cli::args::{AwsArgs, ConfigArgs, PlanArgs};
use cli::{Console, Outcome, Report};
use common::aws::Aws;
use common::config::{Config, Variables};
use std::time::Duration;

/// Make the ECS cluster of ops.toml, and keep it as it says
///
/// Describes the cluster first and changes only what differs: the default
/// namespace of Service Connect (made with the cluster), Container Insights,
/// the logs of ECS Exec, capacity providers, tags. Then it waits until the
/// cluster is ACTIVE. What the file does not name stays as it is, and nothing
/// is deleted. Makes ECS's service-linked role in an account that has none.
/// A second run changes nothing and says so.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    plan: PlanArgs,
    /// Give up after this time; the cluster goes on coming about
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const HELP: &str = "\
Examples:
  create-cluster              prints the cluster's ARN when it is ACTIVE
  create-cluster --dry-run    what would be done
  create-cluster --check      exit 1 when the cluster is not as the file says

Permissions: ecs:DescribeClusters, ecs:CreateCluster, ecs:UpdateCluster,
ecs:PutClusterCapacityProviders, ecs:TagResource,
servicediscovery:GetNamespace; to make the namespace also
servicediscovery:CreateHttpNamespace, GetOperation, ListNamespaces;
iam:GetRole on the role AWSServiceRoleForECS, which is not judged without it;
where that role is missing iam:CreateServiceLinkedRole

Exit codes:
  0  done, or nothing to do
  1  differences under --check
  2  could not: usage, configuration, credentials, permission, network, or the
     cluster is FAILED
  3  not ACTIVE within --timeout
  4  something was changed and the rest could not be";

/// Does it.
///
/// # Errors
/// When nothing could be done. Where something went through, the report carries the error.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find(args.config.config.as_deref())?;
    desired(&config, &Variables::preview(&config.schema))?;

    let aws = Aws::load(&args.aws, Some(&config), console).await?;
    let caller = common::identity::caller(&aws).await?;
    let place = aws.place(&caller.account)?;
    let desired = desired(&config, &Variables::new(&config.schema, &place))?;
    let report = Report::new(Outcome::Unchanged)
        .detail("account", place.account.as_str())
        .detail("region", place.region.as_str())
        .detail("identity", caller.arn);
    let store = Store::new(aws, console, place);

    // An account may have a cluster and not the role: the one was deleted, or the other.
    let iam = aws_sdk_iam::Client::new(&store.aws.sdk);
    let look = async { Ok(linked_role::look(&iam).await) };
    let (found, role) = tokio::try_join!(store.describe(&desired), look)?;
    let create_role = linked_role::is_to_be_made(role, &planned(&desired, &found), console)?;
    if args.plan.plan_only() {
        let report = announce(&store, &desired, &found, create_role, report)?;
        return Ok(report.checked(args.plan.check));
    }
    Run { store, desired }.apply(found, create_role, report).await
}

/// `[cluster]` and the tags, checked.
fn desired(config: &Config, variables: &Variables) -> Result<Desired> {
    let cluster = config
        .cluster(variables)?
        .ok_or_else(|| config.no_table("cluster"))?;
    check(&cluster)?;
    Ok(Desired::new(
        cluster,
        config.tags(variables)?.0.into_iter().collect(),
    ))
}

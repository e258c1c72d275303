//! Describe, compare, change.

use crate::apply::Run;
use crate::check::check;
use crate::plan::{Desired, Plan, deletes_after, plan, shown_days};
use crate::store::Store;
use anyhow::Result;
use aws_sdk_cloudwatchlogs::Client;
use clap::Parser;
use cli::OutputArgs;
use cli::args::{AwsArgs, ConfigArgs, ConfirmArgs, PlanArgs};
use cli::{Console, Outcome, Report};
use common::aws::Aws;
use common::config::{Config, Variables};
use std::time::Duration;

/// Make the CloudWatch log group of ops.toml, and keep it as it says
///
/// Describes the group first and changes only what differs: retention, KMS
/// key, tags. What the file does not name stays as it is. A shorter retention
/// deletes log events: that is asked on a terminal, and wants --yes elsewhere.
/// A second run changes nothing and says so.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = cli::duration::parse)]
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
  create-log-group               prints the group's ARN
  create-log-group --dry-run     what would be done
  create-log-group --yes         also when a shorter retention deletes events

Permissions: logs:DescribeLogGroups, logs:ListTagsForResource,
logs:CreateLogGroup, logs:PutRetentionPolicy, logs:DeleteRetentionPolicy,
logs:TagResource, logs:AssociateKmsKey, logs:DisassociateKmsKey

Exit codes:
  0  done, or nothing to do
  1  differences under --check
  2  could not: usage, configuration, credentials, permission, network, or a
     shorter retention that nobody confirmed
  3  not done within --timeout
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
    let store = Store {
        client: Client::new(&aws.sdk),
        console,
        place,
    };

    let observed = store.describe(&desired).await?.into_option(&desired.label())?;
    let found = plan(&desired, observed.as_ref())?;
    if args.plan.plan_only() {
        return Ok(announce(&store, &desired, &found, report).checked(args.plan.check));
    }
    let run = Run {
        store,
        desired,
        yes: args.confirm.yes,
    };
    run.apply(observed, found, report).await
}

/// `[log_group]` and the tags, checked.
fn desired(config: &Config, variables: &Variables) -> Result<Desired> {
    let group = config
        .log_group(variables)?
        .ok_or_else(|| config.no_table("log_group"))?;
    check(&group)?;
    Ok(Desired::new(
        group,
        config.tags(variables)?.0.into_iter().collect(),
    ))
}

/// `--dry-run`: what would be done.
fn announce(store: &Store, desired: &Desired, plan: &Plan, mut report: Report) -> Report {
    let mut item = store.item(desired, plan.verb(), plan.changes());
    store.console.announce(&item, true);
    if let Some(days) = deletes_after(plan) {
        let events = format!("the events that are older than {}", shown_days(days));
        let words = format!("  this deletes {events}: it will be asked, or wants --yes");
        store.console.info(words);
        item = item.detail("deletes", events);
    }
    if *plan != Plan::Nothing {
        report.outcome = Outcome::Planned;
    }
    report.items.push(item);
    report.line(store.arn(&desired.name))
}

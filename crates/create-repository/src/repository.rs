//! Describe, compare, change.

use crate::apply::Job;
use crate::desired::{Desired, load};
use crate::plan::{Observed, Plan, lifecycle_of, plan};
use crate::preview::{self, Asked};
use crate::store::Store;
use anyhow::Result;
use aws_sdk_ecr::Client;
use clap::Parser;
use cli::OutputArgs;
use cli::args::{AwsArgs, ConfigArgs, ConfirmArgs, PlanArgs};
use cli::{Console, Item, Outcome, Report};
use common::aws::Aws;
use common::config::{Config, Variables, partition_of};
use common::documents::report_errors;
use futures_util::{StreamExt, TryStreamExt, stream};
use reconcile::confirm::confirm;
use reconcile::plan::End;
use std::time::Duration;

/// Make the private ECR repositories of ops.toml, and keep them as it says
///
/// Describes each repository first and changes only what differs: tag
/// mutability and its exceptions, scan on push, repository policy, lifecycle
/// policy, tags. Before a lifecycle policy is put, ECR's own preview shows the
/// images that it would delete; the preview changes nothing. A policy that
/// deletes images that are there, or may do so because ECR does not say, is
/// asked about on a terminal, and wants --yes elsewhere. What the file does not
/// name stays as it is. A second run changes nothing and says so.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Names from [[repository]] [default: all of them]
    names: Vec<String>,
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
    /// Print lines for a shell, `export NAME=URI`, by the names in `export`
    #[arg(long)]
    export: bool,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = cli::duration::parse)]
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
  2  could not: usage, configuration, credentials, permission, network, a
     difference that can't be changed in place, or a lifecycle policy that
     nobody confirmed
  3  not done within --timeout
  4  something was changed and the rest could not be";

/// Repositories that are read side by side, so that ECR does not throttle a long list.
const SIDE_BY_SIDE: usize = 8;

/// A repository, what ECR has of it, and what is to be done.
struct Planned {
    desired: Desired,
    observed: Option<Observed>,
    plan: Plan,
    preview: Option<Asked>,
}

impl Planned {
    /// What of the images that are there is deleted, or may be.
    fn deletion(&self) -> Option<String> {
        self.preview.as_ref()?.deletion(self.desired.name())
    }
}

/// Does it.
///
/// # Errors
/// When nothing could be done. Where some went through, the report carries the error.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find(args.config.config.as_deref())?;
    let preview = load(&config, &args.names, &Variables::preview(&config.schema), None)?;
    // Warnings are told once, when the place is known.
    let errors: Vec<_> = preview
        .faults
        .into_iter()
        .filter(|fault| fault.is_error())
        .collect();
    if let Some(refused) = report_errors(&errors, console) {
        return Ok(refused);
    }

    let aws = Aws::load(&args.aws, Some(&config), console).await?;
    let caller = common::identity::caller(&aws).await?;
    let place = aws.place(&caller.account)?;
    let partition = partition_of(&place.region);
    let loaded = load(
        &config,
        &args.names,
        &Variables::new(&config.schema, &place),
        Some(partition),
    )?;
    if let Some(refused) = report_errors(&loaded.faults, console) {
        return Ok(refused);
    }
    let report = Report::new(Outcome::Unchanged)
        .detail("account", place.account.as_str())
        .detail("region", place.region.as_str())
        .detail("identity", caller.arn);
    let store = Store {
        client: Client::new(&aws.sdk),
        console,
        place,
    };

    // All of them, before anything is changed: what can't be done is told while nothing is.
    let planned: Vec<Planned> = stream::iter(loaded.repositories)
        .map(|desired| look(&store, desired))
        .buffered(SIDE_BY_SIDE)
        .try_collect()
        .await?;
    if args.plan.plan_only() {
        return Ok(announce(&store, planned, args.export, report).checked(args.plan.check));
    }
    let told: Vec<Item> = planned
        .iter()
        .map(|one| {
            tell(
                &store,
                one,
                Item::new("repository", one.desired.name(), one.plan.verb()),
            )
        })
        .collect();
    confirm_deletions(&planned, args.confirm.yes, console).await?;
    change(&store, planned.into_iter().zip(told), args.export, report).await
}

/// One question for all images that would be deleted, before anything is changed.
async fn confirm_deletions(planned: &[Planned], yes: bool, console: &Console) -> Result<()> {
    let all: Vec<String> = planned.iter().filter_map(Planned::deletion).collect();
    if all.is_empty() {
        return Ok(());
    }
    confirm(console, yes, &all.join(", ")).await
}

async fn look(store: &Store<'_>, desired: Desired) -> Result<Planned> {
    let observed = store.describe(&desired).await?.into_option(&desired.label())?;
    let plan = plan(&desired, observed.as_ref())?;
    let preview = match lifecycle_of(&plan) {
        Some(policy) => Some(preview::ask(store, desired.name(), policy).await?),
        None => None,
    };
    Ok(Planned {
        desired,
        observed,
        plan,
        preview,
    })
}

/// `--dry-run`: what would be done.
fn announce(store: &Store, planned: Vec<Planned>, export: bool, mut report: Report) -> Report {
    for one in planned {
        let (desired, plan) = (&one.desired, &one.plan);
        let observed = one.observed.as_ref();
        let uri = observed.map_or_else(|| store.uri(desired.name()), |observed| observed.uri.clone());
        if *plan != Plan::Nothing {
            report.outcome = Outcome::Planned;
        }
        let item = Item::new("repository", desired.name(), plan.verb()).changes(plan.changes());
        store.console.announce(&item, true);
        let item = tell(store, &one, item);
        if one.deletion().is_some() {
            store.console.info("  that will be asked, or wants --yes");
        }
        report.lines.extend(line(desired, &uri, export));
        report.items.push(item.detail("uri", uri));
    }
    report
}

/// Each repository comes with what was told of it.
async fn change(
    store: &Store<'_>,
    planned: impl Iterator<Item = (Planned, Item)>,
    export: bool,
    mut report: Report,
) -> Result<Report> {
    store.console.begin(&report);
    for (one, told) in planned {
        let Planned {
            desired,
            observed,
            plan,
            ..
        } = one;
        let job = Job {
            store,
            desired: &desired,
            details: told.details,
        };
        let End { done, seen, error } = match job.apply(observed.as_ref(), plan).await {
            Ok(end) => end,
            Err(error) if report.outcome == Outcome::Changed => {
                return Ok(store.console.partly(&error, report));
            }
            Err(error) => return Err(error),
        };
        if !done.is_nothing() {
            report.outcome = Outcome::Changed;
        }
        let uri = seen.unwrap_or_else(|| store.uri(desired.name()));
        let item = job.item(&done, &uri);
        store.console.announce(&item, false);
        report.items.push(item);
        report.lines.extend(line(&desired, &uri, export));
        if let Some(error) = error {
            return Ok(store.console.partly(&error, report));
        }
    }
    Ok(report)
}

/// Shows what the lifecycle policy would do.
fn tell(store: &Store, one: &Planned, item: Item) -> Item {
    let name = one.desired.name();
    match &one.preview {
        None => item,
        Some(Asked::Known(preview)) => {
            preview.tell(name, store.console);
            item.detail("lifecycle_preview", preview.to_json())
        }
        Some(Asked::NotJudged(why)) => {
            store.console.warn(format!(
                "images that the lifecycle policy of `{name}` deletes not judged: {why}"
            ));
            item
        }
    }
}

fn line(desired: &Desired, uri: &str, export: bool) -> Option<String> {
    match (export, &desired.repository.export) {
        (false, _) => Some(uri.to_owned()),
        (true, Some(name)) => Some(format!("export {name}={uri}")),
        (true, None) => None,
    }
}

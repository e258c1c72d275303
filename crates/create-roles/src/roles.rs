//! Judge, describe, compare, change.

use crate::apply::{Job, arn, item};
use crate::documents::{Desired, load};
use crate::plan::{Observed, Plan, plan, policies_of, removals, unnamed};
use crate::simulate::{Question, simulate};
use crate::store::{Known, Store};
use anyhow::Result;
use aws_documents::Fault;
use aws_sdk_iam::Client;
use clap::Parser;
use cli::OutputArgs;
use cli::args::{AwsArgs, ConfigArgs, ConfirmArgs, PlanArgs};
use cli::{Console, Failure, Outcome, Report};
use common::aws::Aws;
use common::config::{AwsTarget, Config, Variables, partition_of};
use common::documents::{name_unknown, report_errors};
use futures_util::future::join_all;
use reconcile::confirm::confirm;
use reconcile::plan::End;
use std::time::Duration;

/// Make the IAM roles of ops.toml, and keep them as it says
///
/// Judges the policy files before the first call, describes each role, and
/// changes only what differs: trust policy, inline and managed policies,
/// permissions boundary, tags. Policies that ops.toml does not name are
/// listed, and stay unless --prune. A second run changes nothing and says so.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Keys of [roles.*] [default: all of them]
    names: Vec<String>,
    #[command(flatten)]
    plan: PlanArgs,
    /// Remove inline and managed policies that ops.toml does not name
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    confirm: ConfirmArgs,
    /// Ask IAM's simulator whether the execution role may do what the task
    /// definition needs
    #[arg(long)]
    simulate: bool,
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
  create-roles                    all of ops.toml; prints their ARNs
  create-roles execution --dry-run
  create-roles --check --simulate
  create-roles task --prune       asks first; elsewhere give --yes

Permissions: iam:GetRole, iam:ListRolePolicies, iam:GetRolePolicy,
iam:ListAttachedRolePolicies, iam:CreateRole, iam:UpdateAssumeRolePolicy,
iam:PutRolePolicy, iam:AttachRolePolicy, iam:TagRole;
for a boundary iam:PutRolePermissionsBoundary; with --prune
iam:DeleteRolePolicy, iam:DetachRolePolicy; with --simulate
iam:SimulatePrincipalPolicy; to find faults ahead iam:GetPolicy, iam:ListRoles

Exit codes:
  0  done, or nothing to do
  1  differences under --check, or a permission is missing under --simulate
  2  could not: usage, configuration, a fault in a policy file, credentials,
     permission, network, or a removal that nobody confirmed
  3  not done within --timeout
  4  something was changed and the rest could not be";

/// One role with what is to be done for it.
struct Planned<'a> {
    desired: &'a Desired,
    observed: Option<Observed>,
    plan: Plan,
}

/// Does it.
///
/// # Errors
/// When nothing could be done. Where something went through, the report carries the error.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find(args.config.config.as_deref())?;
    let preview = Variables::preview(&config.schema);
    let mut faults = load(&config, &args.names, &preview, None)?.faults;
    if args.simulate {
        let question = Question::read(&config, &AwsTarget::unknown())?;
        faults.extend(question.err().unwrap_or_default());
    }
    let faults: Vec<Fault> = faults.into_iter().map(name_unknown).collect();
    if let Some(report) = report_errors(&faults, console) {
        return Ok(report);
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
    // The warnings have been told.
    let errors: Vec<Fault> = loaded.faults.into_iter().filter(Fault::is_error).collect();
    if let Some(report) = report_errors(&errors, console) {
        return Ok(report);
    }
    let report = Report::new(Outcome::Unchanged)
        .detail("account", place.account.as_str())
        .detail("region", place.region.as_str())
        .detail("identity", caller.arn);

    let client = Client::new(&aws.sdk);
    let store = Store {
        client: client.clone(),
        console,
    };
    // The first error in the order of the file, whichever came first.
    let observed = join_all(loaded.roles.iter().map(|role| store.describe(role))).await;
    let mut planned = Vec::new();
    for (desired, observed) in loaded.roles.iter().zip(observed) {
        let observed = observed?.into_option(&desired.label())?;
        let plan = plan(desired, observed.as_ref(), args.prune)?;
        planned.push(Planned {
            desired,
            observed,
            plan,
        });
    }
    policies_are_there(&store, &planned, &place).await?;
    let new: Vec<String> = planned
        .iter()
        .filter(|one| one.observed.is_none())
        .map(|one| arn(one.desired, None, &place))
        .collect();
    let report = if args.plan.plan_only() {
        announce(&planned, &place, console, report)
    } else {
        confirm_removals(&planned, args.confirm.yes, console).await?;
        change(&store, planned, &place, report).await?
    };
    let report = report.checked(args.plan.check);
    if !args.simulate || report.error.is_some() {
        return Ok(report);
    }
    let question = Question::read(&config, &place)?;
    let question =
        question.map_err(|_| Failure::error("failed to read the task definition a second time"))?;
    if args.plan.plan_only() && new.iter().any(|arn| arn == question.role()) {
        console.warn(format!("not judged: role `{}` is only planned", question.name()));
        return Ok(report);
    }
    simulate(&client, &question, console, report).await
}

/// A policy of the account's own that does not exist is found before the first role is half made. AWS's own
/// are left to AttachRolePolicy: their names are public.
async fn policies_are_there(store: &Store<'_>, planned: &[Planned<'_>], place: &AwsTarget) -> Result<()> {
    let own = format!(":iam::{}:policy/", place.account);
    for one in planned {
        let policies = policies_of(&one.plan, one.desired);
        for arn in policies.iter().filter(|arn| arn.contains(&own)) {
            match store.knows(arn).await? {
                Known::Yes => {}
                Known::NotJudged => {
                    store.console.warn(format!(
                        "not judged: whether `{arn}` exists (iam:GetPolicy was denied)"
                    ));
                }
                Known::No => {
                    let message = format!("failed to find policy `{arn}` for role `{}`", one.desired.name);
                    let hint = "make it first, or correct its ARN in ops.toml";
                    return Err(Failure::error(message).code("NoSuchEntity").hint(hint).into());
                }
            }
        }
    }
    Ok(())
}

/// One question for all that would be removed, before anything is changed.
async fn confirm_removals(planned: &[Planned<'_>], yes: bool, console: &Console) -> Result<()> {
    let all: Vec<String> = planned
        .iter()
        .flat_map(|one| removals(&one.plan, &one.desired.name))
        .collect();
    if all.is_empty() {
        return Ok(());
    }
    confirm(console, yes, &all.join(", ")).await
}

/// `--dry-run`: what would be done.
fn announce(planned: &[Planned], place: &AwsTarget, console: &Console, mut report: Report) -> Report {
    for one in planned {
        let arn = arn(one.desired, one.observed.as_ref(), place);
        let item = item(
            one.desired,
            &arn,
            one.plan.verb(),
            one.plan.changes(),
            one.observed.as_ref(),
        );
        console.announce(&item, true);
        tell_unnamed(one.desired, one.observed.as_ref(), &one.plan, console);
        if one.plan != Plan::Nothing {
            report.outcome = Outcome::Planned;
        }
        report.items.push(item);
        report.lines.push(arn);
    }
    report
}

async fn change(
    store: &Store<'_>,
    planned: Vec<Planned<'_>>,
    place: &AwsTarget,
    mut report: Report,
) -> Result<Report> {
    store.console.begin(&report);
    for Planned {
        desired,
        observed,
        plan,
    } in planned
    {
        let job = Job {
            store,
            desired,
            place,
        };
        let End { done, seen, error } = match job.apply(observed, plan).await {
            Ok(end) => end,
            Err(error) if report.outcome == Outcome::Changed => {
                return Ok(store.console.partly(&error, report));
            }
            Err(error) => return Err(error),
        };
        if !done.is_nothing() {
            report.outcome = Outcome::Changed;
        }
        let arn = arn(desired, seen.as_ref(), place);
        let item = item(desired, &arn, done.verb, done.changes, seen.as_ref());
        store.console.announce(&item, false);
        tell_unnamed(desired, seen.as_ref(), &Plan::Nothing, store.console);
        report.items.push(item);
        report.lines.push(arn);
        if let Some(error) = error {
            return Ok(store.console.partly(&error, report));
        }
    }
    Ok(report)
}

/// What is there and not in the file, unless it is about to go.
fn tell_unnamed(desired: &Desired, observed: Option<&Observed>, plan: &Plan, console: &Console) {
    let Some(observed) = observed.filter(|_| removals(plan, &desired.name).is_empty()) else {
        return;
    };
    let unnamed = unnamed(desired, observed);
    let inline = unnamed
        .inline
        .iter()
        .map(|name| format!("inline policy `{name}`"));
    let managed = unnamed
        .managed
        .iter()
        .map(|arn| format!("managed policy `{arn}`"));
    for what in inline.chain(managed) {
        console.info(format!(
            "  also has {what}, which ops.toml does not name; --prune removes it"
        ));
    }
}

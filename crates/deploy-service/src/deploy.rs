//! The main job: judge, describe, compare, change, wait.

use crate::apply::Job;
use crate::command::{CommonArgs, DeployArgs};
use crate::commands::Commands;
use crate::desired::Desired;
use crate::ecs::{Ecs, service_arn};
use crate::namespaces;
use crate::ongoing::Ongoing;
use crate::plan::Plan;
use crate::refusal::{Refusal, RefusalContext};
use crate::rollout::short;
use crate::service::{Service, Status, text};
use anyhow::{Context, Result};
use aws_documents::service::changed_protocols;
use aws_documents::Fault;
use cli::{Console, ErrorKind, Failure, Item, Outcome, Report};
use common::aws::Aws;
use common::config::{Config, Variables};
use common::documents::{name_unknown, report_errors};
use reconcile::backoff::Backoff;
use reconcile::confirm::can_ask;
use serde_json::Value;
use std::time::Duration;

/// Does it, within the time that the flag or the file gives.
///
/// # Errors
/// When nothing could be done.
pub(crate) async fn run(args: &DeployArgs, console: &Console, ongoing: &Ongoing) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let timeout = args.common.timeout(&config)?;
    within(timeout, console, ongoing, work(args, &config, console, ongoing)).await
}

/// `work`, or what goes on when the time is over.
///
/// # Errors
/// As `work`.
pub(crate) async fn within(
    timeout: Duration,
    console: &Console,
    ongoing: &Ongoing,
    work: impl Future<Output = Result<Report>>,
) -> Result<Report> {
    match tokio::time::timeout(timeout, work).await {
        Ok(result) => result,
        Err(_) => Ok(ongoing.late(timeout, console)),
    }
}

/// What the file wants, judged as far as it goes without AWS. The inner error is the report to end with.
///
/// # Errors
/// When the configuration is wrong.
pub(crate) fn judge(config: &Config, console: &Console) -> Result<Result<(), Report>> {
    let preview = Variables::preview(&config.schema);
    let faults = match Desired::read(config, &preview)? {
        Ok(desired) => desired.faults(None),
        Err(faults) => faults,
    };
    // Warnings are told when the task definition is known.
    let errors = faults.into_iter().filter(Fault::is_error).map(name_unknown);
    let errors: Vec<Fault> = errors.collect();
    Ok(match report_errors(&errors, console) {
        Some(report) => Err(report),
        None => Ok(()),
    })
}

/// AWS and what the file wants there.
///
/// # Errors
/// When it is the wrong place, or AWS can't be asked.
pub(crate) async fn connect(
    args: &CommonArgs,
    config: &Config,
    console: &Console,
) -> Result<(Aws, common::config::AwsTarget)> {
    let aws = Aws::load(&args.aws, Some(config), console).await?;
    let place = common::identity::place(&aws).await?;
    Ok((aws, place))
}

async fn work(args: &DeployArgs, config: &Config, console: &Console, ongoing: &Ongoing) -> Result<Report> {
    if let Err(report) = judge(config, console)? {
        return Ok(report);
    }
    let (aws, place) = connect(&args.common, config, console).await?;
    let variables = Variables::new(&config.schema, &place);
    // Again, now that account and region are known: names may be made of them.
    let desired = match Desired::read(config, &variables)? {
        Ok(desired) => desired,
        Err(faults) => {
            return Ok(report_errors(&faults, console).unwrap_or_else(|| Report::new(Outcome::Failed)));
        }
    };
    let names = &desired.names;
    let reference = names.chosen(args.task_definition.as_deref());
    let ecs = Ecs::new(aws_sdk_ecs::Client::new(&aws.sdk), &names.cluster);
    let plan_only = args.plan.plan_only();
    let (found, definition) = tokio::try_join!(
        find(&ecs, &names.service, plan_only, console),
        ecs.task_definition(&reference)
    )?;
    let report = Report::new(Outcome::Unchanged)
        .detail("account", place.account.as_str())
        .detail("region", place.region.as_str())
        .detail("cluster", names.cluster.as_str());
    console.begin(&report);
    let faults = desired.faults(definition.as_ref());
    if let Some(report) = report_errors(&faults, console) {
        return Ok(report);
    }
    let definition = match deployable(definition, &reference, &names.service) {
        Ok(definition) => Some(definition),
        // The step before has only been planned.
        Err(failure) if !plan_only || args.task_definition.is_some() => return Err(failure.into()),
        Err(_) => None,
    };
    let after = match (&found, &definition) {
        (Found::NoCluster, _) => Some("create-cluster"),
        (_, None) => Some("register-task-definition"),
        _ => None,
    };
    if let Some(after) = after {
        console.info(format!("service `{}`: planned (after {after})", names.service));
        let mut report = report;
        report.outcome = Outcome::Planned;
        let arn = service_arn(&place, &names.cluster, &names.service);
        let item = Item::new("service", &names.service, "create").detail("arn", arn);
        report.items.push(item.detail("planned_after", after));
        return Ok(report.checked(args.plan.check));
    }
    let service = match found {
        Found::Service(service) => service.map(|service| *service),
        Found::NoCluster => None,
    };
    let definition = definition.context("failed to find the task definition")?;
    let value = desired.value(Some(&definition));
    keeps_protocols(&ecs, service.as_ref(), &definition, &value).await?;
    let names_of_arns = namespaces::of(service.as_ref(), &value, &aws).await?;
    let (cluster, name) = (&names.cluster, &names.service);
    let commands = Commands::of(&args.common, &place.region, cluster, name, can_ask());
    let plan = Plan::new(
        service.as_ref(),
        &value,
        &desired.tags,
        &names_of_arns,
        args.force_new_deployment,
        &commands,
    )?;
    let job = Job {
        ecs: &ecs,
        aws: &aws,
        console,
        ongoing,
        name: &names.service,
        arn: service_arn(&place, &names.cluster, &names.service),
        value: &value,
        tags: &desired.tags,
        definition: &definition,
        force: args.force_new_deployment,
        wait: !args.no_wait,
        poll: args.common.poll,
        commands,
        leaves: None,
    };
    if plan_only {
        return Ok(job.announce(&plan, report).checked(args.plan.check));
    }
    job.apply(plan, service, report).await
}

/// What DescribeServices says.
pub(crate) enum Found {
    NoCluster,
    Service(Option<Box<Service>>),
}

/// Looks for the service. Where ECS does not know the cluster, it is told apart whether there is none or it was
/// made a moment ago.
///
/// # Errors
/// When ECS can't be asked, or there is no cluster and that is no plan.
pub(crate) async fn find(ecs: &Ecs, name: &str, plan_only: bool, console: &Console) -> Result<Found> {
    let failed = || format!("failed to describe service `{name}`");
    let refusal = match ecs.service(name).await {
        Ok(service) => return Ok(Found::Service(service.map(Box::new))),
        Err(refusal) => refusal,
    };
    if !refusal.no_cluster() {
        return Err(refusal).with_context(failed);
    }
    if !ecs.cluster_exists().await.with_context(failed)? {
        return if plan_only {
            Ok(Found::NoCluster)
        } else {
            Err(refusal.explained(&ecs.cluster)).with_context(failed)
        };
    }
    let heals = |refusal: &Refusal| {
        refusal
            .no_cluster()
            .then(|| "the new cluster is not known everywhere yet".to_owned())
    };
    let found = Backoff::PROPAGATION
        .retry(console, heals, async || ecs.service(name).await)
        .await;
    Ok(Found::Service(found.with_context(failed)?.map(Box::new)))
}

/// The definition, when it can be deployed.
///
/// # Errors
/// When there is none, or it was deregistered.
pub(crate) fn deployable(
    definition: Option<Value>,
    reference: &str,
    service: &str,
) -> Result<Value, Failure> {
    let failure = |words: &str| {
        Failure::error(format!(
            "failed to deploy service `{service}`: task definition `{reference}` {words}"
        ))
        .code("no-task-definition")
    };
    let definition = definition.ok_or_else(|| match reference.split_once(':') {
        None => failure("has no active revision").hint("run register-task-definition"),
        Some((family, _)) => failure("does not exist").hint(format!(
            "`aws ecs list-task-definitions --family-prefix {family}` shows those that do"
        )),
    })?;
    if text(&definition, "status") == "INACTIVE" {
        return Err(failure("is INACTIVE: it was deregistered")
            .hint("take another revision, or register it anew with register-task-definition"));
    }
    Ok(definition)
}

/// ECS refuses another protocol for a port that Service Connect has published.
///
/// # Errors
/// When it is another one, or the revision that runs can't be read.
async fn keeps_protocols(
    ecs: &Ecs,
    service: Option<&Service>,
    definition: &Value,
    desired: &Value,
) -> Result<()> {
    let Some(service) = service.filter(|service| service.status == Status::Active) else {
        return Ok(());
    };
    let running = short(text(&service.value, "taskDefinition"));
    let same = running == short(text(definition, "taskDefinitionArn"));
    if same || running.is_empty() || desired.get("serviceConnectConfiguration").is_none() {
        return Ok(());
    }
    let Some(before) = ecs.task_definition(running).await? else {
        return Ok(());
    };
    let changed = changed_protocols(&before, definition, desired);
    if changed.is_empty() {
        return Ok(());
    }
    let name = text(desired, "serviceName");
    Err(Failure::error(format!(
        "failed to update service `{name}`: Service Connect can't change a port's protocol: {}",
        changed.join(", ")
    ))
    .kind(ErrorKind::Conflict)
    .code("unchangeable")
    .hint("keep `appProtocol`, or delete the service and make it anew")
    .into())
}

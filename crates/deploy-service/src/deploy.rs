//! The main job: check, read, compare, change, wait.

use crate::apply::ServiceSpec;
use crate::args::DeployArgs;
use crate::context::{Context, ServiceLookup, check};
use crate::deployer::Deployer;
use crate::service::{Service, Status};
use anyhow::{Context as _, Result};
use aws_documents::service::changed_protocols;
use cli::{Console, ErrorKind, Failure, Outcome, Report};
use common::config::Config;
use common::json::text;
use ecs::names::revision_name;
use serde_json::Value;

/// Deploys the service, and waits for its deployment.
///
/// # Errors
/// When nothing could be done.
pub(crate) async fn run(args: &DeployArgs, config: &Config, console: &Console) -> Result<Report> {
    let (context, desired) = Context::open_with_desired(&args.service, config, console).await?;
    let reference = context.names.chosen(args.task_definition.as_deref());
    let plan_only = args.plan.plan_only();
    let (found, definition) = tokio::try_join!(context.find(plan_only), context.task_definition(&reference))?;
    let report = context.report();
    console.begin(&report);
    check(&desired.diagnostics(definition.as_ref()), console)?;
    let definition = match deployable(definition, &reference, context.name()) {
        Ok(definition) => Some(definition),
        // The tool that registers it has only planned to.
        Err(_) if plan_only && args.task_definition.is_none() => None,
        Err(failure) => return Err(failure.into()),
    };
    let service = match (found, &definition) {
        (ServiceLookup::NoCluster, _) => return Ok(planned(&context, args, "create-cluster", report)),
        (_, None) => return Ok(planned(&context, args, "register-task-definition", report)),
        (ServiceLookup::Service(service), _) => service.map(|service| *service),
    };
    let definition = definition.context("failed to find the task definition")?;
    let value = desired.value(Some(&definition));
    keeps_protocols(&context, service.as_ref(), &definition, &value).await?;
    let spec = ServiceSpec {
        value: &value,
        tags: &desired.tags,
        force: args.force_new_deployment,
    };
    let deployer = Deployer {
        context: &context,
        definition: &definition,
        wait: !args.no_wait,
        rolled_back_from: None,
    };
    let plan = deployer.plan(service.as_ref(), &spec).await?;
    if plan_only {
        return Ok(deployer.announce(&plan, report).checked(args.plan.check));
    }
    deployer.apply(plan, service, &spec, report).await
}

/// The report of a plan that needs what the tool `after` creates.
fn planned(context: &Context<'_>, args: &DeployArgs, after: &str, mut report: Report) -> Report {
    context
        .console
        .info(format!("service `{}`: planned (after {after})", context.name()));
    report.outcome = Outcome::Planned;
    report
        .items
        .push(context.item("create").detail("planned_after", after));
    report.checked(args.plan.check)
}

/// The definition, when it can be deployed.
///
/// # Errors
/// When it does not exist, or was deregistered.
pub(crate) fn deployable(
    definition: Option<Value>,
    reference: &str,
    service: &str,
) -> Result<Value, Failure> {
    let failure = |words: &str| {
        Failure::error(format!(
            "failed to deploy service `{service}`: task definition `{reference}` {words}"
        ))
        .kind(ErrorKind::NotFound)
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
            .hint("take another revision, or register it again with register-task-definition"));
    }
    Ok(definition)
}

/// ECS refuses to change the protocol of a port that Service Connect has published.
///
/// # Errors
/// When the protocol would change, or the revision that runs can't be read.
async fn keeps_protocols(
    context: &Context<'_>,
    service: Option<&Service>,
    definition: &Value,
    desired: &Value,
) -> Result<()> {
    let Some(service) = service.filter(|service| service.status == Status::Active) else {
        return Ok(());
    };
    let running = revision_name(text(&service.value, "taskDefinition"));
    let is_same = running == revision_name(text(definition, "taskDefinitionArn"));
    if is_same || running.is_empty() || desired.get("serviceConnectConfiguration").is_none() {
        return Ok(());
    }
    let Some(before) = context.task_definition(running).await? else {
        return Ok(());
    };
    let changed = changed_protocols(&before, definition, desired);
    if changed.is_empty() {
        return Ok(());
    }
    Err(Failure::error(format!(
        "failed to update service `{}`: Service Connect can't change a port's protocol: {}",
        context.name(),
        changed.join(", ")
    ))
    .kind(ErrorKind::Conflict)
    .code("unchangeable")
    .hint("keep `appProtocol`, or delete the service and create it again")
    .into())
}

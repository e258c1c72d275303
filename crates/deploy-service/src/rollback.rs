//! `rollback`: deploys the previous revision again.

use crate::args::RollbackArgs;
use crate::context::{Context, ServiceLookup};
use crate::deploy::deployable;
use crate::deployer::{Deployer, Sent};
use crate::desired::Names;
use crate::plan::Plan;
use crate::rollback_target::{self, RollbackTarget};
use crate::rollout::State;
use crate::service::{Service, Status};
use anyhow::Result;
use cli::{Change, Console, ErrorKind, Failure, Report};
use common::config::Config;
use common::json::text;
use ecs::names::revision_name;
use reconcile::Tags;
use reconcile::confirm::confirm;
use serde_json::json;

/// Rolls the service back, and waits for the deployment.
///
/// # Errors
/// When nothing could be done.
pub(crate) async fn run(args: &RollbackArgs, config: &Config, console: &Console) -> Result<Report> {
    let context = Context::open(&args.service, config, console).await?;
    let name = context.name();
    let service = match context.find(false).await? {
        ServiceLookup::Service(Some(service)) if service.status == Status::Active => *service,
        _ => {
            let message = format!("failed to roll back service `{name}`: there is none");
            return Err(Failure::error(message)
                .kind(ErrorKind::NotFound)
                .code("no-service")
                .hint("run deploy-service")
                .into());
        }
    };
    let present = revision_name(text(&service.value, "taskDefinition")).to_owned();
    let report = context.report();
    console.begin(&report);
    let RollbackTarget { definition, why } = target(args, &context, &service, &present).await?;
    let target = revision_name(text(&definition, "taskDefinitionArn"));
    let deployer = Deployer {
        context: &context,
        definition: &definition,
        wait: !args.no_wait,
        rolled_back_from: Some(&present),
    };
    let is_completed = service.primary().is_some_and(|one| one.state == State::Completed);
    let plan = match target == present {
        true if is_completed => Plan::Nothing,
        true => Plan::Await,
        false => Plan::Update {
            fields: json!({"taskDefinition": text(&definition, "taskDefinitionArn")}),
            tags: Tags::new(),
            changes: vec![Change::new("taskDefinition", present.as_str(), target)],
            later: false,
        },
    };
    let with_why = |mut report: Report| {
        if let (Some(item), Some(why)) = (report.items.last_mut(), &why) {
            item.details.insert("why".into(), why.as_str().into());
        }
        report
    };
    if args.plan.plan_only() {
        return Ok(with_why(deployer.announce(&plan, report)).checked(args.plan.check));
    }
    let changed = if let Plan::Update { fields, .. } = &plan {
        let action = format!("roll service `{name}` back from `{present}` to `{target}`");
        confirm(console, args.confirm.yes, &action).await?;
        let Sent::Service(changed) = deployer.update(service.clone(), fields).await? else {
            let message = format!("failed to roll back service `{name}`: it was deleted in the meantime");
            return Err(Failure::error(message).kind(ErrorKind::Conflict).into());
        };
        console.info(format!(
            "{name}: a later run of deploy-service deploys the latest revision again, unless --task-definition names another one"
        ));
        *changed
    } else {
        service.clone()
    };
    let report = with_why(deployer.changed(&plan, Vec::new(), report));
    Ok(deployer.follow(&plan, changed, Some(&service), report).await)
}

/// The revision that the command line names, or the previous one.
async fn target(
    args: &RollbackArgs,
    context: &Context<'_>,
    service: &Service,
    present: &str,
) -> Result<RollbackTarget> {
    let Some(given) = &args.task_definition else {
        let target = rollback_target::find(context, service, present).await?;
        if let Some(why) = &target.why {
            context.console.info(format!("{}: {why}", context.name()));
        }
        return Ok(target);
    };
    let names = Names {
        task_definition: present.to_owned(),
        ..context.names.clone()
    };
    let reference = names.chosen(Some(given));
    let definition = context.task_definition(&reference).await?;
    Ok(RollbackTarget {
        definition: deployable(definition, &reference, context.name())?,
        why: None,
    })
}

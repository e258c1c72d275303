//! Where `rollback` goes when nobody says it.

use crate::ecs::Ecs;
use crate::history::earlier;
use crate::refusal::RefusalContext;
use crate::rollout::State;
use crate::service::{Service, text};
use anyhow::{Context, Result};
use cli::error::ErrorSummary;
use cli::{Console, Failure};
use serde_json::Value;

/// A task definition, and why it is the one.
pub(crate) struct Target {
    pub(crate) definition: Value,
    pub(crate) why: String,
}

/// The revision that ran well before `present`: by the service itself while a deployment goes on or has failed,
/// else by the history that ECS keeps of its deployments. Where that tells nothing, the active revision with the
/// next lower number, with a warning.
///
/// # Errors
/// When there is none, or ECS can't be asked.
pub(crate) async fn find(
    ecs: &Ecs,
    service: &Service,
    present: &str,
    name: &str,
    console: &Console,
) -> Result<Target> {
    let failed = || format!("failed to roll back service `{name}`");
    let primary = service.primary();
    if primary.is_some_and(|one| one.goes_back() && one.state == State::InProgress)
        && let Some(definition) = active(ecs, present, name, console).await?
    {
        let why = format!("ECS goes back to `{present}` already");
        return Ok(Target { definition, why });
    }
    let goes_on = primary.is_some_and(|one| one.state != State::Completed);
    if let Some(good) = service.last_good().filter(|good| goes_on && good != present)
        && let Some(definition) = active(ecs, &good, name, console).await?
    {
        let why = format!("`{good}` is what ran before `{present}`, whose deployment has not completed");
        return Ok(Target { definition, why });
    }
    let unknown = match ecs.deployed(name).await {
        Ok(deployed) => {
            let candidates = earlier(&deployed, present);
            for candidate in &candidates {
                if let Some(definition) = active(ecs, candidate, name, console).await? {
                    let why =
                        format!("`{candidate}` is the last one deployed successfully before `{present}`");
                    return Ok(Target { definition, why });
                }
            }
            if candidates.is_empty() {
                "ECS lists no successful deployment of another revision before it".to_owned()
            } else {
                "no revision that was deployed before it is active any more".to_owned()
            }
        }
        Err(refusal) if refusal.is_unsupported() => ErrorSummary::of(&refusal.failure.into()).message,
        Err(refusal) => {
            let refusal = if refusal.is_denied() {
                refusal.hint(
                    "allow `ecs:ListServiceDeployments` and `ecs:DescribeServiceRevisions`, or name the revision with --task-definition",
                )
            } else {
                refusal
            };
            return Err(refusal).with_context(failed);
        }
    };
    let family = present.split(':').next().unwrap_or_default();
    let lower = ecs.active_before(family, present).await?;
    let lower = lower
        .ok_or_else(|| {
            Failure::error(format!("`{family}` has no active revision before `{present}`"))
                .code("no-previous-revision")
                .hint("name one with --task-definition")
        })
        .with_context(failed)?;
    console.warn(format!(
        "{name}: what ran before `{present}` is not known: {unknown}. `{lower}` is the active revision with the next lower number: look whether it is the right one"
    ));
    let definition = active(ecs, &lower, name, console).await?;
    let definition = definition
        .ok_or_else(|| {
            Failure::error(format!("`{lower}` was deregistered in the meantime"))
                .code("no-previous-revision")
                .hint("run it again, or name a revision with --task-definition")
        })
        .with_context(failed)?;
    let why = format!("`{lower}` is the active revision before `{present}` by its number");
    Ok(Target { definition, why })
}

/// The task definition, when it can still be deployed.
async fn active(ecs: &Ecs, name: &str, service: &str, console: &Console) -> Result<Option<Value>> {
    let definition = ecs.task_definition(name).await?;
    let definition = definition.filter(|definition| text(definition, "status") != "INACTIVE");
    if definition.is_none() {
        console.info(format!("{service}: `{name}` is passed over: it was deregistered"));
    }
    Ok(definition)
}

//! The revision that `rollback` deploys where the command line does not name one.

use crate::context::Context;
use crate::rollout::State;
use crate::service::Service;
use anyhow::{Context as _, Result};
use cli::error::ErrorSummary;
use cli::{ErrorKind, Failure};
use common::json::{list, text};
use ecs::names::revision_name;
use ecs::{EcsError, Reason};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// How many successful deployments are considered.
const HISTORY: usize = 100;

/// How many pages of them are read: ECS keeps the deployments of 90 days.
const HISTORY_PAGES: usize = 20;

/// The most service revisions that DescribeServiceRevisions takes (its API reference).
const DESCRIBED_REVISIONS: usize = 20;

/// A task definition, and why it was selected; `None` where the command line names it.
pub(crate) struct RollbackTarget {
    pub(crate) definition: Value,
    pub(crate) why: Option<String>,
}

impl RollbackTarget {
    fn new(definition: Value, why: String) -> Self {
        let why = Some(why);
        RollbackTarget { definition, why }
    }
}

/// The last revision before `present` that ran: by the service itself while a deployment is in progress or has failed,
/// else by the history that ECS keeps of its deployments. Where neither names one, the active revision with the next
/// lower number, with a warning.
///
/// # Errors
/// When there is none, or ECS can't be asked.
pub(crate) async fn find(context: &Context<'_>, service: &Service, present: &str) -> Result<RollbackTarget> {
    let name = context.name();
    let failed = || format!("failed to roll back service `{name}`");
    let primary = service.primary();
    if primary.is_some_and(|one| one.is_rollback() && one.state == State::InProgress)
        && let Some(definition) = active(context, present).await?
    {
        let why = format!("ECS rolls back to `{present}` already");
        return Ok(RollbackTarget::new(definition, why));
    }
    let is_unfinished = primary.is_some_and(|one| one.state != State::Completed);
    if let Some(good) = service
        .last_good()
        .filter(|good| is_unfinished && good != present)
        && let Some(definition) = active(context, &good).await?
    {
        let why = format!("`{good}` is what ran before `{present}`, whose deployment has not completed");
        return Ok(RollbackTarget::new(definition, why));
    }
    let unknown = match deployed(context).await {
        Ok(deployed) => {
            let candidates = earlier(&deployed, present);
            for candidate in &candidates {
                if let Some(definition) = active(context, candidate).await? {
                    let why =
                        format!("`{candidate}` is the last one deployed successfully before `{present}`");
                    return Ok(RollbackTarget::new(definition, why));
                }
            }
            if candidates.is_empty() {
                "ECS lists no successful deployment of another revision before it".to_owned()
            } else {
                "no revision that was deployed before it is active any more".to_owned()
            }
        }
        // Emulators of ECS do not have these calls.
        Err(error) if error.reason() == Reason::Unsupported || error.kind() == ErrorKind::Unparseable => {
            ErrorSummary::of(&error.into()).message
        }
        Err(error) if error.kind() == ErrorKind::Denied => {
            return Err(error
                .hint(
                    "grant `ecs:ListServiceDeployments` and `ecs:DescribeServiceRevisions`, or name the revision with --task-definition",
                )
                .context(failed()));
        }
        Err(error) => return Err(error.context(failed())),
    };
    let lower = lower_number(context, present).await?;
    context.console.warn(format!(
        "{name}: what ran before `{present}` is not known: {unknown}. `{lower}` is the active revision with the next lower number: check that it is the right one"
    ));
    let definition = active(context, &lower).await?;
    let definition = definition
        .ok_or_else(|| {
            Failure::error(format!("`{lower}` was deregistered in the meantime"))
                .kind(ErrorKind::NotFound)
                .code("no-previous-revision")
                .hint("run it again, or name a revision with --task-definition")
        })
        .with_context(failed)?;
    let why = format!("`{lower}` is the active revision before `{present}` by its number");
    Ok(RollbackTarget::new(definition, why))
}

/// The task definition, when it can still be deployed.
async fn active(context: &Context<'_>, revision: &str) -> Result<Option<Value>> {
    let definition = context.task_definition(revision).await?;
    let definition = definition.filter(|definition| text(definition, "status") != "INACTIVE");
    if definition.is_none() {
        context.console.info(format!(
            "{}: `{revision}` is passed over: it was deregistered",
            context.name()
        ));
    }
    Ok(definition)
}

/// The revisions that were deployed successfully, the newest first, as far as ECS keeps its history.
async fn deployed(context: &Context<'_>) -> Result<Vec<String>, EcsError> {
    let body = json!({
        "cluster": context.names.cluster, "service": context.name(), "status": ["SUCCESSFUL"], "maxResults": 100,
    });
    let mut deployments = Vec::new();
    let mut pages = 0;
    let visit = |page: &[Value]| {
        deployments.extend_from_slice(page);
        pages += 1;
        if pages < HISTORY_PAGES {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let (operation, key) = ("ListServiceDeployments", "serviceDeployments");
    context.ecs.for_each_page(operation, body, key, visit).await?;
    let time = |one: &Value| one.get("createdAt").and_then(Value::as_f64).unwrap_or_default();
    deployments.sort_by(|one, other| time(other).total_cmp(&time(one)));
    deployments.truncate(HISTORY);
    let revisions: Vec<&str> = deployments
        .iter()
        .map(|one| text(one, "targetServiceRevisionArn"))
        .collect();
    let mut definitions = BTreeMap::new();
    for arns in revisions.chunks(DESCRIBED_REVISIONS) {
        let body = json!({"serviceRevisionArns": arns});
        let answer = context.ecs.call("DescribeServiceRevisions", &body).await?;
        for one in list(&answer, "serviceRevisions") {
            let name = revision_name(text(one, "taskDefinition")).to_owned();
            definitions.insert(text(one, "serviceRevisionArn").to_owned(), name);
        }
    }
    let names = revisions.iter().filter_map(|arn| definitions.get(*arn).cloned());
    Ok(names.filter(|name| !name.is_empty()).collect())
}

/// The active revision of the same family with the highest number below that of `present`.
///
/// # Errors
/// When there is none, or a call fails.
async fn lower_number(context: &Context<'_>, present: &str) -> Result<String> {
    let number = |name: &str| {
        name.rsplit_once(':')
            .and_then(|(_, number)| number.parse::<u64>().ok())
    };
    let family = present.split(':').next().unwrap_or_default();
    let body = json!({"familyPrefix": family, "status": "ACTIVE", "sort": "DESC", "maxResults": 100});
    let mut found = None;
    let visit = |page: &[Value]| {
        let names = page.iter().filter_map(Value::as_str).map(revision_name);
        let mut names = names.filter(|name| name.split(':').next() == Some(family));
        match names.find(|name| number(name) < number(present)) {
            Some(name) => {
                found = Some(name.to_owned());
                ControlFlow::Break(())
            }
            None => ControlFlow::Continue(()),
        }
    };
    let (operation, key) = ("ListTaskDefinitions", "taskDefinitionArns");
    let listed = context.ecs.for_each_page(operation, body, key, visit).await;
    listed.map_err(|error| error.context(format!("failed to list the revisions of `{family}`")))?;
    let missing = || {
        Failure::error(format!("`{family}` has no active revision before `{present}`"))
            .kind(ErrorKind::NotFound)
            .code("no-previous-revision")
            .hint("name one with --task-definition")
    };
    found
        .ok_or_else(missing)
        .with_context(|| format!("failed to roll back service `{}`", context.name()))
}

/// The revisions that a service on `present` can be rolled back to, the most recent first. `deployed` are the revisions
/// that were deployed successfully, the newest first.
///
/// They form a stack: a deployment of an earlier revision removes those above it. So a second rollback goes to the
/// revision before that of the first one, and not to the one that the first one replaced.
fn earlier(deployed: &[String], present: &str) -> Vec<String> {
    let mut stack: Vec<&str> = Vec::new();
    for revision in deployed.iter().rev().map(String::as_str).chain([present]) {
        if let Some(at) = stack.iter().position(|one| *one == revision) {
            stack.truncate(at);
        }
        stack.push(revision);
    }
    stack
        .iter()
        .rev()
        .skip(1)
        .map(|revision| (*revision).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollback_goes_to_what_was_deployed_before() {
        let names = |numbers: &[u32]| -> Vec<String> {
            let names = numbers.iter().map(|number| format!("web:{number}"));
            names.collect()
        };
        for (deployed, present, expected) in [
            (&[][..], 3, &[][..]),
            (&[3], 3, &[]),
            (&[3, 2, 1], 3, &[2, 1]),
            // Deployments count, not numbers: 2 was registered and never deployed, or failed.
            (&[3, 1], 3, &[1]),
            (&[1, 5, 3], 1, &[5, 3]),
            // The present one is in progress, or has failed: it is not listed.
            (&[2, 1], 3, &[2, 1]),
            // The same revision twice: another network, new tasks.
            (&[3, 3, 2, 2], 3, &[2]),
            // After a rollback from 3 to 2.
            (&[2, 3, 2, 1], 2, &[1]),
            // And then forward again, to 3 or to 4.
            (&[3, 2, 3, 2, 1], 3, &[2, 1]),
            (&[4, 2, 3, 2, 1], 4, &[2, 1]),
            // ECS rolled 3 back, or its deployment was stopped.
            (&[2, 1], 2, &[1]),
            // Only later revisions are listed.
            (&[3, 2, 1], 1, &[]),
        ] {
            assert_eq!(
                earlier(&names(deployed), &format!("web:{present}")),
                names(expected),
                "{deployed:?} {present}"
            );
        }
    }
}

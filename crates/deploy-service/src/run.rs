//! `run`: runs a command in a task of its own, with the definition and the network of the service.

mod container;
mod in_flight;
mod log_tail;
mod outcome;
mod waiter;

use crate::apply::client_token;
use crate::args::RunArgs;
use crate::context::Context;
use crate::deploy::deployable;
use crate::desired::Desired;
use anyhow::{Context as _, Result};
use cli::{Console, ErrorKind, Failure, OnInterrupt, Report};
use common::config::Config;
use common::json::{list, text};
use container::Container;
use ecs::names::last_part;
use ecs::{EcsError, Reason};
use reconcile::backoff::Backoff;
use reconcile::tags;
use serde_json::{Map, Value, json};
use waiter::TaskWaiter;

/// The fields of CreateService that RunTask has as well.
const SHARED_FIELDS: [&str; 6] = [
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
];

/// `startedBy` of the task.
const STARTED_BY: &str = "deploy-service-run";

/// Runs the command.
///
/// # Errors
/// When the task could not be started.
pub(crate) async fn run(args: &RunArgs, config: &Config, console: &Console) -> Result<Report> {
    let (context, desired) = Context::open_with_desired(&args.service, config, console).await?;
    let reference = context.names.chosen(args.task_definition.as_deref());
    let definition = context.task_definition(&reference).await?;
    let definition = deployable(definition, &reference, context.name())?;
    let value = desired.value(Some(&definition));
    let container = container::select(&definition, &value, args.container.as_deref())?;
    explain_overrides(&definition, &container, console);
    let list_tasks = context.manual.list_tasks(STARTED_BY);
    let hint = format!("`{list_tasks}` shows whether the task was started");
    console.on_interrupt(Some(OnInterrupt::Hint(hint)));
    let body = body(&desired, &value, &container, &args.words);
    let task = start(&context, &body, &list_tasks).await?;
    console.info(format!("task {}: started", last_part(text(&task, "taskArn"))));
    let waiter = TaskWaiter::new(&context, &definition, &container, &task);
    Ok(waiter.wait().await)
}

/// Prints what changes the meaning of the command.
fn explain_overrides(definition: &Value, name: &str, console: &Console) {
    let container = Container::of(definition, name);
    if let Some(words) = container.entry_point() {
        console.info(format!(
            "container `{name}` has the entryPoint {words}: the command becomes its arguments"
        ));
    }
    if container.restarts() {
        console.warn(format!(
            "container `{name}` has a restartPolicy: ECS may run the command again before the task is stopped"
        ));
    }
}

/// The body of RunTask.
fn body(desired: &Desired, value: &Value, container: &str, words: &[String]) -> Value {
    let mut body = Map::new();
    for key in SHARED_FIELDS {
        if let Some(value) = value.get(key) {
            body.insert(key.to_owned(), value.clone());
        }
    }
    for key in ["cluster", "taskDefinition"] {
        body.insert(key.to_owned(), value.get(key).cloned().unwrap_or_default());
    }
    body.insert("count".into(), 1.into());
    body.insert("startedBy".into(), STARTED_BY.into());
    // A repetition of the request must not start a second task.
    body.insert("clientToken".into(), client_token().into());
    let overrides = json!({"containerOverrides": [{"name": container, "command": words}]});
    body.insert("overrides".into(), overrides);
    if !desired.tags.is_empty() {
        body.insert("tags".into(), tags::to_json(&desired.tags));
    }
    Value::Object(body)
}

/// Starts the task; `list_tasks` is a command that shows the tasks of runs.
async fn start(context: &Context<'_>, body: &Value, list_tasks: &str) -> Result<Value> {
    let failed = "failed to run the task";
    let (console, cluster) = (context.console, &context.names.cluster);
    let label = format!("ecs:RunTask in cluster `{cluster}` (`{list_tasks}` shows its task)");
    let retry_reason = |error: &EcsError| match error.reason() {
        Reason::ClusterNotFound => None,
        reason => reason.retry_reason().map(str::to_owned),
    };
    let sent = Backoff::PROPAGATION
        .retry(console, retry_reason, async || {
            let call = context.ecs.call("RunTask", body);
            console.in_flight(label.as_str(), call).await
        })
        .await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) if error.code().is_none() && error.kind() != ErrorKind::Credentials => {
            let hint = format!("`{list_tasks}` shows whether the task was started");
            return Err(error.hint(hint).context(failed));
        }
        Err(error) => return Err(context.explained(error).context(failed)),
    };
    if let Some(task) = list(&answer, "tasks").first() {
        if text(task, "taskArn").is_empty() {
            let failure = Failure::error("ecs:RunTask response omitted `taskArn`");
            return Err(failure.hint(format!("`{list_tasks}` shows the task"))).context(failed);
        }
        return Ok(task.clone());
    }
    let why = list(&answer, "failures").first().map(|failure| {
        let (reason, detail) = (text(failure, "reason"), text(failure, "detail"));
        format!("{reason} {detail}").trim().to_owned()
    });
    let why = why.unwrap_or_else(|| "ECS gives no reason".into());
    Err(Failure::error(format!("ecs:RunTask started none: {why}"))).context(failed)
}

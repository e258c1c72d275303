//! `run`: a command in a task of its own, with the service's definition and network.

mod by_hand;
mod ending;
mod follow;
mod tail;

use crate::command::RunArgs;
use crate::container::{Container, chosen};
use crate::deploy::{connect, deployable, judge};
use crate::desired::Desired;
use crate::ecs::{Ecs, client_token};
use crate::log::{Target, targets, task_id};
use crate::ongoing::Ongoing;
use crate::refusal::{Refusal, RefusalContext as _};
use crate::service::{list, text};
use anyhow::{Context, Result};
use by_hand::ByHand;
use cli::{Console, Failure, Outcome, Report};
use common::aws::Aws;
use common::config::{Config, Variables};
use common::documents::report_errors;
use follow::Follow;
use reconcile::backoff::Backoff;
use reconcile::tags;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use tokio::time::Instant;

/// What RunTask takes over from the service.
const ALIKE: [&str; 6] = [
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
];

/// Whom the task says that it was started by.
const STARTED_BY: &str = "deploy-service-run";

/// A task that was started.
struct Started {
    ecs: Ecs,
    aws: Aws,
    definition: Value,
    /// The one that runs the command.
    container: String,
    /// As RunTask answered.
    task: Value,
    by_hand: ByHand,
}

impl Started {
    fn arn(&self) -> &str {
        text(&self.task, "taskArn")
    }

    fn id(&self) -> &str {
        task_id(self.arn())
    }

    /// Where the command's lines go.
    fn target(&self) -> Option<Target> {
        let mut targets = targets(&self.definition).into_iter();
        targets.find(|target| target.container == self.container)
    }
}

/// Does it, within the time that the flag or the file gives.
///
/// # Errors
/// When the task could not be started.
pub(crate) async fn run(args: &RunArgs, console: &Console, ongoing: &Ongoing) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let timeout = args.common.timeout(&config)?;
    let begun = Instant::now();
    // How to look for a task that may have been started.
    let looked_for = RefCell::new(None);
    let started = match tokio::time::timeout(timeout, begin(args, &config, console, &looked_for)).await {
        Ok(started) => started?,
        Err(_) => {
            let late = runtime::late(timeout);
            let late = match looked_for.take() {
                Some(hint) => late.hint(hint),
                None => late,
            };
            return Ok(console.finish_interrupted(late));
        }
    };
    let started = match started {
        Ok(started) => started,
        Err(report) => return Ok(report),
    };
    let mut follow = Follow::new(&started, console, ongoing, args.common.poll);
    let left = timeout.saturating_sub(begun.elapsed());
    let waited = tokio::time::timeout(left, follow.wait()).await;
    ongoing.clear();
    let failure = match waited {
        Ok(waited) => waited.err().map(|error| follow.lost(&error)),
        Err(_) => follow.cut_off(timeout),
    };
    let report = follow.report();
    if let Some(failure) = failure {
        return Ok(console.failed(&failure.into(), report));
    }
    let ended = follow.ended().context("failed to learn how the task ended")?;
    let report = report
        .detail("task", ended.to_json())
        .detail("exit_code", ended.code_of(&started.container));
    Ok(match ending::failure(ended, &started.container) {
        Some(failure) => console.failed(&failure.into(), report),
        None => report,
    })
}

/// Starts the task. The inner error is the report to end with.
async fn begin(
    args: &RunArgs,
    config: &Config,
    console: &Console,
    looked_for: &RefCell<Option<String>>,
) -> Result<Result<Started, Report>> {
    if let Err(report) = judge(config, console)? {
        return Ok(Err(report));
    }
    let (aws, place) = connect(&args.common, config, console).await?;
    let desired = match Desired::read(config, &Variables::new(&config.schema, &place))? {
        Ok(desired) => desired,
        Err(faults) => {
            let report = report_errors(&faults, console).unwrap_or_else(|| Report::new(Outcome::Failed));
            return Ok(Err(report));
        }
    };
    let names = &desired.names;
    let ecs = Ecs::new(aws_sdk_ecs::Client::new(&aws.sdk), &names.cluster);
    let reference = names.chosen(args.task_definition.as_deref());
    let definition = ecs.task_definition(&reference).await?;
    let definition = deployable(definition, &reference, &names.service)?;
    let value = desired.value(Some(&definition));
    let container = chosen(&definition, &value, args.container.as_deref())?;
    caution(&definition, &container, console);
    let by_hand = ByHand::of(&args.common, &place.region, &names.cluster);
    let list = by_hand.list(STARTED_BY);
    *looked_for.borrow_mut() = Some(format!("`{list}` shows whether the task was started"));
    let body = body(&desired, &value, &container, &args.words);
    let task = start(&ecs, body, &list, console).await?;
    let started = Started {
        ecs,
        aws,
        definition,
        container,
        task,
        by_hand,
    };
    console.info(format!("task {}: started", started.id()));
    Ok(Ok(started))
}

/// Says what else than the command will run.
fn caution(definition: &Value, name: &str, console: &Console) {
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
    for key in ALIKE {
        if let Some(value) = value.get(key) {
            body.insert(key.to_owned(), value.clone());
        }
    }
    for key in ["cluster", "taskDefinition"] {
        body.insert(key.to_owned(), value.get(key).cloned().unwrap_or_default());
    }
    body.insert("count".into(), 1.into());
    body.insert("startedBy".into(), STARTED_BY.into());
    // A request that is sent again must not start a second task.
    body.insert("clientToken".into(), client_token().into());
    let overrides = json!({"containerOverrides": [{"name": container, "command": words}]});
    body.insert("overrides".into(), overrides);
    if !desired.tags.is_empty() {
        body.insert("tags".into(), tags::to_json(&desired.tags));
    }
    Value::Object(body)
}

/// `list_them` is a command that shows the tasks of runs.
async fn start(ecs: &Ecs, body: Value, list_them: &str, console: &Console) -> Result<Value> {
    let failed = "failed to run the task";
    let words = format!(
        "ecs:RunTask in cluster `{}` (`{list_them}` shows its task)",
        ecs.cluster
    );
    let sent = Backoff::PROPAGATION
        .retry(console, Refusal::heals, async || {
            console.in_flight(words.as_str(), ecs.run(body.clone())).await
        })
        .await;
    let answer = match sent {
        Ok(answer) => answer,
        // Without an answer nobody knows.
        Err(refusal) if refusal.is_network() => {
            let failure = refusal
                .failure
                .hint(format!("`{list_them}` shows whether it was started all the same"));
            return Err(failure).context(failed);
        }
        Err(refusal) => return Err(refusal.explained(&ecs.cluster)).context(failed),
    };
    if let Some(task) = list(&answer, "tasks").first() {
        if text(task, "taskArn").is_empty() {
            let failure = Failure::error("ecs:RunTask answered without `taskArn`");
            return Err(failure.hint(format!("`{list_them}` shows the task"))).context(failed);
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

//! `status`: how the service stands.

use crate::command::StatusArgs;
use crate::deploy::{Found, connect, find};
use crate::desired;
use crate::ecs::{Ecs, service_arn};
use crate::events::time_of_day;
use crate::log::task_id;
use crate::refusal::RefusalContext;
use crate::rollout::{State, short};
use crate::service::{Service, Status, text};
use anyhow::Result;
use cli::{Console, Item, Outcome, Report};
use common::config::{Config, Variables};
use serde_json::{Value, json};

/// How many of the latest events are shown.
const EVENTS: usize = 5;

/// Does it.
///
/// # Errors
/// When AWS can't be asked.
pub(crate) async fn run(args: &StatusArgs, console: &Console) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let timeout = args.common.timeout(&config)?;
    match tokio::time::timeout(timeout, work(args, &config, console)).await {
        Ok(result) => result,
        Err(_) => Err(runtime::late(timeout).into()),
    }
}

async fn work(args: &StatusArgs, config: &Config, console: &Console) -> Result<Report> {
    desired::names(config, &Variables::preview(&config.schema))?;
    let (aws, place) = connect(&args.common, config, console).await?;
    let names = desired::names(config, &Variables::new(&config.schema, &place))?;
    let name = &names.service;
    let ecs = Ecs::new(aws_sdk_ecs::Client::new(&aws.sdk), &names.cluster);
    let item = Item::new("service", name, "none").detail("arn", service_arn(&place, &names.cluster, name));
    let service = match find(&ecs, name, true, console).await? {
        Found::Service(Some(service)) if service.status != Status::Inactive => *service,
        found => {
            let why = match found {
                Found::NoCluster => format!("there is no cluster `{}`", names.cluster),
                Found::Service(_) => format!("there is none in cluster `{}`", names.cluster),
            };
            let mut report = Report::new(Outcome::No).line(format!("service {name}: {why}"));
            report.items.push(item.detail("status", "MISSING"));
            return Ok(report);
        }
    };
    let failed = || format!("failed to list the tasks of service `{name}`");
    let listed = ecs.list_tasks(json!({"serviceName": name})).await;
    let tasks = ecs.describe_tasks(&listed.with_context(failed)?).await;
    let tasks = tasks.with_context(failed)?;
    let unhealthy = unhealthy(&tasks);
    let good = is_good(&service) && unhealthy == 0;
    let mut report = Report::new(if good { Outcome::Ok } else { Outcome::No });
    report.lines = lines(name, &service, &tasks, unhealthy);
    let deployments: Vec<Value> = service.deployments.iter().map(|one| one.to_json()).collect();
    let tasks: Vec<Value> = tasks.iter().map(task_to_json).collect();
    let item = item
        .detail("status", text(&service.value, "status"))
        .detail("task_definition", short(text(&service.value, "taskDefinition")))
        .detail("desired", service.count("desiredCount"))
        .detail("running", service.count("runningCount"))
        .detail("pending", service.count("pendingCount"))
        .detail("unhealthy", unhealthy)
        .detail("deployments", deployments)
        .detail("tasks", tasks);
    report.items.push(item);
    Ok(report)
}

/// As many tasks run as are desired, of a deployment that completed.
fn is_good(service: &Service) -> bool {
    let completed = service
        .primary()
        .is_some_and(|primary| primary.state == State::Completed);
    service.status == Status::Active
        && completed
        && service.count("runningCount") == service.count("desiredCount")
}

/// How many tasks run and are not well. A task that is stopping already has been replaced.
fn unhealthy(tasks: &[Value]) -> usize {
    let unwell = tasks.iter().filter(|task| {
        text(task, "healthStatus") == "UNHEALTHY"
            && text(task, "lastStatus") == "RUNNING"
            && text(task, "desiredStatus") != "STOPPED"
    });
    unwell.count()
}

fn lines(name: &str, service: &Service, tasks: &[Value], unhealthy: usize) -> Vec<String> {
    let mut first = format!(
        "service {name}: {}, {} of {} running, {} pending",
        text(&service.value, "status"),
        service.count("runningCount"),
        service.count("desiredCount"),
        service.count("pendingCount"),
    );
    if unhealthy > 0 {
        first += &format!(", {unhealthy} unhealthy");
    }
    let mut lines = vec![first];
    for one in &service.deployments {
        let place = if one.primary { "primary" } else { "earlier" };
        let mut line = format!(
            "deployment {} {place} {}: {}",
            one.id,
            one.task_definition,
            one.counts()
        );
        if one.state == State::Failed && !one.reason.is_empty() {
            line += &format!(": {}", one.reason);
        }
        lines.push(line);
    }
    for task in tasks {
        let definition = short(text(task, "taskDefinitionArn"));
        let health = match text(task, "healthStatus") {
            "" | "UNKNOWN" => String::new(),
            health => format!(" {health}"),
        };
        let id = task_id(text(task, "taskArn"));
        lines.push(format!(
            "task {id} {definition}: {}{health}",
            text(task, "lastStatus")
        ));
    }
    let skipped = service.events.len().saturating_sub(EVENTS);
    for event in service.events.iter().skip(skipped) {
        lines.push(format!("event {} {}", time_of_day(event.time), event.message));
    }
    lines
}

fn task_to_json(task: &Value) -> Value {
    json!({
        "id": task_id(text(task, "taskArn")),
        "task_definition": short(text(task, "taskDefinitionArn")),
        "status": text(task, "lastStatus"),
        "health": text(task, "healthStatus"),
    })
}

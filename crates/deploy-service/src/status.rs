//! `status`: shows the service, its deployments, tasks and events.

use crate::args::StatusArgs;
use crate::context::{Context, ServiceLookup};
use crate::events::time_of_day;
use crate::rollout::State;
use crate::service::{Service, Status};
use anyhow::Result;
use cli::{Console, Outcome, Report};
use common::config::Config;
use common::json::text;
use ecs::names::{last_part, revision_name};
use serde_json::{Value, json};

/// How many of the latest events are shown.
const EVENTS: usize = 5;

/// Shows the service.
///
/// # Errors
/// When AWS can't be asked.
pub(crate) async fn run(args: &StatusArgs, config: &Config, console: &Console) -> Result<Report> {
    let context = Context::open(&args.service, config, console).await?;
    let name = context.name();
    let item = context.item("none");
    let service = match context.find(true).await? {
        ServiceLookup::Service(Some(service)) if service.status != Status::Inactive => *service,
        found => {
            let cluster = &context.names.cluster;
            let why = match found {
                ServiceLookup::NoCluster => format!("there is no cluster `{cluster}`"),
                ServiceLookup::Service(_) => format!("there is none in cluster `{cluster}`"),
            };
            let mut report = Report::new(Outcome::No).line(format!("service {name}: {why}"));
            report.items.push(item.detail("status", "MISSING"));
            return Ok(report);
        }
    };
    let tasks = async {
        let arns = context.task_arns(json!({"serviceName": name})).await?;
        context.tasks(&arns).await
    };
    let tasks = tasks
        .await
        .map_err(|error| error.context(format!("failed to list the tasks of service `{name}`")))?;
    let unhealthy = unhealthy(&tasks);
    let good = is_good(&service) && unhealthy == 0;
    let mut report = Report::new(if good { Outcome::Ok } else { Outcome::No });
    report.lines = lines(name, &service, &tasks, unhealthy);
    let deployments: Vec<Value> = service.deployments.iter().map(|one| one.to_json()).collect();
    let tasks: Vec<Value> = tasks.iter().map(task_to_json).collect();
    let item = item
        .detail("status", text(&service.value, "status"))
        .detail(
            "task_definition",
            revision_name(text(&service.value, "taskDefinition")),
        )
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

/// How many running tasks are unhealthy. A task that is stopping has been replaced.
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
        let definition = revision_name(text(task, "taskDefinitionArn"));
        let health = match text(task, "healthStatus") {
            "" | "UNKNOWN" => String::new(),
            health => format!(" {health}"),
        };
        let id = last_part(text(task, "taskArn"));
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
        "id": last_part(text(task, "taskArn")),
        "task_definition": revision_name(text(task, "taskDefinitionArn")),
        "status": text(task, "lastStatus"),
        "health": text(task, "healthStatus"),
    })
}

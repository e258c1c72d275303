//! `logs`: prints the lines of the service's containers, from all of its tasks.

use crate::args::LogsArgs;
use crate::cadence::{FOLLOW_LOGS, LATE_EVENTS};
use crate::context::{Context, ServiceLookup};
use crate::deploy::deployable;
use crate::events::time_of_day;
use crate::log_stream::{LogTarget, targets, turn, without_line_end};
use crate::poll::poll_transient;
use anyhow::Result;
use cli::escape::to_one_line;
use cli::{Console, ErrorKind, Failure, Outcome, Report};
use common::aws::CallError;
use common::aws::Client;
use common::config::Config;
use common::json::{count, list, text};
use ecs::names::revision_name;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `-f` writes lines without an end, `-o json` one document.
///
/// # Errors
/// When both were given.
fn check_options(args: &LogsArgs, console: &Console) -> Result<(), Failure> {
    if !(args.follow && console.is_json()) {
        return Ok(());
    }
    Err(
        Failure::error("failed to follow the log: -o json prints one document, and -f never ends")
            .kind(ErrorKind::Usage)
            .code("usage")
            .hint("leave one of them out"),
    )
}

/// Prints the lines.
///
/// # Errors
/// When AWS can't be asked.
pub(crate) async fn run(args: &LogsArgs, config: &Config, console: &Console) -> Result<Report> {
    check_options(args, console)?;
    let context = Context::open(&args.service, config, console).await?;
    let reference = match context.find(false).await? {
        ServiceLookup::Service(Some(service)) => {
            revision_name(text(&service.value, "taskDefinition")).to_owned()
        }
        // Tasks of `run` log there too.
        _ => context.names.task_definition.clone(),
    };
    let definition = context.task_definition(&reference).await?;
    let definition = definition.map_or_else(|| deployable(None, &reference, context.name()), Ok)?;
    let targets = selected(&definition, &reference, args.container.as_deref())?;
    let clients = targets.iter().map(|target| target.client(&context.aws));
    let mut reader = LogReader {
        clients: clients.zip(&targets).collect(),
        since: since(args.since),
        seen: BTreeSet::new(),
    };
    let report = |outcome| Report::new(outcome).detail("task_definition", reference.as_str());
    let (lines, result) = reader.read().await;
    if console.is_json() {
        let lines: Vec<Value> = lines.iter().map(LogLine::to_json).collect();
        return Ok(match result {
            Ok(()) => report(Outcome::Ok).detail("lines", lines),
            Err(error) => console.failed(&error, report(Outcome::Failed).detail("lines", lines)),
        });
    }
    let print = |lines: Vec<LogLine>| lines.iter().for_each(|line| console.stdout(&line.to_string()));
    print(lines);
    result?;
    // `logs -f | head` ends when its reader does.
    while args.follow && !console.has_no_reader() {
        tokio::time::sleep(context.poll.min(FOLLOW_LOGS)).await;
        let report = |text: String| console.info(format!("{}: {text}", context.name()));
        let read = async || {
            let (lines, result) = reader.read().await;
            print(lines);
            result
        };
        poll_transient(context.poll.min(FOLLOW_LOGS), report, read).await?;
    }
    Ok(report(Outcome::Ok))
}

/// The time so long ago, in milliseconds since 1970.
fn since(ago: Duration) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.saturating_sub(ago).as_millis()).unwrap_or_default()
}

/// The targets of the selected containers.
fn selected(definition: &Value, reference: &str, container: Option<&str>) -> Result<Vec<LogTarget>> {
    let all = targets(definition);
    let known: Vec<String> = all
        .iter()
        .map(|target| format!("`{}`", target.container))
        .collect();
    let selected: Vec<LogTarget> = all
        .into_iter()
        .filter(|target| container.is_none_or(|name| name == target.container))
        .collect();
    if !selected.is_empty() {
        return Ok(selected);
    }
    let failure = match container {
        Some(name) if !known.is_empty() => Failure::error(format!(
            "failed to read the log of container `{name}`: `{reference}` has none of this name that logs to CloudWatch"
        ))
        .hint(format!("it has {}", known.join(", "))),
        _ => Failure::error(format!(
            "failed to read the log of `{reference}`: no container logs to CloudWatch with the awslogs driver"
        )),
    };
    Err(failure.code("no-log").into())
}

/// A line of a container of a task.
#[derive(Clone, Debug)]
struct LogLine {
    /// In milliseconds since 1970.
    time: i64,
    container: String,
    task: String,
    text: String,
}

impl LogLine {
    fn to_json(&self) -> Value {
        json!({"time": self.time, "container": self.container, "task": self.task, "message": self.text})
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogLine {
            time,
            container,
            task,
            text,
        } = self;
        // Far below 2^53.
        #[allow(clippy::cast_precision_loss, reason = "a time in seconds")]
        let time = time_of_day(time.div_euclid(1000) as f64);
        let text = to_one_line(text);
        write!(formatter, "{time} {container}/{task:.8} {text}")
    }
}

struct LogReader<'a> {
    clients: Vec<(Client, &'a LogTarget)>,
    /// From this time on, in milliseconds since 1970.
    since: i64,
    /// The events that were read, with their time.
    seen: BTreeSet<(i64, String)>,
}

impl LogReader<'_> {
    /// The new lines, in the order of their time; also those that were read before an error.
    async fn read(&mut self) -> (Vec<LogLine>, Result<()>) {
        let mut lines = Vec::new();
        let mut result = Ok(());
        for (client, target) in &self.clients {
            let read = read_target(client, target, self.since, &mut self.seen, &mut lines).await;
            if let Err(error) = read {
                result = Err(unread(error, &target.group));
                break;
            }
        }
        lines.sort_by_key(|line| line.time);
        if let Some(last) = lines.last()
            && result.is_ok()
        {
            // The lines of a task whose clock is fast must not hide those of the others.
            let late = i64::try_from(LATE_EVENTS.as_millis()).unwrap_or_default();
            let old = last.time.min(since(Duration::ZERO)) - late;
            self.since = self.since.max(old);
            // Older events are not read again.
            self.seen = self.seen.split_off(&(old, String::new()));
        }
        (lines, result)
    }
}

fn unread(error: CallError, group: &str) -> anyhow::Error {
    let is_missing = error.kind() == ErrorKind::NotFound;
    let mut failure = Failure::from(error);
    if is_missing {
        failure = failure.hint("create-log-group makes it");
    }
    anyhow::Error::from(failure).context(format!("failed to read log group `{group}`"))
}

/// Adds the lines that were not read before, of this container in all tasks.
async fn read_target(
    client: &Client,
    target: &LogTarget,
    since: i64,
    seen: &mut BTreeSet<(i64, String)>,
    lines: &mut Vec<LogLine>,
) -> Result<(), CallError> {
    let prefix = target.stream("");
    let mut request =
        json!({"logGroupName": target.group, "logStreamNamePrefix": prefix, "startTime": since});
    loop {
        let answer = client.call("FilterLogEvents", &request).await?;
        for event in list(&answer, "events") {
            // Emulators of CloudWatch ignore the prefix.
            let Some(task) = text(event, "logStreamName").strip_prefix(&prefix) else {
                continue;
            };
            let time = count(event, "timestamp");
            if seen.insert((time, text(event, "eventId").to_owned())) {
                lines.push(LogLine {
                    time,
                    container: target.container.clone(),
                    task: task.to_owned(),
                    text: without_line_end(text(event, "message")).to_owned(),
                });
            }
        }
        // A page may be empty or incomplete; only one without a token is the last.
        if !turn(&mut request, text(&answer, "nextToken")) {
            return Ok(());
        }
    }
}

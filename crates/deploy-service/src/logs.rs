//! `logs`: the lines of the service's containers, from all of its tasks.

use crate::command::LogsArgs;
use crate::deploy::{Found, connect, deployable, find};
use crate::ecs::Ecs;
use crate::events::time_of_day;
use crate::log::{Target, targets};
use crate::rollout::short;
use crate::service::text;
use crate::wanted;
use anyhow::{Context, Result};
use common::aws::{Aws, call, code_of};
use common::config::{Config, Variables};
use common::{Console, Failure, Outcome, Report, runtime};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A line that came in late may be older than one that was shown.
const LATE: i64 = 10_000;

/// Does it.
///
/// # Errors
/// When AWS can't be asked.
pub(crate) async fn run(args: &LogsArgs, console: &Console) -> Result<Report> {
    if args.follow && console.is_json() {
        let failure =
            Failure::could_not("failed to follow the log: -o json prints one document, and -f never ends");
        return Err(failure.code("usage").hint("leave one of them out").into());
    }
    let config = Config::find(args.common.config.config.as_deref())?;
    let timeout = args.common.timeout(&config)?;
    let work = work(args, &config, console);
    if args.follow && args.common.timeout.is_none() {
        // Until somebody stops it.
        return work.await;
    }
    match tokio::time::timeout(timeout, work).await {
        Ok(result) => result,
        Err(_) => Err(runtime::late(timeout).into()),
    }
}

async fn work(args: &LogsArgs, config: &Config, console: &Console) -> Result<Report> {
    wanted::names(config, &Variables::preview(&config.schema))?;
    let (aws, place) = connect(&args.common, config, console).await?;
    let names = wanted::names(config, &Variables::new(&config.schema, &place))?;
    let ecs = Ecs::new(aws_sdk_ecs::Client::new(&aws.sdk), &names.cluster);
    let reference = match find(&ecs, &names.service, false, console).await? {
        Found::Service(Some(service)) => short(text(&service.value, "taskDefinition")).to_owned(),
        // Tasks of `run` log there too.
        _ => names.task_definition.clone(),
    };
    let definition = ecs.task_definition(&reference).await?;
    let definition = definition.map_or_else(|| deployable(None, &reference, &names.service), Ok)?;
    let mut reader = Reader {
        aws: &aws,
        targets: chosen(&definition, &reference, args.container.as_deref())?,
        since: since(args.since),
        seen: BTreeSet::new(),
    };
    let mut report = Report::new(Outcome::Ok).detail("task_definition", reference);
    let mut lines = Vec::new();
    loop {
        for line in reader.read().await? {
            if console.is_json() {
                lines.push(line.to_json());
            } else {
                console.stdout(&line.shown());
            }
        }
        if !args.follow {
            report = report.detail("lines", lines);
            return Ok(report);
        }
        tokio::time::sleep(args.common.poll.min(Duration::from_secs(2))).await;
    }
}

fn since(ago: Duration) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.saturating_sub(ago).as_millis()).unwrap_or_default()
}

fn chosen(definition: &Value, reference: &str, container: Option<&str>) -> Result<Vec<Target>> {
    let all = targets(definition);
    let known: Vec<String> = all
        .iter()
        .map(|target| format!("`{}`", target.container))
        .collect();
    let chosen: Vec<Target> = all
        .into_iter()
        .filter(|target| container.is_none_or(|name| name == target.container))
        .collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let failure = match container {
        Some(name) if !known.is_empty() => Failure::could_not(format!(
            "failed to read the log of container `{name}`: `{reference}` has none of this name that logs to CloudWatch"
        ))
        .hint(format!("it has {}", known.join(", "))),
        _ => Failure::could_not(format!(
            "failed to read the log of `{reference}`: no container logs to CloudWatch with the awslogs driver"
        )),
    };
    Err(failure.code("no-log").into())
}

/// One line of one task's container.
#[derive(Clone, Debug)]
struct Shown {
    time: i64,
    container: String,
    task: String,
    text: String,
}

impl Shown {
    fn shown(&self) -> String {
        let Shown {
            time,
            container,
            task,
            text,
        } = self;
        let seconds = time.div_euclid(1000);
        // Far below 2^53.
        #[allow(clippy::cast_precision_loss, reason = "a time in seconds")]
        let time = time_of_day(seconds as f64);
        let task: String = task.chars().take(8).collect();
        format!("{time} {container}/{task} {text}")
    }

    fn to_json(&self) -> Value {
        json!({"time": self.time, "container": self.container, "task": self.task, "message": self.text})
    }
}

struct Reader<'a> {
    aws: &'a Aws,
    targets: Vec<Target>,
    /// From this time on, in milliseconds since 1970.
    since: i64,
    /// The events that were shown.
    seen: BTreeSet<String>,
}

impl Reader<'_> {
    /// What is new, in the order of its time.
    async fn read(&mut self) -> Result<Vec<Shown>> {
        let mut lines = Vec::new();
        for target in &self.targets {
            let client = target.client(self.aws);
            let mut token = None;
            loop {
                let request = client
                    .filter_log_events()
                    .log_group_name(&target.group)
                    .log_stream_name_prefix(format!("{}/{}/", target.prefix, target.container))
                    .start_time(self.since)
                    .set_next_token(token);
                let answer = match request.send().await {
                    Ok(answer) => answer,
                    Err(error) => {
                        let missing = code_of(&error) == Some("ResourceNotFoundException");
                        let mut failure = call("logs:FilterLogEvents")(error);
                        if missing {
                            failure = failure.hint("create-log-group makes it");
                        }
                        return Err(failure)
                            .with_context(|| format!("failed to read log group `{}`", target.group));
                    }
                };
                for event in answer.events() {
                    if !self.seen.insert(event.event_id().unwrap_or_default().to_owned()) {
                        continue;
                    }
                    lines.push(Shown {
                        time: event.timestamp().unwrap_or_default(),
                        container: target.container.clone(),
                        task: crate::log::task_id(event.log_stream_name().unwrap_or_default()).to_owned(),
                        text: event.message().unwrap_or_default().trim_end().to_owned(),
                    });
                }
                match answer.next_token() {
                    Some(next) => token = Some(next.to_owned()),
                    None => break,
                }
            }
        }
        lines.sort_by_key(|line| line.time);
        if let Some(last) = lines.last() {
            self.since = self.since.max(last.time - LATE);
        }
        Ok(lines)
    }
}

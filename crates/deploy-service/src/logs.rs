//! `logs`: the lines of the service's containers, from all of its tasks.

use crate::command::LogsArgs;
use crate::deploy::{Found, connect, deployable, find};
use crate::desired;
use crate::ecs::Ecs;
use crate::events::time_of_day;
use crate::log::{Target, targets, without_line_end};
use crate::refusal::Refusal;
use crate::rollout::short;
use crate::service::text;
use anyhow::Result;
use cli::error::ErrorSummary;
use cli::{Console, ErrorKind, Failure, Outcome, Report};
use common::aws::Aws;
use common::config::{Config, Variables};
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
            Failure::error("failed to follow the log: -o json prints one document, and -f never ends");
        return Err(failure
            .kind(ErrorKind::Usage)
            .code("usage")
            .hint("leave one of them out")
            .into());
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
    desired::names(config, &Variables::preview(&config.schema))?;
    let (aws, place) = connect(&args.common, config, console).await?;
    let names = desired::names(config, &Variables::new(&config.schema, &place))?;
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
    let mut lines = Vec::new();
    let (mut has_read, mut said) = (false, false);
    loop {
        let (new, result) = reader.read().await;
        for line in new {
            if console.is_json() {
                lines.push(line.to_json());
            } else {
                console.stdout(&line.shown());
            }
        }
        match result {
            Ok(()) => (has_read, said) = (true, false),
            // What passes (a broken connection, throttling) does not end what goes on for hours.
            Err(unread) if args.follow && has_read && unread.refusal.passes() => {
                if !said {
                    let why = ErrorSummary::of(&unread.into()).message;
                    console.info(format!("{}: asking again: {why}", names.service));
                    said = true;
                }
            }
            Err(unread) if console.is_json() => {
                let report = Report::new(Outcome::Failed).detail("task_definition", reference);
                return Ok(console.failed(&unread.into(), report.detail("lines", lines)));
            }
            Err(unread) => return Err(unread.into()),
        }
        // `logs -f | head` ends with its reader.
        if !args.follow || console.has_no_reader() {
            let report = Report::new(Outcome::Ok).detail("task_definition", reference);
            return Ok(if console.is_json() {
                report.detail("lines", lines)
            } else {
                report
            });
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
    /// The events that were shown, with their time.
    seen: BTreeSet<(i64, String)>,
}

/// A group that could not be read.
struct Unread {
    group: String,
    refusal: Refusal,
}

impl From<Unread> for anyhow::Error {
    fn from(unread: Unread) -> Self {
        let Unread { group, refusal } = unread;
        let missing = refusal.code == "ResourceNotFoundException";
        let mut failure = refusal.failure;
        if missing {
            failure = failure.hint("create-log-group makes it");
        }
        anyhow::Error::from(failure).context(format!("failed to read log group `{group}`"))
    }
}

impl Reader<'_> {
    /// What is new, in the order of its time. What came before an error is there all the same.
    async fn read(&mut self) -> (Vec<Shown>, Result<(), Unread>) {
        let mut lines = Vec::new();
        let mut result = Ok(());
        for target in &self.targets {
            if let Err(refusal) = read_target(self.aws, target, self.since, &mut self.seen, &mut lines).await
            {
                let group = target.group.clone();
                result = Err(Unread { group, refusal });
                break;
            }
        }
        lines.sort_by_key(|line| line.time);
        if let Some(last) = lines.last()
            && result.is_ok()
        {
            // A task whose clock is fast must not hide what the others say.
            let old = last.time.min(since(Duration::ZERO)) - LATE;
            self.since = self.since.max(old);
            // What is older is not asked for again.
            self.seen = self.seen.split_off(&(old, String::new()));
        }
        (lines, result)
    }
}

/// Adds the lines of all tasks' containers of this name that were not seen before.
async fn read_target(
    aws: &Aws,
    target: &Target,
    since: i64,
    seen: &mut BTreeSet<(i64, String)>,
    lines: &mut Vec<Shown>,
) -> Result<(), Refusal> {
    let client = target.client(aws);
    let prefix = target.stream("");
    let mut token = None;
    loop {
        let request = client
            .filter_log_events()
            .log_group_name(&target.group)
            .log_stream_name_prefix(&prefix)
            .start_time(since)
            .set_next_token(token.clone());
        let answer = request.send().await;
        let answer = answer.map_err(|error| Refusal::of("logs:FilterLogEvents", error))?;
        for event in answer.events() {
            // Not everybody who speaks AWS's language knows the prefix.
            let stream = event.log_stream_name().unwrap_or_default();
            let Some(task) = stream.strip_prefix(&prefix) else {
                continue;
            };
            let time = event.timestamp().unwrap_or_default();
            if seen.insert((time, event.event_id().unwrap_or_default().to_owned())) {
                lines.push(Shown {
                    time,
                    container: target.container.clone(),
                    task: task.to_owned(),
                    text: without_line_end(event.message().unwrap_or_default()).to_owned(),
                });
            }
        }
        // A page may be empty, or not full: only without a token it was the last one.
        match answer.next_token() {
            Some(next) if token.as_deref() != Some(next) => token = Some(next.to_owned()),
            _ => return Ok(()),
        }
    }
}

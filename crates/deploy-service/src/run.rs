//! `run`: a command in a task of its own, with the service's definition and network.

use crate::command::RunArgs;
use crate::container;
use crate::deploy::{connect, deployable, judge, within};
use crate::ecs::{Ecs, tags_to_json};
use crate::log::{Target, targets, task_id};
use crate::ongoing::{Known, Ongoing};
use crate::refusal::{Refusal, RefusalContext};
use crate::service::{list, text};
use crate::stopped::Stopped;
use crate::wanted::Wanted;
use anyhow::{Context, Result};
use aws_documents::refuse;
use common::aws::Aws;
use common::config::{Config, Variables};
use common::progress::Progress;
use common::retry::Patience;
use common::{Console, Exit, Failure, Item, Outcome, Report};
use serde_json::{Map, Value, json};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// What RunTask takes over from the service.
const ALIKE: [&str; 6] = [
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
];

/// How long the last lines may take to CloudWatch.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Does it, within the time that the flag or the file gives.
///
/// # Errors
/// When the task could not be started.
pub(crate) async fn run(args: &RunArgs, console: &Console, ongoing: &Ongoing) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let timeout = args.common.timeout(&config)?;
    within(timeout, console, ongoing, work(args, &config, console, ongoing)).await
}

async fn work(args: &RunArgs, config: &Config, console: &Console, ongoing: &Ongoing) -> Result<Report> {
    if let Err(report) = judge(config, console)? {
        return Ok(report);
    }
    let (aws, place) = connect(&args.common, config, console).await?;
    let wanted = match Wanted::read(config, &Variables::new(&config.schema, &place))? {
        Ok(wanted) => wanted,
        Err(faults) => {
            return Ok(refuse(&faults, console).unwrap_or_else(|| Report::new(Outcome::Failed)));
        }
    };
    let names = &wanted.names;
    let ecs = Ecs::new(aws_sdk_ecs::Client::new(&aws.sdk), &names.cluster);
    let reference = names.chosen(args.task_definition.as_deref());
    let definition = ecs.task_definition(&reference).await?;
    let definition = deployable(definition, &reference, &names.service)?;
    let value = wanted.value(Some(&definition));
    let container = container::chosen(&definition, &value, args.container.as_deref())?;
    let body = body(&wanted, &value, &container, &args.words);
    let task = start(&ecs, body, console).await?;
    let arn = text(&task, "taskArn").to_owned();
    console.note(format!("task {}: started", task_id(&arn)));
    let job = Job {
        ecs: &ecs,
        aws: &aws,
        console,
        progress: Progress::new(console),
        target: targets(&definition)
            .into_iter()
            .find(|target| target.container == container),
        container: &container,
        poll: args.common.poll,
        arn,
    };
    let item = Item::new("task", task_id(&job.arn), "run")
        .detail("arn", job.arn.as_str())
        .detail("task_definition", text(&definition, "taskDefinitionArn"));
    let mut report = Report::new(Outcome::Ok);
    report.items.push(item);
    ongoing.set(Known {
        what: format!("task `{}`", task_id(&job.arn)),
        state: text(&task, "lastStatus").to_owned(),
        hint: format!(
            "`aws ecs stop-task --cluster {} --task {}` stops it",
            names.cluster,
            task_id(&job.arn)
        ),
        report: report.clone(),
    });
    if job.target.is_none() {
        console.warn(format!(
            "container `{container}` has no awslogs configuration: its log is not shown"
        ));
    }
    let ended = job.wait(ongoing, &report).await;
    ongoing.clear();
    let (stopped, lines) = match ended {
        Ok(ended) => ended,
        Err(error) => return Ok(console.partly(&error, report)),
    };
    if console.is_json() {
        report = report.detail("log", lines);
    }
    Ok(job.conclude(&stopped, report))
}

/// The body of RunTask.
fn body(wanted: &Wanted, value: &Value, container: &str, words: &[String]) -> Value {
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
    body.insert("startedBy".into(), "deploy-service-run".into());
    // A request that is sent again must not start a second task.
    let random = RandomState::new();
    let token = format!("{:016x}{:016x}", random.hash_one(0), random.hash_one(1));
    body.insert("clientToken".into(), token.into());
    let overrides = json!({"containerOverrides": [{"name": container, "command": words}]});
    body.insert("overrides".into(), overrides);
    if !wanted.tags.is_empty() {
        body.insert("tags".into(), tags_to_json(&wanted.tags));
    }
    Value::Object(body)
}

async fn start(ecs: &Ecs, body: Value, console: &Console) -> Result<Value> {
    let failed = "failed to run the task";
    let answer = Patience::PROPAGATION
        .retry(console, Refusal::heals, async || ecs.run(body.clone()).await)
        .await
        .map_err(|refusal| refusal.explained(&ecs.cluster))
        .context(failed)?;
    if let Some(task) = list(&answer, "tasks").first() {
        return Ok(task.clone());
    }
    let why = list(&answer, "failures").first().map(|failure| {
        let (reason, detail) = (text(failure, "reason"), text(failure, "detail"));
        format!("{reason} {detail}").trim().to_owned()
    });
    let why = why.unwrap_or_else(|| "ECS gives no reason".into());
    Err(Failure::could_not(format!("ecs:RunTask started none: {why}"))).context(failed)
}

/// A task that was started.
struct Job<'a> {
    ecs: &'a Ecs,
    aws: &'a Aws,
    console: &'a Console,
    progress: Progress<'a>,
    target: Option<Target>,
    container: &'a str,
    poll: Duration,
    arn: String,
}

impl Job<'_> {
    /// Waits until the command has ended, and prints its lines meanwhile.
    async fn wait(&self, ongoing: &Ongoing, report: &Report) -> Result<(Stopped, Vec<String>)> {
        let bar = self.progress.task(task_id(&self.arn));
        let mut state = String::new();
        let (mut token, mut lines) = (None, Vec::new());
        loop {
            let found = self.ecs.describe_tasks(&[self.arn.as_str().into()]).await;
            let found = found.with_context(|| format!("failed to follow task `{}`", task_id(&self.arn)))?;
            let task = found.first().cloned().unwrap_or_default();
            let status = text(&task, "lastStatus");
            if status != state && !status.is_empty() {
                status.clone_into(&mut state);
                bar.say(status);
                self.progress
                    .note(format!("task {}: {status}", task_id(&self.arn)));
                ongoing.state(state.clone(), report.clone());
            }
            lines.extend(self.print(&mut token).await?);
            let own = list(&task, "containers")
                .iter()
                .find(|one| text(one, "name") == self.container);
            let ended = own.is_some_and(|one| one.get("exitCode").is_some_and(Value::is_i64));
            if status == "STOPPED" || ended {
                if status == "RUNNING" && text(&task, "desiredStatus") == "RUNNING" {
                    // Only the others are left, and nobody needs them.
                    self.ecs
                        .stop(&self.arn)
                        .await
                        .context("failed to stop the task")?;
                }
                tokio::time::sleep(self.poll.min(LAST_LINES)).await;
                lines.extend(self.print(&mut token).await?);
                return Ok((Stopped::of(&task), lines));
            }
            tokio::time::sleep(self.poll).await;
        }
    }

    async fn print(&self, token: &mut Option<String>) -> Result<Vec<String>> {
        let Some(target) = &self.target else {
            return Ok(Vec::new());
        };
        let lines = target.next(self.aws, &self.arn, token).await?;
        let lines: Vec<String> = lines.into_iter().map(|line| line.text).collect();
        if !self.console.is_json() {
            lines.iter().for_each(|line| self.progress.print(line));
        }
        Ok(lines)
    }

    fn conclude(&self, stopped: &Stopped, report: Report) -> Report {
        let report = report.detail("task", stopped.to_json());
        let own = stopped.containers.iter().find(|one| one.name == self.container);
        let failure = match own.and_then(|own| own.exit_code) {
            Some(0) => return report.detail("exit_code", 0),
            Some(code) => {
                let exit = u8::try_from(code).map_or(Exit::No, Exit::Other);
                let message = format!(
                    "the command exited with {code} in container `{}` of task `{}`",
                    self.container, stopped.id
                );
                Failure::new(exit, message).code("exit-code")
            }
            None => Failure::new(
                Exit::No,
                format!("failed to run the command: {}", stopped.cause()),
            )
            .code("not-started"),
        };
        let code = own.and_then(|own| own.exit_code);
        self.console
            .failed(&failure.into(), report.detail("exit_code", code))
    }
}

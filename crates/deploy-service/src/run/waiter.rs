//! Waits until the command has ended.

use super::container::Container;
use super::in_flight::InFlight;
use super::log_tail::LogTail;
use super::outcome;
use crate::cadence::{FIRST_TASK_POLL, TASK_VISIBLE};
use crate::context::Context;
use crate::log_stream::targets;
use crate::poll::poll_transient;
use crate::stopped_task::StoppedTask;
use anyhow::Result;
use cli::error::ErrorSummary;
use cli::progress::Progress;
use cli::{Exit, Failure, Item, Report};
use common::json::text;
use ecs::names::last_part;
use serde_json::Value;
use tokio::time::Instant;

/// A task that was started for a command.
pub(super) struct TaskWaiter<'a> {
    context: &'a Context<'a>,
    definition: &'a Value,
    /// The name of the container that runs the command.
    container: &'a str,
    arn: &'a str,
    progress: Progress<'a>,
    log: LogTail<'a>,
    in_flight: InFlight<'a>,
}

impl<'a> TaskWaiter<'a> {
    /// For the `task` in the response of RunTask.
    pub(super) fn new(
        context: &'a Context<'a>,
        definition: &'a Value,
        container: &'a str,
        task: &'a Value,
    ) -> Self {
        let console = context.console;
        let arn = text(task, "taskArn");
        let mut targets = targets(definition).into_iter();
        let target = targets.find(|target| target.container == container);
        if target.is_none() {
            console.warn(format!(
                "container `{container}` has no awslogs configuration: its log is not shown"
            ));
        }
        let has_log = target.is_some();
        let id = last_part(arn);
        let item = Item::new("task", id, "run")
            .detail("arn", arn)
            .detail("task_definition", text(definition, "taskDefinitionArn"));
        let state = text(task, "lastStatus");
        let mut in_flight = InFlight::new(console, &context.manual, id, state, item);
        if !has_log {
            in_flight.close_log();
        }
        TaskWaiter {
            context,
            definition,
            container,
            arn,
            progress: Progress::new(console),
            log: LogTail::new(context, target, arn),
            in_flight,
        }
    }

    fn id(&self) -> &'a str {
        last_part(self.arn)
    }

    /// Waits until the command has ended, and prints its lines meanwhile. A task that can't be followed continues: its
    /// report is one of a partial run.
    pub(super) async fn wait(mut self) -> Report {
        let ended = self.wait_for_end().await;
        self.context.console.on_interrupt(None);
        let error = match ended {
            Ok(()) => return self.in_flight.into_report(),
            Err(error) => error,
        };
        self.context.console.failed(&error, self.in_flight.into_report())
    }

    async fn wait_for_end(&mut self) -> Result<()> {
        let bar = self.progress.task(self.id());
        bar.say(self.in_flight.state());
        let mut last_seen = Instant::now();
        let mut pause = self.context.poll.min(FIRST_TASK_POLL);
        let (task, ended) = loop {
            let found = self.read().await?;
            if found.is_some() {
                last_seen = Instant::now();
            } else if last_seen.elapsed() >= TASK_VISIBLE {
                return Err(self.not_listed().into());
            }
            let task = found.unwrap_or_default();
            let status = text(&task, "lastStatus");
            if status != self.in_flight.state() && !status.is_empty() {
                self.in_flight.set_state(status);
                bar.say(status);
                self.progress.info(format!("task {}: {status}", self.id()));
            }
            // The task before its log, which may not arrive.
            let stopped = StoppedTask::of(&task);
            if status == "STOPPED" || stopped.code_of(self.container).is_some() {
                self.end(&stopped);
                break (task, stopped);
            }
            self.log.read(&self.progress, &mut self.in_flight).await;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.context.poll);
        };
        self.log.read(&self.progress, &mut self.in_flight).await;
        let is_stopping = self.stop_others(&task).await;
        let code = ended.code_of(self.container);
        if code.is_some() || ended.started {
            bar.say(format!("{}, waiting for its last lines", self.in_flight.state()));
            let poll = self.context.poll;
            self.log
                .read_rest(&self.progress, &mut self.in_flight, poll)
                .await;
        }
        if code != Some(0) && ended.code.is_empty() && !is_stopping {
            // The reasons may arrive a moment after the exit code.
            let now = self.context.tasks(&[self.arn.into()]).await.unwrap_or_default();
            let now = now.first().map(StoppedTask::of);
            if let Some(now) = now.filter(|now| now.code_of(self.container) == code) {
                self.end(&now);
            }
        }
        Ok(())
    }

    /// The command has ended: completes the report with its result.
    fn end(&mut self, stopped: &StoppedTask) {
        let (console, container) = (self.context.console, self.container);
        self.in_flight.end(|report| {
            let report = report
                .detail("task", stopped.to_json())
                .detail("exit_code", stopped.code_of(container));
            match outcome::failure(stopped, container) {
                Some(failure) => console.failed(&failure.into(), report),
                None => report,
            }
        });
    }

    async fn read(&self) -> Result<Option<Value>> {
        let report = |text: String| self.progress.info(format!("task {}: {text}", self.id()));
        let read = async || Ok(self.context.tasks(&[self.arn.into()]).await?);
        let tasks = poll_transient(self.context.poll, report, read).await;
        let tasks = tasks.map_err(|error| self.not_followed(&error))?;
        Ok(tasks.into_iter().next())
    }

    /// ECS does not list the task, neither as running nor as stopped.
    fn not_listed(&self) -> Failure {
        Failure::new(
            Exit::Partial,
            format!(
                "failed to follow task `{}`: ECS does not list it any more",
                self.id()
            ),
        )
        .code("no-task")
        .hint("it has ended with an unknown result: ECS lists stopped tasks for an hour")
    }

    /// The task continues, but ECS can't be asked about it any more.
    fn not_followed(&self, error: &anyhow::Error) -> Failure {
        let summary = ErrorSummary::of(error);
        let id = self.id();
        let continues = format!("the task goes on: {}", self.context.manual.task_hint(id));
        let hint = match summary.hint {
            Some(hint) => format!("{hint}; {continues}"),
            None => continues,
        };
        let message = format!("failed to follow task `{id}`: {}", summary.message);
        Failure::new(Exit::Partial, message)
            .kind(summary.kind)
            .code(summary.code.unwrap_or_default())
            .hint(hint)
    }

    /// Stops the task where only containers are left that ECS would leave running. A failure does not change how the
    /// run ends. Whether a stop was tried.
    async fn stop_others(&self, task: &Value) -> bool {
        let is_ending = text(task, "lastStatus") == "STOPPED" || text(task, "desiredStatus") == "STOPPED";
        if is_ending || Container::of(self.definition, self.container).ends_the_task() {
            return false;
        }
        let console = self.context.console;
        let label = format!("ecs:StopTask for task `{}`", self.id());
        let stopped = console.in_flight(label, self.context.stop_task(self.arn)).await;
        if let Err(error) = stopped {
            let why = ErrorSummary::of(&error.into()).message;
            let stop = self.context.manual.stop_task(self.id());
            console.warn(format!(
                "task `{}` goes on with its other containers: {why}: stop it with `{stop}`",
                self.id()
            ));
        }
        true
    }
}

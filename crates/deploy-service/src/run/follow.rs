//! Waits until a command has ended.

use super::Started;
use super::by_hand::ByHand;
use super::tail::Tail;
use crate::container::Container;
use crate::ongoing::{Known, Ongoing};
use crate::refusal::RefusalContext;
use crate::service::text;
use crate::stopped::Stopped;
use anyhow::Result;
use cli::duration;
use cli::error::ErrorSummary;
use cli::progress::Progress;
use cli::{Console, ErrorKind, Exit, Failure, Item, Outcome, Report};
use serde_json::Value;
use std::time::Duration;

/// In so many answers one after the other a task may be missing: what was made a moment ago is not known everywhere.
const UNSEEN: u32 = 12;

/// The pause after the first look; each further one is twice as long, up to `--poll`. Many commands are short.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The code of the failure for such a task.
const NO_TASK: &str = "no-task";

/// A command, on its way. It lives longer than the wait, which the deadline may cut off.
pub(super) struct Follow<'a> {
    started: &'a Started,
    console: &'a Console,
    ongoing: &'a Ongoing,
    progress: Progress<'a>,
    tail: Tail<'a>,
    poll: Duration,
    /// The last status.
    state: String,
    /// The task, once the command has ended.
    ended: Option<Stopped>,
}

impl<'a> Follow<'a> {
    pub(super) fn new(
        started: &'a Started,
        console: &'a Console,
        ongoing: &'a Ongoing,
        poll: Duration,
    ) -> Self {
        let target = started.target();
        if target.is_none() {
            console.warn(format!(
                "container `{}` has no awslogs configuration: its log is not shown",
                started.container
            ));
        }
        Follow {
            started,
            console,
            ongoing,
            progress: Progress::new(console),
            tail: Tail::new(&started.aws, console, target, started.arn()),
            poll,
            state: text(&started.task, "lastStatus").to_owned(),
            ended: None,
        }
    }

    fn id(&self) -> &'a str {
        self.started.id()
    }

    fn container(&self) -> &'a str {
        &self.started.container
    }

    fn by_hand(&self) -> &'a ByHand {
        &self.started.by_hand
    }

    /// The task, and the lines so far where they go into the document.
    pub(super) fn report(&self) -> Report {
        let definition = text(&self.started.definition, "taskDefinitionArn");
        let item = Item::new("task", self.id(), "run")
            .detail("arn", self.started.arn())
            .detail("task_definition", definition);
        let mut report = Report::new(Outcome::Ok);
        report.items.push(item);
        match self.tail.lines() {
            Some(lines) => report.detail("log", lines),
            None => report,
        }
    }

    /// How the task ended, once the command has.
    pub(super) fn ended(&self) -> Option<&Stopped> {
        self.ended.as_ref()
    }

    /// The wait was cut off by the deadline: the error of a task that goes on. Where the command had ended by then,
    /// there is none, and no more than the end of its log is lost.
    pub(super) fn cut_off(&self, timeout: Duration) -> Option<Failure> {
        self.console.report_interrupted();
        let timeout = duration::show(timeout);
        if self.ended.is_some() {
            self.tail.cut_off(&format!("not done after {timeout}"));
            return None;
        }
        let message = format!("task `{}` is not done after {timeout}: {}", self.id(), self.state);
        let hint = format!("it goes on: {}", self.by_hand().hint(self.id()));
        Some(
            Failure::new(Exit::Deadline, message)
                .kind(ErrorKind::Timeout)
                .code("timeout")
                .hint(hint),
        )
    }

    /// The failure of a task that was started, and that nobody can follow any more.
    pub(super) fn lost(&self, error: &anyhow::Error) -> Failure {
        let described = ErrorSummary::of(error);
        let code = described.code.unwrap_or_default();
        let goes_on = format!("the task goes on: {}", self.by_hand().hint(self.id()));
        let hint = match described.hint {
            Some(hint) if code == NO_TASK => hint,
            Some(hint) => format!("{hint}; {goes_on}"),
            None => goes_on,
        };
        Failure::new(Exit::Partial, described.message)
            .code(code)
            .hint(hint)
    }

    /// Waits until the command has ended, and prints its lines meanwhile.
    ///
    /// # Errors
    /// When ECS can't be asked any more.
    pub(super) async fn wait(&mut self) -> Result<()> {
        let bar = self.progress.task(self.id());
        bar.say(self.state.as_str());
        self.ongoing.set(Known {
            what: format!("task `{}`", self.id()),
            state: self.state.clone(),
            hint: self.by_hand().hint(self.id()),
            report: self.report(),
        });
        let mut unseen = 0;
        let mut pause = self.poll.min(FIRST_PAUSE);
        let (task, ended) = loop {
            let found = self.ask().await?;
            unseen = if found.is_some() { 0 } else { unseen + 1 };
            if unseen > UNSEEN {
                let message = format!(
                    "failed to follow task `{}`: ECS does not list it any more",
                    self.id()
                );
                let hint =
                    "it has ended, and what came of it is not known: ECS lists stopped tasks for an hour";
                return Err(Failure::error(message).code(NO_TASK).hint(hint).into());
            }
            let task = found.unwrap_or_default();
            let status = text(&task, "lastStatus");
            if status != self.state && !status.is_empty() {
                status.clone_into(&mut self.state);
                bar.say(status);
                self.progress.info(format!("task {}: {status}", self.id()));
                self.ongoing.state(self.state.clone(), self.report());
            }
            // First the task: a log that does not come must not hide its end.
            let now = Stopped::of(&task);
            if status == "STOPPED" || now.code_of(self.container()).is_some() {
                self.ended = Some(now.clone());
                break (task, now);
            }
            self.tail.read(&self.progress).await;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.poll);
        };
        self.ongoing.clear();
        self.tail.read(&self.progress).await;
        let stopped = self.stop_the_others(&task).await;
        let code = ended.code_of(self.container());
        if code.is_some() || ended.started {
            bar.say(format!("{}, waiting for its last lines", self.state));
            self.tail.rest(&self.progress, self.poll).await;
        }
        if code != Some(0) && ended.code.is_empty() && !stopped {
            // Reasons may come a moment after the exit code.
            let now = self
                .started
                .ecs
                .describe_tasks(&[self.started.arn().into()])
                .await;
            let now = now.unwrap_or_default().first().map(Stopped::of);
            self.ended = now
                .filter(|now| now.code_of(self.container()) == code)
                .or(Some(ended));
        }
        Ok(())
    }

    /// The task. What passes (a broken connection, throttling) does not end the wait.
    async fn ask(&self) -> Result<Option<Value>> {
        let mut said = false;
        loop {
            match self
                .started
                .ecs
                .describe_tasks(&[self.started.arn().into()])
                .await
            {
                Ok(tasks) => return Ok(tasks.into_iter().next()),
                Err(refusal) if refusal.passes() => {
                    if !said {
                        let why = ErrorSummary::of(&refusal.failure.into()).message;
                        self.progress
                            .info(format!("task {}: asking again: {why}", self.id()));
                        said = true;
                    }
                }
                Err(refusal) => {
                    return Err(refusal).with_context(|| format!("failed to follow task `{}`", self.id()));
                }
            }
            tokio::time::sleep(self.poll).await;
        }
    }

    /// Ends the task, where only containers are left that nobody needs and that ECS leaves running. The command
    /// has done its work whether or not that goes well. Whether it was tried.
    async fn stop_the_others(&self, task: &Value) -> bool {
        let is_ending = text(task, "lastStatus") == "STOPPED" || text(task, "desiredStatus") == "STOPPED";
        if is_ending || Container::of(&self.started.definition, self.container()).ends_the_task() {
            return false;
        }
        let words = format!("ecs:StopTask for task `{}`", self.id());
        let stopped = self
            .console
            .in_flight(words, self.started.ecs.stop(self.started.arn()))
            .await;
        if let Err(refusal) = stopped {
            let why = ErrorSummary::of(&refusal.failure.into()).message;
            self.console.warn(format!(
                "task `{}` goes on with its other containers: {why}: stop it with `{}`",
                self.id(),
                self.by_hand().stop(self.id())
            ));
        }
        true
    }
}

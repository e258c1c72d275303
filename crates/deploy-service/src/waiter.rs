//! Waits for the tracked deployment, and prints its events, counts and stopped tasks.

use crate::context::Context;
use crate::evaluator::RolloutEvaluator;
use crate::events::{Events, is_trouble, time_of_day};
use crate::manual_commands::DeploymentRef;
use crate::poll::{is_transient, poll_transient};
use crate::rollout::{Deployment, Progress as Rollout, TrackedDeployment};
use crate::service::Service;
use crate::stopped_task::{StoppedTask, is_of};
use anyhow::Result;
use cli::progress::{Progress, Task};
use cli::{OnInterrupt, Report};
use common::json::text;
use ecs::EcsError;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::time::Instant;

/// How the deployment ended.
pub(crate) struct End {
    pub(crate) rollout: Rollout,
    /// Why it failed, by the tasks, by ECS or by its events.
    pub(crate) cause: String,
    pub(crate) report: Report,
}

/// What a wait works with.
pub(crate) struct DeploymentWaiter<'a> {
    context: &'a Context<'a>,
    tracked: &'a TrackedDeployment,
    definition: &'a Value,
    rolled_back_from: Option<&'a str>,
    progress: Progress<'a>,
    bar: Task,
    state: WaitState,
}

/// What the wait has shown so far.
struct WaitState {
    events: Events,
    counts: String,
    is_rolling_back: bool,
    /// The ARNs of the stopped tasks that were read.
    tasks: BTreeSet<String>,
    stopped: Vec<StoppedTask>,
    trouble: Option<String>,
    all_events: Vec<Value>,
    /// The reasons of stopped tasks can't be read.
    is_blind: bool,
}

impl<'a> DeploymentWaiter<'a> {
    /// `events` are those that existed before the change, `rolled_back_from` is the revision that a rollback replaces.
    pub(crate) fn new(
        context: &'a Context<'a>,
        tracked: &'a TrackedDeployment,
        definition: &'a Value,
        rolled_back_from: Option<&'a str>,
        events: Events,
    ) -> Self {
        let progress = Progress::new(context.console);
        DeploymentWaiter {
            context,
            tracked,
            definition,
            rolled_back_from,
            bar: progress.task(context.name()),
            progress,
            state: WaitState {
                events,
                counts: String::new(),
                is_rolling_back: false,
                tasks: BTreeSet::new(),
                stopped: Vec::new(),
                trouble: None,
                all_events: Vec::new(),
                is_blind: false,
            },
        }
    }

    /// Waits for the end; the deadline is that of the run. `first` is the service in the response of the call, `report`
    /// what was done so far.
    ///
    /// # Errors
    /// When ECS can't be asked any more.
    pub(crate) async fn wait(mut self, first: Service, report: Report) -> Result<End> {
        self.set_on_interrupt("just begun".into(), None, report.clone());
        let mut now = Instant::now();
        let mut evaluator = RolloutEvaluator::new(self.tracked, now);
        let mut service = Some(first);
        // The response of the call may still name the deployment before.
        let mut arn = None;
        loop {
            let rollout = evaluator.next(service.as_ref(), now);
            let own = service.as_ref().and_then(|service| self.own(service));
            if let Some(service) = &service {
                self.show_events(service);
            }
            if let Some(own) = own {
                self.show_counts(own);
            }
            if !matches!(rollout, Rollout::Done | Rollout::Deleted) {
                self.show_stopped().await;
            }
            self.show_rollback(&rollout, own);
            let report = self.detailed(report.clone(), own);
            if rollout.is_end() {
                self.context.console.on_interrupt(None);
                let cause = self.cause(&rollout);
                return Ok(End {
                    rollout,
                    cause,
                    report,
                });
            }
            self.set_on_interrupt(self.describe(&rollout, own), arn.as_deref(), report);
            tokio::time::sleep(self.context.poll).await;
            service = self.read().await?;
            now = Instant::now();
            arn = service.as_ref().and_then(|service| self.arn(service));
        }
    }

    fn set_on_interrupt(&self, state: String, arn: Option<&str>, report: Report) {
        let deployment = deployment_ref(self.tracked, self.rolled_back_from, arn);
        let (id, name) = (&self.tracked.id, self.context.name());
        self.context.console.on_interrupt(Some(OnInterrupt::Continues {
            what: format!("deployment `{id}` of service `{name}`"),
            state,
            hint: self.context.manual.hint(&deployment),
            report,
        }));
    }

    fn own<'s>(&self, service: &'s Service) -> Option<&'s Deployment> {
        service.deployments.iter().find(|one| one.id == self.tracked.id)
    }

    /// The ARN of the deployment in the history of ECS, while it is the primary one.
    fn arn(&self, service: &Service) -> Option<String> {
        self.own(service).filter(|own| own.primary)?;
        let arn = text(&service.value, "currentServiceDeployment");
        (!arn.is_empty()).then(|| arn.to_owned())
    }

    async fn read(&self) -> Result<Option<Service>> {
        let name = self.context.name();
        let report = |text: String| self.progress.info(format!("{name}: {text}"));
        let read = async || Ok(self.context.service().await?);
        let read = poll_transient(self.context.poll, report, read).await;
        read.map_err(|error| error.context(format!("failed to follow service `{name}`")))
    }

    fn show_events(&mut self, service: &Service) {
        let name = self.context.name();
        for event in self.state.events.new_in(service) {
            // ECS begins each with the name of the service.
            let prefix = format!("(service {name}) ");
            let message = event.message.strip_prefix(&prefix).unwrap_or(&event.message);
            self.progress
                .info(format!("{name}: {} {message}", time_of_day(event.time)));
            if is_trouble(message) {
                self.state.trouble = Some(message.to_owned());
            }
            self.state
                .all_events
                .push(json!({"time": event.time, "message": event.message}));
        }
    }

    fn show_counts(&mut self, own: &Deployment) {
        let counts = own.counts();
        if counts != self.state.counts {
            self.bar.say(format!("{}  {counts}", own.task_definition));
            self.progress.info(format!(
                "{}: {} {counts}",
                self.context.name(),
                own.task_definition
            ));
            self.state.counts = counts;
        }
    }

    async fn show_stopped(&mut self) {
        if self.state.is_blind {
            return;
        }
        let console = self.context.console;
        let tasks = match self.newly_stopped().await {
            Ok(tasks) => tasks,
            Err(error) if is_transient(error.kind()) => return,
            Err(error) => {
                self.state.is_blind = true;
                let error = anyhow::Error::from(error);
                return console.warn(format!("cannot determine why tasks stopped: {error:#}"));
            }
        };
        // A task that is still stopping may have no reasons yet.
        for task in tasks.iter().filter(|task| text(task, "lastStatus") == "STOPPED") {
            self.state.tasks.insert(text(task, "taskArn").to_owned());
            if !is_of(task, &self.tracked.id) {
                continue;
            }
            let mut stopped = StoppedTask::of(task);
            if let Err(error) = stopped.read_logs(self.definition, &self.context.aws).await {
                console.warn(format!("cannot show the last log lines: {error:#}"));
            }
            stopped.print(self.context.name(), |line| self.progress.info(line));
            self.state.stopped.push(stopped);
        }
    }

    /// The stopped tasks of the service that were not read yet.
    async fn newly_stopped(&self) -> Result<Vec<Value>, EcsError> {
        let filter = json!({"serviceName": self.context.name(), "desiredStatus": "STOPPED"});
        let mut arns = self.context.task_arns(filter).await?;
        arns.retain(|arn| arn.as_str().is_some_and(|arn| !self.state.tasks.contains(arn)));
        self.context.tasks(&arns).await
    }

    fn show_rollback(&mut self, rollout: &Rollout, own: Option<&Deployment>) {
        let Rollout::RollingBack(to) = rollout else { return };
        if !self.state.is_rolling_back {
            self.state.is_rolling_back = true;
            let why = own.map(|own| own.reason.as_str()).unwrap_or_default();
            self.bar.say(format!("rolling back to {to}"));
            self.progress.info(format!(
                "{}: {} failed, ECS rolls back to {to}: {why}",
                self.context.name(),
                self.tracked.desired
            ));
        }
    }

    /// The state, and the last problem: at an early end both are needed.
    fn describe(&self, rollout: &Rollout, own: Option<&Deployment>) -> String {
        let state = match (rollout, own) {
            (Rollout::RollingBack(to), _) => format!("it failed, and ECS rolls back to `{to}`"),
            (_, Some(own)) => own.counts(),
            (_, None) => "not listed yet".into(),
        };
        match self.trouble() {
            Some(trouble) => format!("{state}: {trouble}"),
            None => state,
        }
    }

    /// Why the last task stopped, else the last event that reports a problem.
    fn trouble(&self) -> Option<String> {
        let stopped = self.state.stopped.last().map(StoppedTask::cause);
        stopped.or_else(|| self.state.trouble.clone())
    }

    fn cause(&self, rollout: &Rollout) -> String {
        let reason = match rollout {
            Rollout::RolledBack { reason, .. } | Rollout::Failed(reason) => reason.trim_end_matches('.'),
            _ => "",
        };
        match (reason, self.trouble()) {
            ("", None) => "ECS gives no reason".into(),
            ("", Some(trouble)) => trouble,
            (reason, None) => reason.to_owned(),
            (reason, Some(trouble)) => format!("{reason}: {trouble}"),
        }
    }

    fn detailed(&self, report: Report, own: Option<&Deployment>) -> Report {
        let stopped: Vec<Value> = self.state.stopped.iter().map(StoppedTask::to_json).collect();
        let report = report
            .detail("events", self.state.all_events.clone())
            .detail("stopped_tasks", stopped);
        match own {
            Some(own) => report.detail("deployment", own.to_json()),
            None => report,
        }
    }
}

/// The deployment, for the commands that follow and stop it.
pub(crate) fn deployment_ref<'a>(
    tracked: &'a TrackedDeployment,
    rolled_back_from: Option<&'a str>,
    arn: Option<&'a str>,
) -> DeploymentRef<'a> {
    DeploymentRef {
        desired: &tracked.desired,
        rolled_back_from,
        last_good: tracked.last_good.as_deref(),
        arn,
    }
}

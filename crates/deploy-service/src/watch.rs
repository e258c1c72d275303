//! Waits for our deployment, and tells meanwhile what it does.

use crate::commands::{Commands, Course};
use crate::ecs::Ecs;
use crate::events::{Events, is_trouble, time_of_day};
use crate::judge::Judge;
use crate::ongoing::{Known, Ongoing};
use crate::refusal::{Refusal, RefusalContext};
use crate::rollout::{Deployment, Ours, Progress as Rollout};
use crate::service::{Service, text};
use crate::stopped::{Stopped, is_of, not_told};
use anyhow::Result;
use cli::error::ErrorSummary;
use cli::progress::{Progress, Task};
use cli::{Console, Report};
use common::aws::Aws;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// What a wait needs.
pub(crate) struct Watch<'a> {
    pub(crate) ecs: &'a Ecs,
    pub(crate) aws: &'a Aws,
    pub(crate) console: &'a Console,
    pub(crate) ongoing: &'a Ongoing,
    pub(crate) name: &'a str,
    pub(crate) definition: &'a Value,
    pub(crate) poll: Duration,
    pub(crate) ours: Ours,
    pub(crate) commands: &'a Commands,
    /// The revision that a rollback leaves.
    pub(crate) leaves: Option<&'a str>,
}

/// How it ended.
pub(crate) struct End {
    pub(crate) rollout: Rollout,
    /// Why it failed, as far as the tasks, ECS or its events tell.
    pub(crate) cause: String,
    pub(crate) report: Report,
}

/// What was told.
struct Told<'a> {
    progress: Progress<'a>,
    bar: Task,
    events: Events,
    counts: String,
    going_back: bool,
    tasks: BTreeSet<String>,
    stopped: Vec<Stopped>,
    trouble: Option<String>,
    all_events: Vec<Value>,
    /// Reasons can't be read.
    blind: bool,
}

impl<'a> Watch<'a> {
    /// Waits for the end; the deadline is the run's own. `first` is the service as the call left it, `events`
    /// those that were there before, `report` what was done so far.
    ///
    /// # Errors
    /// When ECS can't be asked any more.
    pub(crate) async fn wait(&self, first: Service, events: Events, report: Report) -> Result<End> {
        let progress_bar = Progress::new(self.console);
        let mut told = Told {
            bar: progress_bar.task(self.name),
            progress: progress_bar,
            events,
            counts: String::new(),
            going_back: false,
            tasks: BTreeSet::new(),
            stopped: Vec::new(),
            trouble: None,
            all_events: Vec::new(),
            blind: false,
        };
        self.goes_on("just begun".into(), None, report.clone());
        let mut judge = Judge::new(&self.ours);
        let mut answer = Some(first);
        // The answer to the change may still name the deployment before.
        let mut arn = None;
        loop {
            let rollout = judge.next(answer.as_ref());
            let own = answer.as_ref().and_then(|service| self.own(service));
            if let Some(service) = &answer {
                self.tell_events(service, &mut told);
            }
            if let Some(own) = own {
                self.tell_counts(own, &mut told);
            }
            if !matches!(rollout, Rollout::Done | Rollout::Deleted) {
                self.tell_stopped(&mut told).await;
            }
            self.tell_going_back(&rollout, own, &mut told);
            let report = detailed(report.clone(), own, &told);
            if rollout.is_end() {
                self.ongoing.clear();
                let cause = cause(&rollout, &told);
                return Ok(End {
                    rollout,
                    cause,
                    report,
                });
            }
            self.goes_on(self.state(&rollout, own, &told), arn.as_deref(), report);
            tokio::time::sleep(self.poll).await;
            answer = self.ask(&mut told).await?;
            arn = answer.as_ref().and_then(|service| self.arn(service));
        }
    }

    /// For the end of the tool that comes before the end of the deployment.
    fn goes_on(&self, state: String, arn: Option<&str>, report: Report) {
        self.ongoing.set(Known {
            what: format!("deployment `{}` of service `{}`", self.ours.id, self.name),
            state,
            hint: self.commands.hint(&self.course(arn)),
            report,
        });
    }

    fn own<'s>(&self, service: &'s Service) -> Option<&'s Deployment> {
        service.deployments.iter().find(|one| one.id == self.ours.id)
    }

    /// The ARN of our deployment in the history of ECS, while it is the one that goes on.
    fn arn(&self, service: &Service) -> Option<String> {
        self.own(service).filter(|own| own.primary)?;
        let arn = text(&service.value, "currentServiceDeployment");
        (!arn.is_empty()).then(|| arn.to_owned())
    }

    /// What goes on, for the commands that follow and stop it.
    pub(crate) fn course<'s>(&'s self, arn: Option<&'s str>) -> Course<'s> {
        Course {
            desired: &self.ours.desired,
            leaves: self.leaves,
            before: self.ours.before.as_deref(),
            arn,
        }
    }

    /// The next answer. What passes (a broken connection, throttling) does not end the wait.
    async fn ask(&self, told: &mut Told<'a>) -> Result<Option<Service>> {
        let mut said = false;
        loop {
            match self.ecs.service(self.name).await {
                Ok(service) => return Ok(service),
                Err(refusal) if refusal.passes() => {
                    if !said {
                        let why = ErrorSummary::of(&refusal.failure.into()).message;
                        told.progress.info(format!("{}: asking again: {why}", self.name));
                        said = true;
                    }
                }
                Err(refusal) => {
                    return Err(refusal).with_context(|| format!("failed to follow service `{}`", self.name));
                }
            }
            tokio::time::sleep(self.poll).await;
        }
    }

    fn tell_events(&self, service: &Service, told: &mut Told<'a>) {
        for event in told.events.new_in(service) {
            // ECS begins each with the service's name.
            let begin = format!("(service {}) ", self.name);
            let message = event.message.strip_prefix(&begin).unwrap_or(&event.message);
            told.progress
                .info(format!("{}: {} {message}", self.name, time_of_day(event.time)));
            if is_trouble(message) {
                told.trouble = Some(message.to_owned());
            }
            told.all_events
                .push(json!({"time": event.time, "message": event.message}));
        }
    }

    fn tell_counts(&self, own: &Deployment, told: &mut Told<'a>) {
        let counts = own.counts();
        if counts != told.counts {
            told.bar.say(format!("{}  {counts}", own.task_definition));
            told.progress
                .info(format!("{}: {} {counts}", self.name, own.task_definition));
            told.counts = counts;
        }
    }

    async fn tell_stopped(&self, told: &mut Told<'a>) {
        if told.blind {
            return;
        }
        let tasks = match self.newly_stopped(told).await {
            Ok(tasks) => tasks,
            Err(refusal) if refusal.passes() => return,
            Err(refusal) => {
                told.blind = true;
                return not_told(self.console, &refusal.into());
            }
        };
        // A task that is still stopping may have no reasons yet.
        for task in tasks.iter().filter(|task| text(task, "lastStatus") == "STOPPED") {
            told.tasks.insert(text(task, "taskArn").to_owned());
            if !is_of(task, &self.ours.id) {
                continue;
            }
            let mut stopped = Stopped::of(task);
            if let Err(error) = stopped.read_logs(self.definition, self.aws).await {
                self.console
                    .warn(format!("the last log lines are not told: {error:#}"));
            }
            stopped.tell(self.name, |line| told.progress.info(line));
            told.stopped.push(stopped);
        }
    }

    /// The stopped tasks of the service that have not been looked at yet.
    async fn newly_stopped(&self, told: &Told<'a>) -> Result<Vec<Value>, Refusal> {
        let filter = json!({"serviceName": self.name, "desiredStatus": "STOPPED"});
        let mut arns = self.ecs.list_tasks(filter).await?;
        arns.retain(|arn| arn.as_str().is_some_and(|arn| !told.tasks.contains(arn)));
        self.ecs.describe_tasks(&arns).await
    }

    fn tell_going_back(&self, rollout: &Rollout, own: Option<&Deployment>, told: &mut Told<'a>) {
        let Rollout::RollingBack(to) = rollout else { return };
        if !told.going_back {
            told.going_back = true;
            let why = own.map(|own| own.reason.as_str()).unwrap_or_default();
            told.bar.say(format!("going back to {to}"));
            told.progress.info(format!(
                "{}: {} failed, ECS goes back to {to}: {why}",
                self.name, self.ours.desired
            ));
        }
    }

    /// How it stands, and the last trouble: somebody who sees no progress wants both.
    fn state(&self, rollout: &Rollout, own: Option<&Deployment>, told: &Told<'_>) -> String {
        let state = match (rollout, own) {
            (Rollout::RollingBack(to), _) => format!("it failed, and ECS goes back to `{to}`"),
            (_, Some(own)) => own.counts(),
            (_, None) => "not listed yet".into(),
        };
        match trouble(told) {
            Some(trouble) => format!("{state}: {trouble}"),
            None => state,
        }
    }
}

/// Why the last task stopped, else the last event that tells of trouble.
fn trouble(told: &Told<'_>) -> Option<String> {
    let stopped = told.stopped.last().map(Stopped::cause);
    stopped.or_else(|| told.trouble.clone())
}

fn cause(rollout: &Rollout, told: &Told<'_>) -> String {
    let reason = match rollout {
        Rollout::RolledBack { reason, .. } | Rollout::Failed(reason) => reason.clone(),
        _ => String::new(),
    };
    let parts = [
        Some(reason.trim_end_matches('.').to_owned()).filter(|text| !text.is_empty()),
        trouble(told),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "ECS gives no reason".into()
    } else {
        parts.join(": ")
    }
}

fn detailed(report: Report, own: Option<&Deployment>, told: &Told<'_>) -> Report {
    let stopped: Vec<Value> = told.stopped.iter().map(Stopped::to_json).collect();
    let report = report
        .detail("events", told.all_events.clone())
        .detail("stopped_tasks", stopped);
    match own {
        Some(own) => report.detail("deployment", own.to_json()),
        None => report,
    }
}

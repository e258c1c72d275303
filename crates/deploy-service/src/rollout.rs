//! The state of a deployment, decided by its identity and never by whether the service looks stable. No I/O.

use common::json::{count, text};
use ecs::names::revision_name;
use serde_json::{Value, json};

/// The state that ECS gives a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    InProgress,
    Completed,
    Failed,
}

impl State {
    /// As ECS spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::InProgress => "IN_PROGRESS",
            State::Completed => "COMPLETED",
            State::Failed => "FAILED",
        }
    }
}

/// One of a service's deployments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    /// The one that new tasks are started for.
    pub(crate) primary: bool,
    /// `FAMILY:REVISION`
    pub(crate) task_definition: String,
    pub(crate) state: State,
    pub(crate) reason: String,
    pub(crate) desired: i64,
    pub(crate) running: i64,
    pub(crate) pending: i64,
    /// Tasks that failed one after the other.
    pub(crate) failed: i64,
}

impl Deployment {
    /// As DescribeServices shows it.
    pub(crate) fn of(value: &Value) -> Self {
        Deployment {
            id: text(value, "id").to_owned(),
            primary: text(value, "status") == "PRIMARY",
            task_definition: revision_name(text(value, "taskDefinition")).to_owned(),
            state: match text(value, "rolloutState") {
                "COMPLETED" => State::Completed,
                "FAILED" => State::Failed,
                // A state that is missing or unknown is not an end.
                _ => State::InProgress,
            },
            reason: text(value, "rolloutStateReason").to_owned(),
            desired: count(value, "desiredCount"),
            running: count(value, "runningCount"),
            pending: count(value, "pendingCount"),
            failed: count(value, "failedTasks"),
        }
    }

    /// Whether ECS started it to roll back another one that failed. The API has no field for it but this text.
    pub(crate) fn is_rollback(&self) -> bool {
        self.reason.contains("rolling back") || self.reason.contains("rollback")
    }

    /// `IN_PROGRESS, 0 of 1 running, 1 pending`
    pub(crate) fn counts(&self) -> String {
        let Deployment {
            desired,
            running,
            pending,
            failed,
            ..
        } = self;
        let mut text = format!("{}, {running} of {desired} running", self.state.as_str());
        for (count, word) in [(pending, "pending"), (failed, "failed")] {
            if *count > 0 {
                text += &format!(", {count} {word}");
            }
        }
        text
    }

    /// For the report.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "primary": self.primary,
            "task_definition": self.task_definition,
            "state": self.state.as_str(),
            "reason": self.reason,
            "desired": self.desired,
            "running": self.running,
            "pending": self.pending,
            "failed": self.failed,
        })
    }
}

/// The deployment that is waited for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TrackedDeployment {
    pub(crate) id: String,
    /// The task definition that was asked for.
    pub(crate) desired: String,
    /// The last revision whose deployment completed: where ECS may roll back to.
    pub(crate) last_good: Option<String>,
    /// Whether ECS rolls back by itself when the deployment fails.
    pub(crate) rolls_back: bool,
}

/// The state of the tracked deployment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Progress {
    /// ECS is working on it.
    Pending,
    /// It failed, and ECS is rolling back to this task definition.
    RollingBack(String),
    /// It completed, and its task definition runs.
    Done,
    /// It failed, and this task definition runs instead.
    RolledBack { to: String, reason: String },
    /// It failed, and nothing took its place.
    Failed(String),
    /// Another deployment took its place.
    Superseded { by: String, task_definition: String },
    /// The service was deleted.
    Deleted,
}

impl Progress {
    /// Whether there is nothing more to wait for.
    pub(crate) fn is_end(&self) -> bool {
        !matches!(self, Progress::Pending | Progress::RollingBack(_))
    }
}

/// The state of the tracked deployment in `deployments`, which one response lists. `seen`: whether an earlier response
/// listed it.
pub(crate) fn progress(deployments: &[Deployment], tracked: &TrackedDeployment, seen: bool) -> Progress {
    let own = deployments.iter().find(|one| one.id == tracked.id);
    let primary = deployments.iter().find(|one| one.primary);
    match (own, primary) {
        // A stale read, from before the deployment was visible everywhere.
        (None, _) if !seen => Progress::Pending,
        (_, None) => Progress::Pending,
        (Some(own), Some(primary)) if own.id == primary.id => match own.state {
            State::InProgress => Progress::Pending,
            // A service that was only made larger: its deployment had completed before.
            State::Completed if own.running < own.desired => Progress::Pending,
            State::Completed if own.task_definition == tracked.desired => Progress::Done,
            State::Completed => Progress::Failed(format!(
                "it runs `{}` instead of `{}`",
                own.task_definition, tracked.desired
            )),
            // The deployment that rolls back starts a moment after the failure.
            State::Failed => match &tracked.last_good {
                Some(last_good) if tracked.rolls_back => Progress::RollingBack(last_good.clone()),
                _ => Progress::Failed(own.reason.clone()),
            },
        },
        (own, Some(primary)) => replaced(own, primary, tracked),
    }
}

/// Another deployment is the primary one: the rollback of ECS, or the deployment of another caller.
fn replaced(own: Option<&Deployment>, primary: &Deployment, tracked: &TrackedDeployment) -> Progress {
    let reason = own.map(|own| own.reason.clone()).unwrap_or_default();
    let failed = own.is_some_and(|own| own.state == State::Failed);
    let is_last_good = tracked.last_good.as_deref() == Some(primary.task_definition.as_str());
    // Where the same revision was deployed again, only its failure distinguishes a rollback from another caller's
    // deployment.
    let is_replaced = failed || (own.is_none() && tracked.desired != primary.task_definition);
    if !(primary.is_rollback() || (is_last_good && is_replaced)) {
        return Progress::Superseded {
            by: primary.id.clone(),
            task_definition: primary.task_definition.clone(),
        };
    }
    match primary.state {
        State::InProgress => Progress::RollingBack(primary.task_definition.clone()),
        State::Completed => Progress::RolledBack {
            to: primary.task_definition.clone(),
            reason,
        },
        State::Failed => Progress::Failed(format!(
            "the rollback to `{}` failed too: {}",
            primary.task_definition, primary.reason
        )),
    }
}

#[cfg(test)]
mod tests;

//! How a deployment stands: decided by identity, never by whether the service looks stable. No I/O.

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
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let count = |key: &str| value.get(key).and_then(Value::as_i64).unwrap_or_default();
        Deployment {
            id: text("id").to_owned(),
            primary: text("status") == "PRIMARY",
            task_definition: short(text("taskDefinition")).to_owned(),
            state: match text("rolloutState") {
                "COMPLETED" => State::Completed,
                "FAILED" => State::Failed,
                // Nothing known is nothing done.
                _ => State::InProgress,
            },
            reason: text("rolloutStateReason").to_owned(),
            desired: count("desiredCount"),
            running: count("runningCount"),
            pending: count("pendingCount"),
            failed: count("failedTasks"),
        }
    }

    /// Whether ECS made it to go back from another one that failed.
    pub(crate) fn goes_back(&self) -> bool {
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

/// `FAMILY:REVISION` of an ARN.
pub(crate) fn short(arn: &str) -> &str {
    arn.rsplit_once("task-definition/").map_or(arn, |(_, name)| name)
}

/// The deployment that is waited for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ours {
    pub(crate) id: String,
    /// The task definition that was asked for.
    pub(crate) desired: String,
    /// The one that ran before, to which ECS may go back.
    pub(crate) before: Option<String>,
    /// Whether the circuit breaker goes back by itself.
    pub(crate) rolls_back: bool,
}

/// How our deployment stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Progress {
    /// ECS is at it.
    Pending,
    /// It failed, and ECS is going back to this task definition.
    RollingBack(String),
    /// It completed, and it is what runs.
    Done,
    /// It failed, and this task definition runs instead.
    RolledBack { to: String, reason: String },
    /// It failed, and nothing took its place.
    Failed(String),
    /// Another deployment took its place.
    Superseded { by: String, task_definition: String },
    /// Somebody deleted the service.
    Deleted,
}

impl Progress {
    /// Whether nothing is to be waited for any more.
    pub(crate) fn is_end(&self) -> bool {
        !matches!(self, Progress::Pending | Progress::RollingBack(_))
    }
}

/// Judges `deployments`, as one answer shows them. `seen` says whether an earlier answer showed ours.
pub(crate) fn progress(deployments: &[Deployment], ours: &Ours, seen: bool) -> Progress {
    let own = deployments.iter().find(|one| one.id == ours.id);
    let primary = deployments.iter().find(|one| one.primary);
    match (own, primary) {
        // An answer from before ours was known everywhere.
        (None, _) if !seen => Progress::Pending,
        (_, None) => Progress::Pending,
        (Some(own), Some(primary)) if own.id == primary.id => match own.state {
            State::InProgress => Progress::Pending,
            // A service that was only made larger: its deployment had completed before.
            State::Completed if own.running < own.desired => Progress::Pending,
            State::Completed if own.task_definition == ours.desired => Progress::Done,
            State::Completed => Progress::Failed(format!(
                "it runs `{}` instead of `{}`",
                own.task_definition, ours.desired
            )),
            // The deployment that goes back comes a moment after the failure.
            State::Failed => match &ours.before {
                Some(before) if ours.rolls_back => Progress::RollingBack(before.clone()),
                _ => Progress::Failed(own.reason.clone()),
            },
        },
        (own, Some(primary)) => replaced(own, primary, ours),
    }
}

/// Another deployment is the primary one: ECS's way back, or somebody else's.
fn replaced(own: Option<&Deployment>, primary: &Deployment, ours: &Ours) -> Progress {
    let reason = own.map(|own| own.reason.clone()).unwrap_or_default();
    let failed = own.is_some_and(|own| own.state == State::Failed);
    let back = ours.before.as_deref() == Some(primary.task_definition.as_str());
    // Where the same revision was deployed anew, nothing but its failure tells the way back from somebody else's.
    let told_apart = failed || (own.is_none() && ours.desired != primary.task_definition);
    if !(primary.goes_back() || (back && told_apart)) {
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
            "going back to `{}` failed too: {}",
            primary.task_definition, primary.reason
        )),
    }
}

#[cfg(test)]
mod tests;

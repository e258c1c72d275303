//! Why a task stopped.

use crate::log::{self, Target, task_id};
use crate::service::{list, text};
use cli::Console;
use common::aws::Aws;
use serde_json::{Value, json};

/// How many of a container's last lines are told.
const LAST_LINES: i32 = 8;

/// A task that ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stopped {
    pub(crate) id: String,
    pub(crate) reason: String,
    /// `TaskFailedToStart` and the like.
    pub(crate) code: String,
    /// Whether its containers ran at all.
    pub(crate) started: bool,
    pub(crate) containers: Vec<Container>,
}

/// One of its containers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Container {
    pub(crate) name: String,
    /// Absent when it never started.
    pub(crate) exit_code: Option<i64>,
    pub(crate) reason: String,
    pub(crate) lines: Vec<String>,
}

impl Stopped {
    /// As DescribeTasks shows it.
    pub(crate) fn of(task: &Value) -> Self {
        let containers = list(task, "containers").iter().map(|one| Container {
            name: text(one, "name").to_owned(),
            exit_code: one.get("exitCode").and_then(Value::as_i64),
            reason: text(one, "reason").to_owned(),
            lines: Vec::new(),
        });
        Stopped {
            id: task_id(text(task, "taskArn")).to_owned(),
            reason: text(task, "stoppedReason").to_owned(),
            code: text(task, "stopCode").to_owned(),
            started: task.get("startedAt").is_some_and(|time| !time.is_null()),
            containers: containers.collect(),
        }
    }

    /// The exit code of the container of this name, once it has one.
    pub(crate) fn code_of(&self, container: &str) -> Option<i64> {
        let own = self.containers.iter().find(|one| one.name == container);
        own.and_then(|own| own.exit_code)
    }

    /// Adds the last lines of those containers that failed, or ended the task though nothing failed.
    ///
    /// # Errors
    /// When CloudWatch refuses.
    pub(crate) async fn read_logs(&mut self, definition: &Value, aws: &Aws) -> anyhow::Result<()> {
        let targets: Vec<Target> = log::targets(definition);
        // A server that is stopped because it is not healthy may well end with 0.
        let all = self.ended_by_itself() || self.reason.contains("health check");
        let asked = |one: &&mut Container| one.exit_code != Some(0) || all;
        for container in self.containers.iter_mut().filter(asked) {
            if let Some(target) = targets.iter().find(|target| target.container == container.name) {
                container.lines = target.last(aws, &self.id, LAST_LINES).await?;
            }
        }
        Ok(())
    }

    /// A container ended the task, and none of them failed by itself: what ended with 0 is the cause then, and what
    /// ECS stopped after it is not.
    fn ended_by_itself(&self) -> bool {
        let by_container =
            self.code == "EssentialContainerExited" || self.reason.starts_with("Essential container");
        by_container
            && !self
                .containers
                .iter()
                .any(|one| one.is_to_blame() && !one.was_stopped())
    }

    /// In one sentence: what stopped it, and which container.
    pub(crate) fn cause(&self) -> String {
        let mut text = format!("task {} stopped: ", self.id);
        text += if self.reason.is_empty() {
            "ECS gives no reason"
        } else {
            &self.reason
        };
        let ended = self.ended_by_itself();
        let told = |one: &&Container| one.is_to_blame() || ended && one.exit_code.is_some();
        for container in self.containers.iter().filter(told) {
            text += &format!("; {}", container.sentence());
        }
        text
    }

    /// The sentence, and below it the last lines.
    pub(crate) fn tell(&self, service: &str, note: impl Fn(String)) {
        note(format!("{service}: {}", self.cause()));
        for container in &self.containers {
            for line in &container.lines {
                note(format!("  {} | {line}", container.name));
            }
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let containers: Vec<Value> = self
            .containers
            .iter()
            .map(|one| {
                json!({
                    "name": one.name,
                    "exit_code": one.exit_code,
                    "reason": one.reason,
                    "log": one.lines,
                })
            })
            .collect();
        json!({"task": self.id, "reason": self.reason, "code": self.code, "containers": containers})
    }
}

impl Container {
    /// It failed, or could not start for a reason of its own.
    pub(crate) fn is_to_blame(&self) -> bool {
        !self.reason.is_empty() || self.exit_code.is_some_and(|code| code != 0)
    }

    /// It ended by a signal of those that ECS sends when a task stops, and has no reason of its own.
    pub(crate) fn was_stopped(&self) -> bool {
        self.reason.is_empty() && matches!(self.exit_code, Some(137 | 143))
    }

    pub(crate) fn sentence(&self) -> String {
        let mut text = format!("container `{}`", self.name);
        match self.exit_code {
            Some(code) => text += &format!(" exited with {}", with_signal(code)),
            None => text += " did not start",
        }
        if !self.reason.is_empty() {
            text += &format!(": {}", self.reason);
        }
        text
    }
}

/// The exit code, and the signal that it may stand for: engines report 128 and the signal's number.
pub(crate) fn with_signal(code: i64) -> String {
    let signal = match code {
        129 => "SIGHUP",
        130 => "SIGINT",
        131 => "SIGQUIT",
        132 => "SIGILL",
        134 => "SIGABRT",
        135 => "SIGBUS",
        136 => "SIGFPE",
        137 => "SIGKILL",
        139 => "SIGSEGV",
        141 => "SIGPIPE",
        143 => "SIGTERM",
        _ => return code.to_string(),
    };
    format!("{code} ({signal})")
}

/// Whether a stopped task is one of this deployment. ECS starts a service's tasks in the deployment's name.
pub(crate) fn is_of(task: &Value, deployment: &str) -> bool {
    text(task, "startedBy") == deployment
}

/// Says once that reasons can't be read, and why.
pub(crate) fn not_told(console: &Console, error: &anyhow::Error) {
    console.warn(format!("why tasks stop is not told: {error:#}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_names_the_container_and_its_code() {
        let arn = "arn:aws:ecs:us-east-1:123456789012:task/c/0123";
        for (task, expected) in [
            (
                json!({"taskArn": arn, "stoppedReason": "Essential container in task exited",
                       "containers": [{"name": "web", "exitCode": 1}, {"name": "xray", "exitCode": 0}]}),
                "task 0123 stopped: Essential container in task exited; container `web` exited with 1",
            ),
            (
                json!({"taskArn": arn, "stoppedReason": "CannotPullContainerError: not found",
                       "containers": [{"name": "web", "reason": "CannotPullContainerError: x"}, {"name": "xray"}]}),
                "task 0123 stopped: CannotPullContainerError: not found; container `web` did not start: CannotPullContainerError: x",
            ),
            (json!({"taskArn": arn}), "task 0123 stopped: ECS gives no reason"),
            // A server that ends is a fault, though it says that all is well. What is stopped after it is none.
            (
                json!({"taskArn": arn, "stoppedReason": "Essential container in task exited",
                       "containers": [{"name": "web", "exitCode": 0}, {"name": "xray", "exitCode": 143}]}),
                "task 0123 stopped: Essential container in task exited; container `web` exited with 0; container `xray` exited with 143 (SIGTERM)",
            ),
            (
                json!({"taskArn": arn, "stopCode": "EssentialContainerExited", "stoppedReason": "",
                       "containers": [{"name": "web", "exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"},
                                      {"name": "xray", "exitCode": 0}]}),
                "task 0123 stopped: ECS gives no reason; container `web` exited with 137 (SIGKILL): OutOfMemoryError: Container killed due to memory usage",
            ),
            // Nothing ended by itself here.
            (
                json!({"taskArn": arn, "stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Task failed container health checks",
                       "containers": [{"name": "web", "exitCode": 0}]}),
                "task 0123 stopped: Task failed container health checks",
            ),
        ] {
            assert_eq!(Stopped::of(&task).cause(), expected);
        }
    }
}

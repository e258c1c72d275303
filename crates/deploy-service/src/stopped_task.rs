//! Why a task stopped.

use crate::log_stream::targets;
use anyhow::Context;
use cli::Failure;
use common::aws::Aws;
use common::json::{list, text};
use ecs::names::last_part;
use serde_json::{Value, json};

/// How many of the last lines of a container are shown.
const LAST_LINES: u32 = 8;

/// A task that ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoppedTask {
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

impl StoppedTask {
    /// As DescribeTasks shows it.
    pub(crate) fn of(task: &Value) -> Self {
        let containers = list(task, "containers").iter().map(|one| Container {
            name: text(one, "name").to_owned(),
            exit_code: one.get("exitCode").and_then(Value::as_i64),
            reason: text(one, "reason").to_owned(),
            lines: Vec::new(),
        });
        StoppedTask {
            id: last_part(text(task, "taskArn")).to_owned(),
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

    /// Adds the last lines of the containers that failed, or that ended the task without a failure.
    ///
    /// # Errors
    /// When CloudWatch refuses.
    pub(crate) async fn read_logs(&mut self, definition: &Value, aws: &Aws) -> anyhow::Result<()> {
        let targets = targets(definition);
        // A server that is stopped as unhealthy may exit with 0.
        let all = self.ended_by_success() || self.reason.contains("health check");
        let asked = |one: &&mut Container| one.exit_code != Some(0) || all;
        for container in self.containers.iter_mut().filter(asked) {
            if let Some(target) = targets.iter().find(|target| target.container == container.name) {
                let lines = target
                    .last(aws, &self.id, LAST_LINES)
                    .await
                    .map_err(Failure::from);
                container.lines = lines.with_context(|| target.failed_to_read(&self.id))?;
            }
        }
        Ok(())
    }

    /// A container ended the task, and none of them failed: the cause is the container that exited with 0, and not those
    /// that ECS stopped after it.
    fn ended_by_success(&self) -> bool {
        let by_container =
            self.code == "EssentialContainerExited" || self.reason.starts_with("Essential container");
        by_container
            && !self
                .containers
                .iter()
                .any(|one| one.failed() && !one.was_stopped())
    }

    /// In one sentence: why it stopped, and by which container.
    pub(crate) fn cause(&self) -> String {
        let mut text = format!("task {} stopped: ", self.id);
        text += if self.reason.is_empty() {
            "ECS gives no reason"
        } else {
            &self.reason
        };
        let ended = self.ended_by_success();
        let is_shown = |one: &&Container| one.failed() || ended && one.exit_code.is_some();
        for container in self.containers.iter().filter(is_shown) {
            text += &format!("; {}", container.sentence());
        }
        text
    }

    /// Prints the sentence, and below it the last lines.
    pub(crate) fn print(&self, service: &str, info: impl Fn(String)) {
        info(format!("{service}: {}", self.cause()));
        for container in &self.containers {
            for line in &container.lines {
                info(format!("  {} | {line}", container.name));
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
    pub(crate) fn failed(&self) -> bool {
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

/// The exit code, and the signal that it may mean: container engines report 128 plus the number of the signal.
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

/// Whether a stopped task belongs to this deployment: ECS starts the tasks of a service in its name.
pub(crate) fn is_of(task: &Value, deployment: &str) -> bool {
    text(task, "startedBy") == deployment
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
            // A server must not end, not even with 0. The tasks that ECS stops after that are no failures.
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
            // No container ended the task here.
            (
                json!({"taskArn": arn, "stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Task failed container health checks",
                       "containers": [{"name": "web", "exitCode": 0}]}),
                "task 0123 stopped: Task failed container health checks",
            ),
        ] {
            assert_eq!(StoppedTask::of(&task).cause(), expected);
        }
    }
}

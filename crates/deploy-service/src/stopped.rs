//! Why a task stopped.

use crate::log::{self, Target, task_id};
use crate::service::{list, text};
use common::Console;
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
            containers: containers.collect(),
        }
    }

    /// Adds the last lines of those containers that failed.
    ///
    /// # Errors
    /// When CloudWatch refuses.
    pub(crate) async fn read_logs(&mut self, definition: &Value, aws: &Aws) -> anyhow::Result<()> {
        let targets: Vec<Target> = log::targets(definition);
        for container in self.containers.iter_mut().filter(|one| one.exit_code != Some(0)) {
            if let Some(target) = targets.iter().find(|target| target.container == container.name) {
                let lines = target.last(aws, &self.id, LAST_LINES).await?;
                container.lines = lines.into_iter().map(|line| line.text).collect();
            }
        }
        Ok(())
    }

    /// In one sentence: what stopped it, and which container.
    pub(crate) fn cause(&self) -> String {
        let mut text = format!("task {} stopped: ", self.id);
        text += if self.reason.is_empty() {
            "ECS gives no reason"
        } else {
            &self.reason
        };
        for container in self.containers.iter().filter(|one| one.is_to_blame()) {
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
    fn is_to_blame(&self) -> bool {
        !self.reason.is_empty() || self.exit_code.is_some_and(|code| code != 0)
    }

    fn sentence(&self) -> String {
        let mut text = format!("container `{}`", self.name);
        match self.exit_code {
            Some(code) => text += &format!(" exited with {code}"),
            None => text += " did not start",
        }
        if !self.reason.is_empty() {
            text += &format!(": {}", self.reason);
        }
        text
    }
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
        ] {
            assert_eq!(Stopped::of(&task).cause(), expected);
        }
    }
}

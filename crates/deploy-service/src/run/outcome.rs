//! How a command ended, and the exit code of the run. No I/O.

use crate::stopped_task::{Container, StoppedTask, with_signal};
use cli::{Exit, Failure};

/// The failure of a command; `None` when it exited with 0.
pub(super) fn failure(task: &StoppedTask, container: &str) -> Option<Failure> {
    let own = task.containers.iter().find(|one| one.name == container);
    match own.and_then(|own| own.exit_code) {
        Some(0) => None,
        Some(code) => Some(exited(task, container, own, code)),
        None if task.started => Some(
            Failure::new(
                Exit::Negative,
                format!("cannot determine how the command ended: {}", task.cause()),
            )
            .code("no-exit-code")
            .hint("ECS has no exit code for it: the command may have run, completely or in part"),
        ),
        None => Some(
            Failure::new(
                Exit::Negative,
                format!("failed to run the command: {}", task.cause()),
            )
            .code("not-started"),
        ),
    }
}

fn exited(task: &StoppedTask, container: &str, own: Option<&Container>, code: i64) -> Failure {
    let mut message = format!(
        "the command exited with {} in container `{container}` of task `{}`",
        with_signal(code),
        task.id
    );
    let reason = own.map(|own| own.reason.as_str()).unwrap_or_default();
    if !reason.is_empty() {
        message += &format!(": {reason}");
    }
    // Another container, or a request to stop the task, may have ended it.
    let others = task.containers.iter().filter(|one| one.name != container);
    for other in others.filter(|one| one.failed() && !one.was_stopped()) {
        message += &format!("; {}", other.sentence());
    }
    if !matches!(task.code.as_str(), "" | "EssentialContainerExited") && !task.reason.is_empty() {
        message += &format!("; the task was stopped: {}", task.reason);
    }
    let failure =
        Failure::new(u8::try_from(code).map_or(Exit::Negative, Exit::Child), message).code("exit-code");
    if reason.starts_with("OutOfMemory") {
        failure.hint("give it more `memory` in the task definition")
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cli::error::ErrorSummary;
    use serde_json::{Value, json};

    fn ended(containers: Value, code: &str, reason: &str) -> Option<(String, u8)> {
        let arn = "arn:aws:ecs:us-east-1:123456789012:task/c/0123";
        let task = json!({
            "taskArn": arn, "startedAt": 1, "stopCode": code, "stoppedReason": reason, "containers": containers,
        });
        let failure = failure(&StoppedTask::of(&task), "web")?;
        let described = ErrorSummary::of(&failure.into());
        Some((described.message, described.exit.code()))
    }

    #[test]
    fn the_exit_code_is_that_of_the_command() {
        let exited = "EssentialContainerExited";
        let essential = "Essential container in task exited";
        let web = |code: i64| json!([{"name": "web", "exitCode": code}]);
        assert_eq!(ended(web(0), exited, essential), None);
        for (containers, code, reason, message, exit) in [
            (
                web(7),
                exited,
                essential,
                "with 7 in container `web` of task `0123`",
                7,
            ),
            (
                web(255),
                "",
                "",
                "with 255 in container `web` of task `0123`",
                255,
            ),
            // More than an exit code can hold.
            (
                web(256),
                exited,
                essential,
                "with 256 in container `web` of task `0123`",
                1,
            ),
            (
                web(-1),
                exited,
                essential,
                "with -1 in container `web` of task `0123`",
                1,
            ),
            (
                json!([{"name": "web", "exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"}]),
                exited,
                essential,
                "with 137 (SIGKILL) in container `web` of task `0123`: OutOfMemoryError: Container killed due to memory usage",
                137,
            ),
            (
                web(143),
                "UserInitiated",
                "Task stopped by user",
                "with 143 (SIGTERM) in container `web` of task `0123`; the task was stopped: Task stopped by user",
                143,
            ),
            // The sidecar ended first, and took the command with it.
            (
                json!([{"name": "web", "exitCode": 143}, {"name": "proxy", "exitCode": 1}]),
                exited,
                essential,
                "with 143 (SIGTERM) in container `web` of task `0123`; container `proxy` exited with 1",
                143,
            ),
            // The command ended first, and took the sidecar with it.
            (
                json!([{"name": "web", "exitCode": 7}, {"name": "proxy", "exitCode": 143}]),
                exited,
                essential,
                "with 7 in container `web` of task `0123`",
                7,
            ),
        ] {
            let expected = Some((format!("the command exited {message}"), exit));
            assert_eq!(ended(containers, code, reason), expected);
        }
    }

    #[test]
    fn without_an_exit_code_the_command_may_have_run() {
        let lost = ended(json!([{"name": "web"}]), "TerminationNotice", "the host failed");
        let message = "cannot determine how the command ended: task 0123 stopped: the host failed";
        assert_eq!(lost, Some((message.to_owned(), 1)));
        let task = json!({"taskArn": "x/0123", "stoppedReason": "CannotPullContainerError: x"});
        let failure = failure(&StoppedTask::of(&task), "web").unwrap();
        assert_eq!(
            failure.to_string(),
            "failed to run the command: task 0123 stopped: CannotPullContainerError: x"
        );
    }
}

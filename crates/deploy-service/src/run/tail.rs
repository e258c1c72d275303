//! The command's log, as far as it has come in. Nothing that goes wrong with it changes how the run ends.

use crate::log::Target;
use crate::refusal::Refusal;
use cli::Console;
use cli::duration;
use cli::error::ErrorSummary;
use cli::progress::Progress;
use common::aws::Aws;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// The longest pause between two looks for the last lines; `--poll` may make it shorter.
const PAUSE: Duration = Duration::from_secs(1);

/// With nothing new so often, the log is taken to be over: five seconds, usually. When a container ends, the driver
/// sends what it still has at once, and while it runs every five seconds; CloudWatch shows it a moment later.
const QUIET: u32 = 6;

/// The same where no line has come at all: ten seconds. A command that says nothing is rarer than one whose first
/// lines are late.
const SILENT: u32 = 11;

/// Longer than this nobody waits for the last lines, whatever CloudWatch answers.
const LAST_LINES: Duration = Duration::from_secs(15);

/// Longer than this one look does not wait for CloudWatch: the task is what counts.
const LOOK: Duration = Duration::from_secs(5);

/// The stream of one container of one task.
pub(super) struct Tail<'a> {
    aws: &'a Aws,
    console: &'a Console,
    target: Option<Target>,
    /// The ARN.
    task: &'a str,
    token: Option<String>,
    /// Kept for the document alone.
    lines: Vec<Value>,
    has_lines: bool,
    /// Why the last look failed.
    behind: Option<String>,
    /// There is nothing more to look for.
    is_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Lines,
    Nothing,
    Failed,
}

impl<'a> Tail<'a> {
    pub(super) fn new(aws: &'a Aws, console: &'a Console, target: Option<Target>, task: &'a str) -> Self {
        Tail {
            aws,
            console,
            target,
            task,
            token: None,
            lines: Vec::new(),
            has_lines: false,
            behind: None,
            is_over: false,
        }
    }

    /// The lines so far, where they are not printed.
    pub(super) fn lines(&self) -> Option<Value> {
        self.console.is_json().then(|| self.lines.clone().into())
    }

    /// Prints what is new.
    pub(super) async fn read(&mut self, progress: &Progress<'_>) {
        self.look(progress, LOOK).await;
    }

    /// Prints the last lines, after the container has ended.
    pub(super) async fn rest(&mut self, progress: &Progress<'_>, poll: Duration) {
        let end = Instant::now() + LAST_LINES;
        let mut quiet = 0;
        while self.target.is_some() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match self.look(progress, left.min(LOOK)).await {
                Look::Lines => quiet = 0,
                Look::Nothing => quiet += 1,
                Look::Failed => {}
            }
            let is_over = quiet >= if self.has_lines { QUIET } else { SILENT };
            if is_over {
                break;
            }
            tokio::time::sleep(poll.min(PAUSE)).await;
        }
        if let Some(why) = &self.behind {
            self.cut_off(why);
        }
        self.is_over = true;
    }

    /// Says that there may be more, and why it is not looked for.
    pub(super) fn cut_off(&self, why: &str) {
        if self.target.is_some() && !self.is_over {
            self.console
                .warn(format!("the last lines of the log may be missing: {why}"));
        }
    }

    async fn look(&mut self, progress: &Progress<'_>, limit: Duration) -> Look {
        let Some(target) = &self.target else {
            return Look::Nothing;
        };
        let failed = target.failed_to_read(self.task);
        let (lines, has_lines) = (&mut self.lines, &mut self.has_lines);
        let (is_json, mut is_new) = (self.console.is_json(), false);
        // Line by line: what has come in is not lost when the rest does not come.
        let take = |line: String| {
            (is_new, *has_lines) = (true, true);
            if is_json {
                lines.push(line.into());
            } else {
                progress.print(&line);
            }
        };
        let read = target.next(self.aws, self.task, &mut self.token, take);
        match tokio::time::timeout(limit, read).await {
            Ok(Ok(())) => {
                self.behind = None;
                if is_new { Look::Lines } else { Look::Nothing }
            }
            Ok(Err(refusal)) => {
                self.failed(refusal, &failed);
                Look::Failed
            }
            Err(_) => {
                let limit = duration::show(limit);
                self.behind = Some(format!(
                    "{failed}: logs:GetLogEvents got no answer within {limit}"
                ));
                Look::Failed
            }
        }
    }

    /// What passes is asked for again at the next look; anything else is told once.
    fn failed(&mut self, refusal: Refusal, failed: &str) {
        let passes = refusal.passes();
        let why = ErrorSummary::of(&refusal.failure.into());
        let why = format!("{failed}: {}", why.message);
        if passes {
            self.behind = Some(why);
        } else {
            self.behind = None;
            self.target = None;
            self.console
                .warn(format!("the command's log is not shown any further: {why}"));
        }
    }
}

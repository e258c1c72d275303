//! The command's log, as far as it has come in. Nothing that goes wrong with it changes how the run ends.

use crate::log::Target;
use crate::refusal::Refusal;
use common::Console;
use common::aws::Aws;
use common::failure::Described;
use common::progress::Progress;
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
        self.look(progress).await;
    }

    /// Prints the last lines, after the container has ended.
    pub(super) async fn rest(&mut self, progress: &Progress<'_>, poll: Duration) {
        let end = Instant::now() + LAST_LINES;
        let mut quiet = 0;
        while self.target.is_some() {
            match self.look(progress).await {
                Look::Lines => quiet = 0,
                Look::Nothing => quiet += 1,
                Look::Failed => {}
            }
            let is_over = quiet >= if self.has_lines { QUIET } else { SILENT };
            if is_over || Instant::now() >= end {
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

    async fn look(&mut self, progress: &Progress<'_>) -> Look {
        let Some(target) = &self.target else {
            return Look::Nothing;
        };
        let mut lines = Vec::new();
        let read = target
            .next(self.aws, self.task, &mut self.token, &mut lines)
            .await;
        let failed = target.failed_to_read(self.task);
        let is_new = !lines.is_empty();
        self.has_lines |= is_new;
        for line in lines {
            if self.console.is_json() {
                self.lines.push(line.into());
            } else {
                progress.print(&line);
            }
        }
        match read {
            Ok(()) => {
                self.behind = None;
                if is_new { Look::Lines } else { Look::Nothing }
            }
            Err(refusal) => {
                self.failed(refusal, &failed);
                Look::Failed
            }
        }
    }

    /// What passes is asked for again at the next look; anything else is told once.
    fn failed(&mut self, refusal: Refusal, failed: &str) {
        let passes = refusal.passes();
        let why = Described::of(&refusal.failure.into());
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

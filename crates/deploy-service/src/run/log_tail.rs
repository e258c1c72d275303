//! The log of the command, as far as it has arrived. A failure to read it never changes how the run ends.

use super::in_flight::InFlight;
use crate::cadence::{
    LOG_READ, LOG_TAIL_EMPTY, LOG_TAIL_MIN_POLL, LOG_TAIL_POLL, LOG_TAIL_QUIET, LOG_TAIL_TOTAL,
};
use crate::context::Context;
use crate::log_stream::LogTarget;
use crate::poll::is_transient;
use cli::duration;
use cli::error::ErrorSummary;
use cli::escape::to_one_line;
use cli::progress::Progress;
use cli::{Console, Failure};
use common::aws::Client;
use std::time::Duration;
use tokio::time::Instant;

/// The stream of one container of one task.
pub(super) struct LogTail<'a> {
    console: &'a Console,
    source: Option<(Client, LogTarget)>,
    /// The ARN.
    task: &'a str,
    token: Option<String>,
    /// When the last new line arrived.
    last_line: Option<Instant>,
    /// Why the last read failed, if the next one may succeed.
    behind: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Lines,
    Nothing,
    Failed,
}

impl<'a> LogTail<'a> {
    pub(super) fn new(context: &'a Context<'_>, target: Option<LogTarget>, task: &'a str) -> Self {
        LogTail {
            console: context.console,
            source: target.map(|target| (target.client(&context.aws), target)),
            task,
            token: None,
            last_line: None,
            behind: None,
        }
    }

    /// Prints the new lines.
    pub(super) async fn read(&mut self, progress: &Progress<'_>, in_flight: &mut InFlight<'_>) {
        self.read_within(LOG_READ, progress, in_flight).await;
    }

    /// Prints the rest, after the container has ended.
    pub(super) async fn read_rest(
        &mut self,
        progress: &Progress<'_>,
        in_flight: &mut InFlight<'_>,
        poll: Duration,
    ) {
        let start = Instant::now();
        let end = start + LOG_TAIL_TOTAL;
        while self.source.is_some() {
            let remaining = end.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                break;
            }
            let read = self.read_within(remaining.min(LOG_READ), progress, in_flight);
            let read = read.await;
            let (quiet_since, limit) = match self.last_line {
                Some(last_line) => (last_line.max(start), LOG_TAIL_QUIET),
                None => (start, LOG_TAIL_EMPTY),
            };
            if read == Read::Nothing && quiet_since.elapsed() >= limit {
                break;
            }
            tokio::time::sleep(poll.clamp(LOG_TAIL_MIN_POLL, LOG_TAIL_POLL)).await;
        }
        if let Some(why) = &self.behind {
            self.console
                .warn(format!("the last lines of the log may be missing: {why}"));
        }
        in_flight.close_log();
    }

    async fn read_within(
        &mut self,
        limit: Duration,
        progress: &Progress<'_>,
        in_flight: &mut InFlight<'_>,
    ) -> Read {
        let Some((client, target)) = &self.source else {
            return Read::Nothing;
        };
        let failed = target.failed_to_read(self.task);
        let is_json = self.console.is_json();
        let mut is_new = false;
        // Page by page: what was read is kept when the next page does not arrive.
        let take = |lines: Vec<String>| {
            is_new |= !lines.is_empty();
            if is_json {
                in_flight.add_log(lines);
            } else {
                lines.iter().for_each(|line| progress.print(&to_one_line(line)));
            }
        };
        let read = target.read(client, self.task, &mut self.token, take);
        let read = tokio::time::timeout(limit, read).await;
        if is_new {
            self.last_line = Some(Instant::now());
        }
        let error = match read {
            Ok(Ok(())) => {
                self.behind = None;
                return if is_new { Read::Lines } else { Read::Nothing };
            }
            Ok(Err(error)) => error,
            Err(_) => {
                let limit = duration::show(limit);
                self.behind = Some(format!(
                    "{failed}: logs:GetLogEvents got no answer within {limit}"
                ));
                return Read::Failed;
            }
        };
        let is_transient = is_transient(error.kind());
        let why = ErrorSummary::of(&Failure::from(error).into()).message;
        let why = format!("{failed}: {why}");
        if is_transient {
            self.behind = Some(why);
        } else {
            self.behind = None;
            self.source = None;
            self.console
                .warn(format!("the command's log is not shown any further: {why}"));
        }
        Read::Failed
    }
}

//! The one door to stdout and stderr.

use crate::error::{ErrorKind, ErrorSummary, Failure};
use crate::exit::Exit;
use crate::journal::{Journal, OnInterrupt};
use crate::output::{Format, OutputArgs};
use crate::redact::Redactor;
use crate::report::{ErrorReport, Item, Outcome, Report};
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Prints for one tool: the result on stdout, everything else on stderr, secrets nowhere.
pub struct Console {
    tool: &'static str,
    format: Format,
    quiet: bool,
    verbose: bool,
    redactor: Redactor,
    /// The code for a result that nobody got.
    on_write_error: Exit,
    /// Why a part of the result could not be written.
    lost: OnceLock<io::Error>,
    /// Whoever read the result has gone away.
    unread: AtomicBool,
    journal: Journal,
}

impl Console {
    /// A console for `tool`.
    pub fn new(tool: &'static str, output: &OutputArgs) -> Self {
        Console {
            tool,
            format: output.output,
            quiet: output.quiet,
            verbose: output.verbose,
            redactor: Redactor::default(),
            on_write_error: Exit::Error,
            lost: OnceLock::new(),
            unread: AtomicBool::new(false),
            journal: Journal::default(),
        }
    }

    /// Ends with another code than 2 when the result can't be written.
    #[must_use]
    pub fn on_write_error(mut self, exit: Exit) -> Self {
        self.on_write_error = exit;
        self
    }

    /// The tool's name.
    pub fn tool(&self) -> &'static str {
        self.tool
    }

    /// Whether the result is a JSON document.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether progress is wanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether `-v` was given.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Hides `secret` in all that is printed from now on.
    pub fn redact(&self, secret: &str) {
        self.redactor.add(secret);
    }

    /// `text` without the secrets, for printers of another kind (progress bars).
    pub fn redacted(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    /// A line of progress on stderr, not with `--quiet`.
    pub fn info(&self, message: impl Display) {
        if !self.quiet {
            self.stderr(&message.to_string());
        }
    }

    /// A line on stderr that only `-v` shows.
    pub fn debug(&self, message: impl Display) {
        if self.verbose {
            self.stderr(&format!("{}: {message}", self.tool));
        }
    }

    /// A warning on stderr, also with `--quiet`.
    pub fn warn(&self, message: impl Display) {
        self.stderr(&format!("{}: {} {message}", self.tool, paint("warning:", YELLOW)));
    }

    /// The error line and its hint on stderr.
    pub fn error(&self, message: &str, hint: Option<&str>) {
        self.stderr(&format!("{}: {} {message}", self.tool, paint("error:", RED)));
        if let Some(hint) = hint {
            self.stderr(&format!("hint: {hint}"));
        }
    }

    /// A line of the result. A reader that has gone away is no error: the work is done. Any other fault is
    /// told at the end, by [`Console::finish`].
    pub fn stdout(&self, text: &str) {
        self.write(&self.redacted(text));
    }

    fn write(&self, line: &str) {
        // After a line that is lost, the next ones would look like the whole.
        if self.lost.get().is_some() {
            return;
        }
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.unread.store(true, Ordering::Relaxed)
            }
            Err(error) => {
                let _ = self.lost.set(error);
            }
            Ok(()) => {}
        }
    }

    /// Whether a line of the result has met nobody who reads: what would go on for ever can end.
    pub fn has_no_reader(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    /// `exit`, unless a part of the result is lost and `exit` would not tell of it.
    pub(crate) fn end(&self, exit: Exit, is_error: bool) -> ExitCode {
        let Some(error) = self.lost.get() else {
            return ExitCode::from(exit.code());
        };
        let words = error.to_string();
        let why = words.split(" (os error").next().unwrap_or_default();
        self.error(&format!("failed to write the result: {why}"), None);
        let exit = if is_error { exit } else { self.on_write_error };
        ExitCode::from(exit.code())
    }

    /// A question on stderr; the answer goes on the same line.
    pub fn ask(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "{}", self.redacted(text)).and_then(|()| stderr.flush());
    }

    /// Prints on stderr what was done with `item`, or would be done under `--dry-run`, and below it each change. What
    /// was done is recorded as well.
    pub fn announce(&self, item: &Item, plan_only: bool) {
        if !plan_only {
            self.journal.record(item, true);
        }
        let name = &item.name;
        let word = match (item.action.as_str(), plan_only) {
            ("none", _) => "unchanged",
            ("create", true) => "would be created",
            ("create", false) => "created",
            ("push", false) => "pushed",
            (action @ ("failed" | "skipped" | "unfinished"), false) => action,
            (_, true) => "would be updated",
            (_, false) => "updated",
        };
        self.info(format!("{name}: {word}"));
        if item.action != "none" {
            item.changes
                .iter()
                .for_each(|change| self.info(format!("  {change}")));
        }
    }

    /// From here on the run changes something: `report` is the base of its report when the deadline or a signal ends
    /// it early. Items in it are replaced as they are recorded.
    pub fn begin(&self, report: &Report) {
        self.journal.begin(report.clone());
    }

    /// Records what was done with `item` so far, for the report of an interrupted run. [`Console::announce`] records
    /// too.
    pub fn record(&self, item: &Item) {
        self.journal.record(item, false);
    }

    /// Sends a call that changes something. When the run is interrupted before the response, its report names `call`
    /// (``ecs:CreateCluster for cluster `x` ``): it may have been applied or not.
    pub async fn in_flight<T>(&self, call: impl Into<String>, sent: impl Future<Output = T>) -> T {
        let number = self.journal.sent(call.into());
        let response = sent.await;
        self.journal.answered(number);
        response
    }

    /// What an interrupted run reports beyond its recorded items and calls; replaces what was set before.
    pub fn on_interrupt(&self, action: Option<OnInterrupt>) {
        self.journal.on_interrupt(action);
    }

    /// The report of a run that the deadline has ended. What it had changed stands on stderr as well.
    pub fn report_deadline(&self, timeout: Duration) -> Report {
        let (recorded, action) = self.report_recorded();
        let failure = Failure::timeout(timeout);
        let (failure, report) = match action {
            None => (failure, recorded),
            Some(OnInterrupt::Hint(hint)) => (failure.hint(hint), recorded),
            Some(OnInterrupt::Continues {
                what,
                state,
                hint,
                report,
            }) => {
                let message = format!("{what} is {failure}: {state}");
                let failure = Failure::new(Exit::Deadline, message).kind(ErrorKind::Timeout);
                (
                    failure.code("timeout").hint(format!("it goes on: {hint}")),
                    report,
                )
            }
            Some(OnInterrupt::Complete { report, missing }) => {
                if let Some(missing) = missing {
                    self.warn(format!("{missing}: {failure}"));
                }
                return report;
            }
        };
        self.failed(&failure.into(), report)
    }

    /// Until deploy-service uses [`Console::on_interrupt`].
    #[doc(hidden)]
    pub fn finish_interrupted(&self, failure: Failure) -> Report {
        let (report, _) = self.report_recorded();
        self.failed(&failure.into(), report)
    }

    /// Prints on stderr what the run had changed when a signal ended it, and what AWS continues.
    pub fn report_interrupted(&self) {
        if let (
            _,
            Some(OnInterrupt::Continues {
                what, state, hint, ..
            }),
        ) = self.report_recorded()
        {
            self.stderr(&format!("{}: {what} goes on: {state}", self.tool));
            self.stderr(&format!("hint: {hint}"));
        }
    }

    fn report_recorded(&self) -> (Report, Option<OnInterrupt>) {
        let taken = self.journal.take();
        taken
            .unannounced
            .iter()
            .for_each(|item| self.announce(item, false));
        for call in taken.in_flight {
            self.warn(format!("{call} got no response; it may have been applied"));
        }
        (taken.report, taken.on_interrupt)
    }

    /// A line on stderr as it is.
    pub fn stderr(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", self.redacted(text));
    }

    /// Prints the result or the error, and gives the exit code to end with.
    pub fn finish(&self, result: anyhow::Result<Report>) -> ExitCode {
        let report = result.unwrap_or_else(|error| self.failed(&error, Report::new(Outcome::Failed)));
        if let Some(error) = &report.error {
            self.error(&error.message, error.hint.as_deref());
        }
        let (exit, is_error) = (report.exit(), report.error.is_some());
        match self.format {
            Format::Text => {
                let ours = report.names();
                let lines = report.lines.iter();
                lines.for_each(|line| self.write(&self.redactor.redact_except(line, &ours)));
            }
            Format::Json => {
                let report = report.without_secrets(&|text| self.redacted(text));
                self.write(&report.to_json(self.tool).to_string());
            }
        }
        self.end(exit, is_error)
    }

    /// `report`, in which some items went through before `error` came: exit code 4.
    pub fn partly(&self, error: &anyhow::Error, report: Report) -> Report {
        let summary = ErrorSummary::of(error);
        let hint = summary
            .hint
            .unwrap_or_else(|| "run it again: what is done is not done twice".into());
        let failure = Failure::new(Exit::Partial, format!("{error:#}")).hint(hint);
        let failure = match summary.code {
            Some(code) => failure.code(code),
            None => failure,
        };
        let failure = failure.kind(summary.kind);
        self.failed(&failure.into(), report)
    }

    /// `report`, ended by `error`: with the error's own outcome and exit code.
    pub fn failed(&self, error: &anyhow::Error, mut report: Report) -> Report {
        let summary = ErrorSummary::of(error);
        report.outcome = Outcome::of_error(summary.exit);
        report.exit = Some(summary.exit);
        report.error = Some(ErrorReport {
            message: summary.message,
            kind: summary.kind,
            code: summary.code,
            hint: summary.hint,
        });
        report
    }
}

const RED: &str = "31";
const YELLOW: &str = "33";

/// Colour only on a terminal and without `NO_COLOR` (https://no-color.org: set and not empty).
fn paint(word: &str, colour: &str) -> String {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted && io::stderr().is_terminal() {
        format!("\x1b[1;{colour}m{word}\x1b[0m")
    } else {
        word.to_owned()
    }
}

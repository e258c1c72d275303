//! Prints to stdout and stderr; nothing else in the tools does.

use crate::error::{ErrorKind, ErrorSummary, Failure};
use crate::escape;
use crate::exit::Exit;
use crate::journal::{Journal, OnInterrupt};
use crate::output::{Format, OutputArgs};
use crate::redact::Redactor;
use crate::report::{ErrorReport, Item, Outcome, Report};
use serde_json::Value;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Prints for one tool: the result on stdout, everything else on stderr, and no secrets.
pub struct Console {
    tool: &'static str,
    format: Format,
    quiet: bool,
    verbose: bool,
    redactor: Arc<Redactor>,
    /// The exit code when the result could not be written.
    on_write_error: Exit,
    /// Why a line of the result could not be written.
    write_error: OnceLock<io::Error>,
    /// The reader of stdout has closed it.
    stdout_closed: AtomicBool,
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
            redactor: Arc::default(),
            on_write_error: Exit::Error,
            write_error: OnceLock::new(),
            stdout_closed: AtomicBool::new(false),
            journal: Journal::default(),
        }
    }

    /// Sets another exit code than 2 for a result that can't be written.
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

    /// Whether `--quiet` was given.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether `-v` was given.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Redacts `secret` in everything that is printed from now on.
    pub fn redact(&self, secret: &str) {
        self.redactor.add(secret);
    }

    /// What [`Console::redact`] adds to, for what lives longer than a borrow of the console.
    pub fn redactor(&self) -> Arc<Redactor> {
        self.redactor.clone()
    }

    /// `text` as it may be printed: without the secrets, and with control characters as escapes.
    pub fn printable(&self, text: &str) -> String {
        escape::control_characters(&self.redactor.redact(text)).into_owned()
    }

    /// Prints a line of progress on stderr, unless `--quiet` was given.
    pub fn info(&self, message: impl Display) {
        if !self.quiet {
            self.stderr(&message.to_string());
        }
    }

    /// Prints a line on stderr if `-v` was given.
    pub fn debug(&self, message: impl Display) {
        if self.verbose {
            self.stderr(&format!("{}: {message}", self.tool));
        }
    }

    /// Prints a warning on stderr, also with `--quiet`.
    pub fn warn(&self, message: impl Display) {
        self.labelled(&paint("warning:", YELLOW), &message.to_string());
    }

    /// Prints an error and its hint on stderr.
    pub fn error(&self, message: &str, hint: Option<&str>) {
        self.labelled(&paint("error:", RED), message);
        if let Some(hint) = hint {
            self.stderr(&format!("hint: {hint}"));
        }
    }

    fn labelled(&self, label: &str, message: &str) {
        let message = self.printable(message);
        let _ = writeln!(io::stderr().lock(), "{}: {label} {message}", self.tool);
    }

    /// Prints a line of the result. A closed stdout is no error, because the work is done. [`Console::finish`] reports any
    /// other error.
    pub fn stdout(&self, text: &str) {
        self.write(&self.printable(text));
    }

    fn write(&self, line: &str) {
        // Lines after a missing one would look like the complete result.
        if self.write_error.get().is_some() {
            return;
        }
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.stdout_closed.store(true, Ordering::Relaxed)
            }
            Err(error) => {
                let _ = self.write_error.set(error);
            }
            Ok(()) => {}
        }
    }

    /// Whether the reader of stdout has closed it: a tool that prints without end can end.
    pub fn has_no_reader(&self) -> bool {
        self.stdout_closed.load(Ordering::Relaxed)
    }

    /// `exit`; the code for a result that could not be written, if `exit` is not that of an error.
    pub(crate) fn end(&self, exit: Exit, is_error: bool) -> ExitCode {
        let Some(error) = self.write_error.get() else {
            return ExitCode::from(exit.code());
        };
        let text = error.to_string();
        let why = text.split(" (os error").next().unwrap_or_default();
        self.error(&format!("failed to write the result: {why}"), None);
        let exit = if is_error { exit } else { self.on_write_error };
        ExitCode::from(exit.code())
    }

    /// Prints a question on stderr; the answer follows on the same line.
    pub fn ask(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "{}", self.printable(text)).and_then(|()| stderr.flush());
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
            ("skipped", false) => "skipped",
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
        for item in &taken.unannounced {
            let error = item.details.get("error");
            let text = |key| error.and_then(|error| error.get(key)).and_then(Value::as_str);
            match text("message") {
                Some(message) => self.error(message, text("hint")),
                None => self.announce(item, false),
            }
        }
        for call in taken.in_flight {
            self.warn(format!("{call} got no response; it may have been applied"));
        }
        (taken.report, taken.on_interrupt)
    }

    /// Prints a line on stderr without a prefix.
    pub fn stderr(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", self.printable(text));
    }

    /// Prints the result or the error, and returns the exit code.
    pub fn finish(&self, result: anyhow::Result<Report>) -> ExitCode {
        let report = result.unwrap_or_else(|error| self.failed(&error, Report::new(Outcome::Failed)));
        if let Some(error) = &report.error {
            self.error(&error.message, error.hint.as_deref());
        }
        let (exit, is_error) = (report.exit(), report.error.is_some());
        match self.format {
            Format::Text => {
                let ours = report.names();
                if !report.lines.is_empty() {
                    let lines = self.redactor.redact_except(&report.lines.join("\n"), &ours);
                    self.write(&escape::control_characters(&lines));
                }
            }
            Format::Json => {
                let report = report.without_secrets(&|text| self.redactor.redact(text));
                self.write(&escape::in_json(&report.to_json(self.tool).to_string()));
            }
        }
        self.end(exit, is_error)
    }

    /// `report`, whose items are partly done, ended by `error`: exit code 4.
    pub fn partial(&self, error: &anyhow::Error, report: Report) -> Report {
        let summary = ErrorSummary::of(error);
        let hint = summary
            .hint
            .unwrap_or_else(|| "safe to re-run: only what differs is changed".into());
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
    let allowed = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if allowed && io::stderr().is_terminal() {
        format!("\x1b[1;{colour}m{word}\x1b[0m")
    } else {
        word.to_owned()
    }
}

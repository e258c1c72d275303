//! The report of the task while its command runs, for the case that the run is interrupted.

use crate::manual_commands::ManualCommands;
use cli::{Console, Item, OnInterrupt, Outcome, Report};
use serde_json::Value;

/// The report of the run; the console gets it after each change.
pub(super) struct InFlight<'a> {
    console: &'a Console,
    manual: &'a ManualCommands,
    id: &'a str,
    state: String,
    report: Report,
    /// Whether the command has ended; `report` is complete but for its log then.
    is_ended: bool,
    /// Whether lines of the log may be missing in it.
    is_log_open: bool,
}

impl<'a> InFlight<'a> {
    pub(super) fn new(
        console: &'a Console,
        manual: &'a ManualCommands,
        id: &'a str,
        state: &str,
        item: Item,
    ) -> Self {
        let mut report = Report::new(Outcome::Ok);
        report.items.push(item);
        if console.is_json() {
            report = report.detail("log", Vec::<Value>::new());
        }
        let new = InFlight {
            console,
            manual,
            id,
            state: state.to_owned(),
            report,
            is_ended: false,
            is_log_open: true,
        };
        new.publish();
        new
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    pub(super) fn set_state(&mut self, state: &str) {
        state.clone_into(&mut self.state);
        self.publish();
    }

    /// Adds lines of the log, which the document contains.
    pub(super) fn add_log(&mut self, lines: Vec<String>) {
        if let Some(Value::Array(log)) = self.report.details.get_mut("log") {
            log.extend(lines.into_iter().map(Value::from));
        }
        self.publish();
    }

    /// There is nothing more to read of the log.
    pub(super) fn close_log(&mut self) {
        self.is_log_open = false;
        self.publish();
    }

    /// The command has ended; `complete` adds the result to the report.
    pub(super) fn end(&mut self, complete: impl FnOnce(Report) -> Report) {
        self.report = complete(self.report.clone());
        self.is_ended = true;
        self.publish();
    }

    pub(super) fn into_report(self) -> Report {
        self.report
    }

    fn publish(&self) {
        let report = self.report.clone();
        let missing = self
            .is_log_open
            .then(|| "the last lines of the log may be missing".to_owned());
        self.console.on_interrupt(Some(if self.is_ended {
            OnInterrupt::Complete { report, missing }
        } else {
            OnInterrupt::Continues {
                what: format!("task `{}`", self.id),
                state: self.state.clone(),
                hint: self.manual.task_hint(self.id),
                report,
            }
        }));
    }
}

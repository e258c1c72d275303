//! What goes on in ECS whether or not somebody waits for it.

use cli::duration;
use cli::{Console, ErrorKind, Exit, Failure, Report};
use std::cell::RefCell;
use std::time::Duration;

/// What is waited for, for the end of the tool that comes before the end of the wait.
#[derive(Debug, Default)]
pub(crate) struct Ongoing(RefCell<Option<Known>>);

#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// ``deployment `ecs-svc/1` of service `web` ``
    pub(crate) what: String,
    /// `IN_PROGRESS, 0 of 1 running, 1 pending`
    pub(crate) state: String,
    /// How to follow it, and how to stop it.
    pub(crate) hint: String,
    pub(crate) report: Report,
}

impl Ongoing {
    pub(crate) fn set(&self, known: Known) {
        *self.0.borrow_mut() = Some(known);
    }

    /// Changes the state that is told.
    pub(crate) fn state(&self, state: String, report: Report) {
        if let Some(known) = self.0.borrow_mut().as_mut() {
            known.state = state;
            known.report = report;
        }
    }

    /// It has come to its end.
    pub(crate) fn clear(&self) {
        *self.0.borrow_mut() = None;
    }

    /// After a signal: that it goes on.
    pub(crate) fn leave(&self, console: &Console) {
        if let Some(known) = self.0.borrow().as_ref() {
            console.stderr(&format!(
                "{}: {} goes on: {}",
                console.tool(),
                known.what,
                known.state
            ));
            console.stderr(&format!("hint: {}", known.hint));
        }
    }

    /// The report of a run whose deadline passed: what goes on, or what was changed until then.
    pub(crate) fn late(&self, timeout: Duration, console: &Console) -> Report {
        let Some(known) = self.0.borrow_mut().take() else {
            return console.finish_interrupted(runtime::late(timeout));
        };
        // What was changed stands in the report of what goes on.
        console.report_interrupted();
        let message = format!(
            "{} is not done after {}: {}",
            known.what,
            duration::show(timeout),
            known.state
        );
        let failure = Failure::new(Exit::Deadline, message)
            .kind(ErrorKind::Timeout)
            .code("timeout")
            .hint(format!("it goes on: {}", known.hint));
        console.failed(&failure.into(), known.report)
    }
}

//! What a run has changed so far: the source of its report when the deadline or a signal ends it early. The work
//! itself is dropped then.

use crate::report::{Item, Outcome, Report};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The changes of one run, and its calls without a response so far.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The report so far, without its items.
    report: Option<Report>,
    items: Vec<Entry>,
    in_flight: BTreeMap<u64, String>,
    calls: u64,
    on_interrupt: Option<OnInterrupt>,
}

#[derive(Debug)]
struct Entry {
    item: Item,
    /// Whether it stands on stderr already, or need not.
    is_announced: bool,
}

/// What an interrupted run reports beyond its recorded items and calls.
#[derive(Clone, Debug)]
pub enum OnInterrupt {
    /// The hint of the deadline's error.
    Hint(String),
    /// AWS continues the work after the tool has ended: a deployment, a task.
    Continues {
        /// ``deployment `ecs-svc/1` of service `web` ``
        what: String,
        /// `IN_PROGRESS, 0 of 1 running, 1 pending`
        state: String,
        /// How to follow it, and how to stop it.
        hint: String,
        /// The report of a deadline, with its items.
        report: Report,
    },
    /// The result is known, and only details are still read: a deadline ends the run with this result.
    Complete {
        /// The result.
        report: Report,
        /// A warning for the deadline: ``the last lines of the log may be missing``.
        missing: Option<String>,
    },
}

/// What [`Journal::take`] returns.
#[derive(Debug)]
pub(crate) struct Taken {
    /// With all items.
    pub(crate) report: Report,
    /// The items that do not stand on stderr yet.
    pub(crate) unannounced: Vec<Item>,
    /// The calls without a response.
    pub(crate) in_flight: Vec<String>,
    pub(crate) on_interrupt: Option<OnInterrupt>,
}

impl Journal {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts with `report`. Its items are those of the plan; [`Journal::record`] replaces them one by one.
    pub(crate) fn begin(&self, mut report: Report) {
        let planned = std::mem::take(&mut report.items);
        let mut state = self.state();
        state.report = Some(report);
        state.items = planned
            .into_iter()
            .map(|item| Entry {
                item,
                is_announced: true,
            })
            .collect();
    }

    /// Keeps the new state of `item`, in place of an earlier one with the same kind and name.
    pub(crate) fn record(&self, item: &Item, is_announced: bool) {
        let mut state = self.state();
        let entry = Entry {
            item: item.clone(),
            is_announced,
        };
        let earlier = state
            .items
            .iter_mut()
            .find(|earlier| earlier.item.kind == item.kind && earlier.item.name == item.name);
        match earlier {
            Some(earlier) => *earlier = entry,
            None => state.items.push(entry),
        }
    }

    /// Keeps a call that is sent; the number is for [`Journal::answered`].
    pub(crate) fn sent(&self, call: String) -> u64 {
        let mut state = self.state();
        state.calls += 1;
        let number = state.calls;
        state.in_flight.insert(number, call);
        number
    }

    pub(crate) fn answered(&self, number: u64) {
        self.state().in_flight.remove(&number);
    }

    pub(crate) fn on_interrupt(&self, action: Option<OnInterrupt>) {
        self.state().on_interrupt = action;
    }

    /// Takes everything out.
    pub(crate) fn take(&self) -> Taken {
        let state = std::mem::take(&mut *self.state());
        let mut report = state.report.unwrap_or_else(|| Report::new(Outcome::Unchanged));
        let unannounced = state.items.iter().filter(|entry| !entry.is_announced);
        let unannounced = unannounced.map(|entry| entry.item.clone()).collect();
        report.items = state.items.into_iter().map(|entry| entry.item).collect();
        Taken {
            report,
            unannounced,
            in_flight: state.in_flight.into_values().collect(),
            on_interrupt: state.on_interrupt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Change;

    #[test]
    fn the_last_state_of_an_item_counts() {
        let journal = Journal::default();
        let mut report = Report::new(Outcome::Unchanged).detail("account", "123456789012");
        report.items.push(Item::new("role", "z", "unfinished"));
        report.items.push(Item::new("role", "a", "unfinished"));
        journal.begin(report);
        let role = Item::new("role", "a", "create");
        journal.record(&role, false);
        journal.record(&Item::new("role", "b", "update"), true);
        let role = role.changes(vec![Change::new("path", "/", "/x/")]);
        journal.record(&role, false);
        let taken = journal.take();
        assert_eq!(taken.unannounced, std::slice::from_ref(&role));
        let unfinished = Item::new("role", "z", "unfinished");
        assert_eq!(
            taken.report.items,
            [unfinished, role, Item::new("role", "b", "update")]
        );
        assert_eq!(taken.report.details["account"], "123456789012");
        assert!(journal.take().report.items.is_empty());
    }

    #[test]
    fn only_calls_without_a_response_are_left() {
        let journal = Journal::default();
        let first = journal.sent("first".into());
        journal.sent("second".into());
        journal.answered(first);
        assert_eq!(journal.take().in_flight, ["second"]);
    }
}

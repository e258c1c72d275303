//! What a run has changed so far, for an end that comes before its own: the deadline, or a signal.
//!
//! The work itself is dropped then, and with it all that it knows.

use crate::report::{Item, Outcome, Report};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The changes of one run, and the calls that were sent and not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What the report begins with: the account, the region.
    begun: Option<Report>,
    items: Vec<Entry>,
    sent: BTreeMap<u64, String>,
    calls: u64,
}

#[derive(Debug)]
struct Entry {
    item: Item,
    /// Whether stderr has it already.
    is_told: bool,
}

/// What [`Journal::take`] gives.
#[derive(Debug)]
pub(crate) struct Taken {
    /// With all items.
    pub(crate) report: Report,
    /// The items that nobody was told of.
    pub(crate) untold: Vec<Item>,
    /// The calls without an answer.
    pub(crate) sent: Vec<String>,
}

impl Journal {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `report` replaces the items that were recorded before.
    pub(crate) fn begin(&self, report: Report) {
        let mut state = self.state();
        state.begun = Some(report);
        state.items.clear();
    }

    /// What became of `item`, in the place of what was known of it before.
    pub(crate) fn item(&self, item: &Item, is_told: bool) {
        let mut state = self.state();
        let entry = Entry {
            item: item.clone(),
            is_told,
        };
        let known = state
            .items
            .iter_mut()
            .find(|known| known.item.kind == item.kind && known.item.name == item.name);
        match known {
            Some(known) => *known = entry,
            None => state.items.push(entry),
        }
    }

    /// A call goes out; the number is for [`Journal::answered`].
    pub(crate) fn sent(&self, words: String) -> u64 {
        let mut state = self.state();
        state.calls += 1;
        let number = state.calls;
        state.sent.insert(number, words);
        number
    }

    pub(crate) fn answered(&self, number: u64) {
        self.state().sent.remove(&number);
    }

    /// All of it; what is asked for a second time is gone.
    pub(crate) fn take(&self) -> Taken {
        let state = std::mem::take(&mut *self.state());
        let mut report = state.begun.unwrap_or_else(|| Report::new(Outcome::Unchanged));
        let untold = state.items.iter().filter(|entry| !entry.is_told);
        let untold = untold.map(|entry| entry.item.clone()).collect();
        for Entry { item, .. } in state.items {
            report.items.push(item);
        }
        Taken {
            report,
            untold,
            sent: state.sent.into_values().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Change;

    #[test]
    fn the_last_word_on_an_item_counts() {
        let journal = Journal::default();
        journal.begin(Report::new(Outcome::Unchanged).detail("account", "123456789012"));
        let role = Item::new("role", "a", "create");
        journal.item(&role, false);
        journal.item(&Item::new("role", "b", "update"), true);
        let role = role.changes(vec![Change::new("path", "/", "/x/")]);
        journal.item(&role, false);
        let taken = journal.take();
        assert_eq!(taken.untold, std::slice::from_ref(&role));
        assert_eq!(taken.report.items, [role, Item::new("role", "b", "update")]);
        assert_eq!(taken.report.details["account"], "123456789012");
        assert!(journal.take().report.items.is_empty());
    }

    #[test]
    fn only_calls_without_an_answer_are_left() {
        let journal = Journal::default();
        let first = journal.sent("first".into());
        journal.sent("second".into());
        journal.answered(first);
        assert_eq!(journal.take().sent, ["second"]);
    }
}

//! A point in time, and who set it.

use common::duration;
use std::fmt;
use std::time::{Duration, Instant};

/// Until when something is waited for, and who said so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) at: Instant,
    length: Duration,
    name: &'static str,
}

impl Limit {
    /// `name` as the user set it: `--timeout`.
    pub(crate) fn new(start: Instant, length: Duration, name: &'static str) -> Self {
        Limit {
            at: start + length,
            length,
            name,
        }
    }

    /// The one that comes first.
    pub(crate) fn min(self, other: Self) -> Self {
        if other.at < self.at { other } else { self }
    }

    pub(crate) fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", duration::show(self.length), self.name)
    }
}

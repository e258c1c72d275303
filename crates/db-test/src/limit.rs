//! A point in time, and who set it.

use cli::duration;
use std::fmt;
use std::time::{Duration, Instant};

/// Until when something is waited for, and who said so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) at: Instant,
    length: Duration,
    name: &'static str,
}

/// A year.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Limit {
    /// `name` as the user set it: `--timeout`. What the clock can't count to is as good as never.
    pub(crate) fn new(start: Instant, length: Duration, name: &'static str) -> Self {
        Limit {
            at: start.checked_add(length).unwrap_or(start + NEVER),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_counts_and_no_length_is_too_long() {
        let start = Instant::now();
        let short = Limit::new(start, Duration::from_secs(2), "connect_timeout");
        let long = Limit::new(start, Duration::from_secs(10), "--timeout");
        assert_eq!(long.min(short).to_string(), "2 s (connect_timeout)");
        assert_eq!(short.min(long).to_string(), "2 s (connect_timeout)");
        let endless = Limit::new(start, Duration::MAX, "--timeout");
        assert!(endless.left() > Duration::from_secs(1_000_000));
        assert_eq!(Limit::new(start, Duration::ZERO, "x").left(), Duration::ZERO);
    }
}

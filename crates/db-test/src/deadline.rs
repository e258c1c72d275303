//! A deadline, and the setting that it comes from.

use cli::duration;
use std::fmt;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    length: Duration,
    setting: &'static str,
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Deadline {
    /// `setting` is the user's name for it: `--timeout`. A length that `Instant` can't represent becomes a year.
    pub(crate) fn new(start: Instant, length: Duration, setting: &'static str) -> Self {
        Deadline {
            at: start.checked_add(length).unwrap_or(start + YEAR),
            length,
            setting,
        }
    }

    /// The earlier of the two.
    pub(crate) fn min(self, other: Self) -> Self {
        if other.at < self.at { other } else { self }
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", duration::show(self.length), self.setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_one_counts_and_no_length_overflows() {
        let start = Instant::now();
        let short = Deadline::new(start, Duration::from_secs(2), "connect_timeout");
        let long = Deadline::new(start, Duration::from_secs(10), "--timeout");
        assert_eq!(long.min(short).to_string(), "2 s (connect_timeout)");
        assert_eq!(short.min(long).to_string(), "2 s (connect_timeout)");
        let endless = Deadline::new(start, Duration::MAX, "--timeout");
        assert!(endless.remaining() > Duration::from_secs(1_000_000));
        assert_eq!(
            Deadline::new(start, Duration::ZERO, "x").remaining(),
            Duration::ZERO
        );
    }
}

//! Events of the service, each of which is printed once, and times of day.

use crate::service::{Event, Service};
use std::collections::BTreeSet;

/// The events that were printed, or existed before the change.
#[derive(Debug, Default)]
pub(crate) struct Events(BTreeSet<String>);

impl Events {
    /// The events of `service` are not printed.
    pub(crate) fn before(service: Option<&Service>) -> Self {
        let ids = service.into_iter().flat_map(|service| &service.events);
        Events(ids.map(|event| event.id.clone()).collect())
    }

    /// The events of `service` that were not printed yet, the oldest first.
    pub(crate) fn new_in<'a>(&mut self, service: &'a Service) -> Vec<&'a Event> {
        let events = service.events.iter();
        events.filter(|event| self.0.insert(event.id.clone())).collect()
    }
}

/// Whether an event reports a problem. Events have no field for it; this only selects the event that a message quotes.
pub(crate) fn is_trouble(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["unable", "fail", "unhealthy", "error", "throttl", "missing"]
        .iter()
        .any(|word| message.contains(word))
}

/// `12:34:56Z`
pub(crate) fn time_of_day(seconds: f64) -> String {
    // Far below 2^53.
    #[allow(clippy::cast_possible_truncation, reason = "a time in seconds")]
    let second = (seconds.floor() as i64).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_time_of_day() {
        assert_eq!(time_of_day(0.0), "00:00:00Z");
        assert_eq!(time_of_day(1_700_000_000.987), "22:13:20Z");
        assert_eq!(time_of_day(-1.0), "23:59:59Z");
    }

    #[test]
    fn finds_trouble() {
        assert!(is_trouble(
            "(service web) was unable to place a task because no container instance met all of its requirements."
        ));
        assert!(is_trouble(
            "(service web) (task 1) failed container health checks."
        ));
        assert!(!is_trouble("(service web) has reached a steady state."));
        assert!(!is_trouble("(service web) has started 1 tasks: (task 1)."));
    }
}

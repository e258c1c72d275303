//! The time limit of a run.

use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// When a run has to end, counted from the creation of the value. Clones share one limit, so that the work can set
/// it once it has read it from `ops.toml`.
#[derive(Clone, Debug)]
pub struct Deadline {
    start: Instant,
    timeout: Arc<watch::Sender<Option<Duration>>>,
}

impl Deadline {
    /// A deadline after `timeout`; without one the run takes as long as it takes.
    pub fn new(timeout: Option<Duration>) -> Self {
        Deadline {
            start: Instant::now(),
            timeout: Arc::new(watch::Sender::new(timeout)),
        }
    }

    /// Sets or replaces the limit. It still counts from the start of the run.
    pub fn set(&self, timeout: Option<Duration>) {
        self.timeout.send_replace(timeout);
    }

    /// Waits until the limit has passed, and returns it.
    pub(crate) async fn passed(&self) -> Duration {
        let mut changes = self.timeout.subscribe();
        loop {
            let timeout = *changes.borrow_and_update();
            let end = timeout.and_then(|timeout| self.start.checked_add(timeout));
            match timeout.zip(end) {
                Some((timeout, end)) => {
                    if tokio::time::timeout_at(end.into(), changes.changed())
                        .await
                        .is_err()
                    {
                        return timeout;
                    }
                }
                // The sender lives as long as `self`: this is never an error.
                None => {
                    let _ = changes.changed().await;
                }
            }
        }
    }
}

impl From<Duration> for Deadline {
    fn from(timeout: Duration) -> Self {
        Deadline::new(Some(timeout))
    }
}

impl From<Option<Duration>> for Deadline {
    fn from(timeout: Option<Duration>) -> Self {
        Deadline::new(timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_was_set_last_holds() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let passed = |deadline: &Deadline| runtime.block_on(deadline.passed());
        let short = Duration::from_millis(5);
        assert_eq!(passed(&short.into()), short);

        let deadline = Deadline::new(None);
        let work = deadline.clone();
        let setter = std::thread::spawn(move || {
            for timeout in [Some(Duration::MAX), None, Some(short)] {
                std::thread::sleep(short);
                work.set(timeout);
            }
        });
        assert_eq!(passed(&deadline), short);
        setter.join().unwrap();
    }
}

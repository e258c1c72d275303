//! Steps that are done whole or not at all, though a signal or the deadline may end the process at any time.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

static STEP: Mutex<()> = Mutex::new(());

/// A step that goes on: the process does not end before this is dropped.
#[derive(Debug)]
pub struct CriticalSection {
    _step: MutexGuard<'static, ()>,
}

/// Begins a step that must be short: the replacing of a file, whose temporary sibling must not stay behind.
#[must_use]
pub fn enter() -> CriticalSection {
    CriticalSection {
        _step: STEP.lock().unwrap_or_else(PoisonError::into_inner),
    }
}

/// Waits for the step that goes on, but not longer than `limit`: a disk may hang. While the answer is held, no
/// other step begins.
pub fn wait_idle(limit: Duration) -> Option<CriticalSection> {
    let end = Instant::now() + limit;
    loop {
        match STEP.try_lock() {
            Ok(step) => return Some(CriticalSection { _step: step }),
            Err(TryLockError::Poisoned(step)) => {
                return Some(CriticalSection {
                    _step: step.into_inner(),
                });
            }
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(TryLockError::WouldBlock) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_waits_for_the_step_and_no_other_begins() {
        let step = enter();
        assert!(wait_idle(Duration::from_millis(20)).is_none());
        let waiting = std::thread::spawn(|| wait_idle(Duration::from_secs(10)).is_some());
        drop(step);
        assert!(waiting.join().unwrap());
        let end = wait_idle(Duration::ZERO);
        assert!(end.is_some());
        let other = std::thread::spawn(|| drop(enter()));
        std::thread::sleep(Duration::from_millis(20));
        assert!(!other.is_finished());
        drop(end);
        other.join().unwrap();
    }
}

//! Critical sections: steps that a signal or the deadline must not cut in two.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

static LOCK: Mutex<()> = Mutex::new(());

/// The process does not end by a signal or the deadline before this is dropped.
#[derive(Debug)]
pub struct CriticalSection {
    _lock: MutexGuard<'static, ()>,
}

/// Enters a critical section. It must be short: the replacing of a file, whose temporary copy must not stay behind.
#[must_use]
pub fn enter() -> CriticalSection {
    CriticalSection {
        _lock: LOCK.lock().unwrap_or_else(PoisonError::into_inner),
    }
}

/// Waits until no critical section is left, at most for `limit`, because a disk may hang. While the returned guard is
/// held, none can be entered.
pub fn wait_idle(limit: Duration) -> Option<CriticalSection> {
    let end = Instant::now() + limit;
    loop {
        match LOCK.try_lock() {
            Ok(lock) => return Some(CriticalSection { _lock: lock }),
            Err(TryLockError::Poisoned(lock)) => {
                return Some(CriticalSection {
                    _lock: lock.into_inner(),
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
    fn the_end_waits_for_the_section_and_no_other_is_entered() {
        let section = enter();
        assert!(wait_idle(Duration::from_millis(20)).is_none());
        let waiting = std::thread::spawn(|| wait_idle(Duration::from_secs(10)).is_some());
        drop(section);
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

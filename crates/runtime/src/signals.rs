//! The thread that keeps the deadline and the signals.
//!
//! The tool's own thread reacts to both between two steps of its work. It can be held up in one, where it does
//! not: by a credential helper, by docker's file that is a pipe nobody writes to, by a closed terminal. Then this
//! thread ends the process in its place.

use crate::{Deadline, late};
use crate::{child_processes, critical_section};
use cli::Console;
use cli::Exit;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot::Sender;

/// How long the tool's own thread has to react.
const GRACE: Duration = Duration::from_millis(300);

/// How long a step that must not be cut in two may take.
const STEP: Duration = Duration::from_secs(3);

/// What both threads see.
pub(super) struct SignalWatcher {
    /// Read by the watching thread; a byte is written by each signal, and by the other thread.
    woken: UnixStream,
    bell: UnixStream,
    signal: Arc<AtomicUsize>,
    done: AtomicBool,
    has_the_word: AtomicBool,
}

/// Tells the tool's own thread.
pub(super) struct Calls {
    pub(super) signal: Sender<i32>,
    pub(super) late: Sender<()>,
}

impl SignalWatcher {
    /// Catches the signals that ask a tool to stop, but for those that whoever started it had ignored: `nohup`
    /// does that, and a shell for what it puts into the background.
    pub(super) fn new() -> io::Result<Self> {
        let (woken, bell) = UnixStream::pair()?;
        let signal = Arc::new(AtomicUsize::new(0));
        let ignored = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = ignored_in(&ignored);
        for number in [SIGINT, SIGTERM, SIGHUP] {
            if ignored >> (number - 1) & 1 == 1 {
                continue;
            }
            let value = usize::try_from(number).unwrap_or_default();
            flag::register_usize(number, Arc::clone(&signal), value)?;
            low_level::pipe::register(number, bell.try_clone()?)?;
        }
        Ok(SignalWatcher {
            woken,
            bell,
            signal,
            done: AtomicBool::new(false),
            has_the_word: AtomicBool::new(false),
        })
    }

    /// Asks to print the result; whoever asks second must not, and leaves the end to the other one.
    pub(super) fn take_the_word(&self) -> bool {
        let first = !self.has_the_word.swap(true, Ordering::SeqCst);
        self.ring();
        first
    }

    /// The tool is at its end.
    pub(super) fn done(&self) {
        self.done.store(true, Ordering::SeqCst);
        self.ring();
    }

    fn ring(&self) {
        let _ = (&self.bell).write(&[0]);
    }

    /// SignalWatcheres until [`SignalWatcher::done`].
    pub(super) fn keep(&self, console: &Console, deadline: Option<Deadline>, calls: Calls) {
        let mut calls = (Some(calls.signal), Some(calls.late));
        let timeout = deadline.map(|deadline| deadline.timeout).unwrap_or_default();
        let mut deadline = deadline.and_then(|deadline| deadline.end(Instant::now()));
        while !self.done.load(Ordering::SeqCst) {
            let number = self.signal.load(Ordering::SeqCst);
            if number != 0 {
                let number = i32::try_from(number).unwrap_or(SIGTERM);
                if let Some(call) = calls.0.take() {
                    let _ = call.send(number);
                }
                if !self.sees(&self.done) {
                    console.report_interrupted();
                    end_by(number);
                }
            } else if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                deadline = None;
                if let Some(call) = calls.1.take() {
                    let _ = call.send(());
                }
                if !self.sees(&self.has_the_word) && self.take_the_word() {
                    let _step = critical_section::wait_idle(STEP);
                    child_processes::end_all();
                    let _ = console.finish(Ok(console.finish_interrupted(late(timeout))));
                    low_level::exit(i32::from(Exit::Deadline.code()));
                }
            } else {
                self.sleep(deadline);
            }
        }
    }

    /// Whether `flag` is set within the time that the other thread has. A signal ends the wait for anything but
    /// its own end.
    fn sees(&self, flag: &AtomicBool) -> bool {
        let end = Instant::now() + GRACE;
        while !flag.load(Ordering::SeqCst) {
            if end <= Instant::now() {
                return false;
            }
            self.sleep(Some(end));
        }
        true
    }

    /// Until something happens, or `end` has come.
    fn sleep(&self, end: Option<Instant>) {
        let left = end.map(|end| {
            end.saturating_duration_since(Instant::now())
                .max(Duration::from_millis(1))
        });
        let mut bytes = [0; 16];
        let read = self
            .woken
            .set_read_timeout(left)
            .and_then(|()| (&self.woken).read(&mut bytes));
        let expected = [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Interrupted];
        if read.is_err_and(|error| !expected.contains(&error.kind())) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Ends the process as the signal does that asked for it.
pub(super) fn end_by(number: i32) -> ! {
    let _step = critical_section::wait_idle(STEP);
    child_processes::end_all();
    let _ = low_level::emulate_default_handler(number);
    low_level::exit(128 + number);
}

/// The set of ignored signals in `/proc/self/status`.
fn ignored_in(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_which_signals_are_ignored() {
        assert_eq!(
            ignored_in("Name:\tx\nSigBlk:\t00000000000000ff\nSigIgn:\t0000000000001003\n"),
            0x1003
        );
        assert_eq!(ignored_in(""), 0);
    }
}

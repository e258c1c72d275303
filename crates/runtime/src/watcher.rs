//! The thread that keeps the deadline and the signals, and ends an interrupted run.
//!
//! The tool's own thread may be blocked at that moment: by a credential helper, by a pipe without a writer in the
//! place of a file, by a lock of another process. This thread is never blocked by the work, so it alone reports and
//! ends interrupted runs; the tool's thread gets a moment to drop its work, which removes temporary files.

use crate::child_processes;
use crate::critical_section::{self, CriticalSection};
use crate::deadline::Deadline;
use cli::Console;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, oneshot};

/// How long the tool's thread may take to drop its work.
const DROP_TIMEOUT: Duration = Duration::from_millis(300);

/// How long the end waits for a critical section.
const CRITICAL_SECTION_TIMEOUT: Duration = Duration::from_secs(3);

/// The state of the end, shared by both threads.
#[derive(Default)]
pub(crate) struct Ending {
    is_claimed: AtomicBool,
    /// While it is set, signals end the process at once.
    signals_are_immediate: Arc<AtomicBool>,
    /// The tool's thread has its result.
    pub(crate) is_finished: Notify,
    /// The tool's thread has dropped its work.
    pub(crate) is_dropped: Notify,
}

impl Ending {
    /// Asks to report how the run ended. Only the first of the two threads may.
    pub(crate) fn claim(&self) -> bool {
        !self.is_claimed.swap(true, Ordering::SeqCst)
    }

    /// Leaves nothing behind: waits for a critical section, and kills the child processes. What follows only
    /// prints, so from here on a signal ends the process at once, also when the reader of a pipe does not read.
    pub(crate) fn clean_up(&self) -> Option<CriticalSection> {
        let section = critical_section::wait_idle(CRITICAL_SECTION_TIMEOUT);
        child_processes::kill_all();
        self.signals_are_immediate.store(true, Ordering::SeqCst);
        section
    }
}

/// What interrupts a run.
enum Interruption {
    Signal(i32),
    Deadline(Duration),
}

pub(crate) struct Watcher {
    runtime: Runtime,
    deadline: Deadline,
    signals: Vec<(i32, Signal)>,
}

impl Watcher {
    /// Catches the signals that ask a tool to stop, except those that were ignored when it was started: by `nohup`,
    /// or by a shell without job control for a command in the background.
    pub(crate) fn new(deadline: Deadline, ending: &Ending) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let context = runtime.enter();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = ignored_signals(&status);
        let mut signals = Vec::new();
        for number in [SIGINT, SIGTERM, SIGHUP] {
            if ignored >> (number - 1) & 1 == 0 {
                flag::register_conditional_default(number, Arc::clone(&ending.signals_are_immediate))?;
                signals.push((number, signal(SignalKind::from_raw(number))?));
            }
        }
        drop(context);
        Ok(Watcher {
            runtime,
            deadline,
            signals,
        })
    }

    /// Waits for the end of the run. An interrupted one is stopped by `stop`, reported and ended here; a deadline
    /// gives the exit code to the tool's thread, unless that is blocked. `None` when the tool's thread reports.
    pub(crate) fn watch(
        mut self,
        console: &Console,
        ending: &Ending,
        stop: oneshot::Sender<()>,
    ) -> Option<ExitCode> {
        let (signals, deadline) = (&mut self.signals, &self.deadline);
        let (interruption, is_dropped) = self.runtime.block_on(async {
            let interruption = tokio::select! {
                biased;
                () = ending.is_finished.notified() => return None,
                number = first_of(signals) => Interruption::Signal(number),
                timeout = deadline.passed() => Interruption::Deadline(timeout),
            };
            if !ending.claim() {
                return None;
            }
            let _ = stop.send(());
            let dropped = tokio::time::timeout(DROP_TIMEOUT, ending.is_dropped.notified()).await;
            Some((interruption, dropped.is_ok()))
        })?;
        let _section = ending.clean_up();
        match interruption {
            Interruption::Signal(number) => {
                console.report_interrupted();
                let _ = low_level::emulate_default_handler(number);
                low_level::exit(128 + number)
            }
            Interruption::Deadline(timeout) => {
                let report = console.report_deadline(timeout);
                let exit = report.exit();
                let code = console.finish(Ok(report));
                if !is_dropped {
                    low_level::exit(i32::from(exit.code()));
                }
                Some(code)
            }
        }
    }
}

/// The number of the first signal that arrives.
async fn first_of(signals: &mut [(i32, Signal)]) -> i32 {
    std::future::poll_fn(|context| {
        let arrived = signals
            .iter_mut()
            .find_map(|(number, signal)| signal.poll_recv(context).is_ready().then_some(*number));
        arrived.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// The set of ignored signals in `/proc/self/status`, one bit a signal (proc_pid_status(5), `SigIgn`).
fn ignored_signals(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status_file() {
        assert_eq!(
            ignored_signals("Name:\tx\nSigBlk:\t00000000000000ff\nSigIgn:\t0000000000001003\n"),
            0x1003
        );
        assert_eq!(ignored_signals(""), 0);
    }
}

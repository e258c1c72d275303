//! Runs an AWS tool: one thread for its work, a deadline, and an end that leaves nothing behind.

pub mod child_processes;
pub mod critical_section;
mod signals;
mod trace;

use anyhow::{Context, Result};
use cli::Exit;
use cli::Failure;
use cli::Report;
use cli::duration;
use cli::{Console, ErrorKind};
use signals::{Calls, SignalWatcher};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Runs `work` and ends as the exit table says: its result is printed, a deadline that passes is exit
/// code 3. On SIGINT, SIGTERM and SIGHUP the work is dropped, which removes what it had open, and the
/// process then ends by that very signal, as shells and supervisors expect. Programs that it started end
/// with it. Both ends tell what had been changed ([`Console::did`]).
pub fn run(
    console: &Console,
    timeout: Option<Duration>,
    work: impl Future<Output = Result<Report>>,
) -> ExitCode {
    let deadline = timeout.map(Deadline::of);
    run_until(console, deadline, work, || {})
}

/// [`run`] for work that goes on elsewhere when the tool is stopped: `leave` says so, after the signal and
/// before the end. Such work keeps its deadline itself, to say the same then. Only where it does not, because its
/// thread is held up, it is ended a moment later.
pub fn run_or_leave(
    console: &Console,
    timeout: Option<Duration>,
    work: impl Future<Output = Result<Report>>,
    leave: impl FnOnce(),
) -> ExitCode {
    let deadline = timeout.map(|timeout| Deadline {
        spare: SPARE,
        ..Deadline::of(timeout)
    });
    run_until(console, deadline, work, leave)
}

/// How long work that keeps its deadline itself has for it.
const SPARE: Duration = Duration::from_millis(500);

/// When a run is ended.
#[derive(Clone, Copy)]
struct Deadline {
    /// As it is told.
    timeout: Duration,
    /// What is waited beyond that.
    spare: Duration,
}

impl Deadline {
    fn of(timeout: Duration) -> Self {
        Deadline {
            timeout,
            spare: Duration::ZERO,
        }
    }

    fn end(self, start: Instant) -> Option<Instant> {
        start.checked_add(self.timeout)?.checked_add(self.spare)
    }
}

fn run_until(
    console: &Console,
    deadline: Option<Deadline>,
    work: impl Future<Output = Result<Report>>,
    leave: impl FnOnce(),
) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (runtime, watch) = match runtime.and_then(|runtime| Ok((runtime, SignalWatcher::new()?))) {
        Ok(both) => both,
        Err(error) => return console.finish(Err(error).context("failed to start the runtime")),
    };
    let (signal, mut interrupted) = oneshot::channel();
    let (late_call, mut is_late) = oneshot::channel();
    let calls = Calls {
        signal,
        late: late_call,
    };
    std::thread::scope(|scope| {
        scope.spawn(|| watch.keep(console, deadline, calls));
        // Also when the work panics: the scope waits for its threads.
        let _done = Done(&watch);
        let tracing = trace::start(console, scope);
        let end = runtime.block_on(async {
            tokio::select! {
                biased;
                Ok(number) = &mut interrupted => End::Signal(number),
                result = work => End::Result(result),
                Ok(()) = &mut is_late => End::Late,
            }
        });
        // A name look-up that hangs in a thread of its own must not hold up the end.
        runtime.shutdown_background();
        let result = match end {
            End::Result(result) => result,
            End::Late => {
                let timeout = deadline.map(|deadline| deadline.timeout);
                Ok(console.finish_interrupted(late(timeout.unwrap_or_default())))
            }
            End::Signal(number) => {
                console.report_interrupted();
                leave();
                signals::end_by(number)
            }
        };
        while !watch.take_the_word() {
            std::thread::park();
        }
        child_processes::end_all();
        drop(tracing);
        console.finish(result)
    })
}

/// Tells the watch that the tool is at its end.
struct Done<'a>(&'a SignalWatcher);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.done();
    }
}

enum End {
    Result(Result<Report>),
    Late,
    Signal(i32),
}

/// The error of a run that took longer than `timeout`.
pub fn late(timeout: Duration) -> Failure {
    let timeout = duration::show(timeout);
    Failure::new(Exit::Deadline, format!("not done after {timeout}"))
        .kind(ErrorKind::Timeout)
        .code("timeout")
        .hint("give it more time with --timeout; it is safe to run again")
}

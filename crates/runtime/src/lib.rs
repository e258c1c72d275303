//! Runs an AWS tool: one thread for its work, one owner of the deadline and the signals, and an end that leaves
//! no child process and no temporary file behind.

pub mod child_processes;
pub mod critical_section;
mod deadline;
mod trace;
mod watcher;

pub use deadline::Deadline;

use anyhow::{Context, Result};
use cli::{Console, Report};
use std::process::ExitCode;
use tokio::sync::oneshot;
use watcher::{Ending, Watcher};

/// Runs `work` until its result, the deadline or a signal, whichever comes first.
///
/// - The result is printed, and its exit code returned.
/// - At the deadline the work is dropped, and the report is what the console has recorded until then
///   ([`Console::record`], [`Console::in_flight`], [`Console::on_interrupt`]): exit code 3.
/// - SIGINT, SIGTERM and SIGHUP do the same, with the report on stderr alone, and the process then ends by that
///   signal, as shells and supervisors expect.
///
/// Both hold also while the tool's thread is blocked. Child processes end with the tool.
pub fn run(
    console: &Console,
    deadline: impl Into<Deadline>,
    work: impl Future<Output = Result<Report>>,
) -> ExitCode {
    let ending = Ending::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let started = runtime.and_then(|runtime| Ok((runtime, Watcher::new(deadline.into(), &ending)?)));
    let (runtime, watcher) = match started {
        Ok(started) => started,
        Err(error) => return console.finish(Err(error).context("failed to start the runtime")),
    };
    let (stop, mut stopped) = oneshot::channel();
    std::thread::scope(|scope| {
        let watching =
            std::thread::Builder::new().spawn_scoped(scope, || watcher.watch(console, &ending, stop));
        let watching = match watching {
            Ok(watching) => watching,
            Err(error) => return console.finish(Err(error).context("failed to start a thread")),
        };
        // Also when the work panics: the scope waits for its threads.
        let finished = Finished(&ending);
        let tracing = trace::start(console, scope);
        let result = runtime.block_on(async {
            tokio::select! {
                biased;
                Ok(()) = &mut stopped => None,
                result = work => Some(result),
            }
        });
        // Blocking work (`spawn_blocking`, a name look-up) must not delay the end.
        runtime.shutdown_background();
        drop(tracing);
        if let Some(result) = result
            && ending.claim()
        {
            drop(finished);
            let _section = ending.clean_up();
            return console.finish(result);
        }
        ending.is_dropped.notify_one();
        let code = watching.join().ok().flatten();
        code.unwrap_or(ExitCode::FAILURE)
    })
}

/// Ends the watcher when it is dropped.
struct Finished<'a>(&'a Ending);

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        self.0.is_finished.notify_one();
    }
}

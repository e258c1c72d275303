//! Runs an AWS tool: one thread, a deadline, and an end that leaves nothing behind.

use crate::console::Console;
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Report;
use anyhow::{Context, Result};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Runs `work` and ends as the exit table says: its result is printed, a deadline that passes is exit
/// code 3. On SIGINT, SIGTERM and SIGHUP the work is dropped, which removes what it had open, and the
/// process then ends by that very signal, as shells and supervisors expect.
pub fn run(
    console: &Console,
    timeout: Option<Duration>,
    work: impl Future<Output = Result<Report>>,
) -> ExitCode {
    run_or_leave(console, timeout, work, || {})
}

/// [`run`] for work that goes on elsewhere when the tool is stopped: `leave` says so, after the signal and
/// before the end.
pub fn run_or_leave(
    console: &Console,
    timeout: Option<Duration>,
    work: impl Future<Output = Result<Report>>,
    leave: impl FnOnce(),
) -> ExitCode {
    start_tracing(console);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return console.finish(Err(error).context("failed to start the runtime")),
    };
    let end = runtime.block_on(async {
        tokio::select! {
            biased;
            signal = interrupted() => End::Signal(signal),
            result = work => End::Result(result),
            () = deadline(timeout) => End::Result(Err(late(timeout.unwrap_or_default()).into())),
        }
    });
    // A name look-up that hangs in a thread of its own must not hold up the end.
    runtime.shutdown_background();
    match end {
        End::Result(result) => console.finish(result),
        End::Signal(number) => {
            leave();
            let _ = signal_hook::low_level::emulate_default_handler(number);
            ExitCode::from(128_u8.saturating_add(u8::try_from(number).unwrap_or_default()))
        }
    }
}

enum End {
    Result(Result<Report>),
    Signal(i32),
}

async fn deadline(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => std::future::pending().await,
    }
}

/// The error of a run that took longer than `timeout`.
pub fn late(timeout: Duration) -> Failure {
    let timeout = duration::show(timeout);
    Failure::new(Exit::Deadline, format!("not done after {timeout}"))
        .code("timeout")
        .hint("give it more time with --timeout; it is safe to run again")
}

/// Waits for a signal that asks the tool to stop.
async fn interrupted() -> i32 {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
        _ = hangup.recv() => SignalKind::hangup().as_raw_value(),
    }
}

/// `-v`: what our own code and the credential chain do. The SDK's own levels can show request bodies,
/// so they stay off whatever the environment asks for.
fn start_tracing(console: &Console) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::prelude::*;
    if !console.is_verbose() {
        return;
    }
    let ours = [
        "common",
        "create_cluster",
        "create_log_group",
        "create_repository",
        "create_roles",
        "deploy_service",
        "ecr_login",
        "identity",
        "push_image",
        "put_params",
        "register_task_definition",
        "registry",
    ];
    let targets = Targets::new()
        .with_targets(ours.map(|name| (name, LevelFilter::DEBUG)))
        .with_target("aws_config", LevelFilter::INFO);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .with_ansi(false);
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(targets))
        .try_init();
}

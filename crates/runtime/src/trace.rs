//! `-v`: the log lines of the credential chain, without secrets.

use cli::Console;
use cli::redact::without_process_output;
use std::io::{self, Write};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread::Scope;
use std::time::Duration;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// How long an event waits until its line is printed, which keeps the lines in the order of the events.
const PRINT_TIMEOUT: Duration = Duration::from_secs(1);

enum Message {
    Line(String, SyncSender<()>),
    End,
}

/// Ends the printing when it is dropped.
pub(super) struct Tracing(Sender<Message>);

impl Drop for Tracing {
    fn drop(&mut self) {
        let _ = self.0.send(Message::End);
    }
}

/// Starts the printing of log lines if `-v` was given. The debug levels of the SDK can show request bodies, so they are
/// off whatever the environment sets. A thread passes the lines to the console, because the subscriber lives as long as
/// the process, and the console does not.
pub(super) fn start<'scope>(console: &'scope Console, scope: &'scope Scope<'scope, '_>) -> Option<Tracing> {
    if !console.is_verbose() {
        return None;
    }
    let targets = Targets::new().with_target("aws_config", LevelFilter::INFO);
    let (sender, receiver) = channel();
    let lines = sender.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(move || Lines(lines.clone()))
        .with_target(false)
        .without_time()
        .with_ansi(false);
    let print = move || {
        while let Ok(Message::Line(line, printed)) = receiver.recv() {
            console.stderr(without_process_output(line.trim_end()));
            let _ = printed.send(());
        }
    };
    // Without another thread the run goes on, and says less.
    std::thread::Builder::new().spawn_scoped(scope, print).ok()?;
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(targets))
        .try_init();
    Some(Tracing(sender))
}

/// Passes on one event at a time.
struct Lines(Sender<Message>);

impl Write for Lines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(event).into_owned();
        let (printed, done) = sync_channel(1);
        if self.0.send(Message::Line(line, printed)).is_ok() {
            let _ = done.recv_timeout(PRINT_TIMEOUT);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

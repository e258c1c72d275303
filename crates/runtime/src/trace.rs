//! `-v`: what our own code and the credential chain tell, without secrets.

use cli::Console;
use cli::redact::without_process_output;
use std::io::{self, Write};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread::Scope;
use std::time::Duration;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// How long the caller waits for its line, so that lines stand in the order in which things happened.
const PATIENCE: Duration = Duration::from_secs(1);

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

/// Starts it when `-v` asks for it. The SDK's own levels can show request bodies, so they stay off whatever the
/// environment asks for. What is told goes to the console by a thread: the subscriber lives as long as the
/// process, which the console does not.
pub(super) fn start<'scope>(console: &'scope Console, scope: &'scope Scope<'scope, '_>) -> Option<Tracing> {
    if !console.is_verbose() {
        return None;
    }
    let ours = [
        "cli",
        "common",
        "create_cluster",
        "create_log_group",
        "create_repository",
        "create_roles",
        "deploy_service",
        "ecr_login",
        "ecs",
        "push_image",
        "put_params",
        "register_task_definition",
        "reconcile",
        "registry",
        "runtime",
    ];
    let targets = Targets::new()
        .with_targets(ours.map(|name| (name, LevelFilter::DEBUG)))
        .with_target("aws_config", LevelFilter::INFO);
    let (sender, receiver) = channel();
    let lines = sender.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(move || Lines(lines.clone()))
        .with_target(false)
        .without_time()
        .with_ansi(false);
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(targets))
        .try_init();
    scope.spawn(move || {
        while let Ok(Message::Line(line, printed)) = receiver.recv() {
            console.stderr(without_process_output(line.trim_end()));
            let _ = printed.send(());
        }
    });
    Some(Tracing(sender))
}

/// One event at a time.
struct Lines(Sender<Message>);

impl Write for Lines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(event).into_owned();
        let (printed, done) = sync_channel(1);
        if self.0.send(Message::Line(line, printed)).is_ok() {
            let _ = done.recv_timeout(PATIENCE);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

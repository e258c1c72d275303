//! The stages of a connection: one line each on stderr, and an array in the JSON document.

use cli::Console;
use cli::duration;
use serde_json::{Map, Value};
use std::time::Duration;

/// In the order in which a connection passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Reading the connection string and the files that it names.
    Config,
    /// Resolving the host name.
    Dns,
    /// Connecting the socket.
    Tcp,
    /// The SSLRequest, the handshake and the certificate.
    Tls,
    /// The login.
    Auth,
    /// Starting the session, and a query.
    Query,
}

impl Stage {
    /// The name in both output formats.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Stage::Config => "config",
            Stage::Dns => "dns",
            Stage::Tcp => "tcp",
            Stage::Tls => "tls",
            Stage::Auth => "auth",
            Stage::Query => "query",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    Failed,
    Skipped,
}

impl Status {
    fn label(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Failed => "FAILED",
            Status::Skipped => "-",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Failed => "failed",
            Status::Skipped => "skipped",
        }
    }
}

/// The stages of all attempts so far.
pub(crate) struct StageLog<'a> {
    console: &'a Console,
    stages: Vec<Value>,
}

impl<'a> StageLog<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        StageLog {
            console,
            stages: Vec::new(),
        }
    }

    /// Records a stage and prints it. `endpoint` is a host name, an address with its port, or the path of a socket.
    pub(crate) fn add(
        &mut self,
        stage: Stage,
        status: Status,
        endpoint: Option<&str>,
        detail: &str,
        took: Option<Duration>,
    ) {
        let time = took.map_or(String::new(), |took| format!(" ({})", duration::show(took)));
        self.console.info(format!(
            "  {:<8} {:<6} {}{time}",
            stage.name(),
            status.label(),
            printable(detail)
        ));
        self.record(stage, status, endpoint, detail, took);
    }

    /// Records a stage without printing it, where the error line has all of it.
    pub(crate) fn record(
        &mut self,
        stage: Stage,
        status: Status,
        endpoint: Option<&str>,
        detail: &str,
        took: Option<Duration>,
    ) {
        let mut fields = Map::new();
        fields.insert("stage".into(), stage.name().into());
        fields.insert("outcome".into(), status.name().into());
        fields.insert("place".into(), endpoint.map(printable).into());
        fields.insert("ms".into(), took.map(milliseconds).into());
        fields.insert("detail".into(), printable(detail).into());
        self.stages.push(Value::Object(fields));
    }

    pub(crate) fn warn(&self, message: &str) {
        self.console.warn(message);
    }

    pub(crate) fn into_json(self) -> Value {
        Value::Array(self.stages)
    }
}

/// Rounded to 0.1 ms: a stage over loopback takes less than a millisecond.
fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Replaces control characters: text from servers and connection strings may contain terminal escape sequences.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_digit_and_texts_no_control_characters() {
        for (micros, expected) in [
            (0, 0.0),
            (49, 0.0),
            (50, 0.1),
            (1_234, 1.2),
            (10_000_000, 10_000.0),
        ] {
            assert_eq!(milliseconds(Duration::from_micros(micros)), expected);
        }
        assert_eq!(printable("a\x1b[2Jb\r\n\u{9b}c"), "a [2Jb   c");
    }
}

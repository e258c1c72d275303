//! The stages of a connection: a line each on stderr, and an array in the JSON document.

use cli::Console;
use cli::duration;
use serde_json::{Map, Value};
use std::time::Duration;

/// What has to go well, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The connection string and what it names.
    Config,
    /// From the host's name to addresses.
    Dns,
    /// From the address to a connected socket.
    Tcp,
    /// The request for TLS, the handshake, the certificate.
    Tls,
    /// The login.
    Auth,
    /// The session, and a query in it.
    Query,
}

impl Stage {
    /// Its name in both forms of output.
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

/// How a stage went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    Failed,
    /// It was not needed.
    Skipped,
}

impl Status {
    fn word(self) -> &'static str {
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

/// All stages so far, of all attempts.
pub(crate) struct Journal<'a> {
    console: &'a Console,
    stages: Vec<Value>,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        Journal {
            console,
            stages: Vec::new(),
        }
    }

    /// Notes a stage and prints it. `place` is where the connection goes: a name, an address with its port, a socket.
    pub(crate) fn add(
        &mut self,
        stage: Stage,
        status: Status,
        place: Option<&str>,
        detail: &str,
        took: Option<Duration>,
    ) {
        let time = took.map_or(String::new(), |took| format!(" ({})", duration::show(took)));
        self.console.info(format!(
            "  {:<8} {:<6} {}{time}",
            stage.name(),
            status.word(),
            printable(detail)
        ));
        self.keep(stage, status, place, detail, took);
    }

    /// Notes a stage that the error line tells all about.
    pub(crate) fn keep(
        &mut self,
        stage: Stage,
        status: Status,
        place: Option<&str>,
        detail: &str,
        took: Option<Duration>,
    ) {
        let mut fields = Map::new();
        fields.insert("stage".into(), stage.name().into());
        fields.insert("outcome".into(), status.name().into());
        fields.insert("place".into(), place.map(printable).into());
        fields.insert("ms".into(), took.map(milliseconds).into());
        fields.insert("detail".into(), printable(detail).into());
        self.stages.push(Value::Object(fields));
    }

    /// A warning that came up in a stage.
    pub(crate) fn warn(&self, message: &str) {
        self.console.warn(message);
    }

    /// For the JSON document.
    pub(crate) fn into_json(self) -> Value {
        Value::Array(self.stages)
    }
}

/// With one digit behind the point: a stage on this machine takes less than a millisecond.
fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Servers and connection strings may hold what moves a terminal's cursor.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_digit_and_texts_no_controls() {
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

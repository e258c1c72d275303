//! Why a try failed: at which stage, in words, with a code for programs, and what follows from it.

mod driver;

use crate::hints;
use crate::limit::Limit;
use crate::places::LookupError;
use crate::stages::{Stage, printable};
use conninfo::SessionAttrs;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// What a fault and its hint need to know of the try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The host as it was named.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// The variable that holds the connection string.
    pub(crate) variable: &'a str,
}

/// What follows from a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No connected socket.
    Unreachable,
    /// No answer in time.
    Silent,
    /// The handshake failed after the server had agreed to it.
    Handshake,
    /// The server refused the login, with an error of its own.
    Refused,
    /// The server is starting or stopping.
    NotNow,
    /// The session is not of the kind that `target_session_attrs` asks for.
    Unsuited,
    /// Anything else.
    Final,
}

/// One fault.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) stage: Stage,
    pub(crate) kind: Kind,
    /// Without the place: the caller names it.
    pub(crate) message: String,
    pub(crate) code: String,
    pub(crate) hint: Option<String>,
    /// How long the stage had taken.
    pub(crate) took: Option<Duration>,
    /// Whether it came over TLS.
    pub(crate) was_encrypted: bool,
}

impl Fault {
    fn new(stage: Stage, kind: Kind, code: &str, message: impl Into<String>) -> Self {
        Fault {
            stage,
            kind,
            message: printable(&message.into()),
            code: code.to_owned(),
            hint: None,
            took: None,
            was_encrypted: false,
        }
    }

    fn hinting(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Whether the next host is tried: libpq's rule. It tries no other after a server that refuses.
    pub(crate) fn tries_next_host(&self) -> bool {
        self.tries_next_address() || matches!(self.kind, Kind::NotNow | Kind::Unsuited)
    }

    /// Whether the next address of the same host is tried.
    pub(crate) fn tries_next_address(&self) -> bool {
        matches!(self.kind, Kind::Unreachable | Kind::Silent)
    }

    /// Of two tries the one that came further tells more.
    pub(crate) fn or_further(self: Box<Self>, before: Option<Box<Fault>>) -> Box<Fault> {
        match before {
            Some(before) if before.stage > self.stage => before,
            _ => self,
        }
    }

    /// For people: the message, and the server's code where it has one.
    pub(crate) fn line(&self) -> String {
        if self.is_sqlstate() {
            format!("{} ({})", self.message, self.code)
        } else {
            self.message.clone()
        }
    }

    /// The same in the order of the stage lines, where codes stand in front.
    pub(crate) fn stage_line(&self) -> String {
        if self.is_sqlstate() {
            format!("{} {}", self.code, self.message)
        } else {
            self.message.clone()
        }
    }

    /// Our own codes are in small letters.
    fn is_sqlstate(&self) -> bool {
        self.code.len() == 5
            && self
                .code
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    }

    /// A host without an address.
    pub(crate) fn of_lookup(error: &LookupError, host: &str, limit: &Limit) -> Self {
        let (kind, code, message) = match error {
            LookupError::Failed(error) => (
                Kind::Unreachable,
                "dns",
                format!(
                    "could not translate host name `{host}` to an address: {}",
                    reason(error)
                ),
            ),
            LookupError::Empty => (
                Kind::Unreachable,
                "dns",
                format!("could not translate host name `{host}` to an address"),
            ),
            LookupError::TimedOut => (
                Kind::Silent,
                "timeout",
                format!("the look-up of host name `{host}` did not end within {limit}"),
            ),
            LookupError::NoSocket => (
                Kind::Unreachable,
                "no-socket",
                "no host is named, and there is no local server's socket".to_owned(),
            ),
        };
        Fault::new(Stage::Dns, kind, code, message).hinting(hints::of_lookup(error))
    }

    /// Nothing came in time; the stage has lasted `took` by then.
    pub(crate) fn silent(stage: Stage, limit: &Limit, took: Duration, context: &Context<'_>) -> Self {
        let what = match stage {
            Stage::Config | Stage::Dns | Stage::Tcp => "no answer",
            Stage::Tls | Stage::Auth => "connected, but then no answer",
            Stage::Query => "logged in, but then no answer",
        };
        let mut fault = Fault::new(stage, Kind::Silent, "timeout", format!("{what} within {limit}"))
            .hinting(hints::of_silence(stage, context));
        fault.took = Some(took);
        fault
    }

    /// The thread has gone without a word, or could not be started.
    pub(crate) fn lost_thread(stage: Stage) -> Self {
        Fault::new(stage, Kind::Final, "internal", "the driver could not do its work")
    }

    /// rustls would not even begin.
    pub(crate) fn of_rustls(stage: Stage, error: &rustls::Error, context: &Context<'_>) -> Self {
        let (code, message) = hints::of_tls(error, None, context);
        Fault::new(stage, Kind::Final, code, message.text).hinting(message.hint)
    }

    /// A session of another kind than was asked for, in libpq's words.
    pub(crate) fn unsuited(asked: SessionAttrs) -> Self {
        let message = match asked {
            SessionAttrs::ReadWrite => "session is read-only",
            SessionAttrs::ReadOnly => "session is not read-only",
            SessionAttrs::Primary => "server is in hot standby mode",
            SessionAttrs::Standby | SessionAttrs::PreferStandby => "server is not in hot standby mode",
            SessionAttrs::Any => "server does not say what it is",
        };
        Fault::new(Stage::Query, Kind::Unsuited, "target-session-attrs", message).hinting(format!(
            "target_session_attrs={} asks for another kind of server: name all hosts of the cluster",
            asked.as_str()
        ))
    }
}

/// An error of the system in words, without its number: `connection refused`.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        ErrorKind::TimedOut => "connection timed out".to_owned(),
        ErrorKind::NotFound => "no such socket".to_owned(),
        ErrorKind::NetworkUnreachable => "network unreachable".to_owned(),
        ErrorKind::HostUnreachable => "host unreachable".to_owned(),
        ErrorKind::AddrNotAvailable => "address not available".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    text.strip_prefix("failed to lookup address information: ")
        .map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests;

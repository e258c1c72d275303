//! Why an attempt failed: the stage, a message, a code for programs, and whether the next attempt is made.

use crate::deadline::Deadline;
use crate::hints::{self, Context};
use crate::resolver::LookupError;
use crate::stages::{Stage, printable};
use crate::tls_hints;
use cli::ErrorKind;
use conninfo::SessionAttrs;
use std::io;
use std::time::Duration;

/// What libpq's rules for further attempts distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureClass {
    /// The socket could not be connected.
    Unreachable,
    /// No response before the deadline.
    Timeout,
    /// The TLS handshake failed after the server had agreed to it.
    Handshake,
    /// The server refused the login, with an error of its own.
    Refused,
    /// The server is starting or stopping.
    Unavailable,
    /// The session is not of the kind that `target_session_attrs` requests.
    WrongServer,
    /// Anything else.
    Fatal,
}

#[derive(Debug)]
pub(crate) struct ConnectError {
    pub(crate) stage: Stage,
    pub(crate) class: FailureClass,
    pub(crate) kind: ErrorKind,
    /// Does not name the endpoint: the caller does.
    pub(crate) message: String,
    /// The server's SQLSTATE, or a code of our own in kebab-case.
    pub(crate) code: String,
    pub(crate) is_sqlstate: bool,
    pub(crate) hint: Option<String>,
    /// How long the stage had taken.
    pub(crate) took: Option<Duration>,
    /// Whether the connection had been encrypted by then.
    pub(crate) was_encrypted: bool,
}

impl ConnectError {
    /// With the kind that goes with most errors of the class.
    pub(crate) fn new(stage: Stage, class: FailureClass, code: &str, message: impl Into<String>) -> Self {
        ConnectError {
            stage,
            class,
            kind: match class {
                FailureClass::Unreachable | FailureClass::Handshake => ErrorKind::Network,
                FailureClass::Timeout => ErrorKind::Timeout,
                FailureClass::Unavailable => ErrorKind::Service,
                FailureClass::WrongServer => ErrorKind::Conflict,
                FailureClass::Refused | FailureClass::Fatal => ErrorKind::Other,
            },
            message: printable(&message.into()),
            code: printable(code),
            is_sqlstate: false,
            hint: None,
            took: None,
            was_encrypted: false,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(crate) fn kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Whether the next host is tried. As in libpq, not after a server that has refused.
    pub(crate) fn tries_next_host(&self) -> bool {
        self.tries_next_address()
            || matches!(self.class, FailureClass::Unavailable | FailureClass::WrongServer)
    }

    /// Whether the next address of the same host is tried.
    pub(crate) fn tries_next_address(&self) -> bool {
        matches!(self.class, FailureClass::Unreachable | FailureClass::Timeout)
    }

    /// The error of the attempt that reached the later stage: it is the more useful one.
    pub(crate) fn or_later_stage(self: Box<Self>, earlier: Option<Box<ConnectError>>) -> Box<ConnectError> {
        match earlier {
            Some(earlier) if earlier.stage > self.stage => earlier,
            _ => self,
        }
    }

    /// The message, and the SQLSTATE where the server has sent one.
    pub(crate) fn line(&self) -> String {
        if self.is_sqlstate {
            format!("{} ({})", self.message, self.code)
        } else {
            self.message.clone()
        }
    }

    /// The same for the stage lines, where codes come first.
    pub(crate) fn stage_line(&self) -> String {
        if self.is_sqlstate {
            format!("{} {}", self.code, self.message)
        } else {
            self.message.clone()
        }
    }

    pub(crate) fn of_lookup(error: &LookupError, host: &str, deadline: &Deadline) -> Self {
        let untranslated = format!("could not translate host name `{host}` to an address");
        let (class, code, message) = match error {
            LookupError::Failed(error) => (
                FailureClass::Unreachable,
                "dns",
                format!("{untranslated}: {}", describe_io(error)),
            ),
            LookupError::NoAddress => (FailureClass::Unreachable, "dns", untranslated),
            LookupError::TimedOut => (
                FailureClass::Timeout,
                "timeout",
                format!("the look-up of host name `{host}` did not end within {deadline}"),
            ),
            LookupError::NoSocket => (
                FailureClass::Unreachable,
                "no-socket",
                "no host is named, and no local server has a socket".to_owned(),
            ),
        };
        ConnectError::new(Stage::Dns, class, code, message).hint(hints::of_lookup(error).to_owned())
    }

    /// No response by the deadline, after `took` in the stage.
    pub(crate) fn of_timeout(
        stage: Stage,
        deadline: &Deadline,
        took: Duration,
        context: &Context<'_>,
    ) -> Self {
        let what = match stage {
            Stage::Config | Stage::Dns | Stage::Tcp => "no response",
            Stage::Tls | Stage::Auth => "connected, but then no response",
            Stage::Query => "logged in, but then no response",
        };
        let message = format!("{what} within {deadline}");
        let mut error = ConnectError::new(stage, FailureClass::Timeout, "timeout", message)
            .hint(hints::of_timeout(stage, context));
        error.took = Some(took);
        error
    }

    /// The connecting thread could not be started, or has panicked.
    pub(crate) fn internal(stage: Stage) -> Self {
        ConnectError::new(
            stage,
            FailureClass::Fatal,
            "internal",
            "the connecting thread failed",
        )
    }

    /// rustls rejected the configuration.
    pub(crate) fn of_tls_config(error: &rustls::Error, context: &Context<'_>) -> Self {
        let explanation = tls_hints::explain(error, None, context);
        ConnectError::new(
            Stage::Tls,
            FailureClass::Fatal,
            explanation.code,
            explanation.message,
        )
        .hint(explanation.hint)
    }

    /// The session is not of the requested kind. The messages are libpq's.
    pub(crate) fn wrong_server(requested: SessionAttrs) -> Self {
        let message = match requested {
            SessionAttrs::ReadWrite => "session is read-only",
            SessionAttrs::ReadOnly => "session is not read-only",
            SessionAttrs::Primary => "server is in hot standby mode",
            SessionAttrs::Standby | SessionAttrs::PreferStandby => "server is not in hot standby mode",
            SessionAttrs::Any => "server does not report what it is",
        };
        ConnectError::new(
            Stage::Query,
            FailureClass::WrongServer,
            "target-session-attrs",
            message,
        )
        .hint(format!(
            "target_session_attrs={} requests another kind of server: name all hosts of the cluster",
            requested.as_str()
        ))
    }
}

/// An I/O error without its number: `connection refused`.
pub(crate) fn describe_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such socket".to_owned(),
        io::ErrorKind::TimedOut => "connection timed out".to_owned(),
        kind @ (io::ErrorKind::ConnectionRefused
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::PermissionDenied) => kind.to_string(),
        _ => {
            let text = error.to_string();
            // The standard library's prefix, which repeats our own words.
            text.trim_start_matches("failed to lookup address information: ")
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests;

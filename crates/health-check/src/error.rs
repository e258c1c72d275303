//! Why a probe failed.

use cli::ErrorKind;

#[derive(Debug)]
pub(crate) struct ProbeError {
    pub(crate) kind: ErrorKind,
    pub(crate) code: &'static str,
    /// One line.
    pub(crate) message: String,
    /// Whether the connection was accepted. Then the app has been found, and no other address is tried.
    pub(crate) is_connected: bool,
    /// The status of the response, if there was one.
    pub(crate) status: Option<u16>,
}

impl ProbeError {
    /// The connection was not accepted.
    pub(crate) fn unreachable(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        ProbeError {
            kind,
            code,
            message: message.into(),
            is_connected: false,
            status: None,
        }
    }

    /// The connection was accepted, and the response was missing or bad.
    pub(crate) fn connected(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        ProbeError {
            is_connected: true,
            ..Self::unreachable(kind, code, message)
        }
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }
}

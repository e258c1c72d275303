//! Parses the authentication messages that pass through the stream. The driver reports neither the server's requests
//! nor the moment when the login is accepted, does not enforce `require_auth`, and reads the first bytes of other
//! protocols as a very long message.

use crate::event::{EventKind, EventSender};
use conninfo::{AuthMethod, RequiredAuth};
use std::fmt;
use std::io::{self, ErrorKind};

/// The first byte of the response, which no PostgreSQL server sends first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotPostgres(pub(crate) u8);

impl fmt::Display for NotPostgres {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the server is not PostgreSQL: its response begins with `{}`",
            self.0.escape_ascii()
        )
    }
}

impl std::error::Error for NotPostgres {}

/// The server's request violates `require_auth`. The text is libpq's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthNotAllowed {
    required: String,
    request: &'static str,
}

impl fmt::Display for AuthNotAllowed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "authentication method requirement \"{}\" failed: {}",
            self.required, self.request
        )
    }
}

impl std::error::Error for AuthNotAllowed {}

/// Why the driver must not receive a message: it would respond to it, with the password for example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProtocolViolation {
    NotPostgres(NotPostgres),
    AuthNotAllowed(AuthNotAllowed),
}

impl From<ProtocolViolation> for io::Error {
    fn from(violation: ProtocolViolation) -> Self {
        match violation {
            ProtocolViolation::NotPostgres(error) => io::Error::new(ErrorKind::InvalidData, error),
            ProtocolViolation::AuthNotAllowed(error) => io::Error::new(ErrorKind::PermissionDenied, error),
        }
    }
}

/// Message type (1), length (4) and the code of an authentication request (4).
const HEAD: usize = 9;

/// Follows the messages until the server accepts or refuses the login.
pub(crate) struct AuthSniffer {
    events: EventSender,
    /// The first bytes of the current message.
    head: Vec<u8>,
    /// How many more bytes of it are to be skipped.
    skip: usize,
    method: &'static str,
    required: Option<RequiredAuth>,
    /// Whether the server has sent an allowed request.
    has_requested: bool,
    has_begun: bool,
    is_over: bool,
}

impl AuthSniffer {
    pub(crate) fn new(events: EventSender, required: Option<RequiredAuth>) -> Self {
        AuthSniffer {
            events,
            head: Vec::with_capacity(HEAD),
            skip: 0,
            method: "no password asked for",
            required,
            has_requested: false,
            has_begun: false,
            is_over: false,
        }
    }

    /// Inspects what the client sends.
    pub(crate) fn sent(&mut self, bytes: &[u8]) {
        const BOUND: &[u8] = b"SCRAM-SHA-256-PLUS";
        if self.is_over || !bytes.starts_with(b"p") {
            return;
        }
        self.events.send(EventKind::AuthResponded);
        if bytes.windows(BOUND.len()).any(|window| window == BOUND) {
            self.method = "scram-sha-256, bound to the TLS connection";
        }
    }

    /// Inspects what the server sends, before the driver gets it.
    ///
    /// # Errors
    /// When the driver must not get it.
    pub(crate) fn received(&mut self, mut bytes: &[u8]) -> Result<(), ProtocolViolation> {
        while let Some((byte, rest)) = bytes.split_first() {
            if self.is_over {
                break;
            }
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            bytes = rest;
            // Authentication, ErrorResponse, NoticeResponse, NegotiateProtocolVersion.
            if !self.has_begun && !b"RENv".contains(byte) {
                return Err(ProtocolViolation::NotPostgres(NotPostgres(*byte)));
            }
            self.has_begun = true;
            self.head.push(*byte);
            self.step().map_err(ProtocolViolation::AuthNotAllowed)?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), AuthNotAllowed> {
        match *self.head.as_slice() {
            [kind, a, b, c, d] => {
                // The length includes itself.
                let length = u32::from_be_bytes([a, b, c, d]) as usize;
                let body = length.saturating_sub(4);
                if kind != b'R' || body < 4 {
                    self.skip = body;
                    self.head.clear();
                }
                self.is_over = kind == b'E';
            }
            [_, a, b, c, d, e, f, g, h] => {
                let length = u32::from_be_bytes([a, b, c, d]) as usize;
                self.skip = length.saturating_sub(8);
                self.head.clear();
                self.request(u32::from_be_bytes([e, f, g, h]))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// An authentication request; the codes are those of the PostgreSQL protocol 3.0.
    fn request(&mut self, code: u32) -> Result<(), AuthNotAllowed> {
        match code {
            0 => {
                if !self.has_requested {
                    self.allow(AuthMethod::None, "server did not complete authentication")?;
                }
                self.is_over = true;
                self.events.send(EventKind::LoggedIn(self.method));
            }
            3 => {
                self.allow(AuthMethod::Password, "server requested a cleartext password")?;
                self.method = "password in the clear";
            }
            5 => {
                self.allow(AuthMethod::Md5, "server requested a hashed password")?;
                self.method = "md5";
            }
            7 => self.allow(AuthMethod::Gss, "server requested GSSAPI authentication")?,
            9 => self.allow(AuthMethod::Sspi, "server requested SSPI authentication")?,
            10 => {
                // SASL; SCRAM-SHA-256 is the only mechanism that the driver supports.
                self.allow(AuthMethod::ScramSha256, "server requested SASL authentication")?;
                self.method = "scram-sha-256";
            }
            _ => {}
        }
        Ok(())
    }

    fn allow(&mut self, method: AuthMethod, request: &'static str) -> Result<(), AuthNotAllowed> {
        match &self.required {
            Some(required) if !required.allows(method) => Err(AuthNotAllowed {
                required: required.as_str().to_owned(),
                request,
            }),
            _ => {
                self.has_requested = true;
                self.events.send(EventKind::AuthRequested(method));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Reads along: the driver does not tell when the server has accepted the login, and takes what is no PostgreSQL for
//! a very long message.

use crate::attempt::Event;
use conninfo::{AuthMethod, RequiredAuth};
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::mpsc::Sender;

/// The first byte that a server sent, when PostgreSQL never begins so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotPostgres(pub(crate) u8);

impl fmt::Display for NotPostgres {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "what answers is not PostgreSQL: its answer begins with `{}`",
            self.0.escape_ascii()
        )
    }
}

impl std::error::Error for NotPostgres {}

/// What the server asked for, or did not, against `require_auth`: in libpq's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotAllowed {
    required: String,
    asked: &'static str,
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "authentication method requirement \"{}\" failed: {}",
            self.required, self.asked
        )
    }
}

impl std::error::Error for NotAllowed {}

/// Why the driver must not read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    NotPostgres(NotPostgres),
    NotAllowed(NotAllowed),
}

impl From<Alarm> for io::Error {
    fn from(alarm: Alarm) -> Self {
        match alarm {
            Alarm::NotPostgres(error) => io::Error::new(ErrorKind::InvalidData, error),
            Alarm::NotAllowed(error) => io::Error::new(ErrorKind::PermissionDenied, error),
        }
    }
}

/// Type, length, and the number of an authentication request.
const HEAD: usize = 9;

/// Follows the messages of a login until the server accepts it.
pub(crate) struct Watch {
    events: Sender<Event>,
    /// The beginning of the current message.
    head: Vec<u8>,
    /// What is left of it.
    skip: usize,
    method: &'static str,
    required: Option<RequiredAuth>,
    /// The server has asked for something that is allowed.
    has_asked: bool,
    has_begun: bool,
    is_over: bool,
}

impl Watch {
    pub(crate) fn new(events: Sender<Event>, required: Option<RequiredAuth>) -> Self {
        Watch {
            events,
            head: Vec::with_capacity(HEAD),
            skip: 0,
            method: "no password asked for",
            required,
            has_asked: false,
            has_begun: false,
            is_over: false,
        }
    }

    /// Sees what the client sends.
    pub(crate) fn sent(&mut self, bytes: &[u8]) {
        const BOUND: &[u8] = b"SCRAM-SHA-256-PLUS";
        if !self.is_over
            && bytes.starts_with(b"p")
            && bytes.windows(BOUND.len()).any(|window| window == BOUND)
        {
            self.method = "scram-sha-256, bound to the TLS connection";
        }
    }

    /// Sees what the server sends, before the driver does: an error keeps it, and so the password, back.
    pub(crate) fn received(&mut self, mut bytes: &[u8]) -> Result<(), Alarm> {
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
            // A request, an error, a notice, or another version of the protocol.
            if !self.has_begun && !b"RENv".contains(byte) {
                return Err(Alarm::NotPostgres(NotPostgres(*byte)));
            }
            self.has_begun = true;
            self.head.push(*byte);
            self.step().map_err(Alarm::NotAllowed)?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), NotAllowed> {
        match *self.head.as_slice() {
            [kind, a, b, c, d] => {
                // The length counts itself.
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

    /// The numbers of PostgreSQL's protocol 3.0.
    fn request(&mut self, number: u32) -> Result<(), NotAllowed> {
        match number {
            0 => {
                if !self.has_asked {
                    self.allow(AuthMethod::None, "server did not complete authentication")?;
                }
                self.is_over = true;
                // Nobody listens any more when the time is up.
                let _ = self.events.send(Event::accepted(self.method));
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
                // The only one of its kind that the driver speaks.
                self.allow(AuthMethod::ScramSha256, "server requested SASL authentication")?;
                self.method = "scram-sha-256";
            }
            _ => {}
        }
        Ok(())
    }

    fn allow(&mut self, method: AuthMethod, asked: &'static str) -> Result<(), NotAllowed> {
        match &self.required {
            Some(required) if !required.allows(method) => Err(NotAllowed {
                required: required.as_str().to_owned(),
                asked,
            }),
            _ => {
                self.has_asked = true;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;

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
mod tests {
    use super::*;
    use crate::attempt::What;
    use std::sync::mpsc::{Receiver, channel};

    fn watch() -> (Watch, Receiver<Event>) {
        let (sender, receiver) = channel();
        (Watch::new(sender, None), receiver)
    }

    fn accepted(receiver: &Receiver<Event>) -> Option<&'static str> {
        receiver.try_iter().find_map(|event| match event.what {
            What::Accepted(method) => Some(method),
            _ => None,
        })
    }

    fn request(number: u32, rest: &[u8]) -> Vec<u8> {
        let length = u32::try_from(8 + rest.len()).unwrap();
        [&b"R"[..], &length.to_be_bytes(), &number.to_be_bytes(), rest].concat()
    }

    #[test]
    fn sees_how_the_login_was_done_however_the_bytes_come() {
        let scram = [
            request(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"),
            request(11, b"r=nonce"),
            request(12, b"v=signature"),
            request(0, b""),
        ]
        .concat();
        for (name, bytes, expected) in [
            ("scram", scram, "scram-sha-256"),
            ("md5", [request(5, b"salt"), request(0, b"")].concat(), "md5"),
            (
                "password",
                [request(3, b""), request(0, b"")].concat(),
                "password in the clear",
            ),
            ("trust", request(0, b""), "no password asked for"),
            (
                "a notice first",
                [b"N\0\0\0\x06xR".to_vec(), request(0, b"")].concat(),
                "no password asked for",
            ),
        ] {
            for size in [1, 2, 3, 7, bytes.len()] {
                let (mut watch, receiver) = watch();
                for part in bytes.chunks(size) {
                    watch.received(part).unwrap();
                }
                assert_eq!(accepted(&receiver), Some(expected), "{name} by {size}");
            }
        }
    }

    #[test]
    fn sees_the_bound_method_in_what_is_sent() {
        let (mut watch, receiver) = watch();
        watch.received(&request(10, b"SCRAM-SHA-256-PLUS\0\0")).unwrap();
        watch.sent(b"p\0\0\0\x20SCRAM-SHA-256-PLUS\0");
        watch.received(&request(0, b"")).unwrap();
        assert_eq!(
            accepted(&receiver),
            Some("scram-sha-256, bound to the TLS connection")
        );
    }

    #[test]
    fn what_is_not_allowed_never_reaches_the_driver() {
        let info = |list: &str| {
            let text = format!("host=h require_auth={list}");
            conninfo::parse(&text, &|_| None).unwrap().require_auth
        };
        let scram = [
            request(10, b"SCRAM-SHA-256\0\0"),
            request(11, b"r=n"),
            request(12, b"v=s"),
        ]
        .concat();
        let nothing = "server did not complete authentication";
        for (list, asked, expected) in [
            (
                "scram-sha-256",
                request(3, b""),
                Some("server requested a cleartext password"),
            ),
            (
                "scram-sha-256",
                request(5, b"salt"),
                Some("server requested a hashed password"),
            ),
            (
                "scram-sha-256",
                request(7, b""),
                Some("server requested GSSAPI authentication"),
            ),
            (
                "scram-sha-256",
                request(9, b""),
                Some("server requested SSPI authentication"),
            ),
            ("scram-sha-256", Vec::new(), Some(nothing)),
            ("scram-sha-256", scram.clone(), None),
            ("password,md5", request(3, b""), None),
            ("password,md5", request(5, b"salt"), None),
            (
                "password,md5",
                scram.clone(),
                Some("server requested SASL authentication"),
            ),
            (
                "!password",
                request(3, b""),
                Some("server requested a cleartext password"),
            ),
            ("!password", request(5, b"salt"), None),
            ("!password", Vec::new(), None),
            ("!none", Vec::new(), Some(nothing)),
            ("none", Vec::new(), None),
            ("none", scram, Some("server requested SASL authentication")),
        ] {
            let bytes = [asked, request(0, b"")].concat();
            for size in [1, bytes.len()] {
                let (sender, receiver) = channel();
                let mut watch = Watch::new(sender, info(list));
                let alarm = bytes.chunks(size).find_map(|part| watch.received(part).err());
                let expected = expected.map(|asked| {
                    Alarm::NotAllowed(NotAllowed {
                        required: list.to_owned(),
                        asked,
                    })
                });
                assert_eq!(alarm, expected, "{list} {bytes:?}");
                assert_eq!(accepted(&receiver).is_some(), alarm.is_none(), "{list} {bytes:?}");
            }
        }
    }

    #[test]
    fn an_error_is_no_acceptance() {
        let (mut watch, receiver) = watch();
        watch.received(b"E\0\0\0\x0cR\0\0\0\x08\0\0\0\0").unwrap();
        watch.received(&request(0, b"")).unwrap();
        assert_eq!(accepted(&receiver), None);
    }

    #[test]
    fn knows_what_is_not_postgresql() {
        for bytes in [
            "HTTP/1.1 400 Bad Request",
            "SSH-2.0-x",
            "-ERR unknown",
            "\x16\x03\x01",
        ] {
            let (mut watch, _receiver) = watch();
            let first = bytes.as_bytes()[0];
            assert_eq!(
                watch.received(bytes.as_bytes()),
                Err(Alarm::NotPostgres(NotPostgres(first))),
                "{bytes}"
            );
        }
        assert!(NotPostgres(b'H').to_string().ends_with("begins with `H`"));
        assert!(NotPostgres(0x16).to_string().ends_with(r"begins with `\x16`"));
    }

    #[test]
    fn impossible_lengths_are_left_to_the_driver() {
        for bytes in [&b"R\0\0\0\0"[..], b"R\xff\xff\xff\xff\0\0\0\x05", b"E\0\0\0\x01"] {
            let (mut watch, receiver) = watch();
            watch.received(bytes).unwrap();
            watch.received(&[0; 64]).unwrap();
            assert_eq!(accepted(&receiver), None);
        }
    }
}

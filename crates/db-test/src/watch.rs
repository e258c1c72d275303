//! Reads along: the driver does not tell when the server has accepted the login, and takes what is no PostgreSQL for
//! a very long message.

use crate::attempt::Event;
use std::fmt;
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
    has_begun: bool,
    is_over: bool,
}

impl Watch {
    pub(crate) fn new(events: Sender<Event>) -> Self {
        Watch {
            events,
            head: Vec::with_capacity(HEAD),
            skip: 0,
            method: "no password asked for",
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

    /// Sees what the server sends.
    pub(crate) fn received(&mut self, mut bytes: &[u8]) -> Result<(), NotPostgres> {
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
                return Err(NotPostgres(*byte));
            }
            self.has_begun = true;
            self.head.push(*byte);
            self.step();
        }
        Ok(())
    }

    fn step(&mut self) {
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
                self.request(u32::from_be_bytes([e, f, g, h]));
            }
            _ => {}
        }
    }

    /// The numbers of PostgreSQL's protocol 3.0.
    fn request(&mut self, number: u32) {
        match number {
            0 => {
                self.is_over = true;
                // Nobody listens any more when the time is up.
                let _ = self.events.send(Event::accepted(self.method));
            }
            3 => self.method = "password in the clear",
            5 => self.method = "md5",
            10 => self.method = "scram-sha-256",
            _ => {}
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
        (Watch::new(sender), receiver)
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
                Err(NotPostgres(first)),
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

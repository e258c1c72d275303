//! The messages of a login, in chunks of different sizes.

use super::*;
use crate::event::Event;
use std::sync::mpsc::{Receiver, channel};

fn sniffer(required: Option<RequiredAuth>) -> (AuthSniffer, Receiver<Event>) {
    let (sender, receiver) = channel();
    (AuthSniffer::new(EventSender(sender), required), receiver)
}

fn logged_in(receiver: &Receiver<Event>) -> Option<&'static str> {
    receiver.try_iter().find_map(|event| match event.kind {
        EventKind::LoggedIn(method) => Some(method),
        _ => None,
    })
}

fn request(number: u32, rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(8 + rest.len()).unwrap();
    [&b"R"[..], &length.to_be_bytes(), &number.to_be_bytes(), rest].concat()
}

#[test]
fn reports_the_method_for_any_chunk_size() {
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
            let (mut sniffer, receiver) = sniffer(None);
            for part in bytes.chunks(size) {
                sniffer.received(part).unwrap();
            }
            assert_eq!(logged_in(&receiver), Some(expected), "{name} by {size}");
        }
    }
}

#[test]
fn recognises_channel_binding_in_what_the_client_sends() {
    let (mut sniffer, receiver) = sniffer(None);
    sniffer.received(&request(10, b"SCRAM-SHA-256-PLUS\0\0")).unwrap();
    sniffer.sent(b"p\0\0\0\x20SCRAM-SHA-256-PLUS\0");
    sniffer.received(&request(0, b"")).unwrap();
    assert_eq!(
        logged_in(&receiver),
        Some("scram-sha-256, bound to the TLS connection")
    );
}

#[test]
fn a_request_that_is_not_allowed_never_reaches_the_driver() {
    let required = |list: &str| {
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
            let (mut sniffer, receiver) = sniffer(required(list));
            let violation = bytes.chunks(size).find_map(|part| sniffer.received(part).err());
            let expected = expected.map(|request| {
                ProtocolViolation::AuthNotAllowed(AuthNotAllowed {
                    required: list.to_owned(),
                    request,
                })
            });
            assert_eq!(violation, expected, "{list} {bytes:?}");
            assert_eq!(
                logged_in(&receiver).is_some(),
                violation.is_none(),
                "{list} {bytes:?}"
            );
        }
    }
}

#[test]
fn an_error_is_not_a_login() {
    let (mut sniffer, receiver) = sniffer(None);
    sniffer.received(b"E\0\0\0\x0cR\0\0\0\x08\0\0\0\0").unwrap();
    sniffer.received(&request(0, b"")).unwrap();
    assert_eq!(logged_in(&receiver), None);
}

#[test]
fn recognises_other_protocols() {
    for bytes in [
        "HTTP/1.1 400 Bad Request",
        "SSH-2.0-x",
        "-ERR unknown",
        "\x16\x03\x01",
    ] {
        let (mut sniffer, _receiver) = sniffer(None);
        let first = bytes.as_bytes()[0];
        assert_eq!(
            sniffer.received(bytes.as_bytes()),
            Err(ProtocolViolation::NotPostgres(NotPostgres(first))),
            "{bytes}"
        );
    }
    assert!(NotPostgres(b'H').to_string().ends_with("begins with `H`"));
    assert!(NotPostgres(0x16).to_string().ends_with(r"begins with `\x16`"));
}

#[test]
fn impossible_lengths_are_left_to_the_driver() {
    for bytes in [&b"R\0\0\0\0"[..], b"R\xff\xff\xff\xff\0\0\0\x05", b"E\0\0\0\x01"] {
        let (mut sniffer, receiver) = sniffer(None);
        sniffer.received(bytes).unwrap();
        sniffer.received(&[0; 64]).unwrap();
        assert_eq!(logged_in(&receiver), None);
    }
}

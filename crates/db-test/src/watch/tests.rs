//! Messages of a login, however their bytes come.

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

//! `require_auth`: a server that requests another method does not get the password.

use super::{SUCCESS, Server, answer_queries, answering_tls, fails, let_in, message, packet, probe, welcome};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server that sends this authentication request, and the client's response.
fn requesting(request: &'static [u8]) -> (Server, Arc<Mutex<Vec<u8>>>) {
    let answer = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&answer);
    let server = Server::start(move |stream: &mut TcpStream| {
        answering_tls(stream, b'N');
        stream.write_all(&message(b'R', request)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut kind = [0];
        if stream.read_exact(&mut kind).is_err() {
            return;
        }
        let body = packet(stream);
        kept.lock().unwrap().extend([&kind[..], &body].concat());
        if stream.write_all(&welcome()).is_ok() {
            answer_queries(stream);
        }
    });
    (server, answer)
}

const CLEAR: &[u8] = &[0, 0, 0, 3];
const MD5: &[u8] = &[0, 0, 0, 5, 1, 2, 3, 4];
const SCRAM: &[u8] = b"\0\0\0\x0aSCRAM-SHA-256\0\0";

#[test]
fn a_method_that_is_not_allowed_gets_no_password() {
    for (list, request, words) in [
        ("scram-sha-256", CLEAR, "server requested a cleartext password"),
        (
            "scram-sha-256,none",
            CLEAR,
            "server requested a cleartext password",
        ),
        ("!password", CLEAR, "server requested a cleartext password"),
        ("scram-sha-256", MD5, "server requested a hashed password"),
        ("!password,!md5", MD5, "server requested a hashed password"),
        ("none", SCRAM, "server requested SASL authentication"),
    ] {
        for mode in ["disable", "allow", "prefer"] {
            let (server, answer) = requesting(request);
            let output = probe(&server.url(&format!("sslmode={mode}&require_auth={list}"))).run();
            let reason = format!("authentication method requirement \"{list}\" failed: {words}");
            let output = fails(output, 1, "auth", &reason, "no password was sent");
            assert_eq!(*answer.lock().unwrap(), b"", "{list} {mode}");
            assert!(!output.stderr.contains("has no effect"), "{}", output.stderr);
        }
    }
    let (server, answer) = requesting(CLEAR);
    let tool = probe(&server.url("")).env("PGREQUIREAUTH", "scram-sha-256");
    let json = tool.args(["-o", "json"]).run().exits(1).json();
    assert_eq!(json["error"]["code"], "require-auth");
    assert_eq!(*answer.lock().unwrap(), b"");
}

#[test]
fn an_allowed_method_is_used() {
    for (list, request) in [
        ("", CLEAR),
        ("password", CLEAR),
        ("md5,password", CLEAR),
        ("!md5", CLEAR),
        ("md5", MD5),
        ("!password,!none", MD5),
    ] {
        let (server, answer) = requesting(request);
        let output = probe(&server.url(&format!("require_auth={list}"))).run().exits(0);
        assert_eq!(output.stdout, SUCCESS, "{list}");
        let answer = answer.lock().unwrap();
        assert_eq!(answer.first(), Some(&b'p'), "{list}");
        assert_eq!(answer.starts_with(b"ppass-word\0"), request == CLEAR, "{list}");
    }
}

#[test]
fn a_server_that_requests_no_authentication_is_refused_unless_allowed() {
    let server = Server::start(let_in);
    for list in ["scram-sha-256", "md5,password", "!none"] {
        let output = probe(&server.url(&format!("require_auth={list}"))).run();
        let reason = format!(
            "authentication method requirement \"{list}\" failed: server did not complete authentication"
        );
        fails(output, 1, "auth", &reason, "is the right server");
    }
    for list in ["none", "scram-sha-256,none", "!password", ""] {
        let output = probe(&server.url(&format!("require_auth={list}"))).run().exits(0);
        assert_eq!(output.stdout, SUCCESS, "{list}");
    }
}

#[test]
fn what_can_not_be_enforced_is_refused() {
    for (query, words) in [
        (
            "host=/nowhere&require_auth=scram-sha-256",
            "`require_auth` can't be enforced",
        ),
        ("require_auth=!password", "`require_auth` can't be enforced"),
        ("host=h&require_auth=scram", "invalid require_auth value"),
        ("host=h&require_auth=md5,!none", "can't be mixed"),
    ] {
        let output = probe(&format!("postgresql://u:p@/d?{query}")).run().exits(2);
        output.prints("").says(words).says("\nhint: ");
    }
}

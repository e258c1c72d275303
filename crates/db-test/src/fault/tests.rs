//! What follows from a fault, and how it is told.

use super::*;
use crate::watch::NotPostgres;

const CONTEXT: Context<'static> = Context {
    host: "db.example",
    port: 5432,
    variable: "CONNECTION_URL",
};

#[test]
fn goes_on_as_libpq_does() {
    for (kind, address, host) in [
        (Kind::Unreachable, true, true),
        (Kind::Silent, true, true),
        (Kind::NotNow, false, true),
        (Kind::Unsuited, false, true),
        (Kind::Handshake, false, false),
        (Kind::Refused, false, false),
        (Kind::Final, false, false),
    ] {
        let fault = Fault::new(Stage::Auth, kind, "x", "x");
        assert_eq!(fault.tries_next_address(), address, "{kind:?}");
        assert_eq!(fault.tries_next_host(), host, "{kind:?}");
    }
}

#[test]
fn the_try_that_came_furthest_decides_and_else_the_last() {
    let fault = |stage, message: &str| Box::new(Fault::new(stage, Kind::Silent, "x", message));
    let after = |before, last| {
        fault(last, "last")
            .or_further(Some(fault(before, "before")))
            .message
    };
    assert_eq!(after(Stage::Tls, Stage::Tcp), "before");
    assert_eq!(after(Stage::Tcp, Stage::Tcp), "last");
    assert_eq!(after(Stage::Dns, Stage::Tcp), "last");
    assert_eq!(fault(Stage::Dns, "only").or_further(None).message, "only");
}

#[test]
fn only_codes_of_the_server_are_shown() {
    let server = Fault::new(Stage::Auth, Kind::Refused, "28P01", "no");
    assert_eq!(
        (server.line(), server.stage_line()),
        ("no (28P01)".into(), "28P01 no".into())
    );
    for code in ["timeout", "dns", "close", ""] {
        let ours = Fault::new(Stage::Auth, Kind::Final, code, "no");
        assert_eq!(
            (ours.line(), ours.stage_line()),
            ("no".into(), "no".into()),
            "{code}"
        );
    }
}

#[test]
fn tells_the_errors_of_a_socket_apart() {
    for (kind, stage, code, message) in [
        (
            ErrorKind::ConnectionRefused,
            Stage::Tcp,
            "connection-refused",
            "connection refused",
        ),
        (
            ErrorKind::TimedOut,
            Stage::Tcp,
            "no-answer",
            "connection timed out",
        ),
        (ErrorKind::NotFound, Stage::Tcp, "no-socket", "no such socket"),
        (
            ErrorKind::NetworkUnreachable,
            Stage::Tcp,
            "unreachable",
            "network unreachable",
        ),
        (
            ErrorKind::ConnectionReset,
            Stage::Auth,
            "closed",
            "the server closed the connection unexpectedly",
        ),
        (
            ErrorKind::UnexpectedEof,
            Stage::Tls,
            "closed",
            "the server closed the connection unexpectedly",
        ),
    ] {
        let fault = Fault::of_socket(&io::Error::from(kind), stage, &CONTEXT);
        assert_eq!(
            (fault.code.as_str(), fault.message.as_str()),
            (code, message),
            "{kind:?}"
        );
        assert_eq!(fault.kind == Kind::Unreachable, stage == Stage::Tcp, "{kind:?}");
        assert!(fault.hint.is_some(), "{kind:?}");
    }
    let stranger = io::Error::new(ErrorKind::InvalidData, NotPostgres(b'H'));
    let fault = Fault::of_socket(&stranger, Stage::Auth, &CONTEXT);
    assert_eq!(fault.code, "not-postgresql");
    assert!(fault.hint.unwrap().contains("HTTP"));
}

#[test]
fn what_comes_from_outside_moves_no_cursor() {
    let fault = Fault::new(Stage::Auth, Kind::Refused, "28P01", "a\x1b[2Jb\nc");
    assert_eq!(fault.message, "a [2Jb c");
}

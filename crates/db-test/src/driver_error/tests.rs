//! One code per I/O error and kind per SQLSTATE.

use super::*;

const CONTEXT: Context<'static> = Context {
    host: "db.example",
    port: 5432,
    variable: "CONNECTION_URL",
};

#[test]
fn each_io_error_has_its_code() {
    for (kind, stage, code, message) in [
        (
            io::ErrorKind::ConnectionRefused,
            Stage::Tcp,
            "connection-refused",
            "connection refused",
        ),
        (
            io::ErrorKind::TimedOut,
            Stage::Tcp,
            "no-answer",
            "connection timed out",
        ),
        (io::ErrorKind::NotFound, Stage::Tcp, "no-socket", "no such socket"),
        (
            io::ErrorKind::NetworkUnreachable,
            Stage::Tcp,
            "unreachable",
            "network unreachable",
        ),
        (
            io::ErrorKind::ConnectionReset,
            Stage::Auth,
            "closed",
            "the server closed the connection unexpectedly",
        ),
        (
            io::ErrorKind::UnexpectedEof,
            Stage::Tls,
            "closed",
            "the server closed the connection unexpectedly",
        ),
    ] {
        let error = of_io(&io::Error::from(kind), stage, &CONTEXT);
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            (code, message),
            "{kind:?}"
        );
        assert_eq!(
            error.class == FailureClass::Unreachable,
            stage == Stage::Tcp,
            "{kind:?}"
        );
        assert!(error.hint.is_some(), "{kind:?}");
    }
    let other = io::Error::new(io::ErrorKind::InvalidData, NotPostgres(b'H'));
    let error = of_io(&other, Stage::Auth, &CONTEXT);
    assert_eq!(error.code, "not-postgresql");
    assert!(error.hint.unwrap().contains("HTTP"));
}

#[test]
fn each_sqlstate_has_its_kind() {
    for (code, kind) in [
        ("28P01", ErrorKind::Credentials),
        ("28000", ErrorKind::Credentials),
        ("3D000", ErrorKind::NotFound),
        ("42501", ErrorKind::Denied),
        ("42704", ErrorKind::Invalid),
        ("53300", ErrorKind::Service),
        ("55000", ErrorKind::Conflict),
        ("57P03", ErrorKind::Service),
        ("0", ErrorKind::Other),
    ] {
        assert_eq!(kind_of_sqlstate(code), kind, "{code}");
    }
}

#[test]
fn each_refused_request_has_its_code() {
    use AuthMethod::{Gss, Md5, None as Trust, Password, ScramSha256};
    for (text, request, expected) in [
        ("host=h", Password, Some("no-password")),
        ("host=h", Md5, Some("no-password")),
        ("host=h", ScramSha256, Some("no-password")),
        ("host=h", Gss, Some("authentication-method")),
        ("host=h", Trust, None),
        ("host=h password=p", Password, None),
        // Only another SASL mechanism makes the driver fail before it responds.
        ("host=h password=p", ScramSha256, Some("authentication-method")),
        (
            "host=h password=p channel_binding=require",
            Password,
            Some("channel-binding"),
        ),
        (
            "host=h password=p channel_binding=require",
            ScramSha256,
            Some("channel-binding"),
        ),
        ("host=h channel_binding=require", ScramSha256, Some("no-password")),
        ("host=h channel_binding=require", Trust, Some("channel-binding")),
    ] {
        let info = conninfo::parse(text, &|_| None).unwrap();
        let state = |has_responded| LoginState {
            request: Some(request),
            has_responded,
            is_accepted: false,
        };
        let code = |state| of_authentication(state, &info, "x", &CONTEXT).map(|error| error.code);
        assert_eq!(code(state(false)).as_deref(), expected, "{text} {request:?}");
        assert_eq!(code(state(true)), None, "{text} {request:?}");
    }
}

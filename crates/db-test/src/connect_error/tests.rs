//! The rules for further attempts, and the texts.

use super::*;

#[test]
fn further_attempts_are_made_as_in_libpq() {
    for (class, address, host) in [
        (FailureClass::Unreachable, true, true),
        (FailureClass::Timeout, true, true),
        (FailureClass::Unavailable, false, true),
        (FailureClass::WrongServer, false, true),
        (FailureClass::Handshake, false, false),
        (FailureClass::Refused, false, false),
        (FailureClass::Fatal, false, false),
    ] {
        let error = ConnectError::new(Stage::Auth, class, "x", "x");
        assert_eq!(error.tries_next_address(), address, "{class:?}");
        assert_eq!(error.tries_next_host(), host, "{class:?}");
    }
}

#[test]
fn the_attempt_with_the_later_stage_decides_else_the_last() {
    let error =
        |stage, message: &str| Box::new(ConnectError::new(stage, FailureClass::Timeout, "x", message));
    let after = |before, last| {
        error(last, "last")
            .or_later_stage(Some(error(before, "before")))
            .message
    };
    assert_eq!(after(Stage::Tls, Stage::Tcp), "before");
    assert_eq!(after(Stage::Tcp, Stage::Tcp), "last");
    assert_eq!(after(Stage::Dns, Stage::Tcp), "last");
    assert_eq!(error(Stage::Dns, "only").or_later_stage(None).message, "only");
}

#[test]
fn only_sqlstates_are_shown() {
    let mut server = ConnectError::new(Stage::Auth, FailureClass::Refused, "28P01", "no");
    server.is_sqlstate = true;
    assert_eq!(
        (server.line(), server.stage_line()),
        ("no (28P01)".into(), "28P01 no".into())
    );
    for code in ["timeout", "dns", "close", "", "28P01"] {
        let ours = ConnectError::new(Stage::Auth, FailureClass::Fatal, code, "no");
        assert_eq!(
            (ours.line(), ours.stage_line()),
            ("no".into(), "no".into()),
            "{code}"
        );
    }
}

#[test]
fn control_characters_are_replaced() {
    let error = ConnectError::new(Stage::Auth, FailureClass::Refused, "28P01", "a\x1b[2Jb\nc");
    assert_eq!(error.message, "a [2Jb c");
}

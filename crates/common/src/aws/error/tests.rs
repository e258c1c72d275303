use super::*;
use aws_smithy_types::error::ErrorMetadata;
use cli::ErrorSummary;

type Sent = SdkError<ErrorMetadata, HttpResponse>;

fn answer(status: u16) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), "<html>".into())
}

fn io(words: &str) -> std::io::Error {
    std::io::Error::other(words.to_owned())
}

#[test]
fn an_error_of_the_service_names_call_code_message_and_the_next_step() {
    let error = ErrorMetadata::builder()
        .code("AccessDeniedException")
        .message("User: ci may not\n")
        .build();
    let error = CallError::of(
        "ssm:PutParameter".into(),
        &Sent::service_error(error, answer(400)),
    );
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert_eq!(error.message(), Some("User: ci may not\n"));
    assert_eq!(error.status(), Some(400));
    assert!(!error.may_have_applied());
    let summary = ErrorSummary::of(&Failure::from(error).into());
    assert_eq!(
        summary.message,
        "ssm:PutParameter failed: AccessDeniedException: User: ci may not"
    );
    assert_eq!(summary.kind, ErrorKind::Denied);
    assert_eq!(summary.code.as_deref(), Some("AccessDeniedException"));
    assert_eq!(
        summary.hint.as_deref(),
        Some("grant `ssm:PutParameter` to the caller (`aws sts get-caller-identity`)")
    );
}

#[test]
fn what_was_sent_differs_from_what_was_not() {
    let unread = || Sent::response_error(io("type mismatch"), answer(200));
    let strange = |status: u16| Sent::service_error(ErrorMetadata::builder().build(), answer(status));
    let broken = || Sent::dispatch_failure(ConnectorError::other(io("connection reset").into(), None));
    let unsent = || Sent::dispatch_failure(ConnectorError::user(io("no trust roots").into()));
    let unread_text = "returned an unparseable response: type mismatch";
    for (error, words, kind, code, unsure) in [
        (
            unread as fn() -> Sent,
            unread_text,
            ErrorKind::Unparseable,
            "no-aws-answer",
            true,
        ),
        (
            || Sent::timeout_error(io("x")),
            "got no answer in time",
            ErrorKind::Network,
            "network",
            true,
        ),
        (
            broken,
            "got no answer: connection reset",
            ErrorKind::Network,
            "network",
            true,
        ),
        (
            unsent,
            "could not be sent: no trust roots",
            ErrorKind::Network,
            "network",
            false,
        ),
    ] {
        check(&error, words, kind, code, unsure);
    }
    for status in [302, 403, 502] {
        let words = format!("returned a non-AWS response (HTTP {status})");
        check(
            &|| strange(status),
            &words,
            ErrorKind::Unparseable,
            "no-aws-error",
            status == 502,
        );
    }
}

fn check(error: &dyn Fn() -> Sent, words: &str, kind: ErrorKind, code: &str, unsure: bool) {
    for (operation, hint) in [
        ("ecs:DescribeServices", NETWORK_HINT),
        (
            "ecs:UpdateService",
            if unsure { UNSURE_HINT } else { NETWORK_HINT },
        ),
    ] {
        let error = CallError::of(operation.into(), &error());
        assert_eq!(error.may_have_applied(), unsure, "{words}");
        let summary = ErrorSummary::of(&Failure::from(error).into());
        assert_eq!(summary.message, format!("{operation} {words}"));
        assert_eq!(
            (summary.kind, summary.code.as_deref()),
            (kind, Some(code)),
            "{words}"
        );
        assert_eq!(summary.hint.as_deref(), Some(hint), "{words}");
    }
}

#[test]
fn the_output_of_a_credential_process_is_left_out() {
    let text = "external process exited with code exit status: 1. Stderr: canary\nStderr: canary";
    let error = CredentialsError::provider_error(text);
    let message = CallError::no_credentials("ecr:PutImage", &error).to_string();
    assert!(message.ends_with("exited with code exit status: 1"), "{message}");
    assert_eq!(without_process_output("plain text."), "plain text.");
}

#[test]
fn causes_are_named_once() {
    let inner = std::io::Error::other("tcp connect error");
    let outer = std::io::Error::other("tcp connect error: refused");
    assert_eq!(readable(&[&outer, &inner]), "tcp connect error: refused");
}

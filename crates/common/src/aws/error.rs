//! AWS's errors made readable: `SdkError` prints as two words, and loses the service's message.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use cli::redact::without_process_output;
use cli::{ErrorKind, Failure};
use std::any::Any;
use std::error::Error;

/// The code that the service gave, `RepositoryNotFoundException` say.
pub fn code_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// Names the failed call in IAM's own spelling (`ssm:PutParameter`): that is what a policy has to allow.
pub fn call<E, R>(operation: &str) -> impl FnOnce(SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let operation = operation.to_owned();
    move |error| match &error {
        SdkError::ServiceError(context) => match context.err().code() {
            Some(code) => refused(&operation, code, context.err().message()),
            None => strange(&operation, status_of(context.raw()), context.err()),
        },
        SdkError::ResponseError(context) => strange(&operation, status_of(context.raw()), &error),
        SdkError::TimeoutError(_) => no_answer(&operation, "got no answer in time", "network"),
        _ => not_sent(&operation, &error),
    }
}

/// What to do when ECS does not let the caller hand over the roles of a task.
pub const PASS_ROLE_HINT: &str =
    "allow `iam:PassRole` on the two roles, with iam:PassedToService ecs-tasks.amazonaws.com";

const NETWORK_HINT: &str = "check the network, the region and any AWS_ENDPOINT_URL";

/// What to do about a call that changes something and was not answered: every tool looks before it changes.
pub const UNSURE_HINT: &str = "it may have gone through all the same: run it again, which looks first";

/// How the names of actions that change nothing begin.
const READS: [&str; 8] = [
    "BatchCheck",
    "BatchGet",
    "Describe",
    "Filter",
    "Get",
    "List",
    "Simulate",
    "StartLifecyclePolicyPreview",
];

/// Whether `ecs:UpdateService` changes something.
fn writes(operation: &str) -> bool {
    let action = operation.split(':').next_back().unwrap_or_default();
    !READS.iter().any(|word| action.starts_with(word))
}

/// The request got out, and nobody can say what came of it.
fn no_answer(operation: &str, what: &str, code: &str) -> Failure {
    let hint = if writes(operation) {
        UNSURE_HINT
    } else {
        NETWORK_HINT
    };
    Failure::error(format!("{operation} {what}"))
        .code(code)
        .hint(hint)
}

fn status_of(raw: &dyn Any) -> Option<u16> {
    let response = raw.downcast_ref::<HttpResponse>();
    response.map(|response| response.status().as_u16())
}

/// An answer that is not AWS's, or not whole. A refusal by somebody on the way has not reached AWS.
fn strange(operation: &str, status: Option<u16>, error: &(dyn Error + 'static)) -> Failure {
    match status {
        Some(300..=499) => Failure::error(format!(
            "{operation} was answered with something that is no AWS error"
        ))
        .code("no-aws-error")
        .hint(NETWORK_HINT),
        Some(status @ 500..) => no_answer(
            operation,
            &format!("was answered with something that is no AWS error (status {status})"),
            "no-aws-error",
        ),
        _ => {
            let cause = readable(&causes_of(Some(error)));
            let what = format!("was answered with something that can't be read: {cause}");
            no_answer(operation, &what, "no-aws-answer")
        }
    }
}

fn refused(operation: &str, code: &str, message: Option<&str>) -> Failure {
    let message = message
        .map(|message| format!(": {}", message.trim()))
        .unwrap_or_default();
    let failure = Failure::error(format!("{operation} refused with {code}{message}")).code(code);
    match hint(operation, code) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The next step for the codes that any service can answer with.
fn hint(operation: &str, code: &str) -> Option<String> {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Some(format!(
            "allow `{operation}` to the identity that `aws sts get-caller-identity` shows"
        )),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            Some("the credentials have expired: sign in again (`aws sso login`), or export new ones".into())
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch" => Some(
            "AWS does not know these credentials: check AWS_PROFILE, AWS_ACCESS_KEY_ID and its secret".into(),
        ),
        code if is_throttling(code) => {
            Some("AWS limits the rate: run it again, what is done is not done twice".into())
        }
        _ => None,
    }
}

/// Whether `code` says that the call came too soon: it heals by itself.
pub fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "TooManyUpdates"
    )
}

/// What the HTTP client says of a connection that stood when it broke: its errors have types of their own.
const AFTER: [&str; 2] = ["client error (SendRequest)", "HTTP read timeout"];

/// The request did not get out, or the connection broke behind it.
fn not_sent(operation: &str, error: &(dyn Error + 'static)) -> Failure {
    let causes = causes_of(Some(error));
    if let Some(credentials) = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<CredentialsError>())
    {
        return no_credentials(operation, credentials);
    }
    let cause = readable(&causes);
    let is_after = |words: &String| AFTER.iter().any(|known| words.starts_with(known));
    if causes
        .iter()
        .map(ToString::to_string)
        .any(|words| is_after(&words))
    {
        return no_answer(operation, &format!("got no answer: {cause}"), "network");
    }
    Failure::error(format!("{operation} could not be sent: {cause}"))
        .kind(ErrorKind::Network)
        .code("network")
        .hint(NETWORK_HINT)
}

pub(super) fn no_credentials(operation: &str, error: &CredentialsError) -> Failure {
    let failure = match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            Failure::error(format!("{operation} could not be sent: no AWS credentials found"))
        }
        _ => {
            let cause = readable(&causes_of(error.source()));
            Failure::error(format!(
                "{operation} could not be sent: failed to get AWS credentials: {cause}"
            ))
        }
    };
    failure
        .kind(ErrorKind::Credentials).code("no-credentials")
        .hint("sign in with `aws sso login`, set AWS_PROFILE, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
}

/// `next` and what is behind it.
pub(super) fn causes_of<'a>(mut next: Option<&'a (dyn Error + 'static)>) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = Vec::new();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    causes
}

/// The causes in one line, without the layers that say nothing and what has been said before.
fn readable(causes: &[&(dyn Error + 'static)]) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in causes {
        let text = cause.to_string();
        let text = without_process_output(&text).trim_end_matches('.').to_owned();
        let empty = matches!(
            text.as_str(),
            "dispatch failure"
                | "io error"
                | "other"
                | "client error (Connect)"
                | "client error (SendRequest)"
                | "response error"
                | "unhandled error"
                | "failed to construct request"
        );
        if !empty && !said.iter().any(|earlier| earlier.contains(&text)) {
            said.push(text);
        }
    }
    if said.is_empty() {
        causes.first().map(ToString::to_string).unwrap_or_default()
    } else {
        said.join(": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::error::ErrorMetadata;
    use cli::ErrorSummary;

    #[test]
    fn a_refusal_names_call_code_message_and_the_next_step() {
        let error = anyhow::Error::from(refused(
            "ssm:PutParameter",
            "AccessDeniedException",
            Some("User: ci may not\n"),
        ));
        let described = ErrorSummary::of(&error);
        assert_eq!(
            described.message,
            "ssm:PutParameter refused with AccessDeniedException: User: ci may not"
        );
        assert_eq!(described.code.as_deref(), Some("AccessDeniedException"));
        assert!(described.hint.unwrap().contains("ssm:PutParameter"));
    }

    #[test]
    fn what_was_sent_is_told_apart_from_what_was_not() {
        type Sent = SdkError<ErrorMetadata, HttpResponse>;
        let answer = |status: u16| HttpResponse::new(status.try_into().unwrap(), "<html>".into());
        let io = |words: &str| std::io::Error::other(words.to_owned());
        let unread = || Sent::response_error(io("type mismatch"), answer(200));
        let strange =
            |status: u16| move || Sent::service_error(ErrorMetadata::builder().build(), answer(status));
        let late = || Sent::timeout_error(io("x"));
        let broken = |words: &'static str| {
            move || Sent::dispatch_failure(ConnectorError::other(io(words).into(), None))
        };
        let check = |error: &dyn Fn() -> Sent, words: &str, code: &str, unsure: bool| {
            let said = |operation: &str| ErrorSummary::of(&call(operation)(error()).into());
            let (read, write) = (said("ecs:DescribeServices"), said("ecs:UpdateService"));
            assert_eq!(read.message, format!("ecs:DescribeServices {words}"));
            assert_eq!(read.hint.as_deref(), Some(NETWORK_HINT), "{words}");
            assert_eq!(write.message, format!("ecs:UpdateService {words}"));
            let hint = if unsure { UNSURE_HINT } else { NETWORK_HINT };
            assert_eq!(write.hint.as_deref(), Some(hint), "{words}");
            assert_eq!(write.code.as_deref(), Some(code), "{words}");
        };
        let words = "was answered with something that can't be read: type mismatch";
        check(&unread, words, "no-aws-answer", true);
        let words = "was answered with something that is no AWS error";
        check(&strange(403), words, "no-aws-error", false);
        let words = format!("{words} (status 502)");
        check(&strange(502), &words, "no-aws-error", true);
        check(&late, "got no answer in time", "network", true);
        let words = "could not be sent: refused";
        check(&broken("refused"), words, "network", false);
        let sent = "client error (SendRequest)";
        let words = "got no answer: dispatch failure";
        check(&broken(sent), words, "network", true);
        let words = "got no answer: HTTP read timeout occurred after 20s";
        check(
            &broken("HTTP read timeout occurred after 20s"),
            words,
            "network",
            true,
        );
        let words = "could not be sent: HTTP connect timeout occurred after 3s";
        check(
            &broken("HTTP connect timeout occurred after 3s"),
            words,
            "network",
            false,
        );
    }

    #[test]
    fn what_a_credential_process_wrote_is_left_out() {
        let said = "external process exited with code exit status: 1. Stderr: canary\nStderr: canary";
        let error = CredentialsError::provider_error(said);
        let described = ErrorSummary::of(&no_credentials("ecr:PutImage", &error).into());
        assert!(
            described.message.ends_with("exited with code exit status: 1"),
            "{}",
            described.message
        );
        assert_eq!(without_process_output("plain text."), "plain text.");
    }

    #[test]
    fn causes_are_said_once() {
        let inner = std::io::Error::other("tcp connect error");
        let outer = std::io::Error::other("tcp connect error: refused");
        assert_eq!(readable(&[&outer, &inner]), "tcp connect error: refused");
    }
}

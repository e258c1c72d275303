//! AWS's errors made readable: `SdkError` prints as two words, and loses the service's message.

use crate::failure::Failure;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
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
        SdkError::ServiceError(context) => refused(&operation, context.err().code(), context.err().message()),
        SdkError::TimeoutError(_) => Failure::could_not(format!("{operation} got no answer in time"))
            .code("network")
            .hint(NETWORK_HINT),
        SdkError::ResponseError(_) => unreadable(&operation, &error),
        _ => not_sent(&operation, &error),
    }
}

const NETWORK_HINT: &str = "check the network, the region and any AWS_ENDPOINT_URL";

fn refused(operation: &str, code: Option<&str>, message: Option<&str>) -> Failure {
    let Some(code) = code else {
        return Failure::could_not(format!(
            "{operation} was answered with something that is no AWS error"
        ))
        .code("no-aws-error")
        .hint(NETWORK_HINT);
    };
    let message = message
        .map(|message| format!(": {}", message.trim()))
        .unwrap_or_default();
    let failure = Failure::could_not(format!("{operation} refused with {code}{message}")).code(code);
    match hint(operation, code) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// An answer came back, and it has not the form of one.
fn unreadable(operation: &str, error: &(dyn Error + 'static)) -> Failure {
    let cause = readable(&causes_of(error.source()));
    Failure::could_not(format!(
        "{operation} was answered with something that is no AWS answer: {cause}"
    ))
    .code("no-aws-answer")
    .hint(NETWORK_HINT)
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

/// The request did not get out, or no answer came back.
fn not_sent(operation: &str, error: &(dyn Error + 'static)) -> Failure {
    let causes = causes_of(Some(error));
    if let Some(credentials) = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<CredentialsError>())
    {
        return no_credentials(operation, credentials);
    }
    let cause = readable(&causes);
    Failure::could_not(format!("{operation} could not be sent: {cause}"))
        .code("network")
        .hint(NETWORK_HINT)
}

pub(super) fn no_credentials(operation: &str, error: &CredentialsError) -> Failure {
    let failure = match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            Failure::could_not(format!("{operation} could not be sent: no AWS credentials found"))
        }
        _ => {
            let cause = readable(&causes_of(error.source()));
            Failure::could_not(format!(
                "{operation} could not be sent: failed to get AWS credentials: {cause}"
            ))
        }
    };
    failure
        .code("no-credentials")
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

/// What the SDK says of a credential process, without what that process wrote: nobody knows what is in it.
pub(crate) fn without_output(text: &str) -> &str {
    text.split("Stderr:").next().unwrap_or_default().trim_end()
}

/// The causes in one line, without the layers that say nothing and what has been said before.
fn readable(causes: &[&(dyn Error + 'static)]) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in causes {
        let text = cause.to_string();
        let text = without_output(&text).trim_end_matches('.').to_owned();
        let empty = matches!(
            text.as_str(),
            "dispatch failure"
                | "io error"
                | "other"
                | "client error (Connect)"
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
    use crate::failure::Described;

    #[test]
    fn a_refusal_names_call_code_message_and_the_next_step() {
        let error = anyhow::Error::from(refused(
            "ssm:PutParameter",
            Some("AccessDeniedException"),
            Some("User: ci may not\n"),
        ));
        let described = Described::of(&error);
        assert_eq!(
            described.message,
            "ssm:PutParameter refused with AccessDeniedException: User: ci may not"
        );
        assert_eq!(described.code.as_deref(), Some("AccessDeniedException"));
        assert!(described.hint.unwrap().contains("ssm:PutParameter"));
    }

    #[test]
    fn what_a_credential_process_wrote_is_left_out() {
        let said = "external process exited with code exit status: 1. Stderr: canary\nStderr: canary";
        let error = CredentialsError::provider_error(said);
        let described = Described::of(&no_credentials("ecr:PutImage", &error).into());
        assert!(
            described.message.ends_with("exited with code exit status: 1"),
            "{}",
            described.message
        );
        assert_eq!(without_output("plain text."), "plain text.");
    }

    #[test]
    fn causes_are_said_once() {
        let inner = std::io::Error::other("tcp connect error");
        let outer = std::io::Error::other("tcp connect error: refused");
        assert_eq!(readable(&[&outer, &inner]), "tcp connect error: refused");
    }
}

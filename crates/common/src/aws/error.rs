//! Failed calls to AWS as readable errors: `SdkError` prints as two words and omits the message of the service.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use cli::redact::without_process_output;
use cli::{ErrorKind, Failure};
use hyper_util::client::legacy;
use std::any::Any;
use std::error::Error;
use std::fmt;

mod code;

pub use code::{is_throttling, kind_of};

/// What to do when ECS does not let the caller pass the roles of a task.
pub const PASS_ROLE_HINT: &str =
    "grant `iam:PassRole` on the two roles, with iam:PassedToService ecs-tasks.amazonaws.com";

const NETWORK_HINT: &str = "check the network, the region and any AWS_ENDPOINT_URL";

/// What to do about a call that changes something and got no response. Every tool reads before it changes.
pub const UNSURE_HINT: &str = "the change may have been applied; re-run to check and continue";

/// The code of the service, for example `RepositoryNotFoundException`.
pub fn code_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// Turns the error of a typed client into a [`Failure`]. `operation` has IAM's spelling (`ssm:PutParameter`), which is
/// what a policy grants.
pub fn call<E, R>(operation: &str) -> impl FnOnce(SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
    R: fmt::Debug + 'static,
{
    let operation = operation.to_owned();
    move |error| CallError::of(operation, &error).into()
}

/// A failed call, whichever client made it.
#[derive(Debug)]
pub struct CallError {
    /// In IAM's spelling: `ecs:DescribeServices`.
    operation: String,
    cause: Cause,
    may_have_applied: bool,
}

/// Why a call failed.
#[derive(Debug, PartialEq, Eq)]
enum Cause {
    /// The service answered with an error.
    Service {
        code: String,
        message: Option<String>,
        status: Option<u16>,
    },
    /// An HTTP response that is not an AWS error, for example of a proxy or a load balancer.
    NonAws { status: u16 },
    /// A response that cannot be read, with the reason.
    Unparseable { reason: String, status: Option<u16> },
    /// The request was sent, or part of it, and no response arrived.
    NoResponse { reason: Option<String> },
    /// The request was not sent.
    NotSent { reason: String },
    /// The request was not sent, because the AWS configuration does not allow it.
    Config { reason: String },
    /// The request was not sent because there are no credentials, with the reason if a provider failed.
    NoCredentials { reason: Option<String> },
}

impl CallError {
    /// Reads the error of a client of the SDK.
    pub(super) fn of<E, R>(operation: String, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
    {
        let cause = match error {
            SdkError::ServiceError(context) => {
                let (error, status) = (context.err(), status_of(context.raw()));
                Cause::response(error.code(), error.message(), status, error)
            }
            SdkError::ResponseError(context) => Cause::unparseable(status_of(context.raw()), error),
            SdkError::TimeoutError(_) => Cause::NoResponse { reason: None },
            _ => Cause::dispatch(error),
        };
        Self::new(operation, cause)
    }

    pub(super) fn not_sent(operation: String, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::new(operation, Cause::NotSent { reason })
    }

    pub(super) fn config(operation: String, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::new(operation, Cause::Config { reason })
    }

    pub(super) fn no_credentials(operation: &str, error: &CredentialsError) -> Self {
        Self::new(operation.to_owned(), Cause::no_credentials(error))
    }

    fn new(operation: String, cause: Cause) -> Self {
        let may_have_applied = match &cause {
            Cause::Service { status, .. } => status.is_some_and(|status| status >= 500),
            Cause::NonAws { status } => *status >= 500,
            Cause::Unparseable { .. } | Cause::NoResponse { .. } => true,
            Cause::NotSent { .. } | Cause::Config { .. } | Cause::NoCredentials { .. } => false,
        };
        CallError {
            operation,
            cause,
            may_have_applied,
        }
    }

    /// Marks the error as possibly applied when an earlier attempt may have been.
    #[must_use]
    pub fn or_applied(mut self, applied: bool) -> Self {
        self.may_have_applied |= applied;
        self
    }

    /// The code of the service, without its namespace.
    pub fn code(&self) -> Option<&str> {
        match &self.cause {
            Cause::Service { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The message of the service.
    pub fn message(&self) -> Option<&str> {
        match &self.cause {
            Cause::Service { message, .. } => message.as_deref(),
            _ => None,
        }
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        match &self.cause {
            Cause::Service { code, status, .. } => kind_of(code, *status),
            Cause::NonAws { .. } | Cause::Unparseable { .. } => ErrorKind::Unparseable,
            Cause::NoResponse { .. } | Cause::NotSent { .. } => ErrorKind::Network,
            Cause::Config { .. } => ErrorKind::Config,
            Cause::NoCredentials { .. } => ErrorKind::Credentials,
        }
    }

    /// The HTTP status of the response, if there was one.
    pub fn status(&self) -> Option<u16> {
        match &self.cause {
            Cause::Service { status, .. } | Cause::Unparseable { status, .. } => *status,
            Cause::NonAws { status } => Some(*status),
            _ => None,
        }
    }

    /// Whether the service may have carried out the call: an attempt was sent and got no response, or one
    /// with a 5xx status.
    pub fn may_have_applied(&self) -> bool {
        self.may_have_applied
    }

    /// The code for programs: the service's own, or one of ours.
    fn reported_code(&self) -> &str {
        match &self.cause {
            Cause::Service { code, .. } => code,
            Cause::NonAws { .. } => "no-aws-error",
            Cause::Unparseable { .. } => "no-aws-answer",
            Cause::NoResponse { .. } | Cause::NotSent { .. } => "network",
            Cause::Config { .. } => "config",
            Cause::NoCredentials { .. } => "no-credentials",
        }
    }

    /// The next step for the user.
    fn hint(&self) -> Option<String> {
        let hint = match &self.cause {
            Cause::Service { code, .. } => return code::hint(&self.operation, code),
            Cause::NonAws { .. } | Cause::Unparseable { .. } | Cause::NoResponse { .. }
                if self.may_have_applied && changes_something(&self.operation) =>
            {
                UNSURE_HINT
            }
            Cause::NoCredentials { .. } => {
                "sign in with `aws sso login`, set AWS_PROFILE, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            }
            Cause::Config { .. } => {
                "check AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT and AWS_ENDPOINT_URL"
            }
            _ => NETWORK_HINT,
        };
        Some(hint.to_owned())
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = &self.operation;
        match &self.cause {
            Cause::Service { code, message, .. } => match message {
                Some(message) => write!(formatter, "{operation} failed: {code}: {}", message.trim()),
                None => write!(formatter, "{operation} failed: {code}"),
            },
            Cause::NonAws { status } => {
                write!(
                    formatter,
                    "{operation} returned a non-AWS response (HTTP {status})"
                )
            }
            Cause::Unparseable { reason, .. } => {
                write!(
                    formatter,
                    "{operation} returned an unparseable response: {reason}"
                )
            }
            Cause::NoResponse { reason: None } => write!(formatter, "{operation} got no answer in time"),
            Cause::NoResponse { reason: Some(reason) } => {
                write!(formatter, "{operation} got no answer: {reason}")
            }
            Cause::NotSent { reason } | Cause::Config { reason } => {
                write!(formatter, "{operation} could not be sent: {reason}")
            }
            Cause::NoCredentials { reason: None } => {
                write!(
                    formatter,
                    "{operation} could not be sent: no AWS credentials found"
                )
            }
            Cause::NoCredentials { reason: Some(reason) } => write!(
                formatter,
                "{operation} could not be sent: failed to get AWS credentials: {reason}"
            ),
        }
    }
}

impl Error for CallError {}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let failure = Failure::error(error.to_string())
            .kind(error.kind())
            .code(error.reported_code());
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl Cause {
    /// A response with an error, or one that the client could not read.
    fn response(
        code: Option<&str>,
        message: Option<&str>,
        status: Option<u16>,
        error: &(dyn Error + 'static),
    ) -> Self {
        match (code, status) {
            (Some(code), _) => Cause::Service {
                code: code.to_owned(),
                message: message.map(str::to_owned),
                status,
            },
            (None, Some(status @ 300..)) => Cause::NonAws { status },
            (None, _) => Cause::unparseable(status, error),
        }
    }

    fn unparseable(status: Option<u16>, error: &(dyn Error + 'static)) -> Self {
        match status {
            Some(status @ 300..) => Cause::NonAws { status },
            _ => Cause::Unparseable {
                reason: readable(&causes_of(Some(error))),
                status,
            },
        }
    }

    /// The request was not sent, or the connection broke after it.
    fn dispatch(error: &(dyn Error + 'static)) -> Self {
        let causes = causes_of(Some(error));
        if let Some(error) = find::<CredentialsError>(&causes) {
            return Cause::no_credentials(error);
        }
        let reason = readable(&causes);
        match find::<ConnectorError>(&causes) {
            Some(connector) if was_sent(connector) => Cause::NoResponse { reason: Some(reason) },
            _ => Cause::NotSent { reason },
        }
    }

    fn no_credentials(error: &CredentialsError) -> Self {
        let reason = match error {
            CredentialsError::CredentialsNotLoaded(_) => None,
            _ => Some(readable(&causes_of(error.source()))),
        };
        Cause::NoCredentials { reason }
    }
}

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

/// Whether an operation such as `ecs:UpdateService` changes something.
pub(super) fn changes_something(operation: &str) -> bool {
    let action = operation.split(':').next_back().unwrap_or_default();
    !READS.iter().any(|word| action.starts_with(word))
}

fn status_of(raw: &dyn Any) -> Option<u16> {
    let response = raw.downcast_ref::<HttpResponse>();
    response.map(|response| response.status().as_u16())
}

/// Whether the request, or part of it, may have reached the service: the HTTP client accepted it and established a
/// connection.
pub(super) fn was_sent(error: &ConnectorError) -> bool {
    let refused = find::<legacy::Error>(&causes_of(Some(error))).is_some_and(legacy::Error::is_connect);
    !(error.is_user() || refused)
}

fn find<'a, E: Error + 'static>(causes: &[&'a (dyn Error + 'static)]) -> Option<&'a E> {
    causes.iter().find_map(|cause| cause.downcast_ref())
}

/// `next` and its sources.
fn causes_of<'a>(mut next: Option<&'a (dyn Error + 'static)>) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = Vec::new();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    causes
}

/// Layers of the SDK and of the HTTP client whose text adds nothing.
const EMPTY_LAYERS: [&str; 11] = [
    "dispatch failure",
    "io error",
    "other",
    "client error (Connect)",
    "client error (SendRequest)",
    "response error",
    "timed out",
    "timeout",
    "unhandled error",
    "user error",
    "failed to construct request",
];

/// The causes on one line, without empty layers and without repetitions.
fn readable(causes: &[&(dyn Error + 'static)]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in causes {
        let text = cause.to_string();
        let text = without_process_output(&text).trim_end_matches('.');
        if !EMPTY_LAYERS.contains(&text) && !texts.iter().any(|earlier| earlier.contains(text)) {
            texts.push(text.to_owned());
        }
    }
    if texts.is_empty() {
        causes.first().map(ToString::to_string).unwrap_or_default()
    } else {
        texts.join(": ")
    }
}

#[cfg(test)]
mod tests;

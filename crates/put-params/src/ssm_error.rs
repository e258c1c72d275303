//! The errors of SSM: the next step for the user, and which of them the SDK must not retry.

use aws_sdk_ssm::config::interceptors::InterceptorContext;
use aws_sdk_ssm::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use cli::Failure;
use common::aws::{call, code_of, is_throttling};
use std::error::Error;
use std::fmt::Debug;
use std::marker::PhantomData;

/// [`call`], with the next step for the codes that only SSM has.
pub(crate) fn explain<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug + 'static,
{
    move |error| {
        let hint = code_of(&error).and_then(|code| hint(operation, code));
        let failure = call(operation)(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

fn hint(operation: &str, code: &str) -> Option<&'static str> {
    // SSM passes on what KMS denies, as `AccessDeniedException` or as `InvalidKeyId`.
    match (code, operation) {
        ("AccessDeniedException", "ssm:GetParameters") => Some(
            "grant `ssm:GetParameters` to the caller, and `kms:Decrypt` on the key of these parameters: values are \
             compared decrypted",
        ),
        ("AccessDeniedException", "ssm:PutParameter") => Some(
            "grant `ssm:PutParameter` to the caller, and `kms:Encrypt` on the key of the parameter if it is not the \
             default one",
        ),
        ("AccessDeniedException", "ssm:DescribeParameters") => Some(
            "grant `ssm:DescribeParameters` on `*`: a new version has to keep the key and the tier of the old one",
        ),
        ("InvalidKeyId", "ssm:GetParameters") => {
            Some("grant `kms:Decrypt` on the key of these parameters: values are compared decrypted")
        }
        ("InvalidKeyId", _) => Some("check `kms_key` in [params], and grant `kms:Encrypt` on that key"),
        ("ParameterLimitExceeded", _) => Some("delete unused parameters, or ask AWS for a higher quota"),
        ("ParameterMaxVersionLimitExceeded", _) => {
            Some("the oldest of its 100 versions has a label: move it, aws ssm label-parameter-version")
        }
        ("HierarchyTypeMismatchException", _) => {
            Some("SSM changes no type in place: delete the parameter and re-run")
        }
        ("ParameterPatternMismatchException", _) => {
            Some("the new value does not match the allowed pattern of the parameter")
        }
        _ => None,
    }
}

/// Keeps the SDK from retrying throttled calls: it retries each call by itself, so the others would not slow down,
/// and it does not treat `TooManyUpdates` as throttling. [`crate::rate::RateLimiter`] retries them.
#[derive(Debug)]
pub(crate) struct NoThrottleRetry<E>(PhantomData<fn() -> E>);

impl<E> NoThrottleRetry<E> {
    pub(crate) fn new() -> Self {
        NoThrottleRetry(PhantomData)
    }
}

impl<E: ProvideErrorMetadata + Error + Send + Sync + 'static> ClassifyRetry for NoThrottleRetry<E> {
    fn name(&self) -> &'static str {
        "no retry of throttled calls"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(|answer| answer.err());
        let error = error.and_then(|error| error.as_operation_error());
        let code = error
            .and_then(|error| error.downcast_ref::<E>())
            .and_then(ProvideErrorMetadata::code);
        if code.is_some_and(is_throttling) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }
}

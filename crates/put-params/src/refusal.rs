//! What SSM refuses with, and what there is to do about it.

use aws_sdk_ssm::config::interceptors::InterceptorContext;
use aws_sdk_ssm::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use cli::Failure;
use common::aws::{call, code_of, is_throttling};
use std::error::Error;
use std::fmt::Debug;
use std::marker::PhantomData;

/// [`call`], with the next step for what only SSM answers.
pub(crate) fn explain<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug + 'static,
{
    move |error| {
        let code = code_of(&error).unwrap_or_default().to_owned();
        let message = error.message().unwrap_or_default().to_ascii_lowercase();
        let failure = call(operation)(error);
        match hint(operation, &code, &message) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

const DECRYPT: &str =
    "values are compared decrypted: allow `kms:Decrypt` on the key of these parameters, too";

fn hint(operation: &str, code: &str, message: &str) -> Option<&'static str> {
    let about_key = ["kms", "ciphertext"].iter().any(|word| message.contains(word));
    match code {
        // KMS speaks through SSM.
        "AccessDeniedException" if about_key && operation == "ssm:GetParameters" => Some(DECRYPT),
        "InvalidKeyId" if operation == "ssm:GetParameters" => Some(DECRYPT),
        "InvalidKeyId" => Some("check `kms_key` in [params], and allow `kms:Encrypt` on that key"),
        "AccessDeniedException" if about_key && operation == "ssm:PutParameter" => {
            Some("allow `ssm:PutParameter`, and `kms:Encrypt` on the key of the parameter")
        }
        "AccessDeniedException" if operation == "ssm:DescribeParameters" => Some(
            "allow `ssm:DescribeParameters` on `*`: a new version has to keep the key and the tier of the old one",
        ),
        "ParameterLimitExceeded" => {
            Some("delete parameters that nobody needs, or ask AWS for a higher quota")
        }
        "ParameterMaxVersionLimitExceeded" => {
            Some("the oldest of its 100 versions has a label: move it, aws ssm label-parameter-version")
        }
        "HierarchyTypeMismatchException" => {
            Some("SSM changes no type in place: delete the parameter, and run it again")
        }
        "ParameterPatternMismatchException" => {
            Some("the parameter has an allowed pattern, which the new value does not fit")
        }
        _ => None,
    }
}

/// Keeps the SDK from sending again what is refused as too many: each call by itself, it would not slow down
/// the others, and it does not know `TooManyUpdates`. [`crate::pace::Pacer`] sends again.
#[derive(Debug)]
pub(crate) struct Ours<E>(PhantomData<fn() -> E>);

impl<E> Ours<E> {
    pub(crate) fn new() -> Self {
        Ours(PhantomData)
    }
}

impl<E: ProvideErrorMetadata + Error + Send + Sync + 'static> ClassifyRetry for Ours<E> {
    fn name(&self) -> &'static str {
        "throttling is put-params's own business"
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

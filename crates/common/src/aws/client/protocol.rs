//! What the SDK's orchestrator asks of a protocol: the request as HTTP, and the output or the error in a response.

use super::{aws_json, query};
use crate::aws::service::Protocol;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, Error as ErasedError, Input, Output,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SerializeRequest};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use http_body_util::Limited;
use serde_json::Value;
use std::error::Error;
use std::fmt;
use std::mem;

/// The longest response that is read. The largest that a tool asks for is a page of log events, 1 MiB
/// (GetLogEvents, "limit").
pub(super) const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// The body of a request, a JSON object.
pub(super) struct Request(pub(super) Value);

/// Without the body, which may contain a secret.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Request").finish_non_exhaustive()
    }
}

/// Serializes the request of one operation, and deserializes its response.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub(super) protocol: &'static Protocol,
    /// For example `DescribeServices`.
    pub(super) operation: String,
}

impl SerializeRequest for Wire {
    fn serialize_input(&self, input: Input, _: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        let Ok(Request(body)) = input.downcast::<Request>() else {
            return Err("the input is not a request".into());
        };
        let (content_type, text) = match self.protocol {
            Protocol::AwsJson { .. } => ("application/x-amz-json-1.1", body.to_string()),
            Protocol::Query { version } => (
                "application/x-www-form-urlencoded",
                query::form(&self.operation, version, &body),
            ),
        };
        let length = text.len();
        let mut http = HttpRequest::new(SdkBody::from(text));
        http.set_method("POST")?;
        http.set_uri("/")?;
        let headers = http.headers_mut();
        headers.insert("content-type", content_type);
        headers.insert("content-length", length.to_string());
        if let Protocol::AwsJson { target_prefix } = self.protocol {
            headers.insert("x-amz-target", format!("{target_prefix}.{}", self.operation));
        }
        Ok(http)
    }
}

impl DeserializeResponse for Wire {
    fn deserialize_nonstreaming(
        &self,
        response: &HttpResponse,
    ) -> Result<Output, OrchestratorError<ErasedError>> {
        let body = response.body().bytes().unwrap_or_default();
        let is_json = matches!(self.protocol, Protocol::AwsJson { .. });
        let error = if response.status().is_success() {
            let output = if is_json {
                aws_json::output(body)
            } else {
                query::output(&self.operation, body)
            };
            match output {
                Ok(output) => return Ok(Output::erase(output)),
                Err(reason) => ServiceError::new(ErrorMetadata::builder().build(), Some(reason)),
            }
        } else if is_json {
            let header = response.headers().get("x-amzn-errortype");
            ServiceError::new(aws_json::error(header, body), None)
        } else {
            ServiceError::new(query::error(body), None)
        };
        Err(OrchestratorError::operation(ErasedError::erase(error)))
    }
}

/// An error response, or a successful one that is not of the protocol.
#[derive(Debug)]
pub(super) struct ServiceError {
    metadata: ErrorMetadata,
    unparseable: Option<String>,
}

impl ServiceError {
    fn new(metadata: ErrorMetadata, unparseable: Option<String>) -> Self {
        ServiceError {
            metadata,
            unparseable,
        }
    }

    pub(super) fn of(error: ErasedError) -> Self {
        error.downcast().unwrap_or_else(|_| {
            let reason = "the deserializer gave an error of another type".to_owned();
            Self::new(ErrorMetadata::builder().build(), Some(reason))
        })
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unparseable {
            Some(reason) => formatter.write_str(reason),
            None => write!(formatter, "{}", self.metadata),
        }
    }
}

impl Error for ServiceError {}

impl ProvideErrorMetadata for ServiceError {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

/// Ends a response with an error when it is longer than [`MAX_RESPONSE_BYTES`].
#[derive(Debug)]
pub(super) struct LimitBody;

#[dyn_dispatch_hint]
impl Intercept for LimitBody {
    fn name(&self) -> &'static str {
        "LimitBody"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let whole = mem::replace(body, SdkBody::taken());
        *body = SdkBody::from_body_1_x(Limited::new(whole, MAX_RESPONSE_BYTES));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_not_shown() {
        assert_eq!(format!("{:?}", Request("canary".into())), "Request(..)");
    }
}

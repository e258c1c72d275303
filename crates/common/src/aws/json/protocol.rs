//! The protocol `awsJson1_1`: a POST of a JSON object, and a JSON object or an error in the response
//! (Smithy, "AWS JSON 1.1 protocol").

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
use serde_json::{Map, Value};
use std::error::Error;
use std::fmt;
use std::mem;

/// The longest response that is read. The largest that a tool asks for is a page of log events, 1 MiB
/// (GetLogEvents, "limit").
pub(super) const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// What one call sends.
pub(super) struct Request {
    /// `X-Amz-Target`.
    pub(super) target: String,
    /// A JSON object.
    pub(super) body: String,
}

/// Without the body, which may contain a secret.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Request");
        debug.field("target", &self.target).finish_non_exhaustive()
    }
}

/// Serializes requests and deserializes responses.
#[derive(Debug)]
pub(super) struct AwsJson;

impl SerializeRequest for AwsJson {
    fn serialize_input(&self, input: Input, _: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        let Ok(request) = input.downcast::<Request>() else {
            return Err("the input is not a JSON request".into());
        };
        let length = request.body.len();
        let mut http = HttpRequest::new(SdkBody::from(request.body));
        http.set_method("POST")?;
        http.set_uri("/")?;
        let headers = http.headers_mut();
        headers.insert("content-type", "application/x-amz-json-1.1");
        headers.insert("content-length", length.to_string());
        headers.insert("x-amz-target", request.target);
        Ok(http)
    }
}

impl DeserializeResponse for AwsJson {
    fn deserialize_nonstreaming(
        &self,
        response: &HttpResponse,
    ) -> Result<Output, OrchestratorError<ErasedError>> {
        let body = response.body().bytes().unwrap_or_default();
        if !response.status().is_success() {
            let error = ServiceError::new(metadata(response.headers().get("x-amzn-errortype"), body), None);
            return Err(OrchestratorError::operation(ErasedError::erase(error)));
        }
        match object(body) {
            Ok(object) => Ok(Output::erase(object)),
            Err(reason) => {
                let error = ServiceError::new(ErrorMetadata::builder().build(), Some(reason));
                Err(OrchestratorError::operation(ErasedError::erase(error)))
            }
        }
    }
}

/// The object in the body of a response; some operations answer with an empty body.
fn object(body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(Value::Object(object)),
        Ok(_) => Err("the body is not a JSON object".into()),
        // Without the text of the body, which serde_json does not quote.
        Err(error) => Err(format!("the body is not JSON: {error}")),
    }
}

/// The code and the message of an error. A body that is not AWS's gives no code.
fn metadata(header: Option<&str>, body: &[u8]) -> ErrorMetadata {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| names.iter().find_map(|name| body.get(name)?.as_str());
    let mut metadata = ErrorMetadata::builder();
    if let Some(code) = header.or_else(|| text(&["__type", "code"])).map(bare_code) {
        metadata = metadata.code(code);
    }
    if let Some(message) = text(&["message", "Message", "errorMessage"]) {
        metadata = metadata.message(message);
    }
    metadata.build()
}

/// `FooError` in `aws.protocoltests#FooError:http://…`.
fn bare_code(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code)
}

/// An error response, or a successful one that is not a JSON object.
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
    use serde_json::json;

    #[test]
    fn errors_are_read_in_every_form_that_aws_sends() {
        for (header, body, code, message) in [
            (
                None,
                r#"{"__type":"com.amazonaws.ecs#ClientException","message":"m"}"#,
                Some("ClientException"),
                Some("m"),
            ),
            (
                None,
                r#"{"__type":"ClientException:http://x/y#z","Message":"m"}"#,
                Some("ClientException"),
                Some("m"),
            ),
            (Some("A:http://internal/"), r#"{"__type":"B"}"#, Some("A"), None),
            (None, r#"{"code":"C"}"#, Some("C"), None),
            (None, r#"{"__type":7,"message":[]}"#, None, None),
            (None, "[]", None, None),
            (None, "<html>denied</html>", None, None),
            (None, "", None, None),
        ] {
            let metadata = metadata(header, body.as_bytes());
            assert_eq!((metadata.code(), metadata.message()), (code, message), "{body}");
        }
    }

    #[test]
    fn a_response_is_an_object() {
        assert_eq!(object(b""), Ok(json!({})));
        assert_eq!(object(br#"{"a":{"b":1}}"#), Ok(json!({"a": {"b": 1}})));
        for body in ["[]", "null", "\"canary\"", "canary", "{\"canary\"", "\u{fe}"] {
            let reason = object(body.as_bytes()).unwrap_err();
            assert!(!reason.contains("canary"), "{reason}");
        }
    }

    #[test]
    fn bodies_are_not_shown() {
        let request = Request {
            target: "T.Op".into(),
            body: "canary".into(),
        };
        assert_eq!(format!("{request:?}"), "Request { target: \"T.Op\", .. }");
    }
}

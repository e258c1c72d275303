//! Calls as plain JSON on both ways: a field that this build of the SDK does not know is lost neither in what is
//! sent nor in what is answered.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What one call sends, and what it was answered: an interceptor for the call, of which a clone is kept.
#[derive(Clone, Default)]
pub struct RawJsonBody {
    /// In place of what the SDK made.
    body: Option<Arc<str>>,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl RawJsonBody {
    /// Sends `body`, whatever the SDK made of its own fields. [`RawJsonBody::default`] leaves that as it is.
    pub fn sending(body: &Value) -> Self {
        RawJsonBody {
            body: Some(body.to_string().into()),
            ..RawJsonBody::default()
        }
    }

    /// The last answer; `null` where it was no JSON.
    pub fn answer(&self) -> Value {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice(&answer).unwrap_or_default()
    }
}

/// Without the bodies: what is in them may be secret.
impl fmt::Debug for RawJsonBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RawJsonBody").finish_non_exhaustive()
    }
}

impl Intercept for RawJsonBody {
    fn name(&self) -> &'static str {
        "RawJsonBody"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(body) = &self.body {
            let request = context.request_mut();
            let length = body.len().to_string();
            request.headers_mut().insert("content-length", length);
            *request.body_mut() = SdkBody::from(&**body);
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bodies_are_not_shown() {
        let exchange = RawJsonBody::sending(&json!({"secret": "canary"}));
        *exchange.answer.lock().unwrap() = b"{\"secret\": \"canary\"}".to_vec();
        assert_eq!(format!("{exchange:?}"), "RawJsonBody { .. }");
        assert_eq!(exchange.clone().answer(), json!({"secret": "canary"}));
        *exchange.answer.lock().unwrap() = b"<html>".to_vec();
        assert_eq!(exchange.answer(), Value::Null);
    }
}

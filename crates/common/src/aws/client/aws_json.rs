//! The protocol `awsJson1_1`: a POST of a JSON object, and a JSON object or an error in the response
//! (Smithy, "AWS JSON 1.1 protocol").

use aws_smithy_types::error::ErrorMetadata;
use serde_json::{Map, Value};

/// The object in the body of a successful response; some operations answer with an empty body.
pub(super) fn output(body: &[u8]) -> Result<Value, String> {
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
pub(super) fn error(header: Option<&str>, body: &[u8]) -> ErrorMetadata {
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
            let metadata = error(header, body.as_bytes());
            assert_eq!((metadata.code(), metadata.message()), (code, message), "{body}");
        }
    }

    #[test]
    fn a_response_is_an_object() {
        assert_eq!(output(b""), Ok(json!({})));
        assert_eq!(output(br#"{"a":{"b":1}}"#), Ok(json!({"a": {"b": 1}})));
        for body in ["[]", "null", "\"canary\"", "canary", "{\"canary\"", "\u{fe}"] {
            let reason = output(body.as_bytes()).unwrap_err();
            assert!(!reason.contains("canary"), "{reason}");
        }
    }
}

//! The protocol `awsQuery`: a POST of a form, and XML in the response (Smithy, "AWS Query protocol").

use crate::aws::error::changes_something;
use aws_smithy_types::error::ErrorMetadata;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use roxmltree::{Document, Node};
use serde_json::{Map, Value};

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How many elements may be inside one another; a response of IAM has ten at most (SimulatePrincipalPolicy).
const MAX_DEPTH: usize = 32;

/// The form of a request: `{"Tags": [{"Key": "a"}]}` is `Tags.member.1.Key=a`.
pub(super) fn form(operation: &str, version: &str, body: &Value) -> String {
    let mut form = format!("Action={operation}&Version={version}");
    append(&mut form, "", body);
    form
}

fn append(form: &mut String, name: &str, value: &Value) {
    let separator = if name.is_empty() { "" } else { "." };
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                append(form, &format!("{name}{separator}{key}"), value);
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                append(form, &format!("{name}.member.{}", index + 1), value);
            }
        }
        Value::Null => {}
        Value::String(text) => append_pair(form, name, text),
        Value::Bool(_) | Value::Number(_) => append_pair(form, name, &value.to_string()),
    }
}

fn append_pair(form: &mut String, name: &str, text: &str) {
    form.push('&');
    form.extend(utf8_percent_encode(name, ENCODED));
    form.push('=');
    form.extend(utf8_percent_encode(text, ENCODED));
}

/// What the element `…Result` in the successful response of `operation` contains. Only what changes something has no
/// output, and may be answered with an empty body.
pub(super) fn output(operation: &str, body: &[u8]) -> Result<Value, String> {
    let may_be_empty = changes_something(operation);
    let empty = || Value::Object(Map::new());
    if body.is_empty() && may_be_empty {
        return Ok(empty());
    }
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    // Without the text of the error, which may quote the body.
    let document =
        Document::parse(text).map_err(|error| format!("the body is not XML (line {})", error.pos().row))?;
    let root = document.root_element();
    if !root.has_tag_name(format!("{operation}Response").as_str()) {
        return Err(format!("the XML is not a response to {operation}"));
    }
    match child(root, &format!("{operation}Result")) {
        Some(result) => match value(result, MAX_DEPTH) {
            Some(output @ Value::Object(_)) => Ok(output),
            Some(_) => Ok(empty()),
            None => Err("the XML is nested too deeply".to_owned()),
        },
        None if may_be_empty => Ok(empty()),
        None => Err(format!("the response omits `{operation}Result`")),
    }
}

/// The code and the message of an error. A body that is not AWS's gives no code.
pub(super) fn error(body: &[u8]) -> ErrorMetadata {
    let mut metadata = ErrorMetadata::builder();
    let text = std::str::from_utf8(body).unwrap_or_default();
    let document = Document::parse(text).ok();
    let error = document
        .as_ref()
        .and_then(|document| child(document.root_element(), "Error"));
    let text_of = |name: &str| child(error?, name)?.text();
    if let Some(code) = text_of("Code") {
        metadata = metadata.code(code);
    }
    if let Some(message) = text_of("Message") {
        metadata = metadata.message(message);
    }
    metadata.build()
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// An element as JSON: a list where its children are `member`, an object where it has other children, else its text.
/// `None` when it is deeper than `depth`.
fn value(node: Node<'_, '_>, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let mut children = node.children().filter(Node::is_element).peekable();
    match children.peek() {
        None => Some(Value::String(node.text().unwrap_or_default().to_owned())),
        Some(first) if first.has_tag_name("member") => children.map(|child| value(child, depth)).collect(),
        Some(_) => {
            let members =
                children.map(|child| Some((child.tag_name().name().to_owned(), value(child, depth)?)));
            members.collect::<Option<_>>().map(Value::Object)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_a_form() {
        let body = json!({
            "RoleName": "a b/ü&", "Max": 5, "Deep": {"On": true}, "Absent": null, "None": [],
            "Tags": [{"Key": "k", "Value": ""}, {"Key": "l", "Value": "v"}],
        });
        assert_eq!(
            form("TagRole", "2010-05-08", &body),
            "Action=TagRole&Version=2010-05-08&RoleName=a%20b%2F%C3%BC%26&Max=5&Deep.On=true\
             &Tags.member.1.Key=k&Tags.member.1.Value=&Tags.member.2.Key=l&Tags.member.2.Value=v"
        );
    }

    #[test]
    fn a_response_is_what_the_result_contains() {
        for (operation, body, expected) in [
            (
                "GetRole",
                "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role>\
                 <RoleName>a&amp;b</RoleName><Tags><member><Key>k</Key><Value/></member></Tags></Role>\
                 </GetRoleResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetRoleResponse>",
                json!({"Role": {"RoleName": "a&b", "Tags": [{"Key": "k", "Value": ""}]}}),
            ),
            (
                "ListX",
                "<?xml version=\"1.0\"?>\n<ListXResponse>\n <ListXResult>\n  <Names>\n   <member>a</member>\n   \
                 <member>b</member>\n  </Names>\n  <Tags></Tags>\n </ListXResult>\n</ListXResponse>",
                json!({"Names": ["a", "b"], "Tags": ""}),
            ),
            (
                "ListX",
                "<ListXResponse><ListXResult/></ListXResponse>",
                json!({}),
            ),
            (
                "PutX",
                "<PutXResponse><ResponseMetadata/></PutXResponse>",
                json!({}),
            ),
            ("PutX", "", json!({})),
        ] {
            assert_eq!(output(operation, body.as_bytes()), Ok(expected), "{body}");
        }
    }

    /// A read that fails must not look like an empty list.
    #[test]
    fn other_xml_is_not_a_response() {
        let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
        for body in [
            "",
            "canary",
            "<canary",
            "<html>canary</html>",
            "{\"canary\":1}",
            "<ErrorResponse><Error><Code>canary</Code></Error></ErrorResponse>",
            "<Response/>",
            "<ListXResponse/>",
            "<ListYResponse><ListYResult/></ListYResponse>",
            // Entities of a document type can expand without limit.
            "<!DOCTYPE x [<!ENTITY a \"canary\">]><ListXResponse><ListXResult>&a;</ListXResult></ListXResponse>",
            &format!("<ListXResponse><ListXResult>{deep}</ListXResult></ListXResponse>"),
        ] {
            let reason = output("ListX", body.as_bytes()).unwrap_err();
            assert!(!reason.contains("canary"), "{reason}");
        }
        assert!(output("ListX", b"\xfe").is_err());
        assert!(output("PutX", b"<ErrorResponse/>").is_err());
    }

    #[test]
    fn an_error_has_a_code_and_a_message() {
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>m</Message>\
                    </Error><RequestId>1</RequestId></ErrorResponse>";
        let metadata = error(body.as_bytes());
        assert_eq!(
            (metadata.code(), metadata.message()),
            (Some("NoSuchEntity"), Some("m"))
        );
        for body in ["", "<html><body>denied</body></html>", "{}"] {
            assert_eq!(error(body.as_bytes()).code(), None, "{body}");
        }
    }
}

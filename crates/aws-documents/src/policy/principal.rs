//! `Principal`: whom a policy applies to.

use crate::diagnostic::Diagnostics;
use crate::node::{Content, Field};
use serde_json::{Value, json};

/// The kinds of principals (IAM reference, "AWS JSON policy elements: Principal").
const KINDS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

/// `"*"` is `{"AWS": "*"}`.
pub(super) fn by_kind(principal: Option<&Value>) -> Value {
    match principal {
        Some(Value::String(text)) => json!({ "AWS": text }),
        Some(other) => other.clone(),
        None => Value::Null,
    }
}

/// IAM turns an account id into the ARN of the account's root.
pub(super) fn canonical(principal: &Value) -> Value {
    match principal.as_str().and_then(arn::split) {
        Some(parts) if parts.service == "iam" && parts.resource == "root" => parts.account.into(),
        _ => principal.clone(),
    }
}

/// What is wrong with the value of `Principal`.
pub(super) fn check(principal: &Field, partition: Option<&str>, diagnostics: &mut Diagnostics) {
    match &principal.node.content {
        Content::Text(text) if text == "*" => {}
        Content::Text(_) => {
            diagnostics.error(principal, "a principal is \"*\", or an object");
            diagnostics.hint(r#"write {"Service": "ecs-tasks.amazonaws.com"} or {"AWS": "arn:…"}"#);
        }
        Content::Object(members) if !members.is_empty() => {
            for (member, value) in principal.members() {
                if KINDS.contains(&member.key.as_str()) {
                    check_values(&member.key, &value, partition, diagnostics);
                } else {
                    let message = format!("`{}` is none of {}", member.key, KINDS.join(", "));
                    diagnostics.error_at(member.position, &value.path, message);
                }
            }
        }
        _ => diagnostics.error(
            principal,
            "a principal is \"*\", or an object with AWS, Service or Federated",
        ),
    }
}

fn check_values(kind: &str, values: &Field, partition: Option<&str>, diagnostics: &mut Diagnostics) {
    for value in super::texts::strings(values, diagnostics) {
        let text = value.text().unwrap_or_default();
        match kind {
            "AWS" => check_aws(&value, text, partition, diagnostics),
            "Service" => {
                let named = text.contains('.')
                    && !text.contains(['/', ':', '*'])
                    && !text.contains(char::is_whitespace);
                if !named {
                    diagnostics.error(&value, format!("`{text}` is no service principal"));
                    diagnostics.hint("they look like ecs-tasks.amazonaws.com");
                }
            }
            _ => {}
        }
    }
}

fn check_aws(value: &Field, text: &str, partition: Option<&str>, diagnostics: &mut Diagnostics) {
    // IAM shows the unique id of a deleted principal.
    let unique_id =
        text.len() >= 16 && text.starts_with('A') && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if text == "*" || arn::is_account(text) || unique_id {
        return;
    }
    super::texts::check_arn(value, text, partition, diagnostics);
    if text.contains('*') {
        diagnostics.error(value, "a principal can't hold a wildcard");
        diagnostics.hint("name the account, and narrow it with the condition aws:PrincipalArn");
    }
}

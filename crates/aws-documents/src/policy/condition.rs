//! `Condition`: `{operator: {key: values}}`.

use super::texts::{check_arn, strings};

use crate::diagnostic::Diagnostics;
use crate::node::{Content, Field};

/// The operators (IAM reference, "AWS JSON policy elements: Condition operators").
const OPERATORS: [&str; 26] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
];

/// What is wrong with the value of `Condition`.
pub(super) fn check(condition: &Field, partition: Option<&str>, diagnostics: &mut Diagnostics) {
    if !matches!(condition.node.content, Content::Object(_)) {
        return diagnostics.error(condition, "a condition is an object: operator, key, values");
    }
    for (operator, keys) in condition.members() {
        let name = bare(&operator.key);
        if !OPERATORS.contains(&name) && name != "Null" {
            let message = format!("`{}` is no operator of a condition", operator.key);
            diagnostics.error_at(operator.position, &keys.path, message);
            let near = OPERATORS.iter().find(|known| known.eq_ignore_ascii_case(name));
            near.into_iter()
                .for_each(|near| diagnostics.hint(format!("did you mean `{near}`?")));
        }
        if !matches!(keys.node.content, Content::Object(_)) {
            diagnostics.error(&keys, "an operator holds an object: key and values");
        }
        for (key, values) in keys.members() {
            if key.key.contains("${") || !key.key.contains(':') {
                let message = format!(
                    "`{}` is no condition key: they look like aws:SourceAccount",
                    key.key
                );
                diagnostics.error_at(key.position, &values.path, message);
            }
            for value in strings_or_others(&values, diagnostics) {
                let text = value.text().unwrap_or_default();
                // A wildcard may stand for several parts: `arn:aws:ecs:*`.
                let pattern = text.contains(['*', '?', '$']) && arn::split(text).is_none();
                if name.starts_with("Arn") && !pattern {
                    check_arn(&value, text, partition, diagnostics);
                }
            }
        }
    }
}

/// Without `ForAllValues:` and `IfExists`.
fn bare(operator: &str) -> &str {
    let name = operator
        .strip_prefix("ForAllValues:")
        .or_else(|| operator.strip_prefix("ForAnyValue:"))
        .unwrap_or(operator);
    name.strip_suffix("IfExists").unwrap_or(name)
}

/// Here a number, `true` and `false` count as texts.
fn strings_or_others<'a>(values: &Field<'a>, diagnostics: &mut Diagnostics) -> Vec<Field<'a>> {
    let scalar = |field: &Field| matches!(field.node.content, Content::Flag(_) | Content::Number(_));
    let elements = values.elements();
    if scalar(values) {
        Vec::new()
    } else if !elements.is_empty() && elements.iter().any(scalar) {
        elements.into_iter().filter(|element| !scalar(element)).collect()
    } else {
        strings(values, diagnostics)
    }
}

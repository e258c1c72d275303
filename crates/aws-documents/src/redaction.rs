//! Values that may hold secrets, for plans, diffs and errors.
//!
//! The table of an API's fields ([`crate::shape`]) is the list of what may be shown: names, sizes, images, ports,
//! ARNs. What the author of a document writes freely ([`Shape::FreeText`]: environment values, command words,
//! options, labels) and what the table does not have is hidden.

use crate::secrets::{holds_secret, is_secret, secret_words};
use crate::shape::{Key, Shape};
use serde_json::Value;

/// What stands for a value that may hold a secret.
pub const HIDDEN: &str = "(hidden)";

/// Whether plans and diffs show the values that may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// As [`HIDDEN`].
    Hidden,
    /// As they are.
    Shown,
}

/// `value`, the value of a field of `shape`, with [`HIDDEN`] for all that may hold a secret. Without a shape the
/// field is unknown.
pub(crate) fn hide(value: &Value, shape: Option<&Shape>) -> Value {
    match (value, shape) {
        (Value::Null, _) => Value::Null,
        // A field that is not meant for secrets may still hold one.
        (Value::String(text), Some(Shape::Text | Shape::OneOf(_))) if !holds_secret(text) => value.clone(),
        (Value::Bool(_), Some(Shape::Flag)) => value.clone(),
        (Value::Number(_), Some(Shape::Number | Shape::Fraction)) => value.clone(),
        (Value::Array(elements), Some(Shape::List(inner))) => elements
            .iter()
            .map(|element| hide(element, Some(inner)))
            .collect(),
        (Value::Object(members), Some(shape @ (Shape::Object(_) | Shape::TextMap(_)))) => members
            .iter()
            .map(|(key, value)| (key.clone(), hide(value, shape.member(key))))
            .collect(),
        _ => HIDDEN.into(),
    }
}

/// The texts of `value` that look like secrets, to be redacted in error messages about it.
pub(crate) fn secret_texts(value: &Value, shape: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    collect("", value, Some(shape), &mut found);
    found
}

fn collect(name: &str, value: &Value, shape: Option<&Shape>, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let is_secret = match shape {
                Some(Shape::Text | Shape::OneOf(_)) => holds_secret(text),
                _ => is_secret(name, text),
            };
            if is_secret {
                found.push(text.clone());
            }
        }
        Value::Array(elements) if matches!(shape, Some(Shape::Command)) => {
            let words: Vec<&str> = elements
                .iter()
                .map(|element| element.as_str().unwrap_or_default())
                .collect();
            let secret = words
                .iter()
                .zip(secret_words(&words))
                .filter(|(_, secret)| *secret);
            found.extend(secret.map(|(word, _)| (*word).to_owned()));
        }
        Value::Array(elements) => {
            let inner = match shape {
                Some(Shape::List(inner)) => Some(*inner),
                _ => None,
            };
            elements
                .iter()
                .for_each(|element| collect(name, element, inner, found));
        }
        Value::Object(members) => {
            let own_name = members.get("name").and_then(Value::as_str);
            for (key, value) in members {
                let inner = shape.and_then(|shape| shape.member(key));
                // The name of a variable is what marks a secret, not the key `value`.
                let name = match (inner, own_name) {
                    (None | Some(Shape::FreeText), Some(name)) if key == "value" => name,
                    _ => key,
                };
                collect(name, value, inner, found);
            }
        }
        _ => {}
    }
}

impl Shape {
    /// The shape of the value under `key`; `None` when the field is unknown.
    pub(crate) fn member(&self, key: &str) -> Option<&Shape> {
        match self {
            Shape::Object(keys) => keys
                .iter()
                .find(|known: &&Key| known.name == key)
                .map(|known| &known.shape),
            Shape::TextMap(shown) if shown.contains(&key) => Some(&Shape::Text),
            Shape::TextMap(_) => Some(&Shape::FreeText),
            _ => None,
        }
    }
}

//! Helpers for plain JSON values.

use serde_json::Value;

/// The elements under `key`; none when it is no list.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// Removes null, empty lists and empty objects, and objects that hold nothing else: AWS treats them as absent.
pub(crate) fn drop_empty(value: &mut Value) {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(drop_empty);
            members.retain(|_, value| !is_empty(value));
        }
        Value::Array(elements) => {
            elements.iter_mut().for_each(drop_empty);
            elements.retain(|element| !element.is_null());
        }
        _ => {}
    }
}

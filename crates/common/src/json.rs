//! Fields of AWS's JSON, where a missing one is an empty one.

use serde_json::Value;

/// The text under `key`.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The list under `key`.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let list = value.get(key).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// The number under `key`.
pub fn count(value: &Value, key: &str) -> i64 {
    value.get(key).and_then(Value::as_i64).unwrap_or_default()
}

/// Moves the value under `key` out of `answer`; `null` where there is none.
pub fn take(mut answer: Value, key: &str) -> Value {
    answer.get_mut(key).map(Value::take).unwrap_or_default()
}

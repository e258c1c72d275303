//! Documents and their differences, as they may be shown.

use super::harmless::{may_be_shown, shown_words};
use super::holds_secret;
use crate::difference::{self, List, Meaning};
use crate::shape::Shape;
use common::Change;
use serde_json::{Map, Value};

/// What stands for a value that may be a secret.
const HIDDEN: &str = "(hidden)";

/// What marks a text that is not to be shown, for as long as two of them are compared.
const MARK: &str = "\u{0}hidden\u{0}";

/// `value` with [`HIDDEN`] for what may be a secret.
pub(crate) fn concealed(value: &Value, shape: &Shape) -> Value {
    let mut concealed = value.clone();
    mark("", &mut concealed, Some(shape), &no_list_is_keyed);
    unmark(&mut concealed, None);
    concealed
}

fn no_list_is_keyed(_: &str) -> List {
    List::Ordered
}

/// [`difference::difference`] in which no value is shown that may be a secret.
pub(crate) fn difference(from: &Value, to: &Value, meaning: Meaning, shape: &Shape) -> Vec<Change> {
    let (mut from, mut to) = (from.clone(), to.clone());
    for side in [&mut from, &mut to] {
        mark("", side, Some(shape), &meaning);
    }
    let mut changes = difference::difference(&from, &to, meaning);
    for Change { from, to, .. } in &mut changes {
        unmark(to, Some(from));
        unmark(from, None);
    }
    changes
}

/// Marks what is not to be shown. What the shape does not know is judged by its name alone.
fn mark(name: &str, value: &mut Value, shape: Option<&Shape>, meaning: &dyn Fn(&str) -> List) {
    match value {
        Value::String(text) => {
            let hidden = match shape {
                Some(Shape::Text | Shape::Word(_)) => holds_secret(text),
                _ => !may_be_shown(name, text),
            };
            if hidden || text.contains(MARK) {
                text.insert_str(0, MARK);
            }
        }
        Value::Array(elements) if matches!(shape, Some(Shape::Words)) => mark_words(elements),
        Value::Array(elements) => {
            let inner = match shape {
                Some(Shape::List(inner)) => Some(*inner),
                _ => None,
            };
            let keys = match meaning(name) {
                List::Keyed(keys) => keys,
                List::Ordered | List::Set => &[],
            };
            for element in elements {
                match element {
                    Value::Object(members) => mark_members(members, inner, keys, meaning),
                    other => mark(name, other, inner, meaning),
                }
            }
        }
        Value::Object(members) => mark_members(members, shape, &[], meaning),
        _ => {}
    }
}

/// What an element is known by stays: it is a part of paths.
fn mark_members(
    members: &mut Map<String, Value>,
    shape: Option<&Shape>,
    known_by: &[&str],
    meaning: &dyn Fn(&str) -> List,
) {
    let own_name = members.get("name").and_then(Value::as_str).map(str::to_owned);
    for (key, value) in members
        .iter_mut()
        .filter(|(key, _)| !known_by.contains(&key.as_str()))
    {
        let inner = match shape {
            Some(Shape::Object(keys)) => keys.iter().find(|known| known.name == key).map(|key| &key.shape),
            Some(Shape::Texts(plain)) if plain.contains(&key.as_str()) => Some(&Shape::Text),
            Some(Shape::Texts(_)) => Some(&Shape::Own),
            _ => None,
        };
        // A variable's value is called as the variable is.
        let name = match (inner, &own_name) {
            (None | Some(Shape::Own), Some(name)) if key == "value" => name,
            _ => key,
        };
        mark(name, value, inner, meaning);
    }
}

fn mark_words(elements: &mut [Value]) {
    let words: Vec<&str> = elements
        .iter()
        .map(|element| element.as_str().unwrap_or_default())
        .collect();
    let shown = shown_words(&words);
    for (element, shown) in elements.iter_mut().zip(shown) {
        match element {
            Value::String(text) if !shown || text.contains(MARK) => text.insert_str(0, MARK),
            Value::String(_) => {}
            other => mark("", other, None, &no_list_is_keyed),
        }
    }
}

/// Puts [`HIDDEN`] in the place of what is marked; beside another one in the same place of `before`, it says that
/// it is not the same.
fn unmark(value: &mut Value, before: Option<&Value>) {
    match value {
        Value::String(text) if text.contains(MARK) => {
            let other = before
                .and_then(Value::as_str)
                .is_some_and(|before| before.contains(MARK) && before != text);
            *text = if other {
                format!("{HIDDEN}, another one")
            } else {
                HIDDEN.to_owned()
            };
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                unmark(element, before.and_then(|before| before.get(index)));
            }
        }
        Value::Object(members) => {
            for (key, value) in members.iter_mut() {
                unmark(value, before.and_then(|before| before.get(key)));
            }
        }
        _ => {}
    }
}

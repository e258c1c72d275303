//! Documents and their differences, as they may be shown.

use super::harmless::{may_be_shown, shown_words};
use super::{holds_secret, is_secret, secret_words};
use crate::difference::{self, List, Meaning};
use crate::shape::Shape;
use cli::Change;
use serde_json::{Map, Value};

/// What stands for a value that may be a secret.
const HIDDEN: &str = "(hidden)";

/// What marks a text that is not to be shown, for as long as two of them are compared.
const MARK: &str = "\u{0}hidden\u{0}";

/// A text on the way through a document.
struct Seen<'a> {
    text: &'a mut String,
    /// Whether it may be a secret.
    is_hidden: bool,
    /// Whether it looks like one.
    is_secret: bool,
}

/// `value` with [`HIDDEN`] for what may be a secret.
pub(crate) fn concealed(value: &Value, shape: &Shape) -> Value {
    let mut concealed = value.clone();
    mark(&mut concealed, shape, no_list_is_keyed);
    unmark(&mut concealed, None);
    concealed
}

/// The texts of `value` that look like secrets.
pub(crate) fn secrets(value: &Value, shape: &Shape) -> Vec<String> {
    let mut secrets = Vec::new();
    let mut collect = |seen: Seen| {
        if seen.is_secret {
            secrets.push(seen.text.clone());
        }
    };
    visit(
        "",
        &mut value.clone(),
        Some(shape),
        no_list_is_keyed,
        &mut collect,
    );
    secrets
}

fn no_list_is_keyed(_: &str) -> List {
    List::Ordered
}

/// [`difference::difference`] in which no value is shown that may be a secret.
pub(crate) fn difference(from: &Value, to: &Value, meaning: Meaning, shape: &Shape) -> Vec<Change> {
    let (mut from, mut to) = (from.clone(), to.clone());
    for side in [&mut from, &mut to] {
        mark(side, shape, meaning);
    }
    let mut changes = difference::difference(&from, &to, meaning);
    for Change { from, to, .. } in &mut changes {
        unmark(to, Some(from));
        unmark(from, None);
    }
    changes
}

/// Marks what is not to be shown.
fn mark(value: &mut Value, shape: &Shape, meaning: Meaning) {
    let mut mark = |seen: Seen| {
        if seen.is_hidden || seen.text.contains(MARK) {
            seen.text.insert_str(0, MARK);
        }
    };
    visit("", value, Some(shape), meaning, &mut mark);
}

/// Shows `see` each text. What the shape does not know is judged by its name alone.
fn visit(name: &str, value: &mut Value, shape: Option<&Shape>, meaning: Meaning, see: &mut dyn FnMut(Seen)) {
    match value {
        Value::String(text) => {
            let known = matches!(shape, Some(Shape::Text | Shape::Word(_)));
            let is_secret = if known {
                holds_secret(text)
            } else {
                is_secret(name, text)
            };
            let is_hidden = if known {
                is_secret
            } else {
                !may_be_shown(name, text)
            };
            see(Seen {
                text,
                is_hidden,
                is_secret,
            });
        }
        Value::Array(elements) if matches!(shape, Some(Shape::Words)) => visit_words(elements, meaning, see),
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
                    Value::Object(members) => visit_members(members, inner, keys, meaning, see),
                    other => visit(name, other, inner, meaning, see),
                }
            }
        }
        Value::Object(members) => visit_members(members, shape, &[], meaning, see),
        _ => {}
    }
}

/// What an element is known by is left out: it is a part of paths.
fn visit_members(
    members: &mut Map<String, Value>,
    shape: Option<&Shape>,
    known_by: &[&str],
    meaning: Meaning,
    see: &mut dyn FnMut(Seen),
) {
    let own_name = members.get("name").and_then(Value::as_str).map(str::to_owned);
    let others = members
        .iter_mut()
        .filter(|(key, _)| !known_by.contains(&key.as_str()));
    for (key, value) in others {
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
        visit(name, value, inner, meaning, see);
    }
}

fn visit_words(elements: &mut [Value], meaning: Meaning, see: &mut dyn FnMut(Seen)) {
    let words: Vec<&str> = elements
        .iter()
        .map(|element| element.as_str().unwrap_or_default())
        .collect();
    let (shown, secret) = (shown_words(&words), secret_words(&words));
    for ((element, shown), is_secret) in elements.iter_mut().zip(shown).zip(secret) {
        match element {
            Value::String(text) => see(Seen {
                text,
                is_hidden: !shown,
                is_secret,
            }),
            other => visit("", other, None, meaning, see),
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

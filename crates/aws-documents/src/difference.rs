//! What differs between two values, field by field.

use crate::node::join;
use crate::redaction::{Values, hide};
use crate::shape::Shape;
use cli::Change;
use serde_json::{Map, Value};

/// What the order of a list means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// The order counts: a command.
    Ordered,
    /// It does not: subnets.
    Set,
    /// It does not, and these fields identify an element: `name` an environment variable.
    Keyed(&'static [&'static str]),
}

/// The meaning of the list in the field of this name.
pub type Meaning = fn(field: &str) -> List;

/// The changes from `from` to `to`, with all values. An absent field is `null`.
pub fn difference(from: &Value, to: &Value, meaning: Meaning) -> Vec<Change> {
    let mut walk = Walk::new(meaning, Values::Shown);
    walk.value("", "", None, from, to);
    walk.changes
}

/// [`difference`] between two documents of `shape`. What may hold a secret is shown only with [`Values::Shown`].
pub(crate) fn difference_of(
    from: &Value,
    to: &Value,
    meaning: Meaning,
    shape: &Shape,
    values: Values,
) -> Vec<Change> {
    let mut walk = Walk::new(meaning, values);
    walk.value("", "", Some(shape), from, to);
    walk.changes
}

/// Sorts unordered lists, recursively.
pub fn sort(value: &mut Value, meaning: Meaning) {
    sort_field("", value, meaning);
}

fn sort_field(field: &str, value: &mut Value, meaning: Meaning) {
    match value {
        Value::Object(members) => {
            members
                .iter_mut()
                .for_each(|(key, value)| sort_field(key, value, meaning));
            members.sort_keys();
        }
        Value::Array(elements) => {
            elements
                .iter_mut()
                .for_each(|element| sort_field(field, element, meaning));
            match meaning(field) {
                List::Ordered => {}
                List::Set => elements.sort_by_key(Value::to_string),
                List::Keyed(keys) => elements.sort_by_key(|element| label(element, keys)),
            }
        }
        _ => {}
    }
}

/// The identity of an element of a keyed list: `4567/tcp`.
pub fn label(element: &Value, keys: &[&str]) -> String {
    let parts = keys.iter().filter_map(|key| match element.get(*key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The elements that only one of two sets has, side by side: what is removed and what is added.
pub(crate) fn set_pairs(from: &[Value], to: &[Value]) -> Vec<(Value, Value)> {
    let removed = from.iter().filter(|element| !to.contains(element)).cloned();
    let mut added = to.iter().filter(|element| !from.contains(element)).cloned();
    let mut pairs: Vec<(Value, Value)> = removed
        .map(|element| (element, added.next().unwrap_or_default()))
        .collect();
    pairs.extend(added.map(|element| (Value::Null, element)));
    pairs
}

struct Walk {
    meaning: Meaning,
    values: Values,
    changes: Vec<Change>,
}

impl Walk {
    fn new(meaning: Meaning, values: Values) -> Self {
        Walk {
            meaning,
            values,
            changes: Vec::new(),
        }
    }

    fn push(&mut self, path: &str, shape: Option<&Shape>, from: &Value, to: &Value) {
        let side = |value: &Value| match self.values {
            Values::Shown => value.clone(),
            Values::Hidden => hide(value, shape),
        };
        self.changes.push(Change::new(path, side(from), side(to)));
    }

    fn value(&mut self, path: &str, field: &str, shape: Option<&Shape>, from: &Value, to: &Value) {
        if from == to {
            return;
        }
        let no_elements = Vec::new();
        let no_members = Map::new();
        match (from, to) {
            (Value::Object(from), Value::Object(to)) => self.object(path, &[], shape, from, to),
            (Value::Null, Value::Object(to)) if !to.is_empty() => {
                self.object(path, &[], shape, &no_members, to);
            }
            (Value::Object(from), Value::Null) if !from.is_empty() => {
                self.object(path, &[], shape, from, &no_members);
            }
            (Value::Array(from), Value::Array(to)) => self.list(path, field, shape, from, to),
            (Value::Null, Value::Array(to)) if !to.is_empty() => {
                self.list(path, field, shape, &no_elements, to);
            }
            (Value::Array(from), Value::Null) if !from.is_empty() => {
                self.list(path, field, shape, from, &no_elements);
            }
            _ => self.push(path, shape, from, to),
        }
    }

    /// The members, but for those that identify the object in its list.
    fn object(
        &mut self,
        path: &str,
        identity: &[&str],
        shape: Option<&Shape>,
        from: &Map<String, Value>,
        to: &Map<String, Value>,
    ) {
        let added = to.keys().filter(|key| !from.contains_key(*key));
        let keys = from.keys().chain(added);
        for key in keys.filter(|key| !identity.contains(&key.as_str())) {
            let side = |members: &Map<String, Value>| members.get(key).cloned().unwrap_or_default();
            let inner = shape.and_then(|shape| shape.member(key));
            self.value(&join(path, key), key, inner, &side(from), &side(to));
        }
    }

    fn list(&mut self, path: &str, field: &str, shape: Option<&Shape>, from: &[Value], to: &[Value]) {
        let inner = match shape {
            Some(Shape::List(inner)) => Some(*inner),
            _ => None,
        };
        match (self.meaning)(field) {
            List::Ordered => {
                let side = |list: &[Value]| {
                    if list.is_empty() {
                        Value::Null
                    } else {
                        list.to_vec().into()
                    }
                };
                self.push(path, shape, &side(from), &side(to));
            }
            List::Set => {
                for (removed, added) in set_pairs(from, to) {
                    self.push(path, inner, &removed, &added);
                }
            }
            List::Keyed(keys) => self.keyed(path, keys, inner, from, to),
        }
    }

    fn keyed(
        &mut self,
        path: &str,
        keys: &'static [&'static str],
        shape: Option<&Shape>,
        from: &[Value],
        to: &[Value],
    ) {
        let find =
            |list: &[Value], name: &str| list.iter().find(|element| label(element, keys) == name).cloned();
        let mut names: Vec<String> = Vec::new();
        for name in from.iter().chain(to).map(|element| label(element, keys)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for name in names {
            let path = format!("{path}[{name}]");
            let (old, new) = (find(from, &name), find(to, &name));
            let before = self.changes.len();
            if let (Some(Value::Object(_)) | None, Some(Value::Object(_)) | None) = (&old, &new) {
                let side = |value: &Option<Value>| {
                    let members = value.as_ref().and_then(Value::as_object);
                    members.cloned().unwrap_or_default()
                };
                self.object(&path, keys, shape, &side(&old), &side(&new));
            }
            // An element with nothing but its identity.
            if self.changes.len() == before && old != new {
                self.push(&path, shape, &old.unwrap_or_default(), &new.unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests;

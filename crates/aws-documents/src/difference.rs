//! What differs between two values, field by field, with paths that people can read.

use crate::document::join;
use cli::Change;
use serde_json::{Map, Value};

/// What the order of a list means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// The order counts: a command.
    Ordered,
    /// It does not: subnets.
    Set,
    /// It does not, and the elements are known by these fields: environment variables by `name`.
    Keyed(&'static [&'static str]),
}

/// The meaning of the list in the field of this name.
pub type Meaning = fn(field: &str) -> List;

/// From `from` to `to`. An absent field is `null`.
pub fn difference(from: &Value, to: &Value, meaning: Meaning) -> Vec<Change> {
    let mut changes = Vec::new();
    Walk {
        meaning,
        changes: &mut changes,
    }
    .value("", "", from, to);
    changes
}

/// Puts lists whose order means nothing into one order, all the way down.
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

/// What an element of a keyed list is known by: `4567/tcp`.
pub fn label(element: &Value, keys: &[&str]) -> String {
    let parts = keys.iter().filter_map(|key| match element.get(*key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The elements that only one of two sets has, side by side: what goes away and what comes.
pub fn set_changes(path: &str, from: &[Value], to: &[Value], changes: &mut Vec<Change>) {
    let gone = from.iter().filter(|element| !to.contains(element));
    let mut come = to.iter().filter(|element| !from.contains(element));
    for element in gone {
        changes.push(Change::new(
            path,
            element.clone(),
            come.next().cloned().unwrap_or_default(),
        ));
    }
    come.for_each(|element| changes.push(Change::new(path, Value::Null, element.clone())));
}

struct Walk<'a> {
    meaning: Meaning,
    changes: &'a mut Vec<Change>,
}

impl Walk<'_> {
    fn value(&mut self, path: &str, field: &str, from: &Value, to: &Value) {
        if from == to {
            return;
        }
        let nothing = Vec::new();
        let none = Map::new();
        match (from, to) {
            (Value::Object(from), Value::Object(to)) => self.object(path, &[], from, to),
            (Value::Null, Value::Object(to)) if !to.is_empty() => self.object(path, &[], &none, to),
            (Value::Object(from), Value::Null) if !from.is_empty() => self.object(path, &[], from, &none),
            (Value::Array(from), Value::Array(to)) => self.list(path, field, from, to),
            (Value::Null, Value::Array(to)) if !to.is_empty() => self.list(path, field, &nothing, to),
            (Value::Array(from), Value::Null) if !from.is_empty() => self.list(path, field, from, &nothing),
            _ => self.changes.push(Change::new(path, from.clone(), to.clone())),
        }
    }

    fn object(&mut self, path: &str, but: &[&str], from: &Map<String, Value>, to: &Map<String, Value>) {
        let new = to.keys().filter(|key| !from.contains_key(*key));
        for key in from.keys().chain(new).filter(|key| !but.contains(&key.as_str())) {
            let side = |members: &Map<String, Value>| members.get(key).cloned().unwrap_or_default();
            self.value(&join(path, key), key, &side(from), &side(to));
        }
    }

    fn list(&mut self, path: &str, field: &str, from: &[Value], to: &[Value]) {
        match (self.meaning)(field) {
            List::Ordered => {
                let side = |list: &[Value]| {
                    if list.is_empty() {
                        Value::Null
                    } else {
                        list.to_vec().into()
                    }
                };
                self.changes.push(Change::new(path, side(from), side(to)));
            }
            List::Set => set_changes(path, from, to, self.changes),
            List::Keyed(keys) => self.keyed(path, keys, from, to),
        }
    }

    fn keyed(&mut self, path: &str, keys: &'static [&'static str], from: &[Value], to: &[Value]) {
        let find =
            |list: &[Value], name: &str| list.iter().find(|element| label(element, keys) == name).cloned();
        let known = from.iter().map(|element| label(element, keys));
        let mut names: Vec<String> = known.collect();
        for name in to.iter().map(|element| label(element, keys)) {
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
                    value
                        .as_ref()
                        .and_then(Value::as_object)
                        .cloned()
                        .unwrap_or_default()
                };
                self.object(&path, keys, &side(&old), &side(&new));
            }
            // An element with nothing but its name.
            if self.changes.len() == before && old != new {
                self.changes.push(Change::new(
                    path,
                    old.unwrap_or_default(),
                    new.unwrap_or_default(),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Equality of policies by IAM's rules.
//!
//! IAM returns a policy as it was sent, except that account ids in principals become ARNs. Two ways of writing the
//! same policy are no difference: a string and an array of it, the order of a list, the case of an action, `true` and
//! `"true"`, one statement and an array of it.

use super::principal;
use super::terms::{OLD_VERSION, as_list};
use crate::difference::set_pairs;
use crate::node::join;
use cli::Change;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Whether both have the same effect.
pub fn equal(one: &Value, other: &Value) -> bool {
    difference(one, other).is_empty()
}

/// What differs from `from` to `to`. Statements are matched by `Sid`, then by content, then by position.
/// A path has the index in `to`; for a removed statement the index in `from`.
pub fn difference(from: &Value, to: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    let version = |policy: &Value| match policy.get("Version") {
        None | Some(Value::Null) => Value::from(OLD_VERSION),
        Some(version) => version.clone(),
    };
    push("Version", version(from), version(to), &mut changes);
    for key in keys(from, to).filter(|key| key != "Version" && key != "Statement") {
        push(&key, field(from, &key), field(to, &key), &mut changes);
    }
    statements(from, to, &mut changes);
    changes
}

fn push(path: &str, from: Value, to: Value, changes: &mut Vec<Change>) {
    if from != to {
        changes.push(Change::new(path, from, to));
    }
}

fn field(value: &Value, key: &str) -> Value {
    value.get(key).cloned().unwrap_or_default()
}

/// The keys of both, each once.
fn keys(from: &Value, to: &Value) -> impl Iterator<Item = String> {
    let mut keys: Vec<String> = Vec::new();
    for key in [from, to]
        .iter()
        .filter_map(|value| value.as_object())
        .flat_map(Map::keys)
    {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys.into_iter()
}

fn statements(from: &Value, to: &Value, changes: &mut Vec<Change>) {
    let old = as_list(from.get("Statement"));
    let new = as_list(to.get("Statement"));
    let partners = pair(&old, &new);
    for (index, (statement, partner)) in new.iter().zip(&partners).enumerate() {
        let path = format!("Statement[{index}]");
        match partner.and_then(|partner| old.get(partner)) {
            Some(before) => changes.extend(statement_changes(&path, before, statement)),
            None => changes.push(Change::new(path, Value::Null, statement.clone())),
        }
    }
    let kept: BTreeSet<usize> = partners.into_iter().flatten().collect();
    for (index, statement) in old.iter().enumerate().filter(|(index, _)| !kept.contains(index)) {
        changes.push(Change::new(
            format!("Statement[{index}]"),
            statement.clone(),
            Value::Null,
        ));
    }
}

/// How statements are matched, one rule after the other.
enum Rule {
    SameSid,
    SameContent,
    Any,
}

/// For each statement of `new` the index of the statement of `old` that it is compared with.
fn pair(old: &[Value], new: &[Value]) -> Vec<Option<usize>> {
    let mut partners = vec![None; new.len()];
    let mut free: BTreeSet<usize> = (0..old.len()).collect();
    let sid = |statement: &Value| statement.get("Sid").and_then(Value::as_str).map(str::to_owned);
    for rule in [Rule::SameSid, Rule::SameContent, Rule::Any] {
        let fits = |one: &Value, other: &Value| match rule {
            Rule::SameSid => sid(one).is_some() && sid(one) == sid(other),
            Rule::SameContent => statement_changes("", one, other).is_empty(),
            Rule::Any => true,
        };
        for (index, statement) in new.iter().enumerate() {
            if partners.get(index).is_some_and(Option::is_some) {
                continue;
            }
            let found = free
                .iter()
                .copied()
                .find(|at| old.get(*at).is_some_and(|before| fits(before, statement)));
            if let (Some(found), Some(slot)) = (found, partners.get_mut(index)) {
                free.remove(&found);
                *slot = Some(found);
            }
        }
    }
    partners
}

fn statement_changes(path: &str, from: &Value, to: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    for key in keys(from, to) {
        let path = join(path, &key);
        let (old, new) = (from.get(&key), to.get(&key));
        match key.as_str() {
            "Action" | "NotAction" => sets(&path, old, new, fold, &mut changes),
            "Resource" | "NotResource" => sets(&path, old, new, Value::clone, &mut changes),
            "Principal" | "NotPrincipal" => principals(&path, old, new, &mut changes),
            "Condition" => conditions(&path, old, new, &mut changes),
            _ => push(&path, field(from, &key), field(to, &key), &mut changes),
        }
    }
    changes
}

/// Compares two unordered lists by the `form` of their elements.
fn sets(
    path: &str,
    from: Option<&Value>,
    to: Option<&Value>,
    form: impl Fn(&Value) -> Value,
    changes: &mut Vec<Change>,
) {
    let (from, to) = (as_list(from), as_list(to));
    let missing_in = |others: &[Value], list: &[Value]| -> Vec<Value> {
        let known: Vec<Value> = others.iter().map(&form).collect();
        list.iter()
            .filter(|element| !known.contains(&form(element)))
            .cloned()
            .collect()
    };
    let pairs = set_pairs(&missing_in(&to, &from), &missing_in(&from, &to));
    changes.extend(
        pairs
            .into_iter()
            .map(|(removed, added)| Change::new(path, removed, added)),
    );
}

/// Actions are not case-sensitive.
fn fold(action: &Value) -> Value {
    action
        .as_str()
        .map_or_else(|| action.clone(), |action| action.to_ascii_lowercase().into())
}

fn principals(path: &str, from: Option<&Value>, to: Option<&Value>, changes: &mut Vec<Change>) {
    let (from, to) = (principal::by_kind(from), principal::by_kind(to));
    for kind in keys(&from, &to) {
        sets(
            &join(path, &kind),
            from.get(&kind),
            to.get(&kind),
            principal::canonical,
            changes,
        );
    }
}

/// `{operator: {key: values}}`; keys are not case-sensitive, and values are strings.
fn conditions(path: &str, from: Option<&Value>, to: Option<&Value>, changes: &mut Vec<Change>) {
    let empty = Value::Null;
    let (from, to) = (from.unwrap_or(&empty), to.unwrap_or(&empty));
    for operator in keys(from, to) {
        let (old, new) = (field(from, &operator), field(to, &operator));
        let names: Vec<String> = keys(&old, &new).collect();
        let mut seen = BTreeSet::new();
        for name in names {
            if seen.insert(name.to_ascii_lowercase()) {
                let path = join(&join(path, &operator), &name);
                sets(
                    &path,
                    ignoring_case(&old, &name),
                    ignoring_case(&new, &name),
                    as_text,
                    changes,
                );
            }
        }
    }
}

fn ignoring_case<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let members = object.as_object()?;
    members
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn as_text(value: &Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => value.to_string().into(),
        Value::String(text) if text.eq_ignore_ascii_case("true") => "true".into(),
        Value::String(text) if text.eq_ignore_ascii_case("false") => "false".into(),
        other => other.clone(),
    }
}

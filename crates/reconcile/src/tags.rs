//! The tags of `[app]` beside those that a resource has. Tags that the file does not name stay.

use crate::plan::Step;
use cli::Change;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tags by their key.
pub type Tags = BTreeMap<String, String>;

/// The tags of `desired` that `observed` lacks, or has with another value.
pub fn differing(desired: &Tags, observed: &Tags) -> Tags {
    desired
        .iter()
        .filter(|(key, value)| observed.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The changes of `observed` when `differing` is set: `tags.KEY: old -> new`.
pub fn changes(differing: &Tags, observed: &Tags) -> Vec<Change> {
    differing
        .iter()
        .map(|(key, value)| {
            let from = observed.get(key).map_or(Value::Null, |old| old.as_str().into());
            Change::new(format!("tags.{key}"), from, value.as_str())
        })
        .collect()
}

/// The step that sets what differs, when something does.
pub fn step<A>(desired: &Tags, observed: &Tags, action: impl FnOnce(Tags) -> A) -> Option<Step<A>> {
    let differing = differing(desired, observed);
    let changes = changes(&differing, observed);
    Step::of(action(differing), changes)
}

/// As ECS takes them: `[{"key": …, "value": …}]`.
pub fn to_json(tags: &Tags) -> Value {
    let tags = tags
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}));
    tags.collect()
}

/// The tags in this form below `tags` in an answer of ECS, or in a file of its shape.
pub fn of_json(value: &Value) -> Tags {
    let tags = value.get("tags").and_then(Value::as_array);
    let text = |tag: &Value, key: &str| {
        let text = tag.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let tags = tags.into_iter().flatten();
    tags.map(|tag| (text(tag, "key"), text(tag, "value"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_tags_differ() {
        let tags = |pairs: &[(&str, &str)]| -> Tags {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let observed = tags(&[("app", "old"), ("owner", "other"), ("same", "x")]);
        let found = differing(&tags(&[("app", "new"), ("env", "dev"), ("same", "x")]), &observed);
        assert_eq!(found, tags(&[("app", "new"), ("env", "dev")]));
        let shown: Vec<String> = changes(&found, &observed)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, ["tags.app: old -> new", "tags.env: (none) -> dev"]);
    }

    #[test]
    fn tags_survive_the_way_through_json() {
        let tags = Tags::from([
            ("app".to_owned(), "x".to_owned()),
            ("owner".to_owned(), String::new()),
        ]);
        let value = json!({"tags": to_json(&tags)});
        assert_eq!(value["tags"][0], json!({"key": "app", "value": "x"}));
        assert_eq!(of_json(&value), tags);
        assert_eq!(of_json(&json!({})), Tags::new());
    }
}

//! The tags of `[app]` beside those that something has. What the file does not name belongs to somebody
//! else, and stays.

use cli::Change;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tags by their key.
pub type Tags = BTreeMap<String, String>;

/// Those of `wanted` that are missing in `current`, or have another value there.
pub fn differing(wanted: &Tags, current: &Tags) -> Tags {
    wanted
        .iter()
        .filter(|(key, value)| current.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// What becomes of `current` when `differing` is set, as `tags.KEY: old -> new`.
pub fn changes(differing: &Tags, current: &Tags) -> Vec<Change> {
    differing
        .iter()
        .map(|(key, value)| {
            let from = current.get(key).map_or(Value::Null, |old| old.as_str().into());
            Change::new(format!("tags.{key}"), from, value.as_str())
        })
        .collect()
}

/// As ECS takes them: `[{"key": …, "value": …}]`.
pub fn to_json(tags: &Tags) -> Value {
    let tags = tags
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}));
    tags.collect()
}

/// Those that stand so under `tags` in what ECS answers, or in a file of its shape; none when there are none.
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
    fn only_named_tags_that_differ() {
        let tags = |pairs: &[(&str, &str)]| -> Tags {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let current = tags(&[("app", "old"), ("owner", "somebody"), ("same", "x")]);
        let found = differing(&tags(&[("app", "new"), ("env", "dev"), ("same", "x")]), &current);
        assert_eq!(found, tags(&[("app", "new"), ("env", "dev")]));
        let shown: Vec<String> = changes(&found, &current)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, ["tags.app: old -> new", "tags.env: (none) -> dev"]);
    }

    #[test]
    fn they_come_back_from_json() {
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

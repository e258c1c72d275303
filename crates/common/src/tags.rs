//! The tags of `[app]` beside those that something has. What the file does not name belongs to somebody
//! else, and stays.

use crate::report::Change;
use serde_json::Value;
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
}

//! Tags in a document: `[{"key": …, "value": …}]`.

use crate::diagnostic::Diagnostics;
use crate::node::Field;
use std::collections::BTreeSet;

/// AWS's limits (Tagging best practices, "Tag naming limits and requirements").
const MOST: usize = 50;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// What AWS would reject about one tag.
pub fn problem(key: &str, value: &str) -> Option<String> {
    let allowed = |text: &str| {
        text.chars().all(|character| {
            character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
        })
    };
    let (length_of_key, length_of_value) = (key.chars().count(), value.chars().count());
    if key.is_empty() || length_of_key > LONGEST_KEY {
        Some(format!(
            "the tag key `{key}` must have 1 to {LONGEST_KEY} characters"
        ))
    } else if length_of_value > LONGEST_VALUE {
        Some(format!(
            "the value of tag `{key}` has {length_of_value} characters, and {LONGEST_VALUE} are allowed"
        ))
    } else if key.to_ascii_lowercase().starts_with("aws:") {
        Some(format!(
            "the tag key `{key}` begins with `aws:`, which is AWS's own"
        ))
    } else if !allowed(key) || !allowed(value) {
        Some(format!(
            "tag `{key}` may have letters, digits, spaces and _.:/=+-@ only"
        ))
    } else {
        None
    }
}

/// Checks the list `tags` of `field`, when it has one.
pub fn check(field: &Field, diagnostics: &mut Diagnostics) {
    let Some(tags) = field.get("tags") else { return };
    let elements = tags.elements();
    if elements.len() > MOST {
        diagnostics.error(
            &tags,
            format!("there are {} tags, and {MOST} are allowed", elements.len()),
        );
    }
    let mut seen = BTreeSet::new();
    for element in &elements {
        let key = element.text_of("key").unwrap_or_default();
        if let Some(message) = problem(key, element.text_of("value").unwrap_or_default()) {
            diagnostics.error(element, message);
        }
        if !seen.insert(key) {
            diagnostics.error(element, format!("the tag `{key}` stands twice"));
        }
    }
}

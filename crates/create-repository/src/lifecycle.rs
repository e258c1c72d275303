//! ECR's lifecycle policies: the checks of one, and the differences between two.

use aws_documents::difference::{List, difference, sort};
use aws_documents::shape::{self, Shape, optional, required};
use aws_documents::{Diagnostic, Diagnostics, Document, Field};
use cli::Change;
use serde_json::Value;
use std::collections::BTreeSet;

/// PutLifecyclePolicy, `lifecyclePolicyText`.
const LONGEST: usize = 30_720;

/// The `*` in an element of `tagPatternList` (ECR user guide, "Lifecycle policy properties").
const MOST_STARS: usize = 4;

const POLICY: Shape = Shape::Object(&[required("rules", Shape::List(&RULE))]);

const RULE: Shape = Shape::Object(&[
    required("rulePriority", Shape::Number),
    optional("description", Shape::Text),
    required("selection", SELECTION),
    required("action", ACTION),
]);

const SELECTION: Shape = Shape::Object(&[
    required("tagStatus", Shape::OneOf(&["tagged", "untagged", "any"])),
    optional("tagPatternList", Shape::List(&Shape::Text)),
    optional("tagPrefixList", Shape::List(&Shape::Text)),
    optional("storageClass", Shape::OneOf(&["standard", "archive"])),
    required(
        "countType",
        Shape::OneOf(&[
            "imageCountMoreThan",
            "sinceImagePushed",
            "sinceImagePulled",
            "sinceImageTransitioned",
        ]),
    ),
    optional("countUnit", Shape::OneOf(&["days"])),
    required("countNumber", Shape::Number),
]);

const ACTION: Shape = Shape::Object(&[
    required("type", Shape::OneOf(&["expire", "transition"])),
    optional("targetStorageClass", Shape::OneOf(&["archive"])),
]);

/// All diagnostics, in the order of the file. The document must be expanded.
pub(crate) fn check(document: &Document) -> Vec<Diagnostic> {
    let mut diagnostics = Diagnostics::new(&document.file);
    let policy = document.field();
    shape::check(&policy, &POLICY, |_| None, &mut diagnostics);
    let rules = policy.list("rules");
    if let Some(none) = policy.get("rules").filter(|_| rules.is_empty()) {
        diagnostics.error(&none, "there must be at least one rule");
    }
    let mut priorities = BTreeSet::new();
    for rule in &rules {
        let priority = rule.get("rulePriority");
        let number = rule.number_of("rulePriority");
        if let (Some(field), Some(number)) = (&priority, number) {
            if number < 1 {
                diagnostics.error(field, "it must be 1 or more");
            } else if !priorities.insert(number) {
                diagnostics.error(field, format!("another rule has the priority {number}"));
            }
        }
        selection(rule, &mut diagnostics);
    }
    any_comes_last(&rules, &mut diagnostics);
    let length = document.to_value().to_string().chars().count();
    if length > LONGEST {
        diagnostics.error(
            &policy,
            format!("it has {length} characters, and ECR takes {LONGEST}"),
        );
    }
    diagnostics.into_vec()
}

fn selection(rule: &Field, diagnostics: &mut Diagnostics) {
    let Some(selection) = rule.get("selection") else {
        return;
    };
    let lists = ["tagPatternList", "tagPrefixList"].map(|key| selection.get(key));
    match (selection.text_of("tagStatus"), &lists) {
        (Some("tagged"), [None, None]) => {
            diagnostics.error(&selection, "`tagged` needs `tagPatternList` or `tagPrefixList`");
        }
        (Some("tagged"), [Some(_), Some(prefixes)]) => {
            diagnostics.error(
                prefixes,
                "`tagPatternList` and `tagPrefixList` exclude each other",
            );
        }
        (Some("untagged"), [Some(list), _] | [None, Some(list)]) => {
            diagnostics.error(list, "it goes with the `tagStatus` tagged");
        }
        _ => {}
    }
    for pattern in selection.list("tagPatternList") {
        if pattern
            .text()
            .is_some_and(|text| text.matches('*').count() > MOST_STARS)
        {
            diagnostics.error(&pattern, format!("it has more than {MOST_STARS} `*`"));
        }
    }
    if let Some(number) = selection
        .get("countNumber")
        .filter(|number| number.number().is_some_and(|one| one < 1))
    {
        diagnostics.error(&number, "it must be 1 or more");
    }
    let action = rule.get("action");
    let action_is = |word: &str| {
        action
            .as_ref()
            .is_some_and(|action| action.text_of("type") == Some(word))
    };
    let unit = selection.get("countUnit");
    match selection.text_of("countType") {
        Some("imageCountMoreThan") => {
            if let Some(unit) = &unit {
                diagnostics.error(unit, "a count of images has no unit");
            }
        }
        Some(since) if since.starts_with("since") => {
            if unit.is_none() {
                diagnostics.error(&selection, format!("`{since}` needs `\"countUnit\": \"days\"`"));
            }
            if since == "sinceImagePulled" && action_is("expire") {
                diagnostics.error(
                    &selection,
                    "`sinceImagePulled` goes with the action `transition` alone",
                );
            }
            if since == "sinceImageTransitioned" && selection.text_of("storageClass") != Some("archive") {
                diagnostics.error(
                    &selection,
                    "`sinceImageTransitioned` needs `\"storageClass\": \"archive\"`",
                );
            }
        }
        _ => {}
    }
    if let Some(action) = action.as_ref().filter(|_| action_is("transition"))
        && action.get("targetStorageClass").is_none()
    {
        diagnostics.error(action, "`transition` needs `targetStorageClass`");
    }
}

/// A rule for all images must be looked at last.
fn any_comes_last(rules: &[Field], diagnostics: &mut Diagnostics) {
    let last = rules
        .iter()
        .filter_map(|rule| rule.number_of("rulePriority"))
        .max();
    for rule in rules {
        let any = rule
            .get("selection")
            .is_some_and(|selection| selection.text_of("tagStatus") == Some("any"));
        if let Some(priority) = rule
            .get("rulePriority")
            .filter(|priority| any && priority.number() < last)
        {
            diagnostics.error(
                &priority,
                "a rule for `any` image must have the highest number of all",
            );
        }
    }
}

/// The differences for ECR: rules are identified by their priority, and the order of tags does not matter.
pub(crate) fn changes(from: Option<&Value>, to: &Value) -> Vec<Change> {
    let path = |path: &str| format!("lifecycle_policy.{path}");
    let Some(from) = from else {
        return vec![Change::new("lifecycle_policy", Value::Null, to.clone())];
    };
    difference(&plain(from), &plain(to), meaning)
        .into_iter()
        .map(|change| Change::new(path(&change.path), change.from, change.to))
        .collect()
}

/// What the order of a list means in a lifecycle policy.
fn meaning(field: &str) -> List {
    match field {
        "rules" => List::Keyed(&["rulePriority"]),
        "tagPatternList" | "tagPrefixList" => List::Set,
        _ => List::Ordered,
    }
}

/// The policy with its lists in one order, and without empty fields.
fn plain(policy: &Value) -> Value {
    let mut policy = without_nothing(policy);
    sort(&mut policy, meaning);
    policy
}

/// Without `null`, and without an empty description.
fn without_nothing(policy: &Value) -> Value {
    match policy {
        Value::Object(members) => members
            .iter()
            .filter(|(key, value)| !value.is_null() && (*key != "description" || *value != ""))
            .map(|(key, value)| (key.clone(), without_nothing(value)))
            .collect(),
        Value::Array(elements) => elements.iter().map(without_nothing).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;

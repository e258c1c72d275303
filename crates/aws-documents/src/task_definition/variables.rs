//! What a container finds in its environment: plain values and secrets.

use super::container::check_secret;
use super::exposed;
use crate::document::Field;
use crate::position::Faults;
use crate::secrets::{holds_access_key, is_secret};
use std::collections::BTreeMap;

/// A user's keys: they hide the task role, never expire, and are a known cause of ECS Exec failing.
const STATIC_KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

pub(super) fn check(container: &Field, faults: &mut Faults) {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for list in ["environment", "secrets"] {
        for entry in container.list(list) {
            let Some(name) = entry.get("name") else { continue };
            let Some(text) = name.text() else { continue };
            if text.is_empty() || text.contains('=') || text.contains(char::is_whitespace) {
                faults.error(
                    &name,
                    "a variable's name is not empty, and has no `=` and no white space",
                );
            }
            match names.insert(text, list) {
                None => {}
                Some(other) if other == list => {
                    faults.error(&name, format!("`{text}` stands twice in `{list}`"))
                }
                Some(other) => faults.error(
                    &name,
                    format!("`{text}` stands in `{other}` and in `{list}`: ECS takes only one"),
                ),
            }
            if list == "secrets" {
                secret(&entry, &name, text, faults);
            } else {
                plain(&entry, &name, text, faults);
            }
        }
    }
    files(container, faults);
}

fn secret(entry: &Field, name: &Field, text: &str, faults: &mut Faults) {
    if STATIC_KEYS.contains(&text) {
        faults.warning(
            name,
            format!("{text} of a user hides the task role and never expires"),
        );
        faults.hint("give the task a role, and take the entry out");
    }
    if let Some(reference) = entry.get("valueFrom") {
        check_secret(&reference, faults);
    }
}

/// The value itself is never said.
fn plain(entry: &Field, name: &Field, text: &str, faults: &mut Faults) {
    let value = entry.get("value");
    let content = value.as_ref().and_then(Field::text).unwrap_or_default();
    if STATIC_KEYS.contains(&text) || holds_access_key(content) {
        exposed::aws_key(name, faults);
    } else if is_secret(text, content) {
        exposed::named(
            name,
            text,
            "put it into a parameter, and name it under `secrets`",
            faults,
        );
    }
}

fn files(container: &Field, faults: &mut Faults) {
    let files = container.get("environmentFiles");
    if let Some(field) = files.as_ref().filter(|field| field.elements().len() > 10) {
        faults.error(field, "at most 10 files");
    }
    for file in container
        .list("environmentFiles")
        .iter()
        .filter_map(|file| file.get("value"))
    {
        let text = file.text().unwrap_or_default();
        let is_object =
            arn::split(text).is_some_and(|parts| parts.service == "s3" && parts.resource.contains('/'));
        if !is_object || !text.ends_with(".env") {
            faults.error(
                &file,
                "it must be the ARN of an object in S3 whose name ends with .env",
            );
        }
    }
}

//! The environment of a container: plain values and secrets.

use super::{exposed, secret_reference};
use crate::diagnostic::Diagnostics;
use crate::node::Field;
use crate::secrets::{holds_access_key, is_secret};
use std::collections::BTreeMap;

/// Credentials of a user: they override the task role, never expire, and are a known cause of failures of ECS Exec.
const STATIC_KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

pub(super) fn check(container: &Field, diagnostics: &mut Diagnostics) {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for list in ["environment", "secrets"] {
        for entry in container.list(list) {
            let Some(name) = entry.get("name") else { continue };
            let Some(text) = name.text() else { continue };
            if text.is_empty() || text.contains('=') || text.contains(char::is_whitespace) {
                diagnostics.error(
                    &name,
                    "a variable's name is not empty, and has no `=` and no white space",
                );
            }
            match names.insert(text, list) {
                None => {}
                Some(other) if other == list => {
                    diagnostics.error(&name, format!("`{text}` stands twice in `{list}`"))
                }
                Some(other) => diagnostics.error(
                    &name,
                    format!("`{text}` stands in `{other}` and in `{list}`: ECS takes only one"),
                ),
            }
            if list == "secrets" {
                secret(&entry, &name, text, diagnostics);
            } else {
                plain(&entry, &name, text, diagnostics);
            }
        }
    }
    files(container, diagnostics);
}

fn secret(entry: &Field, name: &Field, text: &str, diagnostics: &mut Diagnostics) {
    if STATIC_KEYS.contains(&text) {
        diagnostics.warning(
            name,
            format!("{text} of a user overrides the task role and never expires"),
        );
        diagnostics.hint("give the task a role, and take the entry out");
    }
    if let Some(reference) = entry.get("valueFrom") {
        secret_reference::check(&reference, diagnostics);
    }
}

/// Checks a plain value, which no message repeats.
fn plain(entry: &Field, name: &Field, text: &str, diagnostics: &mut Diagnostics) {
    let value = entry.get("value");
    let content = value.as_ref().and_then(Field::text).unwrap_or_default();
    if STATIC_KEYS.contains(&text) || holds_access_key(content) {
        exposed::aws_key(name, diagnostics);
    } else if is_secret(text, content) {
        exposed::named(
            name,
            text,
            "put it into a parameter, and name it under `secrets`",
            diagnostics,
        );
    }
}

fn files(container: &Field, diagnostics: &mut Diagnostics) {
    let files = container.get("environmentFiles");
    if let Some(field) = files.as_ref().filter(|field| field.elements().len() > 10) {
        diagnostics.error(field, "at most 10 files");
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
            diagnostics.error(
                &file,
                "it must be the ARN of an object in S3 whose name ends with .env",
            );
        }
    }
}

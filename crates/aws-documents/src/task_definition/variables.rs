//! What a container finds in its environment: plain values and secrets.

use super::container::check_secret;
use crate::document::Field;
use crate::position::Faults;
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
    let hint = "put it into a parameter, and name it under `secrets`";
    if STATIC_KEYS.contains(&text) || holds_access_key(content) {
        faults.error(
            name,
            "an AWS key stands in the clear: everybody who may describe the task reads it",
        );
        faults.hint("give the task a role; where it must be a key, put it into a parameter and name it under `secrets`");
    } else if is_secret(text, content) {
        faults.warning(
            name,
            format!("`{text}` looks like a secret, and everybody who may describe the task reads it"),
        );
        faults.hint(hint);
    }
}

/// An access key id: 20 capitals and digits that begin as AWS's do.
fn holds_access_key(value: &str) -> bool {
    let mut words = value.split(|character: char| !character.is_ascii_alphanumeric());
    words.any(|word| {
        let capitals = word
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        word.len() == 20 && capitals && (word.starts_with("AKIA") || word.starts_with("ASIA"))
    })
}

/// Words in the names of variables that hold secrets.
const SECRET_WORDS: [&str; 11] = [
    "AUTHORIZATION",
    "CREDENTIAL",
    "CREDENTIALS",
    "HEADERS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PRIVATE",
    "SECRET",
    "TOKEN",
    "KEY",
];

/// Whether a variable looks like a secret: by its name, or by a password in a URL.
pub(crate) fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> = name
        .split(|character: char| !character.is_ascii_alphanumeric())
        .collect();
    let named = words.iter().any(|word| SECRET_WORDS.contains(word)) && !words.contains(&"PUBLIC");
    let user = value
        .split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    let in_url = user
        .and_then(|authority| authority.rsplit_once('@'))
        .is_some_and(|(user, _)| user.contains(':'));
    (named && !value.is_empty()) || in_url || holds_access_key(value)
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
        let is_object = crate::arn::split(text)
            .is_some_and(|parts| parts.service == "s3" && parts.resource.contains('/'));
        if !is_object || !text.ends_with(".env") {
            faults.error(
                &file,
                "it must be the ARN of an object in S3 whose name ends with .env",
            );
        }
    }
}

//! Secrets in plain text, which every caller who may describe the task definition can read.

use crate::diagnostic::Diagnostics;
use crate::node::Field;
use crate::secrets::{holds_access_key, is_secret, secret_words};

/// Reports an AWS key at `field`.
pub(super) fn aws_key(field: &Field, diagnostics: &mut Diagnostics) {
    diagnostics.error(
        field,
        "an AWS key in plain text: every caller who may describe the task can read it",
    );
    diagnostics.hint(
        "give the task a role; where it must be a key, put it into a parameter and name it under `secrets`",
    );
}

/// Warns that the value of `name` looks like a secret.
pub(super) fn named(field: &Field, name: &str, hint: &str, diagnostics: &mut Diagnostics) {
    // The name may contain the value as well, as `NAME=VALUE`.
    let name = name.split('=').next().unwrap_or_default();
    diagnostics.warning(
        field,
        format!("`{name}` looks like a secret, and every caller who may describe the task can read it"),
    );
    diagnostics.hint(hint);
}

/// Checks the commands, options and labels of a container.
pub(super) fn check(container: &Field, diagnostics: &mut Diagnostics) {
    let health_check = container.get("healthCheck");
    let commands = [
        container.get("entryPoint"),
        container.get("command"),
        health_check.and_then(|health_check| health_check.get("command")),
    ];
    commands
        .iter()
        .flatten()
        .for_each(|command| words(command, diagnostics));
    let firelens = container.get("firelensConfiguration");
    for field in [
        firelens.and_then(|firelens| firelens.get("options")),
        container.get("dockerLabels"),
    ] {
        field
            .iter()
            .for_each(|field| texts(field, "take it out", diagnostics));
    }
}

/// Checks the strings of an object with free keys.
pub(super) fn texts(field: &Field, hint: &str, diagnostics: &mut Diagnostics) {
    for (member, value) in field.members() {
        let content = value.text().unwrap_or_default();
        if holds_access_key(content) {
            aws_key(&value, diagnostics);
        } else if is_secret(&member.key, content) {
            named(&value, &member.key, hint, diagnostics);
        }
    }
}

fn words(command: &Field, diagnostics: &mut Diagnostics) {
    let elements = command.elements();
    let words: Vec<&str> = elements
        .iter()
        .map(|element| element.text().unwrap_or_default())
        .collect();
    for ((element, word), secret) in elements.iter().zip(&words).zip(secret_words(&words)) {
        if holds_access_key(word) {
            aws_key(element, diagnostics);
        } else if secret {
            diagnostics.warning(
                element,
                "it looks like a secret, and every caller who may describe the task can read it",
            );
            diagnostics.hint("let the program read a variable, and name that one under `secrets`");
        }
    }
}

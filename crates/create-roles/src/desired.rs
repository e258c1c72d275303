//! The roles of `ops.toml`, with their policy files read, expanded and checked.

use anyhow::Result;
use aws_documents::policy::{self, Kind, LARGEST_INLINE_SUM, Limits, MOST_MANAGED, MOST_MANAGED_EVER};
use aws_documents::{Diagnostic, Document, Severity, shown, tags};
use common::config::{Config, Role, Variables, select};
use common::documents::expand_and_check;
use reconcile::Tags;
use serde_json::Value;
use std::collections::BTreeSet;

/// A role as the file has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Desired {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) trust: Value,
    /// By name, in the order of the file.
    pub(crate) inline: Vec<(String, Value)>,
    pub(crate) managed: Vec<String>,
    /// Absent leaves it as it is.
    pub(crate) boundary: Option<String>,
    pub(crate) tags: Tags,
}

/// The configuration, and all that is wrong with it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) roles: Vec<Desired>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads the roles of these keys; no key means all. With `partition`, ARNs must be of that one.
///
/// # Errors
/// When the file has no such role, or a variable in it is unset.
pub(crate) fn load(
    config: &Config,
    keys: &[String],
    variables: &Variables,
    partition: Option<&str>,
) -> Result<Loaded> {
    let roles = config.roles(variables)?.0;
    let roles = select("role", roles, |(key, _)| key, keys)?;
    let tags: Tags = config.tags(variables)?.0.into_iter().collect();
    let mut reader = Reader {
        config,
        variables,
        partition,
        diagnostics: Vec::new(),
    };
    reader.names(&roles);
    reader.tags(&tags);
    let roles = roles
        .iter()
        .map(|(key, role)| reader.role(key, role, &tags))
        .collect();
    Ok(Loaded {
        roles,
        diagnostics: reader.diagnostics,
    })
}

struct Reader<'a> {
    config: &'a Config,
    variables: &'a Variables<'a>,
    partition: Option<&'a str>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Adds a diagnostic once: two roles may have one file.
    fn push(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// A diagnostic of `ops.toml` itself.
    fn in_config(&mut self, path: String, message: String, hint: Option<String>, severity: Severity) {
        let mut diagnostic = Diagnostic::of_file(&shown(&self.config.path), message);
        diagnostic.path = path;
        diagnostic.hint = hint;
        diagnostic.severity = severity;
        self.push(diagnostic);
    }

    fn error(&mut self, path: String, message: impl Into<String>) {
        self.in_config(path, message.into(), None, Severity::Error);
    }

    /// IAM takes `Web` and `web` for the same name.
    fn names(&mut self, roles: &[(String, Role)]) {
        let mut seen = BTreeSet::new();
        for (key, role) in roles {
            if !seen.insert(role.name.to_ascii_lowercase()) {
                let message = format!("another role has the name `{}`, and IAM ignores case", role.name);
                self.error(format!("roles.{key}.name"), message);
            }
        }
    }

    fn tags(&mut self, tags: &Tags) {
        for (key, value) in tags {
            if let Some(message) = tags::problem(key, value) {
                self.error("app.tags".into(), message);
            }
        }
    }

    fn role(&mut self, key: &str, role: &Role, tags: &Tags) -> Desired {
        let at = |field: &str| format!("roles.{key}.{field}");
        if !is_name(&role.name, 64) {
            let message = format!(
                "`{}` is not a valid role name: 1 to 64 letters, digits and +=,.@_-",
                role.name
            );
            self.error(at("name"), message);
        }
        let path = role.path.clone().unwrap_or_else(|| "/".into());
        if !is_path(&path) {
            let message = format!(
                "`{path}` is not a valid path: it begins and ends with a slash, and has at most 512 characters"
            );
            self.error(at("path"), message);
        }
        let trust = self.policy(&role.trust, Kind::Trust);
        let mut inline = Vec::new();
        for (name, file) in role.inline.iter() {
            if !is_name(name, 128) {
                let message =
                    format!("`{name}` is not a valid policy name: 1 to 128 letters, digits and +=,.@_-");
                self.error(at("inline"), message);
            }
            inline.push((name.to_owned(), self.policy(file, Kind::Identity)));
        }
        let sum: usize = inline.iter().map(|(_, document)| policy::size(document)).sum();
        if sum > LARGEST_INLINE_SUM {
            let message = format!(
                "its inline policies have {sum} characters, and IAM takes {LARGEST_INLINE_SUM} a role"
            );
            self.error(at("inline"), message);
        }
        self.managed(key, role);
        if let Some(boundary) = &role.permissions_boundary {
            self.policy_arn(at("permissions_boundary"), boundary);
        }
        Desired {
            key: key.to_owned(),
            name: role.name.clone(),
            path,
            trust,
            inline,
            managed: role.managed.clone(),
            boundary: role.permissions_boundary.clone(),
            tags: tags.clone(),
        }
    }

    /// A policy file, expanded; null when it can't be used, with a diagnostic in `diagnostics`.
    fn policy(&mut self, file: &str, kind: Kind) -> Value {
        let document = match self.config.read_document(&self.config.resolve(file)) {
            Ok(document) => document,
            Err(diagnostic) => {
                self.push(diagnostic);
                return Value::Null;
            }
        };
        let limits = Limits {
            partition: self.partition,
        };
        let check = |document: &Document| policy::check(document, kind, limits);
        let (value, diagnostics) = match expand_and_check(&document, self.variables, check) {
            Ok((expanded, diagnostics)) => (expanded.to_value(), diagnostics),
            Err(diagnostics) => (Value::Null, diagnostics),
        };
        diagnostics
            .into_iter()
            .for_each(|diagnostic| self.push(diagnostic));
        value
    }

    fn managed(&mut self, key: &str, role: &Role) {
        let mut seen = BTreeSet::new();
        for (index, arn) in role.managed.iter().enumerate() {
            let at = format!("roles.{key}.managed[{index}]");
            if !seen.insert(arn) {
                self.error(at.clone(), format!("`{arn}` is listed twice"));
            }
            self.policy_arn(at, arn);
        }
        let count = role.managed.len();
        let at = format!("roles.{key}.managed");
        if count > MOST_MANAGED_EVER {
            self.error(
                at,
                format!("there are {count}, and IAM takes at most {MOST_MANAGED_EVER} a role"),
            );
        } else if count > MOST_MANAGED {
            let message = format!(
                "there are {count}, and IAM takes {MOST_MANAGED} a role unless the account's quota was raised"
            );
            self.in_config(at, message, None, Severity::Warning);
        }
    }

    /// The ARN of a managed policy, AWS's own or the account's.
    fn policy_arn(&mut self, at: String, text: &str) {
        let diagnostics = arn::problems(text, self.partition);
        let is_policy = arn::split(text)
            .is_some_and(|parts| parts.service == "iam" && parts.resource.starts_with("policy/"));
        if diagnostics.is_empty() && (!is_policy || text.contains(['*', '?'])) {
            self.error(at.clone(), format!("`{text}` is not the ARN of a managed policy"));
        }
        for diagnostic in diagnostics {
            self.in_config(
                at.clone(),
                format!("`{text}`: {}", diagnostic.message),
                diagnostic.hint,
                Severity::Error,
            );
        }
    }
}

/// The characters of IAM's names (API reference: `[\w+=,.@-]+`).
fn is_name(text: &str, longest: usize) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (1..=longest).contains(&text.len()) && text.bytes().all(allowed)
}

/// `/` or `/a/b/`, of visible characters.
fn is_path(text: &str) -> bool {
    let slashes = text.starts_with('/') && text.ends_with('/');
    slashes && text.len() <= 512 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;

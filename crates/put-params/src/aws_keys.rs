//! AWS keys among the values. In a container the SDKs prefer them to the task role; the keys of a user never expire, and
//! those of a session expire within hours. So they are refused, or stored only with a written reason.

use crate::error::ValidationError;
use crate::source::Source;
use common::config::{ParameterEntry, Schema};

/// The variables from which the SDKs read a key.
const KEY_VARIABLES: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// The variables from which they read the token of a temporary key.
const TOKEN_VARIABLES: [&str; 2] = ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"];

/// The prefixes of access keys of users and of services of AWS (IAM User Guide, "IAM identifiers", unique ids).
const LONG_LIVED: [&str; 3] = ["AKIA", "ABIA", "ACCA"];

/// The prefix of access keys of a session, from AWS STS.
const TEMPORARY: &str = "ASIA";

/// The length from which a secret is also looked for inside a longer value: a short one would be found by chance.
const MIN_LENGTH_INSIDE: usize = 16;

/// The credentials that this run signs its calls with.
#[derive(Clone, Copy)]
pub(crate) struct CallerCredentials<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) session_token: Option<&'a str>,
}

/// The result for one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Assessment {
    NoKey,
    /// A key that is stored for the reason in its entry.
    Allowed(String),
    /// A key that must not be stored.
    Refused(ValidationError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    /// It expires within hours.
    Session(&'static str),
    /// It never expires.
    Static(&'static str),
}

/// Looks for AWS keys in the value of the entry `key`, and compares it with the credentials of this run once those are
/// known (`caller`).
pub(crate) fn assess(
    key: &str,
    entry: &ParameterEntry,
    source: &Source,
    value: &str,
    caller: Option<CallerCredentials>,
    advice: &Advice,
) -> Assessment {
    let finding = caller
        .and_then(|caller| same_as(value, caller))
        .or_else(|| by_pattern(value))
        .or_else(|| by_name(key, source));
    let reason = entry.allow_static_aws_credentials.as_deref().map(str::trim);
    match (finding, reason) {
        (None, _) => Assessment::NoKey,
        (Some(Finding::Session(what)), _) => Assessment::Refused(
            refusal(format!(
                "{what}, which expires within hours: the app would fail then"
            ))
            .hint(advice.to_remove(key)),
        ),
        (Some(Finding::Static(_)), Some(reason)) if !reason.is_empty() => {
            Assessment::Allowed(reason.to_owned())
        }
        (Some(Finding::Static(what)), _) => Assessment::Refused(
            refusal(format!(
                "{what}: it never expires, and in a container it overrides the task role"
            ))
            .hint(format!(
                "{}; if it is intended, give the reason in the entry: allow_static_aws_credentials = \"…\"",
                advice.to_remove(key)
            )),
        ),
    }
}

fn refusal(message: String) -> ValidationError {
    ValidationError::new("static-aws-credentials", message)
}

fn same_as(value: &str, caller: CallerCredentials) -> Option<Finding> {
    let is = |secret: &str| {
        !secret.is_empty()
            && (value == secret || (secret.len() >= MIN_LENGTH_INSIDE && value.contains(secret)))
    };
    let token = caller.session_token.unwrap_or_default();
    if is(token) {
        Some(Finding::Session(
            "the value is the session token of this run's own credentials",
        ))
    } else if is(caller.access_key_id) || is(caller.secret_access_key) {
        Some(if token.is_empty() {
            Finding::Static("the value is an AWS key, the one that this command runs with")
        } else {
            Finding::Session("the value is a temporary AWS key, the one that this command runs with")
        })
    } else {
        None
    }
}

/// Finds access key ids anywhere in the value.
fn by_pattern(value: &str) -> Option<Finding> {
    let words = value.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let ids: Vec<&str> = words.filter(|word| is_access_key_id(word)).collect();
    if ids.iter().any(|id| id.starts_with(TEMPORARY)) {
        Some(Finding::Session("the value holds a temporary AWS key"))
    } else if !ids.is_empty() {
        Some(Finding::Static("the value holds a long-lived AWS key"))
    } else {
        None
    }
}

/// Four letters for the kind, and sixteen of base32.
fn is_access_key_id(word: &str) -> bool {
    let Some((kind, rest)) = word.split_at_checked(4) else {
        return false;
    };
    let known = LONG_LIVED.contains(&kind)
        || kind == TEMPORARY
        || (kind.starts_with("A3T")
            && kind
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
    known && rest.len() == 16 && rest.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
}

fn by_name(key: &str, source: &Source) -> Option<Finding> {
    let last = key.rsplit('/').next().unwrap_or_default();
    let named = |names: &[&str]| {
        names.contains(&last)
            || source
                .variables()
                .iter()
                .any(|name| names.contains(&name.as_str()))
    };
    if named(&TOKEN_VARIABLES) {
        Some(Finding::Session("the value is an AWS session token"))
    } else if named(&KEY_VARIABLES) {
        Some(Finding::Static("the value is part of an AWS key"))
    } else {
        None
    }
}

/// Whether `name` is a variable with AWS credentials, which a caller with SSO or a role does not have.
pub(crate) fn is_credential_variable(name: &str) -> bool {
    KEY_VARIABLES.contains(&name) || TOKEN_VARIABLES.contains(&name)
}

/// What to do instead, with the names of this `ops.toml`.
pub(crate) struct Advice {
    entries: Vec<String>,
    task_definition: Option<String>,
}

impl Advice {
    pub(crate) fn new(schema: &Schema) -> Self {
        let entries = schema.params.iter().flat_map(|params| params.entry.iter());
        let keys = entries
            .filter(|(key, entry)| Source::of(entry).is_some_and(|source| by_name(key, &source).is_some()));
        Advice {
            entries: keys.map(|(key, _)| key.to_owned()).collect(),
            task_definition: schema
                .task_definition
                .as_ref()
                .map(|definition| definition.file.clone()),
        }
    }

    /// How to remove the entry `key`, and the other entries with AWS keys.
    pub(crate) fn to_remove(&self, key: &str) -> String {
        let keys: Vec<&str> = match self.entries.iter().any(|entry| entry == key) {
            true => self.entries.iter().map(String::as_str).collect(),
            false => vec![key],
        };
        let names: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        let (names, lines) = match names.as_slice() {
            [name] => (format!("entry {name}"), "its line".to_owned()),
            [names @ .., last] => (
                format!("entries {} and {last}", names.join(", ")),
                format!("their {} lines", keys.len()),
            ),
            [] => (String::new(), String::new()),
        };
        let definition = self.task_definition.as_deref().unwrap_or("the task definition");
        format!(
            "give the task a role, and delete the {names} of [params.entry] and {lines} in the `secrets` of {definition}"
        )
    }
}

#[cfg(test)]
mod tests;

//! AWS keys among the values. In a container they come before the task role, a user's never expire, and a
//! session's are dead within hours. So they are refused, or stored only with a written reason.

use crate::fault::Flaw;
use crate::source::Source;
use cli::Console;
use common::config::{ParameterEntry, Schema};

/// The variables in which the SDKs look for a key.
const KEY_VARIABLES: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// The variables in which they look for what makes a key a temporary one.
const TOKEN_VARIABLES: [&str; 2] = ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"];

/// The kinds of access keys that begin with these letters belong to a user or a service of AWS.
const LONG_LIVED: [&str; 3] = ["AKIA", "ABIA", "ACCA"];

/// Those of a session, from AWS STS.
const TEMPORARY: &str = "ASIA";

/// A secret that is found inside a longer value; shorter ones only as a whole, or `x` would be everywhere.
const FOUND_INSIDE: usize = 16;

/// The credentials that this run signs its calls with.
#[derive(Clone, Copy)]
pub(crate) struct Own<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) session_token: Option<&'a str>,
}

impl Own<'_> {
    /// Takes them out of all that is printed. Short ones are an emulator's (`test`), and stand in names.
    pub(crate) fn hide(&self, console: &Console) {
        let secrets = [Some(self.secret_access_key), self.session_token];
        for secret in secrets
            .into_iter()
            .flatten()
            .filter(|secret| secret.len() >= FOUND_INSIDE)
        {
            console.redact(secret);
        }
    }
}

/// What is to be said of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No AWS key.
    Clear,
    /// A key, stored for the reason that the entry gives.
    Allowed(String),
    /// Not to be stored.
    Refused(Flaw),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    /// It will be dead soon.
    Session(&'static str),
    /// It never expires.
    Static(&'static str),
}

/// Judges the value of the entry `key`. Without `own` the comparison with the credentials of this run is
/// left out; it needs them to be known.
pub(crate) fn judge(
    key: &str,
    entry: &ParameterEntry,
    source: &Source,
    value: &str,
    own: Option<Own>,
    advice: &Advice,
) -> Verdict {
    let finding = own
        .and_then(|own| same_as(value, own))
        .or_else(|| by_pattern(value))
        .or_else(|| by_name(key, source));
    let reason = entry.allow_static_aws_credentials.as_deref().map(str::trim);
    match (finding, reason) {
        (None, _) => Verdict::Clear,
        (Some(Finding::Session(what)), _) => Verdict::Refused(
            refusal(format!(
                "{what}, which expires within hours: the app would break then"
            ))
            .hint(advice.to_leave_out(key)),
        ),
        (Some(Finding::Static(_)), Some(reason)) if !reason.is_empty() => Verdict::Allowed(reason.to_owned()),
        (Some(Finding::Static(what)), _) => Verdict::Refused(
            refusal(format!(
                "{what}: it never expires, and in a container it hides the task role"
            ))
            .hint(format!(
                "{}; if it has to be, say why in the entry: allow_static_aws_credentials = \"…\"",
                advice.to_leave_out(key)
            )),
        ),
    }
}

fn refusal(message: String) -> Flaw {
    Flaw::new("static-aws-credentials", message)
}

fn same_as(value: &str, own: Own) -> Option<Finding> {
    let is = |secret: &str| {
        !secret.is_empty() && (value == secret || (secret.len() >= FOUND_INSIDE && value.contains(secret)))
    };
    let token = own.session_token.unwrap_or_default();
    if is(token) {
        Some(Finding::Session(
            "the value is the session token of this run's own credentials",
        ))
    } else if is(own.access_key_id) || is(own.secret_access_key) {
        Some(if token.is_empty() {
            Finding::Static("the value is an AWS key, the one that this command runs with")
        } else {
            Finding::Session("the value is a temporary AWS key, the one that this command runs with")
        })
    } else {
        None
    }
}

/// Looks for access key ids anywhere in the value.
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

/// Four letters for the kind and sixteen of base32.
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
    let own = key.rsplit('/').next().unwrap_or_default();
    let named = |names: &[&str]| {
        names.contains(&own)
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

/// Whether `name` is a variable that holds AWS credentials: whoever is signed in by SSO or by a role has none.
pub(crate) fn is_credential_variable(name: &str) -> bool {
    KEY_VARIABLES.contains(&name) || TOKEN_VARIABLES.contains(&name)
}

/// What to do instead, in the names of the file at hand.
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

    /// How to do without the entry `key`, and those that go with it.
    pub(crate) fn to_leave_out(&self, key: &str) -> String {
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

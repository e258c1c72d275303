//! AWS keys among the values. In a container they come before the task role, a user's never expire, and a
//! session's are dead within hours. So they are refused, or stored only with a written reason.

use crate::fault::Flaw;
use crate::source::Source;
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
mod tests {
    use super::*;

    fn id(kind: &str) -> String {
        format!("{kind}{}", "ABCDEFGHIJKLMN27")
    }

    fn advice() -> Advice {
        Advice {
            entries: vec!["AWS_ACCESS_KEY_ID".into(), "AWS_SECRET_ACCESS_KEY".into()],
            task_definition: Some("aws/t.json".into()),
        }
    }

    fn verdict(key: &str, value: &str, reason: Option<&str>, own: Option<Own>) -> Verdict {
        let entry = ParameterEntry {
            env: Some("SOURCE".into()),
            allow_static_aws_credentials: reason.map(str::to_owned),
            ..ParameterEntry::default()
        };
        let source = Source::of(&entry).unwrap();
        judge(key, &entry, &source, value, own, &advice())
    }

    fn message(verdict: Verdict) -> String {
        match verdict {
            Verdict::Refused(flaw) => flaw.message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_are_known_by_their_letters() {
        for value in [id("AKIA"), id("ABIA"), id("A3TX"), format!("key={};", id("ACCA"))] {
            assert!(
                message(verdict("K", &value, None, None)).starts_with("the value holds a long-lived AWS key")
            );
            let allowed = verdict("K", &value, Some(" because "), None);
            assert_eq!(allowed, Verdict::Allowed("because".into()));
        }
        let temporary = id("ASIA");
        for reason in [None, Some("because")] {
            let message = message(verdict("K", &format!("a {temporary}"), reason, None));
            assert!(message.starts_with("the value holds a temporary AWS key, which expires"));
        }
        for value in [
            id("AKIB"),
            format!("x{}", id("AKIA")),
            format!("{}8", id("AKIA")),
            id("AKIA").to_lowercase(),
            id("AKIA").replace('2', "1"),
            "€KIAABCDEFGHIJKLMN27".into(),
        ] {
            assert_eq!(verdict("K", &value, None, None), Verdict::Clear, "{value}");
        }
    }

    #[test]
    fn entries_and_sources_are_known_by_their_names() {
        for key in [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "sub/AWS_ACCESS_KEY_ID",
        ] {
            assert!(
                message(verdict(key, "x", None, None)).contains("never expires"),
                "{key}"
            );
            assert!(
                message(verdict(key, "x", Some(" "), None)).contains("never expires"),
                "{key}"
            );
            assert_eq!(verdict(key, "x", Some("y"), None), Verdict::Allowed("y".into()));
        }
        let token = message(verdict("AWS_SESSION_TOKEN", "x", Some("y"), None));
        assert!(token.contains("session token, which expires"));
        let renamed = ParameterEntry {
            template: Some("k=${AWS_SECRET_ACCESS_KEY}".into()),
            ..ParameterEntry::default()
        };
        let source = Source::of(&renamed).unwrap();
        let verdict = judge("KEY", &renamed, &source, "k=x", None, &advice());
        assert!(message(verdict).contains("part of an AWS key"));
    }

    #[test]
    fn the_credentials_of_the_run_are_known_by_comparison() {
        let own = Own {
            access_key_id: "my-id",
            secret_access_key: "my-secret-0123456789",
            session_token: None,
        };
        for value in ["my-id", "my-secret-0123456789", "x:my-secret-0123456789@y"] {
            let found = message(verdict("K", value, None, Some(own)));
            assert!(found.contains("the one that this command runs with"), "{value}");
            assert_eq!(
                verdict("K", value, Some("y"), Some(own)),
                Verdict::Allowed("y".into())
            );
        }
        assert_eq!(verdict("K", "not my-id", None, Some(own)), Verdict::Clear);
        let session = Own {
            session_token: Some("my-token"),
            ..own
        };
        for value in ["my-id", "my-secret-0123456789", "my-token"] {
            let found = message(verdict("K", value, Some("y"), Some(session)));
            assert!(found.contains("expires within hours"), "{value}");
        }
        let empty = Own {
            session_token: Some(""),
            ..own
        };
        assert_eq!(verdict("K", "", None, Some(empty)), Verdict::Clear);
    }

    #[test]
    fn the_advice_names_what_to_delete() {
        let flaw = |key: &str| match verdict(key, &id("ASIA"), None, None) {
            Verdict::Refused(flaw) => flaw.hint.unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            flaw("AWS_ACCESS_KEY_ID"),
            "give the task a role, and delete the entries `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` of [params.entry] and their 2 lines in the `secrets` of aws/t.json"
        );
        assert_eq!(
            flaw("OTHER"),
            "give the task a role, and delete the entry `OTHER` of [params.entry] and its line in the `secrets` of aws/t.json"
        );
    }
}

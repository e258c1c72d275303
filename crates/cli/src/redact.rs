//! Replaces secret values in text that is about to be printed.
//!
//! The tools put no secrets into messages, but servers do: older versions of SSM quote the value that they refuse, and a
//! driver may quote a connection string. So everything that is printed passes through here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Mutex, PoisonError};

/// Shorter values are not replaced: without each `a` a message could not be read, and would protect nothing.
const MIN_LENGTH: usize = 4;

/// The replacement of a secret.
pub const MASK: &str = "***";

/// All characters that URLs escape (RFC 3986, section 2.3: every other one than the unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The secrets of this run.
#[derive(Default)]
pub struct Redactor {
    forms: Mutex<Vec<SecretString>>,
}

impl Redactor {
    /// Replaces `secret` from now on: as it is, as JSON and URLs escape it, and in base64.
    pub fn add(&self, secret: &str) {
        if secret.len() < MIN_LENGTH {
            return;
        }
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        for form in [
            secret.to_owned(),
            json_escaped(secret),
            utf8_percent_encode(secret, ESCAPED).to_string(),
            STANDARD.encode(secret),
        ] {
            if !forms.iter().any(|known| known.expose_secret() == form) {
                forms.push(form.into());
            }
        }
        // The longest first: where one secret contains another one, all of it is replaced.
        forms.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
    }

    /// `text` without the secrets.
    pub fn redact(&self, text: &str) -> String {
        self.redact_except(text, &[])
    }

    /// `text` without the secrets. The `names` in it stay complete, also where a part of one equals a secret.
    pub fn redact_except(&self, text: &str, names: &[&str]) -> String {
        let forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        forms.iter().fold(text.to_owned(), |text, form| {
            replace_except(&text, form.expose_secret(), names)
        })
    }
}

/// `text` of the AWS SDK about a credential process, without the output of that process, which may be a secret.
pub fn without_process_output(text: &str) -> &str {
    text.split("Stderr:").next().unwrap_or_default().trim_end()
}

fn replace_except(text: &str, secret: &str, names: &[&str]) -> String {
    let found = |words: &str| -> Vec<(usize, usize)> {
        let starts = text.match_indices(words).map(|(start, _)| start);
        starts.map(|start| (start, start + words.len())).collect()
    };
    let kept: Vec<_> = names.iter().flat_map(|name| found(name)).collect();
    let mut clean = String::new();
    let mut done = 0;
    for (start, end) in found(secret) {
        if !kept.iter().any(|name| name.0 <= start && end <= name.1) {
            clean.push_str(text.get(done..start).unwrap_or_default());
            clean.push_str(MASK);
            done = end;
        }
    }
    clean + text.get(done..).unwrap_or_default()
}

fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::String(text.to_owned()).to_string();
    quoted
        .trim_start_matches('"')
        .strip_suffix('"')
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_replaced() {
        let redactor = Redactor::default();
        redactor.add("p@ss\"word");
        redactor.add("abc");
        for form in ["p@ss\"word", r#"p@ss\"word"#, "p%40ss%22word", "cEBzcyJ3b3Jk"] {
            assert_eq!(
                redactor.redact(&format!("x {form} y abc")),
                "x *** y abc",
                "{form}"
            );
        }
    }

    #[test]
    fn a_name_stays_complete_but_the_text_around_it_does_not() {
        let redactor = Redactor::default();
        redactor.add("backend");
        redactor.add("/app/backend/URL and more");
        let names = ["/app/backend/URL", ""];
        for (text, expected) in [
            (
                "/app/backend/URL  updated  (was: my backend)",
                "/app/backend/URL  updated  (was: my ***)",
            ),
            ("backend", "***"),
            ("/app/backend/URL and more", "***"),
            ("/app/backend", "/app/***"),
        ] {
            assert_eq!(redactor.redact_except(text, &names), expected);
        }
        assert_eq!(redactor.redact("/app/backend/URL"), "/app/***/URL");
    }
}

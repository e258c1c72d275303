//! Takes secret values out of text that is about to be printed.
//!
//! The tools do not put secrets into messages. Servers do: an older SSM echoes the value it
//! refuses, and a driver may quote a connection string. So whatever is printed goes through here.

use secrecy::{ExposeSecret, SecretString};
use std::sync::{Mutex, PoisonError};

/// Shorter values are left alone: replacing `a` everywhere would destroy the message, and hide nothing.
const SHORTEST: usize = 4;

/// What a secret is replaced with.
pub const MASK: &str = "***";

/// The secrets of this run.
#[derive(Default)]
pub struct Redactor {
    forms: Mutex<Vec<SecretString>>,
}

impl Redactor {
    /// Hides `secret` from now on: as it is, as JSON and URLs escape it, and in base64.
    pub fn add(&self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        for form in [
            secret.to_owned(),
            json_escaped(secret),
            percent_encoded(secret),
            base64(secret),
        ] {
            if !forms.iter().any(|known| known.expose_secret() == form) {
                forms.push(form.into());
            }
        }
        // The longest first, so that a secret inside another one leaves no rest of it behind.
        forms.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
    }

    /// `text` without the secrets.
    pub fn redact(&self, text: &str) -> String {
        self.redact_except(text, &[])
    }

    /// `text` without the secrets; but the `names` in it stay whole, also where a secret is a segment of one.
    pub fn redact_except(&self, text: &str, names: &[&str]) -> String {
        let forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        forms.iter().fold(text.to_owned(), |text, form| {
            replace_except(&text, form.expose_secret(), names)
        })
    }
}

/// `text` of the AWS SDK about a credential process, without what that process wrote: its output may be a secret.
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

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text.as_bytes()
        .chunks(3)
        .flat_map(|chunk| {
            let bits = chunk
                .iter()
                .enumerate()
                .fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
            (0..4).map(move |at| {
                if at <= chunk.len() {
                    char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize])
                } else {
                    '='
                }
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_every_form() {
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
    fn a_name_stays_whole_but_what_is_around_it_does_not() {
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

    #[test]
    fn base64_pads() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text), expected);
        }
    }
}

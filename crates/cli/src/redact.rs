//! Replaces secret values in text that is about to be printed.
//!
//! The tools put no secrets into messages, but servers do: older versions of SSM quote the value that they refuse, and a
//! driver may quote a connection string. So everything that is printed passes through here. One automaton has all
//! secrets; it searches the text, and the text with each encoding undone that a server may have used.

mod views;

use aho_corasick::AhoCorasick;
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use views::View;

/// Shorter values are not replaced: without each `a` a message could not be read, and would protect nothing.
const MIN_LENGTH: usize = 4;

/// From this length on, behind the scheme of a URL, the beginning of a value is replaced as well, where the text ends
/// the value there: servers cut values that they quote.
const MIN_PREFIX: usize = 12;

/// The replacement of a secret.
pub const MASK: &str = "***";

/// The secrets of this run.
#[derive(Default)]
pub struct Redactor {
    secrets: Mutex<Secrets>,
}

#[derive(Default)]
struct Secrets {
    all: Vec<SecretString>,
    /// Built for the first text after a secret was added.
    search: Option<Search>,
}

/// Without the secrets.
impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Replaces `secret` from now on: as it is, as JSON, URLs, forms and HTML escape it, in base64, and where it is cut.
    pub fn add(&self, secret: &str) {
        if secret.len() < MIN_LENGTH {
            return;
        }
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.all.push(secret.to_owned().into());
        secrets.search = None;
    }

    /// `text` without the secrets.
    pub fn redact(&self, text: &str) -> String {
        self.redact_except(text, &[])
    }

    /// `text` without the secrets. The `names` in it stay complete, also where a part of one equals a secret. The time
    /// is linear in the lengths of the text, the secrets and the names.
    pub fn redact_except(&self, text: &str, names: &[&str]) -> String {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let Secrets { all, search } = &mut *secrets;
        if all.is_empty() {
            return text.to_owned();
        }
        let search = search.get_or_insert_with(|| Search::new(all));
        let mut found = Vec::new();
        View::each(text, |view| search.find(all, view, &mut found));
        if found.is_empty() {
            return text.to_owned();
        }
        let names = Names::find(text, names);
        found.retain(|&(start, end)| !names.cover(start, end));
        found.sort_unstable();
        masked(text, &found)
    }
}

/// `text` with [`MASK`] in place of each of `spans`, which are sorted and may overlap.
fn masked(text: &str, spans: &[(usize, usize)]) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for &(start, end) in spans {
        if start >= done {
            clean.push_str(text.get(done..start).unwrap_or_default());
            clean.push_str(MASK);
        }
        done = done.max(end);
    }
    clean + text.get(done..).unwrap_or_default()
}

/// Finds all secrets at once.
struct Search {
    /// Of the shortest prefix of each secret that is replaced.
    automaton: Option<AhoCorasick>,
    /// For each pattern, the secrets that begin with it, as indices.
    owners: Vec<Vec<usize>>,
}

impl Search {
    fn new(secrets: &[SecretString]) -> Self {
        let mut patterns: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, secret) in secrets.iter().enumerate() {
            let secret = secret.expose_secret();
            let owners = patterns.entry(&secret[..prefix_length(secret)]).or_default();
            if !owners
                .iter()
                .any(|other| secrets[*other].expose_secret() == secret)
            {
                owners.push(index);
            }
        }
        let (patterns, owners): (Vec<&str>, Vec<Vec<usize>>) = patterns.into_iter().unzip();
        Search {
            // None beyond 2^31 bytes of patterns.
            automaton: AhoCorasick::new(patterns).ok(),
            owners,
        }
    }

    /// Adds the spans of the secrets in `view`.
    fn find(&self, secrets: &[SecretString], view: &View, found: &mut Vec<(usize, usize)>) {
        let bytes = view.bytes();
        let Some(automaton) = &self.automaton else {
            // What can't be searched is not printed.
            found.extend((!bytes.is_empty()).then(|| view.span(0, bytes.len())));
            return;
        };
        // For each secret, where the last span ends: a text of one letter would take quadratic time otherwise.
        let mut ends: HashMap<usize, usize> = HashMap::new();
        for candidate in automaton.find_overlapping_iter(bytes) {
            let start = candidate.start();
            for &owner in &self.owners[candidate.pattern().as_usize()] {
                if ends.get(&owner).is_some_and(|end| start < *end) {
                    continue;
                }
                let secret = secrets[owner].expose_secret();
                let length = common_prefix(secret, &bytes[start..]);
                let end = start + length;
                let is_cut = || length >= prefix_length(secret) && ends_before(&bytes[end..]);
                if length == secret.len() || is_cut() {
                    ends.insert(owner, end);
                    found.push(view.span(start, end));
                }
            }
        }
    }
}

/// How much of `secret` must be found.
fn prefix_length(secret: &str) -> usize {
    let scheme = secret.find("://").map_or(0, |at| at + 3);
    let mut length = (scheme + MIN_PREFIX).min(secret.len());
    while !secret.is_char_boundary(length) {
        length += 1;
    }
    length
}

/// How many bytes `text` has in common with the start of `secret`, in whole characters, and without white space at the
/// end of a part.
fn common_prefix(secret: &str, text: &[u8]) -> usize {
    let pairs = secret.as_bytes().iter().zip(text);
    let mut length = pairs.take_while(|(one, other)| one == other).count();
    while !secret.is_char_boundary(length) {
        length -= 1;
    }
    match secret.get(..length) {
        Some(part) if length < secret.len() => part.trim_end().len(),
        _ => length,
    }
}

/// Whether a value ends in front of `rest`. With another character it would be another value.
fn ends_before(rest: &[u8]) -> bool {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`)]}>,;<".contains(byte);
    rest.first().is_none_or(is_end) || rest.starts_with(b"...") || rest.starts_with("…".as_bytes())
}

/// Where names are in a text.
struct Names(Vec<(usize, usize)>);

impl Names {
    fn find(text: &str, names: &[&str]) -> Self {
        let names = names.iter().filter(|name| !name.is_empty());
        let Ok(automaton) = AhoCorasick::new(names) else {
            return Names(Vec::new());
        };
        let found = automaton.find_overlapping_iter(text);
        let mut spans: Vec<_> = found.map(|name| (name.start(), name.end())).collect();
        spans.sort_unstable();
        // From here on each span has the furthest end of those that start before it, or with it.
        let mut furthest = 0;
        for (_, end) in &mut spans {
            furthest = furthest.max(*end);
            *end = furthest;
        }
        Names(spans)
    }

    /// Whether one name covers the span, or several that overlap do.
    fn cover(&self, start: usize, end: usize) -> bool {
        let after = self.0.partition_point(|(name, _)| *name <= start);
        after.checked_sub(1).is_some_and(|at| self.0[at].1 >= end)
    }
}

/// `text` of the AWS SDK about a credential process, without the output of that process, which may be a secret.
pub fn without_process_output(text: &str) -> &str {
    text.split("Stderr:").next().unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(secrets: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        secrets.iter().for_each(|secret| redactor.add(secret));
        redactor
    }

    #[test]
    fn every_form_is_replaced() {
        let redactor = of(&["p@ss/\"wörd\" +1", "abc", "plain-secret"]);
        for form in [
            "p@ss/\"wörd\" +1",
            // JSON, of serde, of a writer that escapes more, and of one that escapes all but ASCII.
            r#"p@ss/\"wörd\" +1"#,
            r#"p@ss\/\u0022w\u00F6rd\" \u002b1"#,
            r#"p@ss/\"w\u00f6rd\" +1"#,
            // URLs, in both cases, with more and less escaped; a form.
            "p%40ss%2F%22w%C3%B6rd%22%20%2B1",
            "p%40ss%2f%22w%c3%b6rd%22%20%2b1",
            "p@ss/%22wörd%22%20+1",
            "p%40ss%2f%22w%c3%b6rd%22+%2B1",
            "%70%61%6e"
                .replace("%70%61%6e", "%70@ss/%22w%C3%B6rd%22 %2B1")
                .as_str(),
            // HTML.
            "p@ss/&quot;wörd&#34; +1",
            "p&#x40;ss/&QUOT;wörd&quot; &#43;1"
                .replace("&QUOT;", "&#x22;")
                .as_str(),
            // base64, of both alphabets.
            "cEBzcy8id8O2cmQiICsx",
        ] {
            assert_eq!(
                redactor.redact(&format!("x {form} y abc")),
                "x *** y abc",
                "{form}"
            );
        }
        assert_eq!(redactor.redact("a plain-secretplain-secret b"), "a ****** b");
    }

    #[test]
    fn base64_is_found_inside_longer_text() {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        let redactor = of(&["hunter2-?>~secret"]);
        for before in ["", "A", "AW", "AWS", "AWS:"] {
            for after in ["", "x", "xy", " and more"] {
                let text = format!("{before}hunter2-?>~secret{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    let clean = redactor.redact(&format!("Authorization: Basic {encoded} x"));
                    assert!(clean.contains(MASK) && clean.ends_with(" x"), "{text}: {clean}");
                    // What is left of it is shorter than what stood around the secret.
                    assert!(
                        clean.len() < 26 + (before.len() + after.len()) * 2 + 12,
                        "{text}: {clean}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_value_that_is_cut_is_replaced_and_a_similar_one_is_not() {
        let url = "postgresql://cruddur:hunter2@db.example.com/cruddur";
        let redactor = of(&[url, "0123456789abcdef"]);
        for (text, expected) in [
            ("value \"0123456789ab\" is bad", "value \"***\" is bad"),
            ("0123456789abcd... is bad", "***... is bad"),
            ("0123456789abc…", "***…"),
            ("0123456789ab", "***"),
            ("0123456789a is short", "0123456789a is short"),
            ("0123456789abXYZ", "0123456789abXYZ"),
            (
                "write postgresql://USER:PASSWORD@HOST",
                "write postgresql://USER:PASSWORD@HOST",
            ),
            ("got postgresql://cruddur:hunter2@", "got ***"),
            ("0123456789%61bcd", "***"),
        ] {
            assert_eq!(redactor.redact(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_stays_complete_but_the_text_around_it_does_not() {
        let redactor = of(&["backend", "/app/backend/URL and more"]);
        let names = ["/app/backend/URL", ""];
        for (text, expected) in [
            (
                "/app/backend/URL  updated  (was: my backend)",
                "/app/backend/URL  updated  (was: my ***)",
            ),
            ("backend", "***"),
            ("/app/backend/URL and more", "***"),
            ("/my/backend", "/my/***"),
        ] {
            assert_eq!(redactor.redact_except(text, &names), expected);
        }
        let without_names = of(&["backend"]).redact("/app/backend/URL");
        assert_eq!(without_names, "/app/***/URL");
    }

    #[test]
    fn damaged_escapes_are_text() {
        let redactor = of(&["hunter2"]);
        for text in [
            "%",
            "%2",
            "%zz",
            "\\",
            "\\u",
            "\\u12",
            "\\ud800",
            "&",
            "&;",
            "&#;",
            "&#x110000;",
            "&nbsp",
            "====",
            "é%C3",
        ] {
            assert_eq!(redactor.redact(text), text);
            assert_eq!(
                redactor.redact(&format!("{text}hunter2{text}")),
                format!("{text}***{text}")
            );
        }
    }
}

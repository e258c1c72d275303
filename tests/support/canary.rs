//! A secret that no output may contain.

use crate::tool::{Output, Tool};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The secret, and its encoded forms.
#[derive(Debug)]
pub struct Canary {
    value: String,
    forms: Vec<String>,
}

/// This many letters of the secret in a row count as a leak.
const PART: usize = 12;

impl Canary {
    /// A secret of letters and digits, a new one each time.
    pub fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let random = || format!("{:016x}", RandomState::new().hash_one(0));
        Self::of(&format!("canary{}{}", random(), random()))
    }

    /// A given secret, for places that accept only certain values.
    pub fn of(value: &str) -> Self {
        let letters: Vec<char> = value.chars().collect();
        let mut forms = vec![value.to_owned(), letters.iter().rev().collect()];
        if letters.len() > PART {
            forms.extend(letters.windows(PART).map(|part| part.iter().collect()));
        }
        let percent: String = value
            .bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect();
        forms.push(percent);
        let json = serde_json::Value::from(value).to_string();
        forms.push(json.trim_matches('"').to_owned());
        forms.push(format!("{value:?}").trim_matches('"').to_owned());
        forms.push(value.bytes().map(|byte| format!("{byte:02x}")).collect());
        forms.push(
            format!("{:?}", value.as_bytes())
                .trim_matches(['[', ']'])
                .to_owned(),
        );
        // The letters of base64 depend on the number of bytes before, modulo three. The letters at the ends also depend on
        // the bytes beside the secret, and are left out.
        for before in 0..3 {
            let padded = [vec![b' '; before], value.as_bytes().to_vec()].concat();
            let encoded = STANDARD.encode(&padded);
            let whole = padded.len() / 3 * 4;
            let start = if before == 0 { 0 } else { 4 };
            forms.push(encoded[start..whole].to_owned());
        }
        forms.retain(|form| form.len() >= 4);
        forms.sort();
        forms.dedup();
        Canary {
            value: value.to_owned(),
            forms,
        }
    }

    /// The secret.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Looks for it in both streams.
    ///
    /// # Panics
    /// When it is there, in any form.
    #[track_caller]
    pub fn absent_from(&self, what: &str, output: &Output) {
        for (name, stream) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if let Some(form) = self.forms.iter().find(|form| stream.contains(form.as_str())) {
                panic!(
                    "{what}: the secret is on {name}, as `{form}`\n{}",
                    output.transcript()
                );
            }
        }
    }

    /// Runs the tools, each with a name for the case, and looks for the secret in all they print.
    ///
    /// # Panics
    /// When it is there, in any form, or when one of them does not fail: then the case tests nothing.
    #[track_caller]
    pub fn absent_from_errors<'a>(&self, cases: impl IntoIterator<Item = (&'a str, Tool)>) {
        for (what, tool) in cases {
            let output = tool.run();
            assert_ne!(output.code, Some(0), "{what} went well\n{}", output.transcript());
            self.absent_from(what, &output);
        }
    }
}

impl Default for Canary {
    fn default() -> Self {
        Self::new()
    }
}

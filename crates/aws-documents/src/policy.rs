//! IAM's policy documents: what is wrong with one, and what differs between two.

mod compare;
mod condition;
mod lint;
mod principal;
mod terms;
mod texts;

pub use compare::{difference, equal};
pub use lint::{Limits, check};
pub use terms::{
    Kind, LARGEST_INLINE_SUM, LARGEST_TRUST, LARGEST_TRUST_EVER, MOST_MANAGED, MOST_MANAGED_EVER, VERSION,
    size,
};

use crate::diagnostic::Diagnostic;
use crate::document::Document;
use serde_json::Value;
use std::path::Path;

/// Reads a policy in a response of IAM: percent-encoded (RFC 3986), or plain JSON.
///
/// # Errors
/// When it is not JSON. The error calls it `name`.
pub fn decode(name: &str, text: &str) -> Result<Value, Diagnostic> {
    let text = text.trim();
    let plain = if text.starts_with('{') {
        text.to_owned()
    } else {
        unescape(text)
    };
    Document::parse(Path::new(name), &plain).map(|document| document.to_value())
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *first == b'%');
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = byte.and_then(|_| behind.get(2..)).unwrap_or(behind);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;

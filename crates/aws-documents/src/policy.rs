//! IAM's policy documents: what is wrong with one, and what differs between two.

mod compare;
mod condition;
mod lint;
mod principal;
mod texts;

pub use compare::{difference, equal};
pub use lint::{Limits, check};

use crate::document::Document;
use crate::position::Fault;
use serde_json::Value;
use std::path::Path;

/// What a policy is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To a role: what it may do.
    Identity,
    /// A role's trust policy: who may assume it.
    Trust,
    /// To a resource: who may do what with it.
    Resource,
}

/// The version in which IAM's variables work.
pub const VERSION: &str = "2012-10-17";

/// What IAM takes for a policy without `Version`.
const OLD_VERSION: &str = "2008-10-17";

/// All inline policies of a role together (IAM quotas). White space does not count.
pub const LARGEST_INLINE_SUM: usize = 10_240;

/// A trust policy, unless the account's quota was raised.
pub const LARGEST_TRUST: usize = 2_048;

/// A trust policy with the quota raised as far as it goes.
pub const LARGEST_TRUST_EVER: usize = 8_192;

/// Managed policies on a role, unless the quota was raised.
pub const MOST_MANAGED: usize = 10;

/// Managed policies on a role with the quota raised as far as it goes.
pub const MOST_MANAGED_EVER: usize = 25;

/// A policy as IAM hands it out: escaped for URLs (RFC 3986). One that is not escaped is taken as it is.
///
/// # Errors
/// When it is no JSON. `name` is what the error calls it.
pub fn decode(name: &str, text: &str) -> Result<Value, Fault> {
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

/// The characters that IAM counts: white space is not among them.
pub fn size(policy: &Value) -> usize {
    let text = policy.to_string();
    text.chars()
        .filter(|character| !character.is_whitespace())
        .count()
}

/// A list that may also be written as its only element.
fn as_list(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(elements)) => elements.clone(),
        Some(one) => vec![one.clone()],
    }
}

#[cfg(test)]
mod tests;

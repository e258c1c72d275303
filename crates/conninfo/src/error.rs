//! What is wrong with a connection string, without repeating it.

use std::fmt;

/// Why a connection string was refused. Holds nothing that may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    message: String,
    hint: Option<String>,
    unsupported: bool,
}

impl ParseError {
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        ParseError {
            message: message.into(),
            hint: None,
            unsupported: false,
        }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        ParseError {
            unsupported: true,
            ..Self::malformed(message)
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether libpq would take it, and only this crate does not.
    pub fn is_unsupported(&self) -> bool {
        self.unsupported
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

/// The advice for a password that was cut in two.
pub(crate) const ENCODE: &str =
    "a password with special characters has to be percent-encoded: @ as %40, / as %2F, % as %25, : as %3A, ? as %3F";

/// ` "text"` for the end of a message, if it may be shown and looks like a word; else nothing.
pub(crate) fn quoted(text: &str, may_be_shown: bool) -> String {
    let word = |character: char| character.is_ascii_alphanumeric() || "_-.%".contains(character);
    if may_be_shown && !text.is_empty() && text.len() <= 40 && text.chars().all(word) {
        format!(" \"{text}\"")
    } else {
        String::new()
    }
}

/// Says what a text is that only looks like a connection string: another program's URL, mostly.
pub(crate) fn foreign(text: &str) -> Option<ParseError> {
    let lower = text.to_ascii_lowercase();
    let (message, hint) = if text.starts_with(['"', '\'']) {
        (
            "the connection string begins with a quotation mark",
            "take the quotation marks out of the value: env files and secret stores keep them",
        )
    } else if lower.starts_with("jdbc:") {
        (
            "this is a JDBC URL",
            "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, without jdbc:",
        )
    } else if lower.starts_with("postgresql+") || lower.starts_with("postgres+") {
        (
            "this is an SQLAlchemy URL, and PostgreSQL's own clients do not take it",
            "take the +DRIVER out: postgresql://… instead of postgresql+DRIVER://…",
        )
    } else if lower.starts_with("postgresql://") || lower.starts_with("postgres://") {
        (
            "the scheme of the URL is not in lower case",
            "write postgresql://",
        )
    } else if !text.contains('=') || scheme_like(&lower) {
        (
            "missing \"=\" in connection info string: it is neither a postgresql:// URL nor a list of key=value pairs",
            "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        )
    } else {
        return None;
    };
    Some(ParseError::malformed(message).with_hint(hint))
}

/// `mysql://…`; but not `options=a://b`.
fn scheme_like(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    })
}

//! Why a connection string is refused.

use crate::uri;
use std::fmt;

/// Why a connection string was refused. Contains no part of the string: when a delimiter in the password is not
/// percent-encoded, any part may belong to the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    message: String,
    hint: Option<String>,
    unsupported: bool,
    variable: Option<&'static str>,
}

impl ParseError {
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        ParseError {
            message: message.into(),
            hint: None,
            unsupported: false,
            variable: None,
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

    /// `variable` holds the value; `None` means that it is in the connection string.
    pub(crate) fn in_variable(mut self, variable: Option<&'static str>) -> Self {
        self.variable = variable;
        self
    }

    /// The `PG*` variable that holds the value, unless the connection string does.
    pub fn variable(&self) -> Option<&'static str> {
        self.variable
    }

    /// The next step for the user.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether libpq would accept it, and only this crate does not support it.
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

/// The hint for a password with a delimiter in it.
pub(crate) const ENCODE: &str = "a password with special characters has to be percent-encoded: @ as %40, / as %2F, % as %25, : as %3A, ? as %3F";

/// Recognises common mistakes: another program's URL, quotation marks, a psql command line.
pub(crate) fn not_a_connection_string(text: &str) -> Option<ParseError> {
    let trimmed = text.trim_start();
    let lower = trimmed.to_ascii_lowercase();
    let begins = |starts: &[&str]| starts.iter().any(|start| lower.starts_with(start));
    let (message, hint) = if begins(&["\"", "'"]) {
        (
            "the connection string begins with a quotation mark",
            "remove the quotation marks from the value: env files and secret stores keep them",
        )
    } else if begins(&["psql "]) {
        (
            "this is a psql command line",
            "use only its postgresql:// URL, without quotation marks",
        )
    } else if lower
        .split_once('=')
        .is_some_and(|(name, value)| is_name(name) && is_url(value.trim_start_matches(['"', '\''])))
    {
        (
            "the connection string begins with the name of a variable",
            "remove `NAME=` from the value",
        )
    } else if begins(&["jdbc:"]) {
        (
            "this is a JDBC URL",
            "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, without jdbc:",
        )
    } else if begins(&["postgresql+", "postgres+"]) {
        (
            "this is an SQLAlchemy URL, and PostgreSQL's own clients do not accept it",
            "remove +DRIVER: postgresql://… instead of postgresql+DRIVER://…",
        )
    } else if is_url(trimmed) {
        (
            "there is white space before the URL, and libpq refuses it",
            "remove the white space before postgresql://",
        )
    } else if is_url(&lower) {
        (
            "the scheme of the URL is not in lower case",
            "write postgresql://",
        )
    } else if !text.contains('=') || has_scheme(&lower) {
        (
            "missing \"=\" in connection info string: it is neither a postgresql:// URL nor a list of key=value pairs",
            "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        )
    } else {
        return None;
    };
    Some(ParseError::malformed(message).with_hint(hint))
}

fn is_url(text: &str) -> bool {
    uri::after_scheme(text).is_some()
}

/// `database_url`, `export database_url`.
fn is_name(lower: &str) -> bool {
    let name = lower.trim_start_matches("export ");
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `mysql://…`, and not `options=a://b`.
fn has_scheme(lower: &str) -> bool {
    lower.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    })
}

//! PostgreSQL connection strings, as libpq reads them: URLs and `key=value` pairs.
//!
//! The parser of the `postgres` crate differs from libpq in ways that matter for a probe: it refuses URLs
//! that psycopg accepts, and interprets a few so that the driver connects to another host. The grammar, the
//! defaults from `PG*` variables and the error texts here are libpq's, except that no error repeats what may
//! be a part of a password.
//!
//! This crate reads no file, no environment variable and nothing from the network.

#![forbid(missing_docs)]

mod error;
mod keys;
mod keywords;
mod required_auth;
mod settings;
mod targets;
mod uri;

#[cfg(test)]
mod tests;

pub use error::ParseError;
pub use required_auth::{AuthMethod, RequiredAuth};
pub use settings::{ChannelBinding, ConnInfo, RootCert, SessionAttrs, SslMode, SslNegotiation, TlsVersion};
pub use targets::{Host, Target};

use keys::Parameters;

/// Parses a connection string. `variable` looks up a `PG*` variable; `&|_| None` ignores them.
///
/// White space at the end of a URL, but for spaces, is a part of its last value, as in libpq: a warning says so, or the
/// hint of the error.
///
/// # Errors
/// When libpq would refuse it, when it requests what this crate does not support
/// ([`ParseError::is_unsupported`]), or when a password seems to contain a delimiter that is not
/// percent-encoded.
pub fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<ConnInfo, ParseError> {
    let resolve = || {
        let mut parameters = parameters(text)?;
        let warnings = parameters.add_environment(variable)?;
        settings::resolve(&parameters, warnings)
    };
    if uri::after_scheme(text).is_none() || !text.trim_end_matches(' ').ends_with(is_space) {
        return resolve();
    }
    match resolve() {
        Ok(mut info) => {
            let warning = "the URL ends in a newline or tab, which is a part of its last value: remove it";
            info.warnings.insert(0, warning.to_owned());
            Ok(info)
        }
        Err(error) if error.variable().is_some() => Err(error),
        Err(error) => Err(error.with_hint(
            "the URL ends in a newline or tab, which is a part of its last value: remove it, then try again",
        )),
    }
}

/// C's `isspace`.
fn is_space(letter: char) -> bool {
    letter.is_ascii_whitespace() || letter == '\x0b'
}

/// The keys and values in the text, without defaults.
fn parameters(text: &str) -> Result<Parameters, ParseError> {
    if text.chars().all(is_space) {
        return Err(ParseError::malformed("the connection string is empty"));
    }
    match uri::after_scheme(text) {
        Some(rest) => uri::parse(rest),
        None => match error::not_a_connection_string(text) {
            Some(error) => Err(error),
            None => keywords::parse(text),
        },
    }
}

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
/// White space around the text is removed: values from secret stores often end in a newline. libpq makes it part of
/// the last value of a URL, so that a warning is added there.
///
/// # Errors
/// When libpq would refuse it, when it requests what this crate does not support
/// ([`ParseError::is_unsupported`]), or when a password seems to contain a delimiter that is not
/// percent-encoded.
pub fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<ConnInfo, ParseError> {
    let trimmed = text.trim_matches(|character: char| character.is_ascii_whitespace());
    let mut parameters = parameters(trimmed)?;
    let mut warnings = parameters.add_environment(variable)?;
    if is_changed_by_trimming(text, trimmed) {
        warnings.insert(
            0,
            "there is white space around the connection string: it is ignored here, and other PostgreSQL clients may \
             fail because of it"
                .to_owned(),
        );
    }
    settings::resolve(&parameters, warnings)
}

/// White space matters around a URL, and not around `key=value` pairs.
fn is_changed_by_trimming(text: &str, trimmed: &str) -> bool {
    text.len() != trimmed.len() && uri::after_scheme(trimmed).is_some()
}

/// The keys and values in the text, without defaults.
fn parameters(text: &str) -> Result<Parameters, ParseError> {
    if text.is_empty() {
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

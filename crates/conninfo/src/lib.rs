//! PostgreSQL connection strings, as libpq reads them: URLs and `key=value` pairs.
//!
//! The driver's own parser differs from libpq in ways that matter for a probe: it refuses URLs that
//! the app's driver takes, and takes a few that lead to another host. So the grammar, the defaults
//! from `PG*` variables and the error texts here are libpq's, with one difference: no error repeats
//! what may be a piece of a password.
//!
//! Nothing here reads a file, the environment or the network.

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

/// Reads a connection string. `variable` looks up a `PG*` variable; `&|_| None` leaves them out.
///
/// White space around the whole text is no part of it: values from secret stores end in a newline. libpq, though,
/// takes it for a part of the last value; a warning says so.
///
/// # Errors
/// When libpq would refuse it, when it asks for what is not supported here
/// ([`ParseError::is_unsupported`]), or when a password seems to be cut in two by a character that
/// had to be percent-encoded.
pub fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<ConnInfo, ParseError> {
    let trimmed = text.trim_matches(|character: char| character.is_ascii_whitespace());
    let mut parameters = parameters(trimmed)?;
    let mut warnings = parameters.add_environment(variable)?;
    if is_changed_by_trimming(text, trimmed) {
        warnings.insert(
            0,
            "there is white space around the connection string: it is left out here, and other clients of \
             PostgreSQL may stumble over it"
                .to_owned(),
        );
    }
    settings::resolve(&parameters, warnings)
}

/// Between `key=value` pairs space means nothing; around a URL it does.
fn is_changed_by_trimming(text: &str, trimmed: &str) -> bool {
    text.len() != trimmed.len() && uri::after_scheme(trimmed).is_some()
}

/// The keys and values of the text itself, without defaults.
fn parameters(text: &str) -> Result<Parameters, ParseError> {
    if text.is_empty() {
        return Err(ParseError::malformed("the connection string is empty"));
    }
    match uri::after_scheme(text) {
        Some(rest) => uri::parse(rest),
        None => match error::foreign(text) {
            Some(error) => Err(error),
            None => keywords::parse(text),
        },
    }
}

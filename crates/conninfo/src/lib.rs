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
mod settings;
mod targets;
mod uri;

#[cfg(test)]
mod tests;

pub use error::ParseError;
pub use settings::{
    ChannelBinding, ConnInfo, RootCert, SessionAttrs, SslMode, SslNegotiation, TlsVersion,
};
pub use targets::{Host, Target};

use keys::Parameters;

/// Reads a connection string. `variable` looks up a `PG*` variable; `&|_| None` leaves them out.
///
/// White space around the whole text is no part of it: values from secret stores end in a newline.
///
/// # Errors
/// When libpq would refuse it, when it asks for what is not supported here
/// ([`ParseError::is_unsupported`]), or when a password seems to be cut in two by a character that
/// had to be percent-encoded.
pub fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<ConnInfo, ParseError> {
    let mut parameters = parameters(text)?;
    let warnings = parameters.add_environment(variable)?;
    settings::resolve(&parameters, warnings)
}

/// The keys and values of the text itself, without defaults.
fn parameters(text: &str) -> Result<Parameters, ParseError> {
    let text = text.trim_matches(|character: char| character.is_ascii_whitespace());
    if text.is_empty() {
        return Err(ParseError::malformed("the connection string is empty"));
    }
    match uri::after_scheme(text) {
        Some(rest) => uri::parse(rest, text.len() - rest.len()),
        None => match error::foreign(text) {
            Some(error) => Err(error),
            None => keywords::parse(text),
        },
    }
}

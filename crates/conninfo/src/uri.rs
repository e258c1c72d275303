//! The URL form: `postgresql://user:password@host:port,host:port/dbname?key=value&…`.

use crate::error::{ENCODE, ParseError};
use crate::keys::{Parameters, known, unknown};

/// The rest after `postgresql://`, if the text begins with it.
pub(crate) fn after_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgresql://")
        .or_else(|| text.strip_prefix("postgres://"))
}

/// Parses the rest after the scheme.
pub(crate) fn parse(rest: &str) -> Result<Parameters, ParseError> {
    let mut parameters = Parameters::default();
    let mut hosts = rest;
    // As in libpq: an `@` after the first `/` does not end the credentials.
    let authority_end = rest.find('/').unwrap_or(rest.len());
    if let Some(at) = rest[..authority_end].find('@') {
        credentials(&rest[..at], &mut parameters)?;
        hosts = &rest[at + 1..];
    }
    if hosts.split('?').next().is_some_and(|text| text.contains('@')) {
        return Err(ParseError::malformed(
            "an `@` in the host or database name: the password seems to contain an unencoded delimiter",
        )
        .with_hint(ENCODE));
    }
    let rest = host_list(hosts, &mut parameters)?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if let Some(name) = path.strip_prefix('/').filter(|name| !name.is_empty()) {
        parameters.set("dbname", decode(name)?);
    }
    query_parameters(query, &mut parameters)?;
    Ok(parameters)
}

/// Splits before the first of these letters.
fn until<'a>(text: &'a str, ends: &[char]) -> (&'a str, &'a str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

fn credentials(text: &str, parameters: &mut Parameters) -> Result<(), ParseError> {
    let (user, password) = match text.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (text, None),
    };
    // `//host?application_name=me@corp`: for libpq `corp` is the host, and everything before it the user.
    if user.contains('?') {
        return Err(ParseError::malformed(
            "an `@` in the query of a URL without a `/` before it: the part before the `@` would be the user",
        )
        .with_hint("put a `/` between the host and the `?`, and write the @ as %40"));
    }
    // As in libpq: an empty user is ignored.
    if !user.is_empty() {
        parameters.set("user", decode(user)?);
    }
    if let Some(password) = password.filter(|password| !password.is_empty()) {
        parameters.set("password", decode(password)?);
    }
    Ok(())
}

/// Gives the rest after the list.
fn host_list<'a>(mut rest: &'a str, parameters: &mut Parameters) -> Result<&'a str, ParseError> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    loop {
        let (host, after) = host(rest)?;
        let (port, after) = match after.strip_prefix(':') {
            Some(after) => until(after, &['/', '?', ',']),
            None => ("", after),
        };
        hosts.push(host);
        ports.push(port);
        rest = after;
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => break,
        }
    }
    // As in libpq: the lists are joined before they are decoded.
    for (key, list) in [("host", hosts.join(",")), ("port", ports.join(","))] {
        if !list.is_empty() {
            parameters.set(key, decode(&list)?);
        }
    }
    Ok(rest)
}

/// The first host, and the rest after it.
fn host(text: &str) -> Result<(&str, &str), ParseError> {
    let Some(inner) = text.strip_prefix('[') else {
        return Ok(until(text, &[':', '/', '?', ',']));
    };
    let Some((address, after)) = inner.split_once(']') else {
        return Err(ParseError::malformed(
            "end of string reached when looking for matching \"]\" in IPv6 host address in URI",
        ));
    };
    if address.is_empty() {
        return Err(ParseError::malformed("IPv6 host address may not be empty in URI"));
    }
    if after.is_empty() || after.starts_with([':', '/', '?', ',']) {
        return Ok((address, after));
    }
    Err(ParseError::malformed(
        "unexpected character after the \"]\" of an IPv6 host address in URI (expected \":\" or \"/\")",
    ))
}

fn query_parameters(query: &str, parameters: &mut Parameters) -> Result<(), ParseError> {
    // As in libpq: a single `&` at the end is ignored.
    let query = query.strip_suffix('&').filter(|_| query != "&").unwrap_or(query);
    if query.is_empty() {
        return Ok(());
    }
    for (at, pair) in query.split('&').enumerate() {
        let parameter = format!("URI query parameter {}", at + 1);
        let Some((name, value)) = pair.split_once('=') else {
            return Err(
                ParseError::malformed(format!("missing key/value separator \"=\" in {parameter}"))
                    .with_hint("& separates parameters; write it as %26 inside a value"),
            );
        };
        if value.contains('=') {
            return Err(
                ParseError::malformed(format!("extra key/value separator \"=\" in {parameter}"))
                    .with_hint("write = as %3D inside a value"),
            );
        }
        let (name, value) = (decode(name)?, decode(value)?);
        // As in libpq, for compatibility with JDBC URLs.
        if name == "ssl" && value == "true" {
            parameters.set("sslmode", "require".to_owned());
            continue;
        }
        let key = known(&name).ok_or_else(|| unknown(&format!("invalid {parameter}"), &name))?;
        parameters.set(key, value);
    }
    Ok(())
}

/// Percent-decodes one part, without the spaces around it; as in libpq, other white space belongs to the value. The `percent-encoding` crate would pass invalid
/// sequences through, which libpq refuses.
fn decode(text: &str) -> Result<String, ParseError> {
    let text = text.trim_matches(' ');
    if text.contains(' ') {
        return Err(ParseError::malformed(
            "unexpected spaces found in URI, use percent-encoded spaces (%20) instead",
        ));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        match (digit(), digit()) {
            (Some(0), Some(0)) => {
                return Err(ParseError::malformed(
                    "forbidden value %00 in percent-encoded value",
                ));
            }
            // At most 255.
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => {
                return Err(ParseError::malformed("invalid percent-encoded token")
                    .with_hint("write a literal % as %25"));
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| {
        ParseError::unsupported("percent-encoded bytes that are not UTF-8 can't be used")
            .with_hint("encode the text as UTF-8")
    })
}

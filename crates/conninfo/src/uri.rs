//! The URL form: `postgresql://user:password@host:port,host:port/dbname?key=value&…`.

use crate::error::{ENCODE, ParseError};
use crate::keys::{Parameters, known, unknown};

/// What comes after `postgresql://`, if the text begins so.
pub(crate) fn after_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgresql://")
        .or_else(|| text.strip_prefix("postgres://"))
}

/// Reads what comes after the scheme.
pub(crate) fn parse(rest: &str) -> Result<Parameters, ParseError> {
    let mut parameters = Parameters::default();
    let mut hosts = rest;
    // As libpq: an `@` after the first `/` belongs to no user.
    let authority_end = rest.find('/').unwrap_or(rest.len());
    if let Some(at) = rest[..authority_end].find('@') {
        credentials(&rest[..at], &mut parameters)?;
        hosts = &rest[at + 1..];
    }
    let (hosts, path, query) = split(hosts);
    if hosts.contains('@') || path.contains('@') {
        return Err(ParseError::malformed(
            "an `@` where a host or a database name is expected: the password seems to be cut in two",
        )
        .with_hint(ENCODE));
    }
    host_list(hosts, &mut parameters)?;
    if let Some(name) = path.strip_prefix('/').filter(|name| !name.is_empty()) {
        parameters.set("dbname", decode(name)?);
    }
    if let Some(query) = query {
        query_parameters(query, &mut parameters)?;
    }
    Ok(parameters)
}

/// Host list, path with its slash, query without its question mark.
fn split(text: &str) -> (&str, &str, Option<&str>) {
    let (before, query) = match text.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (text, None),
    };
    let slash = before.find('/').unwrap_or(before.len());
    (&before[..slash], &before[slash..], query)
}

fn credentials(text: &str, parameters: &mut Parameters) -> Result<(), ParseError> {
    let (user, password) = match text.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (text, None),
    };
    // `//host?application_name=me@corp`: libpq takes `corp` for the host, and all before it for the user.
    if user.contains('?') {
        return Err(ParseError::malformed(
            "an `@` in the query of a URL without a `/` before it: what stands before the `@` would be the user",
        )
        .with_hint("write a `/` between the host and the `?`, and the @ as %40"));
    }
    // An empty user is none.
    if !user.is_empty() {
        parameters.set("user", decode(user)?);
    }
    if let Some(password) = password.filter(|password| !password.is_empty()) {
        parameters.set("password", decode(password)?);
    }
    Ok(())
}

fn host_list(text: &str, parameters: &mut Parameters) -> Result<(), ParseError> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for entry in text.split(',') {
        let (host, port) = host_and_port(entry)?;
        hosts.push(host);
        ports.push(port);
    }
    // As libpq: the lists are put together first and decoded then.
    for (key, list) in [("host", hosts.join(",")), ("port", ports.join(","))] {
        if !list.is_empty() {
            parameters.set(key, decode(&list)?);
        }
    }
    Ok(())
}

fn host_and_port(entry: &str) -> Result<(&str, &str), ParseError> {
    let Some(inner) = entry.strip_prefix('[') else {
        return Ok(entry.split_once(':').unwrap_or((entry, "")));
    };
    let Some((address, after)) = inner.split_once(']') else {
        return Err(ParseError::malformed(
            "end of string reached when looking for matching \"]\" in IPv6 host address in URI",
        ));
    };
    if address.is_empty() {
        return Err(ParseError::malformed("IPv6 host address may not be empty in URI"));
    }
    match after.strip_prefix(':') {
        Some(port) => Ok((address, port)),
        None if after.is_empty() => Ok((address, "")),
        None => Err(ParseError::malformed(
            "unexpected character after the \"]\" of an IPv6 host address in URI (expected \":\" or \"/\")",
        )),
    }
}

fn query_parameters(query: &str, parameters: &mut Parameters) -> Result<(), ParseError> {
    // As libpq: an `&` at the very end begins no parameter.
    let query = query.strip_suffix('&').filter(|_| query != "&").unwrap_or(query);
    if query.is_empty() {
        return Ok(());
    }
    for (at, pair) in query.split('&').enumerate() {
        let place = format!("URI query parameter {}", at + 1);
        let Some((name, value)) = pair.split_once('=') else {
            return Err(
                ParseError::malformed(format!("missing key/value separator \"=\" in {place}"))
                    .with_hint("& separates parameters; inside a value it is written %26"),
            );
        };
        if value.contains('=') {
            return Err(
                ParseError::malformed(format!("extra key/value separator \"=\" in {place}"))
                    .with_hint("= inside a value is written %3D"),
            );
        }
        let (name, value) = (decode(name)?, decode(value)?);
        // As libpq, for URLs that were written for JDBC.
        if name == "ssl" && value == "true" {
            parameters.set("sslmode", "require".to_owned());
            continue;
        }
        let key = known(&name).ok_or_else(|| unknown(&format!("invalid {place}"), &name))?;
        parameters.set(key, value);
    }
    Ok(())
}

/// Decodes one part: spaces around it are dropped, `%XX` is a byte.
fn decode(text: &str) -> Result<String, ParseError> {
    let text = text.trim_matches(|letter: char| letter.is_ascii_whitespace());
    if text.contains(|letter: char| letter.is_ascii_whitespace()) {
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
            // Two hexadecimal digits are at most 255.
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => {
                return Err(ParseError::malformed("invalid percent-encoded token")
                    .with_hint("a % that stands for itself is written %25"));
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| {
        ParseError::unsupported("percent-encoded bytes that are not UTF-8 can't be used")
            .with_hint("encode the text as UTF-8")
    })
}

//! The URL form: `postgresql://user:password@host:port,host:port/dbname?key=value&…`.

use crate::error::{ENCODE, ParseError, quoted};
use crate::keys::{Parameters, known, similar};

/// What comes after `postgresql://`, if the text begins so.
pub(crate) fn after_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgresql://")
        .or_else(|| text.strip_prefix("postgres://"))
}

/// Reads what comes after the scheme, which has `offset` letters.
pub(crate) fn parse(rest: &str, offset: usize) -> Result<Parameters, ParseError> {
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
    // An `@` that is left may end an unescaped password, whose pieces are then anywhere before it.
    let may_be_shown = !query.unwrap_or_default().contains('@');
    let position = offset + rest.len() - rest_length(hosts, path, query);
    host_list(hosts, position, may_be_shown, &mut parameters)?;
    if let Some(name) = path.strip_prefix('/').filter(|name| !name.is_empty()) {
        parameters.set("dbname", decode(name, may_be_shown)?);
    }
    if let Some(query) = query {
        query_parameters(query, may_be_shown, &mut parameters)?;
    }
    Ok(parameters)
}

fn rest_length(hosts: &str, path: &str, query: Option<&str>) -> usize {
    hosts.len() + path.len() + query.map_or(0, |query| query.len() + 1)
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
    // An empty user is none.
    if !user.is_empty() {
        parameters.set("user", decode(user, false)?);
    }
    if let Some(password) = password.filter(|password| !password.is_empty()) {
        parameters.set("password", decode(password, false)?);
    }
    Ok(())
}

fn host_list(
    text: &str,
    position: usize,
    may_be_shown: bool,
    parameters: &mut Parameters,
) -> Result<(), ParseError> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    let mut at = position;
    for entry in text.split(',') {
        let (host, port) = host_and_port(entry, at)?;
        hosts.push(decode(host, may_be_shown)?);
        // Never shown: in a URL that lacks its `@`, the password stands here.
        ports.push(decode(port, false)?);
        at += entry.len() + 1;
    }
    for (key, list) in [("host", hosts), ("port", ports)] {
        let joined = list.join(",");
        if list.iter().any(|entry| !entry.is_empty()) {
            parameters.set(key, joined);
        }
    }
    Ok(())
}

fn host_and_port(entry: &str, position: usize) -> Result<(&str, &str), ParseError> {
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
        None => Err(ParseError::malformed(format!(
            "unexpected character at position {} in URI (expected \":\" or \"/\")",
            position + address.len() + 3
        ))),
    }
}

fn query_parameters(query: &str, plain: bool, parameters: &mut Parameters) -> Result<(), ParseError> {
    if query.is_empty() {
        return Ok(());
    }
    // After a password, what stands where a key should be may be its second half.
    let mut may_be_shown = plain;
    for pair in query.split('&') {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(ParseError::malformed(format!(
                "missing key/value separator \"=\" in URI query parameter{}",
                quoted(pair, may_be_shown)
            ))
            .with_hint("& separates parameters; inside a value it is written %26"));
        };
        if value.contains('=') {
            return Err(ParseError::malformed(format!(
                "extra key/value separator \"=\" in URI query parameter{}",
                quoted(name, may_be_shown)
            ))
            .with_hint("= inside a value is written %3D"));
        }
        let name = decode(name, may_be_shown)?;
        let secret = matches!(name.as_str(), "password" | "sslpassword");
        let value = decode(value, may_be_shown && !secret)?;
        // As libpq, for URLs that were written for JDBC.
        if name == "ssl" && value == "true" {
            parameters.set("sslmode", "require".to_owned());
            continue;
        }
        let Some(key) = known(&name) else {
            let error = ParseError::malformed(format!(
                "invalid URI query parameter{}",
                quoted(&name, may_be_shown)
            ));
            return Err(match similar(&name) {
                Some(key) => error.with_hint(format!("libpq's key is `{key}`")),
                None => error,
            });
        };
        may_be_shown &= !secret;
        parameters.set(key, value);
    }
    Ok(())
}

/// Decodes one part: spaces around it are dropped, `%XX` is a byte.
fn decode(text: &str, may_be_shown: bool) -> Result<String, ParseError> {
    let text = text.trim_matches(|letter: char| letter.is_ascii_whitespace());
    if text.contains(|letter: char| letter.is_ascii_whitespace()) {
        return Err(
            ParseError::malformed("unexpected spaces found in URI, use percent-encoded spaces (%20) instead"),
        );
    }
    let invalid = || {
        ParseError::malformed(format!(
            "invalid percent-encoded token{}",
            quoted(text, may_be_shown)
        ))
        .with_hint("a % that stands for itself is written %25")
    };
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
                return Err(ParseError::malformed("forbidden value %00 in percent-encoded value"));
            }
            // Two hexadecimal digits are at most 255.
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(invalid()),
        }
    }
    String::from_utf8(bytes).map_err(|_| {
        ParseError::malformed("percent-encoded bytes that are not UTF-8").with_hint("encode the text as UTF-8")
    })
}

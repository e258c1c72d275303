//! The `key=value` form: `host=db.example port=5432 password='it\'s'`.

use crate::error::ParseError;
use crate::is_space;
use crate::keys::{Parameters, known, unknown};
use std::iter::Peekable;
use std::str::Chars;

/// The most likely cause of an unknown key.
const QUOTE: &str = "a value with spaces needs quotes: key='some value'";

pub(crate) fn parse(text: &str) -> Result<Parameters, ParseError> {
    let mut parameters = Parameters::default();
    let mut rest = text.chars().peekable();
    for number in 1.. {
        skip_space(&mut rest);
        if rest.peek().is_none() {
            break;
        }
        let name = key(&mut rest, number)?;
        let value = value(&mut rest)?;
        let key = known(&name).ok_or_else(|| {
            let error = unknown(&format!("invalid connection option {number}"), &name);
            if error.hint().is_some() {
                error
            } else {
                error.with_hint(QUOTE)
            }
        })?;
        parameters.set(key, value);
    }
    Ok(parameters)
}

fn skip_space(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|letter| is_space(*letter)).is_some() {}
}

fn key(rest: &mut Peekable<Chars<'_>>, number: usize) -> Result<String, ParseError> {
    let mut name = String::new();
    while let Some(letter) = rest.next_if(|letter| *letter != '=' && !is_space(*letter)) {
        name.push(letter);
    }
    skip_space(rest);
    if rest.next_if_eq(&'=').is_none() {
        return Err(ParseError::malformed(format!(
            "missing \"=\" after the name of option {number} in connection info string"
        ))
        .with_hint(QUOTE));
    }
    skip_space(rest);
    Ok(name)
}

fn value(rest: &mut Peekable<Chars<'_>>) -> Result<String, ParseError> {
    let mut value = String::new();
    let is_quoted = rest.next_if_eq(&'\'').is_some();
    while let Some(letter) = rest.peek().copied() {
        if !is_quoted && is_space(letter) {
            break;
        }
        rest.next();
        match letter {
            '\\' => value.extend(rest.next()),
            '\'' if is_quoted => return Ok(value),
            _ => value.push(letter),
        }
    }
    if is_quoted {
        return Err(ParseError::malformed(
            "unterminated quoted string in connection info string",
        ));
    }
    Ok(value)
}

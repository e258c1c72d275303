//! The `key=value` form: `host=db.example port=5432 password='it''s'`.

use crate::error::{ParseError, quoted};
use crate::keys::{Parameters, known, similar};
use std::iter::Peekable;
use std::str::Chars;

pub(crate) fn parse(text: &str) -> Result<Parameters, ParseError> {
    let mut parameters = Parameters::default();
    let mut rest = text.chars().peekable();
    // After a password, what stands where a key should be may be its second half.
    let mut may_be_shown = true;
    loop {
        skip_space(&mut rest);
        if rest.peek().is_none() {
            return Ok(parameters);
        }
        let name = key(&mut rest, may_be_shown)?;
        let value = value(&mut rest)?;
        let Some(key) = known(&name) else {
            let error =
                ParseError::malformed(format!("invalid connection option{}", quoted(&name, may_be_shown)));
            return Err(match similar(&name) {
                Some(key) => error.with_hint(format!("libpq's key is `{key}`")),
                None => error.with_hint("a value with spaces needs quotes: key='some value'"),
            });
        };
        may_be_shown &= !matches!(key, "password" | "sslpassword");
        parameters.set(key, value);
    }
}

fn skip_space(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(char::is_ascii_whitespace).is_some() {}
}

fn key(rest: &mut Peekable<Chars<'_>>, may_be_shown: bool) -> Result<String, ParseError> {
    let mut name = String::new();
    while let Some(letter) = rest.next_if(|letter| *letter != '=' && !letter.is_ascii_whitespace()) {
        name.push(letter);
    }
    skip_space(rest);
    if rest.next_if_eq(&'=').is_none() {
        let after = match quoted(&name, may_be_shown) {
            word if word.is_empty() => String::new(),
            word => format!(" after{word}"),
        };
        return Err(
            ParseError::malformed(format!("missing \"=\"{after} in connection info string"))
                .with_hint("a value with spaces needs quotes: key='some value'"),
        );
    }
    skip_space(rest);
    Ok(name)
}

fn value(rest: &mut Peekable<Chars<'_>>) -> Result<String, ParseError> {
    let mut value = String::new();
    let is_quoted = rest.next_if_eq(&'\'').is_some();
    while let Some(letter) = rest.peek().copied() {
        if !is_quoted && letter.is_ascii_whitespace() {
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

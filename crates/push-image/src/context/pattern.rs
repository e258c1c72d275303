//! One pattern of a `.dockerignore` file, with the semantics of Docker's matcher (moby/patternmatcher).
//!
//! A pattern is anchored at the root of the context, unlike one of a `.gitignore`. `*` and `?` do not match a slash,
//! `**` does. As in moby, a pattern is translated to a regular expression, except for three forms that are compared
//! as texts. Some of these forms have surprising results, which are kept because users rely on them.

use regex_lite::Regex;
use std::iter::Peekable;
use std::str::Chars;

/// A pattern, ready to be matched.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: String,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// The text itself.
    Exact,
    /// `x/**`: paths that begin with `x/`, but not `x` itself.
    Prefix,
    /// `**/x` or `**x`: paths that end with `/x` or `x`, and for the first form `x` itself.
    Suffix,
    /// All other patterns.
    Regex(Regex),
}

/// The reason why a pattern is malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidPattern(pub(crate) &'static str);

impl Pattern {
    /// Parses `text`, a cleaned path without `!`.
    ///
    /// # Errors
    /// When a `[` is not closed, a range is malformed, or the text ends with a `\`.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let mut rest = text.chars().peekable();
        let mut regex = String::from("(?s)^");
        // The form that the pattern has up to here: `None` is the regular expression.
        let mut form = Some(Form::Exact);
        while let Some(character) = rest.next() {
            let is_first = regex == "(?s)^";
            match character {
                '*' if rest.next_if_eq(&'*').is_some() => {
                    // `**/x` also matches `x`.
                    rest.next_if_eq(&'/');
                    form = match form {
                        Some(Form::Exact) if rest.peek().is_none() => Some(Form::Prefix),
                        _ => None,
                    };
                    regex += if rest.peek().is_some() { "(.*/)?" } else { ".*" };
                    if is_first {
                        form = Some(Form::Suffix);
                    }
                    continue;
                }
                '*' => regex += "[^/]*",
                '?' => regex += "[^/]",
                '[' => regex += &class(&mut rest)?,
                '\\' => {
                    let escaped = rest.next().ok_or(InvalidPattern("a `\\` at the end"))?;
                    regex += &escape(escaped);
                }
                ']' => regex += r"\]",
                _ => {
                    regex += &escape(character);
                    continue;
                }
            }
            form = None;
        }
        let form = match form {
            Some(form) => form,
            None => Form::Regex(
                Regex::new(&format!("{regex}$")).map_err(|_| InvalidPattern("not a valid pattern"))?,
            ),
        };
        Ok(Pattern {
            text: text.to_owned(),
            form,
        })
    }

    /// Whether the pattern matches `path` itself. Folders above `path` are checked by the caller.
    pub(crate) fn matches(&self, path: &str) -> bool {
        match &self.form {
            Form::Exact => path == self.text,
            Form::Prefix => path.starts_with(self.text.trim_end_matches('*')),
            Form::Suffix => {
                let suffix = self.text.strip_prefix("**").unwrap_or(&self.text);
                path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path)
            }
            Form::Regex(regex) => regex.is_match(path),
        }
    }

    /// Whether the pattern may match something in `folder`, judged by its text before the first special character.
    pub(crate) fn may_match_below(&self, folder: &str) -> bool {
        let literal = self
            .text
            .find(['*', '?', '[', '\\'])
            .map_or(self.text.as_str(), |at| &self.text[..at]);
        let folder = format!("{folder}/");
        if literal.len() < self.text.len() {
            return literal.starts_with(&folder) || folder.starts_with(literal);
        }
        // A pattern that is equal to the folder was matched already.
        literal.starts_with(&folder)
    }
}

fn escape(character: char) -> String {
    regex_lite::escape(character.encode_utf8(&mut [0; 4]))
}

/// The rest of a `[…]`, checked as Go's `filepath.Match` does. A negated class also matches a slash.
fn class(rest: &mut Peekable<Chars>) -> Result<String, InvalidPattern> {
    let mut class = String::from("[");
    if rest.next_if_eq(&'^').is_some() {
        class.push('^');
    }
    let mut is_empty = true;
    while is_empty || rest.next_if_eq(&']').is_none() {
        is_empty = false;
        let low = member(rest)?;
        let high = match rest.next_if_eq(&'-') {
            Some(_) => member(rest)?,
            None => low,
        };
        if high < low {
            return Err(InvalidPattern("a range whose end is before its start"));
        }
        class += &format!("{}-{}", escape(low), escape(high));
    }
    class.push(']');
    Ok(class)
}

fn member(rest: &mut Peekable<Chars>) -> Result<char, InvalidPattern> {
    const OPEN: InvalidPattern = InvalidPattern("a `[` without `]`");
    let member = match rest.next().ok_or(OPEN)? {
        '-' => return Err(InvalidPattern("a `-` that is not part of a range")),
        ']' => return Err(InvalidPattern("an empty `[]`")),
        '\\' => rest.next().ok_or(OPEN)?,
        member => member,
    };
    // The class has to continue after each member.
    rest.peek().is_some().then_some(member).ok_or(OPEN)
}

#[cfg(test)]
mod tests;

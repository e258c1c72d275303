//! Control characters in text from outside. A terminal obeys them, and a line break in a log line makes it look like two.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with its control characters written as escapes, except for tabs and line breaks.
pub fn control_characters(text: &str) -> Cow<'_, str> {
    escaped(text, |character| {
        character.is_control() && !matches!(character, '\n' | '\t')
    })
}

/// `text` on one line: with its control characters written as escapes, line breaks included, except for tabs.
pub fn to_one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |character| character.is_control() && character != '\t')
}

/// A JSON document with the control characters escaped that JSON allows in strings: DEL and those of Unicode.
pub(crate) fn in_json(document: &str) -> Cow<'_, str> {
    if !document.contains(char::is_control) {
        return Cow::Borrowed(document);
    }
    let mut safe = String::with_capacity(document.len());
    for character in document.chars() {
        if character.is_control() {
            let _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

fn escaped(text: &str, is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_sent() {
        for (text, expected, line) in [
            ("plain é …", "plain é …", "plain é …"),
            (
                "a\x1b[2J\x07b\0",
                "a\\u{1b}[2J\\u{7}b\\u{0}",
                "a\\u{1b}[2J\\u{7}b\\u{0}",
            ),
            ("a\u{9b}b\x7f", "a\\u{9b}b\\u{7f}", "a\\u{9b}b\\u{7f}"),
            ("a\tb\r\nc", "a\tb\\r\nc", "a\tb\\r\\nc"),
        ] {
            assert_eq!(control_characters(text), expected);
            assert_eq!(to_one_line(text), line);
        }
        assert_eq!(
            in_json("{\"a\":\"\u{9b}\u{7f}é\"}"),
            "{\"a\":\"\\u009b\\u007fé\"}"
        );
    }
}

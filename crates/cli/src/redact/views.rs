//! A text, and the same text with one encoding undone. Each byte of a view knows which part of the text it comes from.

use std::borrow::Cow;

/// One reading of a text.
pub(super) struct View<'a> {
    bytes: Cow<'a, [u8]>,
    /// Where each byte comes from; empty when the view is the text itself.
    origins: Vec<(usize, usize)>,
}

/// Between two parts that are not adjacent. UTF-8 does not contain it.
const GAP: u8 = 0xff;

/// The base64 of the shortest secret.
const MIN_BASE64: usize = 6;

impl View<'_> {
    /// Gives `visit` the text, and each reading of it that differs.
    pub(super) fn each(text: &str, mut visit: impl FnMut(&View)) {
        visit(&View {
            bytes: Cow::Borrowed(text.as_bytes()),
            origins: Vec::new(),
        });
        if text.contains('%') {
            visit(&View::decoded(text, percent));
        }
        if text.contains('+') {
            visit(&View::decoded(text, form));
        }
        if text.contains('\\') {
            visit(&View::decoded(text, json));
        }
        if text.contains('&') {
            visit(&View::decoded(text, html));
        }
        let runs = base64_runs(text);
        if !runs.is_empty() {
            (0..4).for_each(|offset| visit(&View::base64(text, &runs, offset)));
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The part of the text behind the bytes from `start` to `end`, of which there is at least one.
    pub(super) fn span(&self, start: usize, end: usize) -> (usize, usize) {
        match (self.origins.get(start), self.origins.get(end - 1)) {
            (Some((start, _)), Some((_, end))) => (*start, *end),
            _ => (start, end),
        }
    }

    /// Undoes the escapes that `unescape` knows: the character and the length of the escape at the start of a text.
    fn decoded(text: &str, unescape: fn(&str) -> Option<(Unescaped, usize)>) -> View<'static> {
        let (mut bytes, mut origins) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len()));
        let mut at = 0;
        while at < text.len() {
            let (length, mut buffer) = match text.get(at..).and_then(unescape) {
                Some((Unescaped::Byte(byte), length)) => (length, vec![byte]),
                Some((Unescaped::Character(character), length)) => {
                    (length, character.encode_utf8(&mut [0; 4]).as_bytes().to_vec())
                }
                None => (1, vec![text.as_bytes()[at]]),
            };
            origins.resize(origins.len() + buffer.len(), (at, at + length));
            bytes.append(&mut buffer);
            at += length;
        }
        View {
            bytes: Cow::Owned(bytes),
            origins,
        }
    }

    /// Decodes each of `runs` from its character `offset` on.
    fn base64(text: &str, runs: &[(usize, usize)], offset: usize) -> View<'static> {
        let (mut bytes, mut origins) = (Vec::new(), Vec::new());
        for &(start, end) in runs {
            let (mut bits, mut count) = (0_u32, 0_u32);
            for at in (start + offset).min(end)..end {
                bits = bits << 6 | sextet(text.as_bytes()[at]).unwrap_or_default();
                count += 6;
                if count >= 8 {
                    count -= 8;
                    bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
                    // A byte lies in this character and the one before it.
                    origins.push((at - 1, at + 1));
                }
                bits &= 0xffff;
            }
            bytes.push(GAP);
            origins.push((end, end));
        }
        View {
            bytes: Cow::Owned(bytes),
            origins,
        }
    }
}

/// What an escape stands for.
enum Unescaped {
    Byte(u8),
    Character(char),
}

/// `%2F`.
fn percent(text: &str) -> Option<(Unescaped, usize)> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    Some((Unescaped::Byte(u8::from_str_radix(digits, 16).ok()?), 3))
}

/// [`percent`], and `+` for a space.
fn form(text: &str) -> Option<(Unescaped, usize)> {
    if text.starts_with('+') {
        return Some((Unescaped::Byte(b' '), 1));
    }
    percent(text)
}

/// `\n`, `\"`, `\u00e9`, and a surrogate pair (RFC 8259, section 7).
fn json(text: &str) -> Option<(Unescaped, usize)> {
    let rest = text.strip_prefix('\\')?;
    let byte = match rest.bytes().next()? {
        same @ (b'"' | b'\\' | b'/') => same,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let unit = |at: usize| u16::from_str_radix(text.get(at..at + 4)?, 16).ok();
            let first = unit(2)?;
            let second = text
                .get(6..8)
                .filter(|escape| *escape == "\\u")
                .and_then(|_| unit(8));
            let units = [first, second.unwrap_or_default()];
            let character = char::decode_utf16(units).next()?.ok()?;
            return Some((Unescaped::Character(character), 6 * character.len_utf16()));
        }
        _ => return None,
    };
    Some((Unescaped::Byte(byte), 2))
}

/// `&quot;`, `&#34;`, `&#x22;` (the five entities that XML and HTML share, and numbers).
fn html(text: &str) -> Option<(Unescaped, usize)> {
    let rest = text.strip_prefix('&')?;
    let name = rest.get(..rest.bytes().take(10).position(|byte| byte == b';')?)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(number.ok()?)?
        }
    };
    Some((Unescaped::Character(character), name.len() + 2))
}

/// Where characters of base64 stand in a row, of the standard or of the URL-safe alphabet (RFC 4648).
fn base64_runs(text: &str) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = 0;
    let ends = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| sextet(*byte).is_none());
    for end in ends.map(|(at, _)| at).chain([text.len()]) {
        if end - start >= MIN_BASE64 {
            runs.push((start, end));
        }
        start = end + 1;
    }
    runs
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

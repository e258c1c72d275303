//! A strict JSON reader (RFC 8259) that keeps positions and explains what JSON does not allow.

use crate::node::{Content, Member, Node, join};
use crate::position::Position;

/// The deepest nesting: more than AWS's documents have, and few enough levels for the stack.
const DEEPEST: usize = 64;

/// A longer malformed number is not repeated in the message: it may be a secret without quotes.
const SHOWN_NUMBER: usize = 6;

/// What is not JSON, and where.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) position: Position,
    pub(super) path: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

type Result<T> = std::result::Result<T, Error>;

/// Reads `text`, which must be one value.
pub(super) fn read(text: &str) -> Result<Node> {
    let mut reader = Reader {
        rest: text,
        position: Position { line: 1, column: 1 },
        path: Vec::new(),
    };
    if text.starts_with('\u{feff}') {
        return Err(reader
            .error("it begins with a byte order mark")
            .hinted("save the file as UTF-8 without a BOM"));
    }
    reader.skip_white()?;
    if reader.rest.is_empty() {
        return Err(reader.error("there is nothing in it"));
    }
    let root = reader.value()?;
    reader.skip_white()?;
    match reader.peek() {
        None => Ok(root),
        Some(_) => Err(reader.error("something stands behind the end of the document")),
    }
}

/// The position after the last character of `text`.
pub(super) fn end_of(text: &str) -> Position {
    let last = text.rsplit('\n').next().unwrap_or_default();
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    Position {
        line: number(text.matches('\n').count()),
        column: number(last.chars().count()),
    }
}

impl Error {
    fn hinted(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }
}

struct Reader<'a> {
    rest: &'a str,
    position: Position,
    /// The path to the current value: `Statement`, `[0]`, `Effect`.
    path: Vec<String>,
}

impl<'a> Reader<'a> {
    fn error(&self, message: impl Into<String>) -> Error {
        self.error_at(self.position, message)
    }

    fn error_at(&self, position: Position, message: impl Into<String>) -> Error {
        let path = self.path.iter().fold(String::new(), |path, step| {
            if step.starts_with('[') {
                path + step
            } else {
                join(&path, step)
            }
        });
        Error {
            position,
            path,
            message: message.into(),
            hint: None,
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.rest = &self.rest[character.len_utf8()..];
        if character == '\n' {
            self.position.line += 1;
            self.position.column = 1;
        } else {
            self.position.column += 1;
        }
        Some(character)
    }

    fn skip(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.next();
        }
        found
    }

    fn skip_white(&mut self) -> Result<()> {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.next();
        }
        if matches!(self.peek(), Some('#')) || self.rest.starts_with("//") || self.rest.starts_with("/*") {
            return Err(self.error("JSON has no comments").hinted("take the comment out"));
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Node> {
        let position = self.position;
        let content = match self.peek() {
            Some('{') => self.object()?,
            Some('[') => self.array()?,
            Some('"') => Content::Text(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { position, content })
    }

    /// Runs `inner` one level deeper.
    fn below<T>(&mut self, step: String, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.path.len() >= DEEPEST {
            return Err(self.error(format!("it is nested deeper than {DEEPEST} levels")));
        }
        self.path.push(step);
        let result = inner(self)?;
        self.path.pop();
        Ok(result)
    }

    fn array(&mut self) -> Result<Content> {
        let start = self.position;
        self.next();
        let mut nodes = Vec::new();
        self.skip_white()?;
        if self.skip(']') {
            return Ok(Content::Array(nodes));
        }
        loop {
            let node = self.below(format!("[{}]", nodes.len()), Self::value)?;
            nodes.push(node);
            if self.ends(']', start)? {
                return Ok(Content::Array(nodes));
            }
        }
    }

    fn object(&mut self) -> Result<Content> {
        let start = self.position;
        self.next();
        let mut members: Vec<Member> = Vec::new();
        self.skip_white()?;
        if self.skip('}') {
            return Ok(Content::Object(members));
        }
        loop {
            let position = self.position;
            if self.peek() != Some('"') {
                return Err(self.error("a key in double quotes must stand here"));
            }
            let key = self.string()?;
            if let Some(first) = members.iter().find(|member| member.key == key) {
                let Position { line, column } = first.position;
                let message = format!("the key `{key}` stands twice; first on line {line}, column {column}");
                return Err(self.error_at(position, message));
            }
            self.skip_white()?;
            if !self.skip(':') {
                return Err(self.error(format!("a `:` must stand behind the key `{key}`")));
            }
            self.skip_white()?;
            let value = self.below(key.clone(), Self::value)?;
            members.push(Member { key, position, value });
            if self.ends('}', start)? {
                return Ok(Content::Object(members));
            }
        }
    }

    /// Reads what follows an element: true at the end of the list, false when another element follows.
    fn ends(&mut self, end: char, start: Position) -> Result<bool> {
        self.skip_white()?;
        if self.skip(end) {
            return Ok(true);
        }
        let comma = self.position;
        if !self.skip(',') {
            let Position { line, column } = start;
            return Err(match self.peek() {
                None => self.error(format!("the `{end}` for line {line}, column {column} is missing")),
                Some(_) => self.error(format!("a `,` or `{end}` must stand here")),
            });
        }
        self.skip_white()?;
        if self.peek() == Some(end) {
            return Err(self.error_at(comma, format!("a `,` before `{end}` is no JSON")));
        }
        Ok(false)
    }

    fn string(&mut self) -> Result<String> {
        let start = self.position;
        self.next();
        let mut text = String::new();
        loop {
            let position = self.position;
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape(position)?),
                Some('\n') | None => return Err(self.error_at(start, "the string has no end on its line")),
                Some(character) if character < ' ' => {
                    let message = format!(
                        "a control character (U+{:04X}) stands in the string",
                        u32::from(character)
                    );
                    return Err(self.error_at(position, message));
                }
                Some(character) => text.push(character),
            }
        }
    }

    fn escape(&mut self, position: Position) -> Result<char> {
        Ok(match self.next() {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.hexadecimal(position)?;
                let second = if (0xD800..0xDC00).contains(&first) && self.rest.starts_with("\\u") {
                    self.next();
                    self.next();
                    Some(self.hexadecimal(position)?)
                } else {
                    None
                };
                let half = || self.error_at(position, "this is one half of a character");
                match second {
                    None => char::from_u32(first).ok_or_else(half)?,
                    Some(second) if (0xDC00..0xE000).contains(&second) => {
                        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                        char::from_u32(code).ok_or_else(half)?
                    }
                    Some(_) => return Err(half()),
                }
            }
            _ => {
                let error = self.error_at(position, "JSON has no such escape");
                return Err(error.hinted("write \\\\ for a backslash"));
            }
        })
    }

    fn hexadecimal(&mut self, position: Position) -> Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|character| character.to_digit(16));
            let digit = digit
                .ok_or_else(|| self.error_at(position, "four hexadecimal digits must stand behind \\u"))?;
            self.next();
            code = code * 16 + digit;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Content> {
        let start = self.position;
        let text = self.take(|character| character.is_ascii_alphanumeric() || "+-.".contains(character));
        // serde_json has the grammar of RFC 8259 for numbers.
        match serde_json::from_str(text) {
            Ok(number) => Ok(Content::Number(number)),
            Err(_) if text.len() <= SHOWN_NUMBER => {
                Err(self.error_at(start, format!("`{text}` is no number of JSON")))
            }
            // Without the text: it may be a secret whose quotes are missing.
            Err(_) => Err(self
                .error_at(start, "this is no number of JSON")
                .hinted("a string stands in double quotes")),
        }
    }

    fn word(&mut self) -> Result<Content> {
        let start = self.position;
        let word = self.take(|character| character.is_alphanumeric() || character == '_');
        match word {
            "true" => Ok(Content::Flag(true)),
            "false" => Ok(Content::Flag(false)),
            "null" => Ok(Content::Null),
            "" => Err(match self.peek() {
                None => self.error("a value is missing"),
                Some('\'') => self.error("a string stands in double quotes"),
                Some('$') => self
                    .error("a `${NAME}` stands inside a string")
                    .hinted("write \"${NAME}\""),
                Some(character) => self.error(format!("a value must stand here, not `{character}`")),
            }),
            // Without the word: it may be a secret whose quotes are missing.
            _ => {
                let error = self.error_at(start, "this is no value of JSON");
                Err(error.hinted("a string stands in double quotes; the words are true, false, null"))
            }
        }
    }

    fn take(&mut self, mut belongs: impl FnMut(char) -> bool) -> &'a str {
        let text = self.rest;
        let end = text
            .find(|character: char| !belongs(character))
            .unwrap_or(text.len());
        while text.len() - self.rest.len() < end {
            self.next();
        }
        &text[..end]
    }
}

//! A JSON file whose values know where they stand.

mod reader;

use crate::position::{Fault, Position, shown};
use serde_json::{Map, Number, Value};
use std::path::{Path, PathBuf};

/// AWS takes policies of 10 KB and task definitions of 64 KB; a file far beyond is the wrong one.
const LARGEST: usize = 1 << 20;

/// A file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where it is, from the current folder when it is below that.
    pub file: PathBuf,
    /// What it holds.
    pub root: Node,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub position: Position,
    /// The value.
    pub content: Content,
}

/// The kinds of JSON values.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// `null`
    Null,
    /// `true`, `false`
    Flag(bool),
    /// A number.
    Number(Number),
    /// A string, without its escapes.
    Text(String),
    /// `[…]`
    Array(Vec<Node>),
    /// `{…}` in the order of the file; no key stands twice.
    Object(Vec<Member>),
}

/// `"key": value`
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The key.
    pub key: String,
    /// Where the key begins.
    pub position: Position,
    /// The value.
    pub value: Node,
}

impl Document {
    /// Reads a file. Line and column of every value are kept.
    ///
    /// # Errors
    /// When it can't be read or is not JSON; then with the place.
    pub fn read(file: &Path) -> Result<Self, Fault> {
        let file = &shown(file);
        let bytes = std::fs::read(file).map_err(|error| Fault::of_file(file, error.to_string()))?;
        if bytes.len() > LARGEST {
            let message = format!(
                "it has {} bytes, and no document of AWS is that large",
                bytes.len()
            );
            return Err(Fault::of_file(file, message));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(file, &text),
            Err(error) => {
                let good = error
                    .as_bytes()
                    .get(..error.utf8_error().valid_up_to())
                    .unwrap_or_default();
                let position = reader::end_of(&String::from_utf8_lossy(good));
                let mut fault = Fault::of_file(file, "this is not UTF-8");
                fault.position = Some(position);
                fault.hint = Some("save the file as UTF-8".into());
                Err(fault)
            }
        }
    }

    /// Reads `text`, which stands in `file`.
    ///
    /// # Errors
    /// When it is not JSON; then with the place.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Fault> {
        match reader::read(text) {
            Ok(root) => Ok(Document {
                file: file.to_owned(),
                root,
            }),
            Err(error) => {
                let mut fault = Fault::of_file(file, error.message);
                fault.position = Some(error.position);
                fault.path = error.path;
                fault.hint = error.hint;
                Err(fault)
            }
        }
    }

    /// The whole as a field.
    pub fn field(&self) -> Field<'_> {
        Field {
            node: &self.root,
            path: String::new(),
        }
    }

    /// The plain value.
    pub fn to_value(&self) -> Value {
        self.root.to_value()
    }
}

impl Node {
    /// The plain value.
    pub fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Flag(flag) => Value::Bool(*flag),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.clone()),
            Content::Array(nodes) => nodes.iter().map(Node::to_value).collect(),
            Content::Object(members) => {
                let members = members.iter();
                let pairs = members.map(|member| (member.key.clone(), member.value.to_value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// What kind of value it is, with its article.
    pub fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "null",
            Content::Flag(_) => "true or false",
            Content::Number(_) => "a number",
            Content::Text(_) => "a string",
            Content::Array(_) => "an array",
            Content::Object(_) => "an object",
        }
    }
}

/// A value and the way to it.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    /// The value.
    pub node: &'a Node,
    /// `Statement[0].Resource`; empty for the whole document.
    pub path: String,
}

impl<'a> Field<'a> {
    /// The value of `key`. `null` counts as absent, as it does for AWS.
    pub fn get(&self, key: &str) -> Option<Field<'a>> {
        self.members()
            .into_iter()
            .find(|(member, field)| member.key == key && field.node.content != Content::Null)
            .map(|(_, field)| field)
    }

    /// The members of an object; none for anything else.
    pub fn members(&self) -> Vec<(&'a Member, Field<'a>)> {
        let Content::Object(members) = &self.node.content else {
            return Vec::new();
        };
        let fields = members.iter().map(|member| {
            let path = join(&self.path, &member.key);
            (
                member,
                Field {
                    node: &member.value,
                    path,
                },
            )
        });
        fields.collect()
    }

    /// The elements of an array; none for anything else.
    pub fn elements(&self) -> Vec<Field<'a>> {
        let Content::Array(nodes) = &self.node.content else {
            return Vec::new();
        };
        let fields = nodes.iter().enumerate().map(|(index, node)| Field {
            node,
            path: format!("{}[{index}]", self.path),
        });
        fields.collect()
    }

    /// The elements of the array `key`; none when it is absent.
    pub fn list(&self, key: &str) -> Vec<Field<'a>> {
        self.get(key).map(|field| field.elements()).unwrap_or_default()
    }

    /// The string, when it is one.
    pub fn text(&self) -> Option<&'a str> {
        match &self.node.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The string under `key`.
    pub fn text_of(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(|field| field.text())
    }

    /// The whole number, when it is one.
    pub fn number(&self) -> Option<i64> {
        match &self.node.content {
            Content::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The whole number under `key`.
    pub fn number_of(&self, key: &str) -> Option<i64> {
        self.get(key).and_then(|field| field.number())
    }

    /// `true` or `false`, when it is one of them.
    pub fn flag(&self) -> Option<bool> {
        match &self.node.content {
            Content::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// `true` or `false` under `key`.
    pub fn flag_of(&self, key: &str) -> Option<bool> {
        self.get(key).and_then(|field| field.flag())
    }
}

/// The path of `key` below `path`.
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests;

//! JSON values with their position in the file.

use crate::position::Position;
use serde_json::{Map, Number, Value};

/// A value and its position.
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
    /// `{…}` in the order of the file, without duplicate keys.
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

    /// The kind of value, with its article.
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

/// A value and its path.
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

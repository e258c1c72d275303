//! A JSON object whose members keep their text. `serde_json::Value` would round large numbers and drop duplicate keys.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

/// The members in the order of the text.
#[derive(Default)]
pub(crate) struct Members<'a>(Vec<(String, Member<'a>)>);

#[derive(serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Member<'a> {
    Text(&'a RawValue),
    Object(Members<'a>),
    New(Value),
}

impl<'a> Members<'a> {
    /// The text of a member.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|(name, member)| match member {
            Member::Text(text) if name == key => Some(text.get()),
            _ => None,
        })
    }

    /// Replaces the member, or adds it at the end.
    pub(crate) fn set(&mut self, key: &str, member: Member<'a>) {
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = member,
            None => self.0.push((key.to_owned(), member)),
        }
    }

    /// A key that is there twice.
    pub(crate) fn duplicate(&self) -> Option<&str> {
        let mut seen = std::collections::HashSet::new();
        let mut keys = self.0.iter().map(|(key, _)| key.as_str());
        keys.find(|key| !seen.insert(*key))
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, text)) = map.next_entry()? {
                    members.push((key, Member::Text(text)));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, member)| (key, member)))
    }
}

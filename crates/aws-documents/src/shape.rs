//! The fields of an API of AWS: names, kinds, and which are required.

use crate::diagnostic::Diagnostics;
use crate::node::{Content, Field};

/// What a field may hold. Values of [`Shape::FreeText`], [`Shape::Command`] and [`Shape::Anything`] may hold secrets and
/// are hidden in diffs, see [`crate::redaction`]; the others are shown.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string with a meaning to AWS: a name, an ARN, an image.
    Text,
    /// A string that AWS passes on: an environment variable's value.
    FreeText,
    /// The words of a command.
    Command,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A whole number.
    Number,
    /// Any number.
    Fraction,
    /// `true` or `false`.
    Flag,
    /// An object with any keys and strings as values. Under these keys it is [`Shape::Text`], else
    /// [`Shape::FreeText`].
    TextMap(&'static [&'static str]),
    /// An array.
    List(&'static Shape),
    /// An object with these keys.
    Object(&'static [Key]),
    /// Any value: AWS does not interpret it.
    Anything,
}

/// A key of an object.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    is_required: bool,
}

/// A key that may be there.
pub const fn optional(name: &'static str, shape: Shape) -> Key {
    Key {
        name,
        shape,
        is_required: false,
    }
}

/// A key that must be there.
pub const fn required(name: &'static str, shape: Shape) -> Key {
    Key {
        name,
        shape,
        is_required: true,
    }
}

/// Reports each key that AWS does not have, each missing one, and each value of another kind. `unknown_key_hint` gives
/// the hint for a key that belongs elsewhere, such as to a response of AWS.
pub fn check(
    field: &Field,
    shape: &Shape,
    unknown_key_hint: fn(&str) -> Option<&'static str>,
    diagnostics: &mut Diagnostics,
) {
    let content = &field.node.content;
    let expected = match (shape, content) {
        // null counts as absent.
        (_, Content::Null) | (Shape::Anything, _) => return,
        (Shape::Text | Shape::FreeText, Content::Text(_)) | (Shape::Flag, Content::Flag(_)) => return,
        (Shape::Fraction, Content::Number(_)) => return,
        (Shape::Number, Content::Number(number)) if number.is_i64() => return,
        (Shape::OneOf(words), Content::Text(text)) => {
            if !words.contains(&text.as_str()) {
                diagnostics.error(field, format!("`{text}` is none of {}", words.join(", ")));
            }
            return;
        }
        (Shape::TextMap(_), Content::Object(_)) => {
            for (_, value) in field.members() {
                check(&value, &Shape::Text, unknown_key_hint, diagnostics);
            }
            return;
        }
        (Shape::List(inner), Content::Array(_)) => return list(field, inner, unknown_key_hint, diagnostics),
        (Shape::Command, Content::Array(_)) => {
            return list(field, &Shape::FreeText, unknown_key_hint, diagnostics);
        }
        (Shape::Object(keys), Content::Object(_)) => {
            return object(field, keys, unknown_key_hint, diagnostics);
        }
        (Shape::Text | Shape::FreeText | Shape::OneOf(_), _) => "a string",
        (Shape::Number, _) => "a whole number",
        (Shape::Fraction, _) => "a number",
        (Shape::Flag, _) => "true or false",
        (Shape::TextMap(_) | Shape::Object(_), _) => "an object",
        (Shape::List(_) | Shape::Command, _) => "an array",
    };
    diagnostics.error(field, format!("it must be {expected}, not {}", field.node.kind()));
    if let (Shape::Number | Shape::Flag, Content::Text(_)) = (shape, content) {
        diagnostics.hint("write it without quotes");
    }
}

fn list(
    field: &Field,
    inner: &Shape,
    unknown_key_hint: fn(&str) -> Option<&'static str>,
    diagnostics: &mut Diagnostics,
) {
    for element in field.elements() {
        if element.node.content == Content::Null {
            diagnostics.error(&element, "null can't stand in an array");
        }
        check(&element, inner, unknown_key_hint, diagnostics);
    }
}

fn object(
    field: &Field,
    keys: &[Key],
    unknown_key_hint: fn(&str) -> Option<&'static str>,
    diagnostics: &mut Diagnostics,
) {
    for (member, value) in field.members() {
        if let Some(key) = keys.iter().find(|key| key.name == member.key) {
            check(&value, &key.shape, unknown_key_hint, diagnostics);
            continue;
        }
        diagnostics.error_at(
            member.position,
            &value.path,
            format!("AWS has no field `{}` here", member.key),
        );
        let near = keys.iter().find(|key| alike(key.name, &member.key));
        match (near, unknown_key_hint(&member.key)) {
            (Some(near), _) => diagnostics.hint(format!("did you mean `{}`?", near.name)),
            (None, Some(hint)) => diagnostics.hint(hint),
            (None, None) => {}
        }
    }
    for key in keys
        .iter()
        .filter(|key| key.is_required && field.get(key.name).is_none())
    {
        diagnostics.error(field, format!("`{}` is missing", key.name));
    }
}

/// Whether the names differ in no more than case and one letter, or two letters in each other's place.
fn alike(known: &str, written: &str) -> bool {
    let (known, written) = (known.to_ascii_lowercase(), written.to_ascii_lowercase());
    let (short, long) = if known.len() < written.len() {
        (&known, &written)
    } else {
        (&written, &known)
    };
    if long.len() - short.len() > 1 || short.len() < 3 {
        return false;
    }
    let same = |one: &mut dyn Iterator<Item = u8>, other: &mut dyn Iterator<Item = u8>| {
        one.zip(other).take_while(|(one, other)| one == other).count()
    };
    let front = same(&mut short.bytes(), &mut long.bytes());
    let back = same(&mut short.bytes().rev(), &mut long.bytes().rev());
    // Two letters in each other's place.
    let (mut one, mut other) = (short.clone().into_bytes(), long.clone().into_bytes());
    let swapped = one.len() == other.len() && front + back + 2 == long.len();
    if swapped {
        one.sort_unstable();
        other.sort_unstable();
    }
    front + back + 1 >= long.len() || (swapped && one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        for (known, written, expected) in [
            ("containerPort", "containerport", true),
            ("containerPort", "containerPorts", true),
            ("environment", "enviroment", true),
            ("secrets", "secerts", true),
            ("essential", "essentail", true),
            ("image", "imag", true),
            ("image", "images", true),
            ("cpu", "gpu", true),
            ("command", "entryPoint", false),
            ("healthCheck", "health", false),
        ] {
            assert_eq!(alike(known, written), expected, "{known} {written}");
        }
    }
}

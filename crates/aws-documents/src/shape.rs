//! The fields that an API of AWS takes: which there are, of what kind, and which must be there.

use crate::document::{Content, Field};
use crate::position::Faults;

/// What a field may hold.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string.
    Text,
    /// A string of one's own: people put secrets there.
    Own,
    /// The words of a command, each a string of one's own.
    Words,
    /// One of these strings.
    Word(&'static [&'static str]),
    /// A whole number.
    Number,
    /// Any number.
    Fraction,
    /// `true` or `false`.
    Flag,
    /// An object with keys of one's own and strings as values: of one's own too, but under these keys.
    Texts(&'static [&'static str]),
    /// An array.
    List(&'static Shape),
    /// An object with these keys.
    Object(&'static [Key]),
    /// Anything: AWS does not look into it.
    Anything,
}

/// A key of an object.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    needed: bool,
}

/// A key that may be there.
pub const fn may(name: &'static str, shape: Shape) -> Key {
    Key {
        name,
        shape,
        needed: false,
    }
}

/// A key that must be there.
pub const fn must(name: &'static str, shape: Shape) -> Key {
    Key {
        name,
        shape,
        needed: true,
    }
}

/// Every key that AWS does not know, every missing one, and every value of another kind. `strangers` says
/// what to do about a key that belongs elsewhere: to an answer of AWS, say.
pub fn check(field: &Field, shape: &Shape, strangers: fn(&str) -> Option<&'static str>, faults: &mut Faults) {
    let content = &field.node.content;
    let wanted = match (shape, content) {
        // null counts as absent.
        (_, Content::Null) | (Shape::Anything, _) => return,
        (Shape::Text | Shape::Own, Content::Text(_)) | (Shape::Flag, Content::Flag(_)) => return,
        (Shape::Fraction, Content::Number(_)) => return,
        (Shape::Number, Content::Number(number)) if number.is_i64() => return,
        (Shape::Word(words), Content::Text(text)) => {
            if !words.contains(&text.as_str()) {
                faults.error(field, format!("`{text}` is none of {}", words.join(", ")));
            }
            return;
        }
        (Shape::Texts(_), Content::Object(_)) => {
            for (_, value) in field.members() {
                check(&value, &Shape::Text, strangers, faults);
            }
            return;
        }
        (Shape::List(inner), Content::Array(_)) => return list(field, inner, strangers, faults),
        (Shape::Words, Content::Array(_)) => return list(field, &Shape::Own, strangers, faults),
        (Shape::Object(keys), Content::Object(_)) => return object(field, keys, strangers, faults),
        (Shape::Text | Shape::Own | Shape::Word(_), _) => "a string",
        (Shape::Number, _) => "a whole number",
        (Shape::Fraction, _) => "a number",
        (Shape::Flag, _) => "true or false",
        (Shape::Texts(_) | Shape::Object(_), _) => "an object",
        (Shape::List(_) | Shape::Words, _) => "an array",
    };
    faults.error(field, format!("it must be {wanted}, not {}", field.node.kind()));
    if let (Shape::Number | Shape::Flag, Content::Text(_)) = (shape, content) {
        faults.hint("write it without quotes");
    }
}

fn list(field: &Field, inner: &Shape, strangers: fn(&str) -> Option<&'static str>, faults: &mut Faults) {
    for element in field.elements() {
        if element.node.content == Content::Null {
            faults.error(&element, "null can't stand in an array");
        }
        check(&element, inner, strangers, faults);
    }
}

fn object(field: &Field, keys: &[Key], strangers: fn(&str) -> Option<&'static str>, faults: &mut Faults) {
    for (member, value) in field.members() {
        if let Some(key) = keys.iter().find(|key| key.name == member.key) {
            check(&value, &key.shape, strangers, faults);
            continue;
        }
        faults.error_at(
            member.position,
            &value.path,
            format!("AWS has no field `{}` here", member.key),
        );
        let near = keys.iter().find(|key| alike(key.name, &member.key));
        match (near, strangers(&member.key)) {
            (Some(near), _) => faults.hint(format!("did you mean `{}`?", near.name)),
            (None, Some(hint)) => faults.hint(hint),
            (None, None) => {}
        }
    }
    for key in keys
        .iter()
        .filter(|key| key.needed && field.get(key.name).is_none())
    {
        faults.error(field, format!("`{}` is missing", key.name));
    }
}

/// The same but for case and one letter.
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

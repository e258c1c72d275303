//! Rules for strings and keys anywhere in a policy.

use crate::diagnostic::Diagnostics;
use crate::node::{Content, Field};

/// The strings of a field that must be a string or a non-empty array of strings.
pub(super) fn strings<'a>(field: &Field<'a>, diagnostics: &mut Diagnostics) -> Vec<Field<'a>> {
    let elements = match &field.node.content {
        Content::Text(_) => vec![field.clone()],
        Content::Array(nodes) if nodes.is_empty() => {
            diagnostics.error(field, "the array is empty");
            Vec::new()
        }
        _ => field.elements(),
    };
    if elements.is_empty() && !matches!(field.node.content, Content::Array(_)) {
        diagnostics.error(
            field,
            format!(
                "it must be a string or an array of strings, not {}",
                field.node.kind()
            ),
        );
    }
    let (texts, others): (Vec<Field>, Vec<Field>) = elements
        .into_iter()
        .partition(|element| element.text().is_some_and(|text| !text.is_empty()));
    for other in &others {
        let message = if other.text().is_some() {
            "the string is empty"
        } else {
            "it must be a string"
        };
        diagnostics.error(other, message);
    }
    texts
}

/// Reports what is wrong with an ARN.
pub(super) fn check_arn(field: &Field, text: &str, partition: Option<&str>, diagnostics: &mut Diagnostics) {
    for problem in arn::problems(text, partition) {
        let message = format!("`{text}`: {}", problem.message);
        if problem.fatal {
            diagnostics.error(field, message);
        } else {
            diagnostics.warning(field, message);
        }
        problem.hint.into_iter().for_each(|hint| diagnostics.hint(hint));
    }
}

pub(super) fn unknown_keys(object: &Field, known: &[&str], diagnostics: &mut Diagnostics) {
    for (member, value) in object.members() {
        if known.contains(&member.key.as_str()) {
            if value.node.content == Content::Null {
                diagnostics.error(&value, "IAM does not accept null");
            }
            continue;
        }
        diagnostics.error_at(
            member.position,
            &value.path,
            format!("IAM has no key `{}` here", member.key),
        );
        let near = known.iter().find(|key| key.eq_ignore_ascii_case(&member.key));
        let near = near.or_else(|| known.iter().find(|key| format!("{key}s") == member.key));
        match near {
            Some(near) => diagnostics.hint(format!("did you mean `{near}`?")),
            None => diagnostics.hint(format!("the keys are {}", known.join(", "))),
        }
    }
}

/// Reports variables that would stay unexpanded, and characters that IAM rejects.
pub(super) fn texts(field: &Field, diagnostics: &mut Diagnostics) {
    if let Some(text) = field.text() {
        if let Some(character) = text.chars().find(|character| u32::from(*character) > 0xFF) {
            diagnostics.error(
                field,
                format!("IAM does not accept `{character}` in a policy, only Latin-1 characters"),
            );
        }
        if let Some(name) = unexpanded(text) {
            diagnostics.error(
                field,
                format!("`{name}` is not a variable of IAM and would stay as it is"),
            );
            diagnostics.hint("write ${NAME}, with a name that ops.toml or the environment has");
        }
    }
    field
        .elements()
        .iter()
        .for_each(|element| texts(element, diagnostics));
    field
        .members()
        .iter()
        .for_each(|(_, member)| texts(member, diagnostics));
}

/// The first part of `text` that looks like a variable and is not one of IAM's. A single dollar is literal, as in
/// Lambda's `$LATEST`.
fn unexpanded(text: &str) -> Option<String> {
    for (_, rest) in text.match_indices("${").map(|(at, _)| text.split_at(at + 2)) {
        let name = rest.split('}').next().unwrap_or_default();
        // ${*}, ${?} and ${$} are IAM's way to write those characters; `AWS::AccountId` is CloudFormation's.
        let is_key = name.contains(':') && !name.contains("::");
        if !is_key && !["*", "?", "$"].contains(&name) {
            return Some(format!("${{{name}}}"));
        }
    }
    let open = text.find('<')?;
    let close = text.get(open..)?.find('>')? + open;
    let name = text.get(open..=close)?;
    let word = |character: char| character.is_ascii_alphanumeric() || "_- <>".contains(character);
    name.chars().all(word).then(|| name.to_owned())
}

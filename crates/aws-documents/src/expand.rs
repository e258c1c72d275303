//! `${NAME}` in documents, by the rules of `ops.toml`.

use crate::document::{Content, Document, Field, Member, Node};
use crate::position::{Fault, Faults};
use cli::error::ErrorSummary;
use common::config::{AwsTarget, Variables, expand as expand_text};

/// `document` with the variables in all its strings replaced; keys stay as they are, and so do IAM's own
/// variables (`${aws:username}`). Places stay those of the file.
///
/// # Errors
/// With each string that names a variable which is unset, empty or unknown.
pub fn expand(document: &Document, variables: &Variables) -> Result<Document, Vec<Fault>> {
    expand_and_check(document, variables, |_| Vec::new()).map(|(document, _)| document)
}

/// [`expand`], and what `check` finds wrong with the document then.
///
/// # Errors
/// When a variable is unset, empty or unknown: with that, and with what else `check` finds wrong, so that all
/// faults are told at once.
pub fn expand_and_check(
    document: &Document,
    variables: &Variables,
    check: impl FnOnce(&Document) -> Vec<Fault>,
) -> Result<(Document, Vec<Fault>), Vec<Fault>> {
    let mut faults = Faults::new(&document.file);
    let expanded = Document {
        file: document.file.clone(),
        root: node(&document.field(), variables, &mut faults),
    };
    let mut faults = faults.into_vec();
    let mut found = check(&expanded);
    if faults.is_empty() {
        return Ok((expanded, found));
    }
    // A text that could not be expanded stands there as it is: what is wrong with it has been said.
    found.retain(|fault| !faults.iter().any(|said| said.position == fault.position));
    faults.extend(found);
    faults.sort_by_key(|fault| fault.position);
    Err(faults)
}

/// The string under `key` at the top of `document`, expanded alone; `None` when it is absent or empty.
///
/// # Errors
/// With its place, when it can't be expanded.
pub fn expand_key(document: &Document, key: &str, variables: &Variables) -> Result<Option<String>, Fault> {
    let Some(field) = document.field().get(key) else {
        return Ok(None);
    };
    let mut faults = Faults::new(&document.file);
    let expanded = node(&field, variables, &mut faults);
    match (faults.into_vec().pop(), expanded.content) {
        (Some(fault), _) => Err(fault),
        (None, Content::Text(text)) if !text.is_empty() => Ok(Some(text)),
        (None, _) => Ok(None),
    }
}

/// `fault` of a document that was expanded with [`Variables::preview`]: in the place of the stand-ins it names the
/// variables, as the file does.
pub fn name_unknown(mut fault: Fault) -> Fault {
    let AwsTarget { account, region } = AwsTarget::unknown();
    for text in std::iter::once(&mut fault.message).chain(&mut fault.hint) {
        *text = text
            .replace(&account, "${AWS_ACCOUNT_ID}")
            .replace(&region, "${AWS_REGION}");
    }
    fault
}

fn node(field: &Field, variables: &Variables, faults: &mut Faults) -> Node {
    let content = match &field.node.content {
        Content::Text(text) => match expand_text(text, variables) {
            Ok(text) => Content::Text(text),
            Err(error) => {
                let described = ErrorSummary::of(&error.at("it").into());
                let message = described
                    .message
                    .strip_prefix("it ")
                    .unwrap_or(&described.message);
                faults.error(field, message);
                described.hint.into_iter().for_each(|hint| faults.hint(hint));
                Content::Text(text.clone())
            }
        },
        Content::Array(_) => {
            let elements = field.elements();
            Content::Array(
                elements
                    .iter()
                    .map(|element| node(element, variables, faults))
                    .collect(),
            )
        }
        Content::Object(_) => {
            let members = field.members().into_iter();
            let members = members.map(|(member, value)| Member {
                key: member.key.clone(),
                position: member.position,
                value: node(&value, variables, faults),
            });
            Content::Object(members.collect())
        }
        other => other.clone(),
    };
    Node {
        position: field.node.position,
        content,
    }
}

#[cfg(test)]
mod tests;

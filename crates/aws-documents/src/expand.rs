//! `${NAME}` in documents.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Document;
use crate::node::{Content, Field, Member, Node};

/// Why a text could not be expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandError {
    /// What is wrong, without the name of the field.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Gives a text with its variables replaced.
pub type Expander<'a> = &'a dyn Fn(&str) -> Result<String, ExpandError>;

/// `document` with all its strings expanded. Keys stay as they are, and positions are those of the file.
///
/// # Errors
/// With each string that could not be expanded.
pub fn expand(document: &Document, expander: Expander) -> Result<Document, Vec<Diagnostic>> {
    expand_and_check(document, expander, |_| Vec::new()).map(|(document, _)| document)
}

/// [`expand`], and what `check` reports about the expanded document.
///
/// # Errors
/// When a string could not be expanded: with that, and with what `check` reports about the other values, so that the
/// user sees everything at once.
pub fn expand_and_check(
    document: &Document,
    expander: Expander,
    check: impl FnOnce(&Document) -> Vec<Diagnostic>,
) -> Result<(Document, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::new(&document.file);
    let expanded = Document {
        file: document.file.clone(),
        root: node(&document.field(), expander, &mut diagnostics),
    };
    let mut diagnostics = diagnostics.into_vec();
    let mut found = check(&expanded);
    if diagnostics.is_empty() {
        return Ok((expanded, found));
    }
    // A string that could not be expanded is still there as it is in the file: its diagnostic is enough.
    found.retain(|other| !diagnostics.iter().any(|known| known.position == other.position));
    diagnostics.extend(found);
    diagnostics.sort_by_key(|diagnostic| diagnostic.position);
    Err(diagnostics)
}

/// The expanded string under `key` at the top of `document`; `None` when it is absent or empty.
///
/// # Errors
/// When it can't be expanded.
pub fn expand_key(document: &Document, key: &str, expander: Expander) -> Result<Option<String>, Diagnostic> {
    let Some(field) = document.field().get(key) else {
        return Ok(None);
    };
    let mut diagnostics = Diagnostics::new(&document.file);
    let expanded = node(&field, expander, &mut diagnostics);
    match (diagnostics.into_vec().pop(), expanded.content) {
        (Some(diagnostic), _) => Err(diagnostic),
        (None, Content::Text(text)) if !text.is_empty() => Ok(Some(text)),
        (None, _) => Ok(None),
    }
}

fn node(field: &Field, expander: Expander, diagnostics: &mut Diagnostics) -> Node {
    let content = match &field.node.content {
        Content::Text(text) => match expander(text) {
            Ok(text) => Content::Text(text),
            Err(error) => {
                diagnostics.error(field, error.message);
                error.hint.into_iter().for_each(|hint| diagnostics.hint(hint));
                Content::Text(text.clone())
            }
        },
        Content::Array(_) => {
            let elements = field.elements();
            let expanded = elements
                .iter()
                .map(|element| node(element, expander, diagnostics));
            Content::Array(expanded.collect())
        }
        Content::Object(_) => {
            let members = field.members().into_iter();
            let members = members.map(|(member, value)| Member {
                key: member.key.clone(),
                position: member.position,
                value: node(&value, expander, diagnostics),
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

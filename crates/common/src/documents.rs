//! The JSON files that `ops.toml` names: `${NAME}` in them by the rules of `ops.toml`, and what is wrong with them on
//! stderr and in the report. `aws_documents` itself reads no configuration and prints nothing.

use crate::config::{self, AwsTarget, Variables};
use aws_documents::expand::ExpandError;
use aws_documents::{Diagnostic, Document, expand as documents};
use cli::{Console, ErrorKind, Failure, Outcome, Report};
use serde_json::Value;
use std::collections::BTreeSet;

fn expand_text(text: &str, variables: &Variables) -> Result<String, ExpandError> {
    config::expand(text, variables).map_err(|error| ExpandError {
        message: error.predicate(),
        hint: error.hint(),
    })
}

/// [`documents::expand`] with `variables`.
///
/// # Errors
/// With each string that names a variable which is unset, empty or unknown.
pub fn expand(document: &Document, variables: &Variables) -> Result<Document, Vec<Diagnostic>> {
    documents::expand(document, &|text| expand_text(text, variables))
}

/// [`documents::expand_and_check`] with `variables`.
///
/// # Errors
/// When a variable is unset, empty or unknown: with that, and with what else `check` reports.
pub fn expand_and_check(
    document: &Document,
    variables: &Variables,
    check: impl FnOnce(&Document) -> Vec<Diagnostic>,
) -> Result<(Document, Vec<Diagnostic>), Vec<Diagnostic>> {
    documents::expand_and_check(document, &|text| expand_text(text, variables), check)
}

/// [`documents::expand_key`] with `variables`.
///
/// # Errors
/// When the string can't be expanded.
pub fn expand_key(
    document: &Document,
    key: &str,
    variables: &Variables,
) -> Result<Option<String>, Diagnostic> {
    documents::expand_key(document, key, &|text| expand_text(text, variables))
}

/// `diagnostic` of a document that was expanded with [`Variables::preview`], with the variables in place of their
/// stand-ins, as the file has them.
pub fn name_unknown(mut diagnostic: Diagnostic) -> Diagnostic {
    let AwsTarget { account, region } = AwsTarget::unknown();
    for text in std::iter::once(&mut diagnostic.message).chain(&mut diagnostic.hint) {
        *text = text
            .replace(&account, "${AWS_ACCOUNT_ID}")
            .replace(&region, "${AWS_REGION}");
    }
    diagnostic
}

/// Prints `diagnostics` as warnings. A hint that several in a row have is printed once, after the last.
pub fn print_warnings<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>, console: &Console) {
    let mut diagnostics = diagnostics.into_iter().peekable();
    while let Some(diagnostic) = diagnostics.next() {
        console.warn(diagnostic);
        let again = diagnostics
            .peek()
            .is_some_and(|next| next.hint == diagnostic.hint);
        if let Some(hint) = diagnostic.hint.as_ref().filter(|_| !again) {
            console.stderr(&format!("hint: {hint}"));
        }
    }
}

/// Prints all `diagnostics`, and returns the report to end with when one of them is an error. A single error is
/// printed by that report's own error line.
pub fn report_errors(diagnostics: &[Diagnostic], console: &Console) -> Option<Report> {
    print_warnings(
        diagnostics.iter().filter(|diagnostic| !diagnostic.is_error()),
        console,
    );
    let errors: Vec<&Diagnostic> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .collect();
    let failure = match errors.as_slice() {
        [] => return None,
        [only] => (*only).clone().into_failure(),
        several => {
            for error in several {
                console.stderr(&format!("  {error}"));
                if let Some(hint) = &error.hint {
                    console.stderr(&format!("    hint: {hint}"));
                }
            }
            let files: BTreeSet<String> = several
                .iter()
                .map(|error| format!("`{}`", error.file.display()))
                .collect();
            let files = files.into_iter().collect::<Vec<_>>().join(", ");
            Failure::error(format!("{} errors in {files}", several.len()))
                .kind(ErrorKind::Config)
                .code("document")
        }
    };
    let all: Vec<Value> = diagnostics.iter().map(Diagnostic::to_json).collect();
    let report = Report::new(Outcome::Failed).detail("faults", all);
    Some(console.failed(&failure.into(), report))
}

#[cfg(test)]
mod tests;

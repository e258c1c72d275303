//! Where something stands in a file, and what is wrong with it there.

use crate::document::Field;
use cli::{Console, ErrorKind, Failure, Outcome, Report};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// A place in a file; both count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character in it.
    pub column: u32,
}

/// `file` as people at work name it: from the current folder, when it is below that.
pub fn shown(file: &Path) -> PathBuf {
    let folder = std::env::current_dir().unwrap_or_default();
    file.strip_prefix(folder).unwrap_or(file).to_owned()
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// AWS would refuse it, or it can't work.
    Error,
    /// It works, and is hardly what is meant.
    Warning,
}

/// Something wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// Where in it; absent when the file could not be read.
    pub position: Option<Position>,
    /// The field, `Statement[0].Resource`; empty for the document as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// How bad it is.
    pub severity: Severity,
}

impl Fault {
    /// A fault of the file as a whole.
    pub fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Fault {
            file: file.to_owned(),
            position: None,
            path: String::new(),
            message: message.into(),
            hint: None,
            severity: Severity::Error,
        }
    }

    /// A fault in `field` of the document in `file`.
    pub fn of_field(file: &Path, field: &Field, message: impl Into<String>) -> Self {
        Fault {
            position: Some(field.node.position),
            path: field.path.clone(),
            ..Self::of_file(file, message)
        }
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// `file:line:column`
    pub fn place(&self) -> String {
        let file = self.file.display();
        match self.position {
            Some(Position { line, column }) => format!("{file}:{line}:{column}"),
            None => file.to_string(),
        }
    }

    /// The field and what is wrong with it.
    fn what(&self) -> String {
        if self.path.is_empty() {
            self.message.clone()
        } else {
            format!("{}: {}", self.path, self.message)
        }
    }

    /// The fault as an error of its own.
    pub fn into_failure(self) -> Failure {
        let failure = Failure::error(format!("failed to use `{}`: {}", self.place(), self.what()))
            .kind(ErrorKind::Config)
            .code("document");
        match self.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// For the JSON document on stdout.
    pub fn to_json(&self) -> Value {
        json!({
            "file": self.file.display().to_string(),
            "line": self.position.map(|position| position.line),
            "column": self.position.map(|position| position.column),
            "path": self.path,
            "message": self.message,
            "hint": self.hint,
            "severity": if self.is_error() { "error" } else { "warning" },
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place(), self.what())
    }
}

/// The faults of one document, as they are found.
#[derive(Debug)]
pub struct Faults {
    file: PathBuf,
    list: Vec<Fault>,
}

impl Faults {
    /// None yet, in `file`.
    pub fn new(file: &Path) -> Self {
        Faults {
            file: file.to_owned(),
            list: Vec::new(),
        }
    }

    /// An error in `field`.
    pub fn error(&mut self, field: &Field, message: impl Into<String>) {
        self.push(field.node.position, &field.path, message.into(), Severity::Error);
    }

    /// A warning about `field`.
    pub fn warning(&mut self, field: &Field, message: impl Into<String>) {
        self.push(
            field.node.position,
            &field.path,
            message.into(),
            Severity::Warning,
        );
    }

    /// An error at `position` that belongs to no value of its own: a key.
    pub fn error_at(&mut self, position: Position, path: &str, message: impl Into<String>) {
        self.push(position, path, message.into(), Severity::Error);
    }

    /// Says what to do about the last fault.
    pub fn hint(&mut self, hint: impl Into<String>) {
        if let Some(fault) = self.list.last_mut() {
            fault.hint = Some(hint.into());
        }
    }

    fn push(&mut self, position: Position, path: &str, message: String, severity: Severity) {
        self.list.push(Fault {
            file: self.file.clone(),
            position: Some(position),
            path: path.to_owned(),
            message,
            hint: None,
            severity,
        });
    }

    /// All of them, in the order of the file.
    pub fn into_vec(mut self) -> Vec<Fault> {
        self.list.sort_by_key(|fault| fault.position);
        self.list
    }
}

/// Tells `faults` as warnings. What is to be done about several in a row is said once, behind the last.
pub fn tell_warnings<'a>(faults: impl IntoIterator<Item = &'a Fault>, console: &Console) {
    let mut faults = faults.into_iter().peekable();
    while let Some(fault) = faults.next() {
        console.warn(fault);
        let again = faults.peek().is_some_and(|next| next.hint == fault.hint);
        if let Some(hint) = fault.hint.as_ref().filter(|_| !again) {
            console.stderr(&format!("hint: {hint}"));
        }
    }
}

/// Tells all `faults`, and gives the report to end with when one of them is an error. A single error is
/// told by that report's own error line.
pub fn refuse(faults: &[Fault], console: &Console) -> Option<Report> {
    let warnings = faults.iter().filter(|fault| !fault.is_error());
    tell_warnings(warnings, console);
    let errors: Vec<&Fault> = faults.iter().filter(|fault| fault.is_error()).collect();
    let failure = match errors.as_slice() {
        [] => return None,
        [only] => (*only).clone().into_failure(),
        several => {
            for fault in several {
                console.stderr(&format!("  {fault}"));
                fault
                    .hint
                    .iter()
                    .for_each(|hint| console.stderr(&format!("    hint: {hint}")));
            }
            let files: BTreeSet<String> = several
                .iter()
                .map(|fault| format!("`{}`", fault.file.display()))
                .collect();
            let files = files.into_iter().collect::<Vec<_>>().join(", ");
            Failure::error(format!("failed to use {files}: {} faults", several.len()))
                .kind(ErrorKind::Config)
                .code("document")
        }
    };
    let all: Vec<Value> = faults.iter().map(Fault::to_json).collect();
    let report = Report::new(Outcome::Failed).detail("faults", all);
    Some(console.failed(&failure.into(), report))
}

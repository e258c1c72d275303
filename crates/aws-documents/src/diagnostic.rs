//! What is wrong with a document, and where.

use crate::node::Field;
use crate::position::Position;
use cli::{ErrorKind, Failure};
use serde_json::{Value, json};
use std::fmt;
use std::path::{Path, PathBuf};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// AWS would refuse the document, or what it describes can't work.
    Error,
    /// AWS takes the document, but its author hardly means this.
    Warning,
}

/// One error or warning about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
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

impl Diagnostic {
    /// An error about the file as a whole.
    pub fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Diagnostic {
            file: file.to_owned(),
            position: None,
            path: String::new(),
            message: message.into(),
            hint: None,
            severity: Severity::Error,
        }
    }

    /// An error about `field` of the document in `file`.
    pub fn of_field(file: &Path, field: &Field, message: impl Into<String>) -> Self {
        Diagnostic {
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

    /// The error to end with, when it is the only one.
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

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place(), self.what())
    }
}

/// Collects the diagnostics of one document.
#[derive(Debug)]
pub struct Diagnostics {
    file: PathBuf,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None yet, for the document in `file`.
    pub fn new(file: &Path) -> Self {
        Diagnostics {
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

    /// An error at `position`, where no value stands but a key.
    pub fn error_at(&mut self, position: Position, path: &str, message: impl Into<String>) {
        self.push(position, path, message.into(), Severity::Error);
    }

    /// Adds to the last diagnostic what to do.
    pub fn hint(&mut self, hint: impl Into<String>) {
        if let Some(diagnostic) = self.list.last_mut() {
            diagnostic.hint = Some(hint.into());
        }
    }

    fn push(&mut self, position: Position, path: &str, message: String, severity: Severity) {
        self.list.push(Diagnostic {
            file: self.file.clone(),
            position: Some(position),
            path: path.to_owned(),
            message,
            hint: None,
            severity,
        });
    }

    /// All of them, in the order of the file.
    pub fn into_vec(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|diagnostic| diagnostic.position);
        self.list
    }
}

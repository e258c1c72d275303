//! A JSON file with line and column of every value.

mod reader;

use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node};
use cli::files::read_at_most;
use serde_json::Value;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// AWS takes policies of 10 KB and task definitions of 64 KB; a much larger file is a mistake.
const LARGEST: usize = 1 << 20;

/// A file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its path, relative to the current directory when it is below that.
    pub file: PathBuf,
    /// What it holds.
    pub root: Node,
}

/// `file` as it is shown: relative to the current directory when it is below that.
pub fn shown(file: &Path) -> PathBuf {
    let folder = std::env::current_dir().unwrap_or_default();
    file.strip_prefix(folder).unwrap_or(file).to_owned()
}

impl Document {
    /// Reads a file. Line and column of every value are kept.
    ///
    /// # Errors
    /// When it can't be read or is not JSON, with the position.
    pub fn read(file: &Path) -> Result<Self, Diagnostic> {
        let file = &shown(file);
        let bytes = read_at_most(file, LARGEST).map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge => {
                Diagnostic::of_file(file, format!("{error}, and no document of AWS is that large"))
            }
            _ => Diagnostic::of_file(file, error.to_string()),
        })?;
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(file, &text),
            Err(error) => {
                let good = error
                    .as_bytes()
                    .get(..error.utf8_error().valid_up_to())
                    .unwrap_or_default();
                let position = reader::end_of(&String::from_utf8_lossy(good));
                let mut diagnostic = Diagnostic::of_file(file, "this is not UTF-8");
                diagnostic.position = Some(position);
                diagnostic.hint = Some("save the file as UTF-8".into());
                Err(diagnostic)
            }
        }
    }

    /// Reads `text`, the content of `file`.
    ///
    /// # Errors
    /// When it is not JSON, with the position.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Diagnostic> {
        match reader::read(text) {
            Ok(root) => Ok(Document {
                file: file.to_owned(),
                root,
            }),
            Err(error) => {
                let mut diagnostic = Diagnostic::of_file(file, error.message);
                diagnostic.position = Some(error.position);
                diagnostic.path = error.path;
                diagnostic.hint = error.hint;
                Err(diagnostic)
            }
        }
    }

    /// The document as a field.
    pub fn field(&self) -> Field<'_> {
        Field {
            node: &self.root,
            path: String::new(),
        }
    }

    /// The plain value.
    pub fn to_value(&self) -> Value {
        self.root.to_value()
    }
}

#[cfg(test)]
mod tests;

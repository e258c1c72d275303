//! What was done with each parameter, as lines of text and as items of the JSON document.

use crate::error::ParameterError;
use cli::{Change, Item};
use serde_json::json;

/// What was done, or would be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// `--dry-run`: it would be created.
    ToCreate,
    /// `--dry-run`: it would be updated.
    ToUpdate,
    Created,
    Updated,
    Unchanged,
    /// The parameter can't become what `ops.toml` describes.
    Blocked(ParameterError),
    /// A call failed.
    Failed(ParameterError),
    /// Not tried, because the error of another parameter would stop it as well.
    Skipped,
    /// The run has not come to its end yet.
    Unfinished,
}

/// One parameter in the report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) source: String,
    pub(crate) r#type: &'static str,
    pub(crate) state: State,
    /// Whether a call has changed it.
    pub(crate) is_written: bool,
    /// The version that exists now; none for a new parameter that is not written.
    pub(crate) version: Option<i64>,
    pub(crate) changes: Vec<Change>,
}

impl Row {
    pub(crate) fn error(&self) -> Option<&ParameterError> {
        match &self.state {
            State::Blocked(error) | State::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// One word for what was done, or would be done.
    pub(crate) fn word(&self) -> &'static str {
        match self.state {
            State::ToCreate => "create",
            State::ToUpdate => "update",
            State::Created => "created",
            State::Updated => "updated",
            State::Unchanged => "unchanged",
            State::Blocked(_) => "blocked",
            State::Failed(_) => "failed",
            State::Skipped => "skipped",
            State::Unfinished => "unfinished",
        }
    }

    /// The item of the JSON document. It has no field for a value.
    pub(crate) fn item(&self) -> Item {
        let action = match self.state {
            State::ToCreate | State::Created => "create",
            State::ToUpdate | State::Updated => "update",
            State::Unchanged => "none",
            _ => self.word(),
        };
        let item = Item::new("parameter", &self.name, action)
            .changes(self.changes.clone())
            .detail("type", self.r#type)
            .detail("version", self.version)
            .detail("source", self.source.as_str())
            .detail("arn", self.arn.as_str());
        match self.error() {
            Some(error) => item.detail(
                "error",
                json!({"message": error.message, "kind": error.kind, "code": error.code, "hint": error.hint}),
            ),
            None => item,
        }
    }
}

/// A line for each row: name, what was done, version, source, and what differed. Names come first and contain no
/// blanks, so that `cut` and `awk` can split the lines.
pub(crate) fn lines(rows: &[&Row]) -> Vec<String> {
    let version = |row: &Row| {
        row.version
            .map_or("new".to_owned(), |version| format!("version {version}"))
    };
    let widest = |text: &dyn Fn(&Row) -> usize| rows.iter().copied().map(text).max().unwrap_or_default();
    let name_width = widest(&|row| row.name.chars().count());
    let word_width = widest(&|row| row.word().len());
    let version_width = widest(&|row| version(row).len());
    let line = |row: &Row| {
        let differences = match row.state {
            State::ToUpdate | State::Updated => differences(&row.changes),
            _ => String::new(),
        };
        let line = format!(
            "{:name_width$}  {:word_width$}  {:version_width$}  {}{differences}",
            row.name,
            row.word(),
            version(row),
            row.source,
        );
        line.trim_end().to_owned()
    };
    rows.iter().copied().map(line).collect()
}

/// `  (value, tier: Standard -> Advanced)`; of a value only that it differs.
fn differences(changes: &[Change]) -> String {
    let shown: Vec<String> = changes
        .iter()
        .map(|change| match change.path.as_str() {
            "value" => "value".to_owned(),
            _ => change.to_string(),
        })
        .collect();
    format!("  ({})", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_in_columns() {
        let row = |name: &str, state: State, version: Option<i64>, changes: Vec<Change>| Row {
            name: name.into(),
            arn: "arn".into(),
            source: "env A".into(),
            r#type: "SecureString",
            state,
            is_written: false,
            version,
            changes,
        };
        let changes = vec![
            Change::new("value", "***", "***"),
            Change::new("tier", "Standard", "Advanced"),
        ];
        let rows = [
            row("/a/LONGER", State::Unchanged, Some(12), Vec::new()),
            row("/a/B", State::ToUpdate, Some(3), changes),
            row("/a/C", State::ToCreate, None, Vec::new()),
        ];
        assert_eq!(
            lines(&rows.iter().collect::<Vec<_>>()),
            [
                "/a/LONGER  unchanged  version 12  env A",
                "/a/B       update     version 3   env A  (value, tier: Standard -> Advanced)",
                "/a/C       create     new         env A",
            ]
        );
    }
}

//! What became of each parameter, as lines of text and as items of the JSON document.

use crate::fault::Fault;
use cli::{Change, Item};
use serde_json::json;

/// What was done, or would be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// `--dry-run`: it would be made.
    ToCreate,
    /// `--dry-run`: it would be changed.
    ToUpdate,
    Created,
    Updated,
    Unchanged,
    /// It can't become what the file wants.
    Blocked(Fault),
    /// A call failed; `written` when another call for it went through before.
    Failed {
        fault: Fault,
        written: bool,
    },
    /// Not tried, since what stopped another one would stop it, too.
    Skipped,
    /// The deadline passed while its call was under way, or before.
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
    /// The version that is there now; none when it is new and not written.
    pub(crate) version: Option<i64>,
    pub(crate) changes: Vec<Change>,
}

impl Row {
    /// Whether something was written for it.
    pub(crate) fn is_written(&self) -> bool {
        matches!(
            self.state,
            State::Created | State::Updated | State::Failed { written: true, .. }
        )
    }

    pub(crate) fn fault(&self) -> Option<&Fault> {
        match &self.state {
            State::Blocked(fault) | State::Failed { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// One word for what was done, or would be.
    pub(crate) fn word(&self) -> &'static str {
        match self.state {
            State::ToCreate => "create",
            State::ToUpdate => "update",
            State::Created => "created",
            State::Updated => "updated",
            State::Unchanged => "unchanged",
            State::Blocked(_) => "blocked",
            State::Failed { .. } => "failed",
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
        match self.fault() {
            Some(fault) => item.detail(
                "error",
                json!({"message": fault.message, "code": fault.code, "hint": fault.hint}),
            ),
            None => item,
        }
    }
}

/// A line for each row: name, what was done, version, source, and what differed. Names come first and have no
/// blanks, so that `cut` and `awk` find their way.
pub(crate) fn lines(rows: &[Row]) -> Vec<String> {
    let version = |row: &Row| {
        row.version
            .map_or("new".to_owned(), |version| format!("version {version}"))
    };
    let widest = |text: &dyn Fn(&Row) -> usize| rows.iter().map(text).max().unwrap_or_default();
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
    rows.iter().map(line).collect()
}

/// `  (value, tier: Standard -> Advanced)`; of a value only that it is another one.
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
            lines(&rows),
            [
                "/a/LONGER  unchanged  version 12  env A",
                "/a/B       update     version 3   env A  (value, tier: Standard -> Advanced)",
                "/a/C       create     new         env A",
            ]
        );
    }
}

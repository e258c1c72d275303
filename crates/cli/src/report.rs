//! The result of a tool: the text or the one JSON document that goes to stdout.

use crate::error::ErrorKind;
use crate::exit::Exit;
use serde::Serialize;
use serde_json::{Map, Value};

/// The outcome of a run, with the names of the JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something was changed.
    Changed,
    /// Nothing differed; no writing call was sent.
    Unchanged,
    /// `--dry-run` or `--check`: something would change.
    Planned,
    /// The answer to a question is yes.
    Ok,
    /// The answer to a question is no.
    No,
    /// The tool could not do its work.
    Failed,
    /// Some items were applied and others not.
    Partial,
    /// A deployment went back to the previous revision.
    RolledBack,
    /// A deadline passed.
    Timeout,
}

impl Outcome {
    /// The exit code, unless the report has its own.
    pub fn exit(self) -> Exit {
        match self {
            Outcome::Changed | Outcome::Unchanged | Outcome::Planned | Outcome::Ok => Exit::Success,
            Outcome::No => Exit::Negative,
            Outcome::Failed => Exit::Error,
            Outcome::Timeout => Exit::Deadline,
            Outcome::Partial | Outcome::RolledBack => Exit::Partial,
        }
    }

    /// The outcome of an error that ends with `exit`.
    pub fn of_error(exit: Exit) -> Self {
        match exit {
            Exit::Negative | Exit::Child(_) => Outcome::No,
            Exit::Deadline => Outcome::Timeout,
            Exit::Partial => Outcome::Partial,
            Exit::Success | Exit::Error => Outcome::Failed,
        }
    }
}

/// One difference: the field, its old and its new value. Never a secret value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The field, with dots between levels.
    pub path: String,
    /// The old value; `null` when there was none.
    pub from: Value,
    /// The new value; `null` when it is removed.
    pub to: Value,
}

impl Change {
    /// A difference in the field `path`.
    pub fn new(path: impl Into<String>, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        Change {
            path: path.into(),
            from: from.into(),
            to: to.into(),
        }
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |value: &Value| match value {
            Value::Null => "(none)".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        write!(
            formatter,
            "{}: {} -> {}",
            self.path,
            show(&self.from),
            show(&self.to)
        )
    }
}

/// One resource or file of the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Its kind: `repository`, `image`, `parameter`, …
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What was done, or would be done: `create`, `update`, `push`, `none`, …
    pub action: String,
    /// The differences.
    pub changes: Vec<Change>,
    /// More fields of the JSON object.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

impl Item {
    /// An item without changes and details.
    pub fn new(kind: &'static str, name: impl Into<String>, action: impl Into<String>) -> Self {
        Item {
            kind,
            name: name.into(),
            action: action.into(),
            changes: Vec::new(),
            details: Map::new(),
        }
    }

    /// Adds a field to the JSON object.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Sets the differences.
    #[must_use]
    pub fn changes(mut self, changes: Vec<Change>) -> Self {
        self.changes = changes;
        self
    }
}

/// The error of the JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// The one line that also went to stderr.
    pub message: String,
    /// What went wrong.
    pub kind: ErrorKind,
    /// The error code of AWS, or one of the tools in kebab-case.
    pub code: Option<String>,
    /// The next step.
    pub hint: Option<String>,
}

/// The result of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The outcome.
    pub outcome: Outcome,
    /// The items, in the order of the configuration.
    pub items: Vec<Item>,
    /// The lines for stdout in text form.
    pub lines: Vec<String>,
    /// The error, also of a run that did a part of its work.
    pub error: Option<ErrorReport>,
    /// The exit code, when it is not that of the outcome.
    pub exit: Option<Exit>,
    /// More fields for the top of the JSON document (the stages of `db-test`, say).
    pub details: Map<String, Value>,
}

impl Report {
    /// An empty report.
    pub fn new(outcome: Outcome) -> Self {
        Report {
            outcome,
            items: Vec::new(),
            lines: Vec::new(),
            error: None,
            exit: None,
            details: Map::new(),
        }
    }

    /// Adds a line of text for stdout.
    #[must_use]
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Adds a field to the JSON document.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Sets exit code 1 under `--check` if something would change.
    #[must_use]
    pub fn checked(mut self, check: bool) -> Self {
        if check && self.outcome == Outcome::Planned {
            self.exit = Some(Exit::Negative);
        }
        self
    }

    /// The exit code of this run.
    pub fn exit(&self) -> Exit {
        self.exit.unwrap_or_else(|| self.outcome.exit())
    }

    /// The names that the lines may contain.
    pub(crate) fn names(&self) -> Vec<&str> {
        let details = self.items.iter().flat_map(|item| &item.details);
        let details = details.filter(|(key, _)| NOT_SECRET.contains(&key.as_str()));
        let details = details.filter_map(|(_, value)| value.as_str());
        let names = self.items.iter().map(|item| item.name.as_str());
        names.chain(details).collect()
    }

    /// The report with `redact` applied to each text that may come from a server. This happens before the text becomes
    /// JSON, where a secret like `null` would be found in the syntax, and an escaped one not at all.
    #[must_use]
    pub(crate) fn without_secrets(mut self, redact: &dyn Fn(&str) -> String) -> Self {
        if let Some(error) = &mut self.error {
            error.message = redact(&error.message);
            for text in [&mut error.code, &mut error.hint].into_iter().flatten() {
                *text = redact(text);
            }
        }
        for item in &mut self.items {
            for change in &mut item.changes {
                redact_value(&mut change.from, &[], redact);
                redact_value(&mut change.to, &[], redact);
            }
            redact_fields(&mut item.details, &NOT_SECRET, redact);
        }
        redact_fields(&mut self.details, &NOT_SECRET, redact);
        self
    }

    /// The JSON document, with its schema number first.
    pub fn to_json(&self, tool: &str) -> Value {
        let mut document = Map::new();
        document.insert("schema".to_owned(), 1.into());
        document.insert("tool".to_owned(), tool.into());
        document.insert("outcome".to_owned(), to_value(self.outcome));
        document.insert("items".to_owned(), to_value(&self.items));
        for (key, value) in &self.details {
            document.insert(key.clone(), value.clone());
        }
        if let Some(error) = &self.error {
            document.insert("error".to_owned(), to_value(error));
        }
        Value::Object(document)
    }
}

/// Fields whose text comes from the configuration, from the tool, or from the names that AWS gives: none is secret, and
/// with a masked part they would be wrong.
const NOT_SECRET: [&str; 11] = [
    "account", "arn", "digest", "identity", "outcome", "region", "registry", "source", "stage", "type", "uri",
];

fn redact_fields(fields: &mut Map<String, Value>, not_secret: &[&str], redact: &dyn Fn(&str) -> String) {
    let others = fields
        .iter_mut()
        .filter(|(key, _)| !not_secret.contains(&key.as_str()));
    others.for_each(|(_, value)| redact_value(value, not_secret, redact));
}

fn redact_value(value: &mut Value, not_secret: &[&str], redact: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = redact(text),
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| redact_value(value, not_secret, redact)),
        Value::Object(fields) => redact_fields(fields, not_secret, redact),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Data with text keys, which can always be written as JSON.
fn to_value(data: impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_document_has_the_documented_shape() {
        let mut report = Report::new(Outcome::RolledBack);
        report.items.push(
            Item::new("repository", "a", "update")
                .changes(vec![Change::new("scan_on_push", false, true)])
                .detail("uri", "u"),
        );
        report.error = Some(ErrorReport {
            message: "m".into(),
            kind: ErrorKind::Other,
            code: None,
            hint: Some("h".into()),
        });
        assert_eq!(
            report.to_json("t").to_string(),
            r#"{"schema":1,"tool":"t","outcome":"rolled-back","items":[{"kind":"repository","name":"a","action":"update","changes":[{"path":"scan_on_push","from":false,"to":true}],"uri":"u"}],"error":{"message":"m","kind":"other","code":null,"hint":"h"}}"#
        );
    }

    #[test]
    fn texts_of_servers_are_redacted_and_names_and_keys_are_not() {
        let mut report = Report::new(Outcome::Failed).detail("null", "null").detail(
            "stages",
            json!([{"stage": "null", "detail": "is null", "null": [null, true]}]),
        );
        report.items.push(
            Item::new("null", "/null/A", "null")
                .changes(vec![Change::new(
                    "null",
                    Value::Null,
                    json!({"arn": "null", "null": 1}),
                )])
                .detail("arn", "arn:null")
                .detail("cause", "null"),
        );
        report.error = Some(ErrorReport {
            message: "no null".into(),
            kind: ErrorKind::Other,
            code: None,
            hint: Some("null".into()),
        });
        assert_eq!(report.names(), ["/null/A", "arn:null"]);
        let report = report.without_secrets(&|text| text.replace("null", "***"));
        assert_eq!(
            report.to_json("t"),
            json!({
                "schema": 1, "tool": "t", "outcome": "failed",
                "items": [{
                    "kind": "null", "name": "/null/A", "action": "null",
                    "changes": [{"path": "null", "from": null, "to": {"arn": "***", "null": 1}}],
                    "arn": "arn:null", "cause": "***",
                }],
                "null": "***",
                "stages": [{"stage": "null", "detail": "is ***", "null": [null, true]}],
                "error": {"message": "no ***", "kind": "other", "code": null, "hint": "***"},
            })
        );
    }

    #[test]
    fn check_turns_a_plan_into_a_no() {
        assert_eq!(Report::new(Outcome::Planned).checked(false).exit(), Exit::Success);
        assert_eq!(Report::new(Outcome::Planned).checked(true).exit(), Exit::Negative);
        assert_eq!(
            Report::new(Outcome::Unchanged).checked(true).exit(),
            Exit::Success
        );
    }
}

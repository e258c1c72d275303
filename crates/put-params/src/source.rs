//! The source of a value. It is read into a secret type, and no error contains a part of it.

use crate::error::ValidationError;
use cli::args::is_variable_name;
use cli::error::ErrorSummary;
use common::config::{ParameterEntry, Segment, segments};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// More than any value may have (8 KB). A larger file is not read to its end.
const LARGEST_FILE: u64 = 64 * 1024;

/// The source that an entry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Environment(String),
    Template { text: String, variables: Vec<String> },
    File(String),
}

/// A value, with the values of the variables in its template.
#[derive(Debug)]
pub(crate) struct SourceValue {
    pub(crate) whole: SecretString,
    pub(crate) parts: Vec<SecretString>,
    /// About the source.
    pub(crate) warning: Option<String>,
}

/// Reads a variable of the environment.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Source {
    pub(crate) fn of(entry: &ParameterEntry) -> Option<Self> {
        if let Some(name) = &entry.env {
            Some(Source::Environment(name.clone()))
        } else if let Some(text) = &entry.template {
            Some(Source::Template {
                variables: names_in(text),
                text: text.clone(),
            })
        } else {
            entry.file.clone().map(Source::File)
        }
    }

    /// The variables whose values it uses.
    pub(crate) fn variables(&self) -> &[String] {
        match self {
            Source::Environment(name) => std::slice::from_ref(name),
            Source::Template { variables, .. } => variables,
            Source::File(_) => &[],
        }
    }

    /// Whether it is a template without variables, which contains the value itself. A malformed template is another error.
    pub(crate) fn is_literal(&self) -> bool {
        let Source::Template { text, .. } = self else {
            return false;
        };
        segments(text)
            .is_ok_and(|segments| segments.iter().all(|segment| matches!(segment, Segment::Text(_))))
    }

    /// Reads the value; files are relative to `folder`.
    ///
    /// # Errors
    /// With everything that is wrong with the source.
    pub(crate) fn read(
        &self,
        environment: Environment,
        folder: &Path,
    ) -> Result<SourceValue, Vec<ValidationError>> {
        match self {
            Source::Environment(name) => variable(name, environment)
                .map(SourceValue::alone)
                .map_err(|error| vec![error]),
            Source::Template { text, .. } => filled(text, environment),
            Source::File(path) => from_file(&folder.join(path), path).map_err(|error| vec![error]),
        }
    }
}

/// Names the source, never the value: the text of a template could contain a secret by mistake.
impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Environment(name) => write!(formatter, "env {name}"),
            Source::Template { variables, .. } if variables.is_empty() => formatter.write_str("template"),
            Source::Template { variables, .. } => write!(formatter, "template of {}", variables.join(", ")),
            Source::File(path) => write!(formatter, "file {path}"),
        }
    }
}

impl SourceValue {
    fn alone(whole: SecretString) -> Self {
        SourceValue {
            whole,
            parts: Vec::new(),
            warning: None,
        }
    }
}

fn variable(name: &str, environment: Environment) -> Result<SecretString, ValidationError> {
    let error =
        |what: &str| ValidationError::new("variable", format!("environment variable `{name}` {what}"));
    match environment(name) {
        None => Err(error("is not set").variable(name)),
        Some(value) if value.is_empty() => Err(error("is empty").variable(name)),
        Some(value) => value
            .into_string()
            .map(SecretString::from)
            .map_err(|_| error("is not UTF-8 text")),
    }
}

fn names_in(template: &str) -> Vec<String> {
    let mut names = Vec::new();
    for segment in segments(template).unwrap_or_default() {
        if let Segment::Name(name) = segment
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// Fills a template. `${NAME}` is an environment variable and nothing else: the built-in names of other tables contain
/// no secrets.
fn filled(template: &str, environment: Environment) -> Result<SourceValue, Vec<ValidationError>> {
    let segments = segments(template).map_err(|error| {
        let summary = ErrorSummary::of(&error.at("the template").into());
        let error = ValidationError::new("template", summary.message);
        vec![match summary.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }]
    })?;
    let mut errors = Vec::new();
    let mut parts = Vec::new();
    for segment in &segments {
        let found = match segment {
            Segment::Text(_) => continue,
            Segment::Name(name) if is_variable_name(name) => variable(name, environment),
            Segment::Name(name) | Segment::IamVariable(name) => Err(ValidationError::new(
                "template",
                format!("the template names `${{{name}}}`, which is no environment variable"),
            )),
        };
        match found {
            Ok(value) => parts.push(value),
            Err(error) if errors.contains(&error) => {}
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    // Allocated in its final size: a string that grows leaves copies of its beginning in memory.
    let mut values = parts.iter().map(ExposeSecret::expose_secret);
    let texts: Vec<&str> = segments
        .iter()
        .map(|segment| match segment {
            Segment::Text(text) => text,
            Segment::Name(_) | Segment::IamVariable(_) => values.next().unwrap_or_default(),
        })
        .collect();
    let mut whole = String::with_capacity(texts.iter().map(|text| text.len()).sum());
    texts.iter().for_each(|text| whole.push_str(text));
    Ok(SourceValue {
        whole: whole.into(),
        parts,
        warning: None,
    })
}

/// Reads a file. One newline at its end belongs to the editor, not to the value.
fn from_file(path: &Path, shown: &str) -> Result<SourceValue, ValidationError> {
    let error = |why: String| ValidationError::new("file", format!("file `{shown}` {why}"));
    let unread = |cause: std::io::Error| error(format!("can't be read: {cause}"));
    let metadata = std::fs::metadata(path).map_err(unread)?;
    // Opening a pipe could block without end.
    if !metadata.is_file() {
        return Err(error("is no regular file".into()));
    }
    let file = std::fs::File::open(path).map_err(unread)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST_FILE as usize + 1));
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unread)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(error("is larger than any parameter can be".into()));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| error("is not UTF-8 text".into()))?;
    let text = match text.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => text,
    };
    if text.is_empty() {
        return Err(error("is empty".into()));
    }
    let open = metadata.permissions().mode() & 0o077 != 0;
    Ok(SourceValue {
        warning: open.then(|| format!("file `{shown}` can be read by others: chmod 600 it")),
        ..SourceValue::alone(text.to_owned().into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<OsString> {
        use std::os::unix::ffi::OsStringExt;
        match name {
            "KEY" => Some("k3y${KEY}$$".into()),
            "OTHER" => Some("o".into()),
            "EMPTY" => Some(OsString::new()),
            "BYTES" => Some(OsString::from_vec(vec![b'a', 0xff])),
            _ => None,
        }
    }

    fn template(text: &str) -> Source {
        Source::of(&ParameterEntry {
            template: Some(text.into()),
            ..ParameterEntry::default()
        })
        .unwrap()
    }

    fn messages(source: &Source) -> Vec<String> {
        let errors = source.read(&environment, Path::new(".")).unwrap_err();
        errors.into_iter().map(|error| error.message).collect()
    }

    #[test]
    fn templates_are_filled_once_and_keep_their_parts() {
        for (text, expected, parts) in [
            ("x-team=${KEY}", "x-team=k3y${KEY}$$", 1),
            ("${KEY}${OTHER}${KEY}", "k3y${KEY}$$ok3y${KEY}$$", 3),
            ("$$2a$$10$$${OTHER}", "$2a$10$o", 1),
            ("$${KEY}", "${KEY}", 0),
            ("plain", "plain", 0),
        ] {
            let value = template(text).read(&environment, Path::new(".")).unwrap();
            assert_eq!(value.whole.expose_secret(), expected, "{text}");
            assert_eq!(value.parts.len(), parts, "{text}");
        }
    }

    #[test]
    fn everything_that_is_wrong_with_a_template_is_reported() {
        for (text, expected) in [
            ("${NO}", vec!["environment variable `NO` is not set"]),
            (
                "${NO}${EMPTY}${NO}",
                vec![
                    "environment variable `NO` is not set",
                    "environment variable `EMPTY` is empty",
                ],
            ),
            ("${BYTES}", vec!["environment variable `BYTES` is not UTF-8 text"]),
            ("${KEY", vec!["the template has a `${` without its `}`"]),
            (
                "a$KEY",
                vec!["the template has a `$` that does not start a `${NAME}`"],
            ),
            (
                "${KEY:-x}",
                vec!["the template names `${KEY:-x}`, which is no environment variable"],
            ),
            (
                "${params.prefix}",
                vec!["the template names `${params.prefix}`, which is no environment variable"],
            ),
            (
                "${1KEY}",
                vec!["the template names `${1KEY}`, which is no environment variable"],
            ),
        ] {
            assert_eq!(messages(&template(text)), expected, "{text}");
        }
        assert_eq!(
            messages(&Source::Environment("EMPTY".into())),
            ["environment variable `EMPTY` is empty"]
        );
    }

    #[test]
    fn a_source_is_shown_by_its_names() {
        assert_eq!(Source::Environment("KEY".into()).to_string(), "env KEY");
        assert_eq!(
            template("hunter2${KEY}${OTHER}${KEY}").to_string(),
            "template of KEY, OTHER"
        );
        assert_eq!(template("hunter2").to_string(), "template");
        assert_eq!(Source::File("a/b".into()).to_string(), "file a/b");
    }
}

//! `ops.toml`: every name of the app, in one file with one schema for all tools.
//!
//! The whole file is checked against the schema when it is read; `${NAME}` is expanded only in the tables that the
//! running tool reads.

mod expand;
mod schema;
mod trust;

pub use expand::{AwsTarget, ExpandError, Segment, Variables, expand, partition_of, segments};
pub use schema::*;

use anyhow::{Context, Result};
use aws_documents::{Diagnostic, Document};
use cli::files::read_at_most;
use cli::{ErrorKind, Failure, FailureExt};
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};

/// The longest `ops.toml` that is read. A thousand parameters take 30 KB.
const MAX_BYTES: usize = 1 << 20;

/// The name of the file, searched for in the current directory and its parents.
pub const FILE_NAME: &str = "ops.toml";

/// A parsed `ops.toml`.
#[derive(Debug)]
pub struct Config {
    /// The path of the file.
    pub path: PathBuf,
    /// The parsed tables, not expanded.
    pub schema: Schema,
    table: toml::Table,
}

impl Config {
    /// Finds and reads the file: `--config`, `$OPS_CONFIG`, the nearest `ops.toml` upwards.
    ///
    /// # Errors
    /// When there is no file, or it does not match the schema; the error then names file, line and key.
    pub fn find(flag: Option<&Path>) -> Result<Self> {
        Self::find_optional(flag)?.ok_or_else(|| {
            Failure::error(format!("failed to find `{FILE_NAME}` in this folder or above"))
                .kind(ErrorKind::Config)
                .code("config")
                .hint("go to the project's folder, or name the file with --config or $OPS_CONFIG")
                .into()
        })
    }

    /// [`Config::find`] for a tool that works without a file: `None` when no file is named and none is found.
    ///
    /// # Errors
    /// When the file cannot be read or does not match the schema.
    pub fn find_optional(flag: Option<&Path>) -> Result<Option<Self>> {
        let from_environment = std::env::var_os("OPS_CONFIG")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        if let Some(path) = flag.map(Path::to_owned).or(from_environment) {
            return Self::read(&path).map(Some);
        }
        let start = std::env::current_dir().context("failed to read the current directory")?;
        let path = start
            .ancestors()
            .map(|folder| folder.join(FILE_NAME))
            .find(|path| path.is_file());
        path.map(|path| Self::read(&path)).transpose()
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// As [`Config::find`].
    pub fn read(path: &Path) -> Result<Self> {
        if let Some(reason) = trust::refusal(path) {
            let file = path.display();
            return Err(
                Failure::error(format!("refused to use config file `{file}`: {reason}"))
                    .kind(ErrorKind::Config)
                    .code("untrusted")
                    .hint(trust_hint(path))
                    .into(),
            );
        }
        let text = read_at_most(path, MAX_BYTES);
        let text = text.and_then(|bytes| {
            String::from_utf8(bytes)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
        });
        let text = text.or_error(
            format!("failed to read config file `{}`", path.display()),
            "name the file with --config or $OPS_CONFIG",
        )?;
        Self::parse(path, &text)
    }

    /// Reads a document that the file names; `path` as [`Config::resolve`] gives it.
    ///
    /// # Errors
    /// When another user may write to it, it can't be read, or is not JSON.
    pub fn read_document(&self, path: &Path) -> Result<Document, Diagnostic> {
        if let Some(reason) = trust::refusal(path) {
            let mut diagnostic = Diagnostic::of_file(path, format!("refused: {reason}"));
            diagnostic.hint = Some(trust_hint(path));
            return Err(diagnostic);
        }
        Document::read(path)
    }

    /// Parses `text`, the contents of the file `path`.
    ///
    /// # Errors
    /// As [`Config::find`].
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let failure = |error: &toml::de::Error| parse_failure(path, text, error);
        let schema: Schema = toml::from_str(text).map_err(|error| failure(&error))?;
        schema.validate().map_err(|message| {
            Failure::error(format!(
                "failed to use config file `{}`: {message}",
                path.display()
            ))
            .kind(ErrorKind::Config)
            .code("config")
        })?;
        let table = text.parse().map_err(|error| failure(&error))?;
        Ok(Config {
            path: path.to_owned(),
            schema,
            table,
        })
    }

    /// The folder that paths in the file are relative to.
    pub fn folder(&self) -> &Path {
        self.path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }

    /// `path` from the file, as seen from the current directory.
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }

    /// The tags of `[app]`, expanded.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn tags(&self, variables: &Variables) -> Result<Ordered<String>> {
        Ok(self.section::<App>("app", variables)?.tags)
    }

    /// `[log_group]`, expanded.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn log_group(&self, variables: &Variables) -> Result<Option<LogGroup>> {
        self.section("log_group", variables)
    }

    /// `[cluster]`, expanded.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn cluster(&self, variables: &Variables) -> Result<Option<Cluster>> {
        self.section("cluster", variables)
    }

    /// The error of a tool whose table `[name]` is missing.
    pub fn no_table(&self, name: &str) -> Failure {
        Failure::error(format!("failed to find `[{name}]` in `{}`", self.path.display()))
            .kind(ErrorKind::Config)
            .code("config")
            .hint(format!("add the table `[{name}]` with a `name`"))
    }

    /// The `[[repository]]` tables, expanded.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn repositories(&self, variables: &Variables) -> Result<Vec<Repository>> {
        self.section("repository", variables)
    }

    /// The `[[image]]` tables, expanded.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn images(&self, variables: &Variables) -> Result<Vec<Image>> {
        self.section("image", variables)
    }

    /// `[params]`, expanded except for its entries: their templates contain secrets, and `put-params` expands them.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn params(&self, variables: &Variables) -> Result<Option<Params>> {
        let Some(unexpanded) = &self.schema.params else {
            return Ok(None);
        };
        let mut params: Params = self.section_without("params", &["entry"], variables)?;
        params.entry = unexpanded.entry.clone();
        Ok(Some(params))
    }

    /// The `[roles.*]` tables with their keys, expanded.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn roles(&self, variables: &Variables) -> Result<Ordered<Role>> {
        self.section("roles", variables)
    }

    /// `[task_definition]`, expanded.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn task_definition(&self, variables: &Variables) -> Result<Option<TaskDefinition>> {
        self.section("task_definition", variables)
    }

    /// `[service]`, expanded.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn service(&self, variables: &Variables) -> Result<Option<Service>> {
        self.section("service", variables)
    }

    /// `[service]` without its network: reading a service needs no subnets.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn service_without_network(&self, variables: &Variables) -> Result<Option<Service>> {
        self.section_without("service", &["subnets", "security_groups"], variables)
    }

    fn section<T: DeserializeOwned + Default>(&self, name: &str, variables: &Variables) -> Result<T> {
        self.section_without(name, &[], variables)
    }

    fn section_without<T: DeserializeOwned + Default>(
        &self,
        name: &str,
        omitted: &[&str],
        variables: &Variables,
    ) -> Result<T> {
        let Some(value) = self.table.get(name) else {
            return Ok(T::default());
        };
        let mut value = value.clone();
        if let Some(table) = value.as_table_mut() {
            omitted.iter().for_each(|key| drop(table.remove(*key)));
        }
        expand_value(&mut value, name, variables)
            .with_context(|| format!("failed to read `{}`", self.path.display()))?;
        value.try_into().map_err(|error: toml::de::Error| {
            Failure::error(format!(
                "failed to read `[{name}]` of `{}`: {}",
                self.path.display(),
                without_values(error.message())
            ))
            .kind(ErrorKind::Config)
            .code("config")
            .into()
        })
    }
}

/// What to do about a file that another user may write.
fn trust_hint(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = std::fs::canonicalize(folder.unwrap_or(Path::new("."))).unwrap_or_default();
    format!(
        "look at it, then `chmod go-w` or `chown` it, or export {}={}",
        trust::VARIABLE,
        folder.display()
    )
}

/// Expands every string in `value`; `path` names it for the error.
fn expand_value(value: &mut toml::Value, path: &str, variables: &Variables) -> Result<()> {
    match value {
        toml::Value::String(text) => {
            *text = expand(text, variables).map_err(|error| error.at(path))?;
        }
        toml::Value::Array(values) => {
            for (index, value) in values.iter_mut().enumerate() {
                // The entries of an array of tables are identified by their names, not by their positions.
                let name = value.get("name").and_then(|name| name.as_str());
                let path = name.map_or_else(|| format!("{path}[{index}]"), |name| format!("{path} `{name}`"));
                expand_value(value, &path, variables)?;
            }
        }
        toml::Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                expand_value(value, &format!("{path}.{key}"), variables)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// An error of the TOML parser as `file:line:column: message`, without the source line, which could contain a secret.
fn parse_failure(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let place = error.span().map(|span| {
        let before = text.get(..span.start).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!(":{}:{column}", before.matches('\n').count() + 1)
    });
    let message = without_values(error.message())
        .replace("unknown field", "unknown key")
        .replace("missing field", "missing key");
    Failure::error(format!(
        "failed to read config file `{}{}`: {message}",
        path.display(),
        place.unwrap_or_default()
    ))
    .kind(ErrorKind::Config)
    .code("config")
}

/// Removes the value that serde quotes: `invalid type: string "hunter2", expected …`. The type, the expectation and the
/// position are enough.
fn without_values(message: &str) -> String {
    let quoting = ["invalid type", "invalid value", "unknown variant"];
    if !quoting.iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    let kind = message.split(['"', '`', '\'']).next().unwrap_or_default();
    // The last occurrence: the value may contain these words as well.
    let expected = message.rfind(", expected ").and_then(|at| message.get(at..));
    let kind = kind.split(", expected ").next().unwrap_or_default();
    format!("{}{}", kind.trim_end(), expected.unwrap_or_default())
}

/// The items whose names are in `names`, in the order of the file; all items when `names` is empty.
///
/// # Errors
/// When a name is unknown; the hint lists the known names.
pub fn select<T>(
    kind: &str,
    items: Vec<T>,
    name_of: impl Fn(&T) -> &str,
    names: &[String],
) -> Result<Vec<T>> {
    let known = items.iter().map(&name_of).collect::<Vec<_>>().join(", ");
    if let Some(unknown) = names
        .iter()
        .find(|name| !items.iter().any(|item| name_of(item) == name.as_str()))
    {
        return Err(
            Failure::error(format!("failed to find {kind} `{unknown}` in the config file"))
                .kind(ErrorKind::Usage)
                .code("usage")
                .hint(format!("it has: {known}"))
                .into(),
        );
    }
    if items.is_empty() {
        return Err(
            Failure::error(format!("failed to find any {kind} in the config file"))
                .kind(ErrorKind::Config)
                .code("config")
                .into(),
        );
    }
    Ok(items
        .into_iter()
        .filter(|item| names.is_empty() || names.iter().any(|name| name == name_of(item)))
        .collect())
}

#[cfg(test)]
mod tests;

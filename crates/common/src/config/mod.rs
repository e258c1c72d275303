//! `ops.toml`: every name of the app, in one file with one schema for all tools.
//!
//! The whole file is checked against the schema when it is read; `${NAME}` is expanded only in the
//! tables that the tool at hand asks for.

mod expand;
mod schema;

pub use expand::{AwsTarget, ExpandError, Segment, Variables, expand, partition_of, segments};
pub use schema::*;

use anyhow::{Context, Result};
use cli::{ErrorKind, Failure, FailureExt};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// The file name that is looked for from the current directory upwards.
pub const FILE_NAME: &str = "ops.toml";

/// `ops.toml` as it was read.
#[derive(Debug)]
pub struct Config {
    /// Where it is.
    pub path: PathBuf,
    /// The file against the schema, with nothing expanded.
    pub schema: Schema,
    table: toml::Table,
}

impl Config {
    /// Finds and reads the file: `--config`, `$OPS_CONFIG`, the nearest `ops.toml` upwards.
    ///
    /// # Errors
    /// When there is none, or it does not fit the schema; then with file, line and key.
    pub fn find(flag: Option<&Path>) -> Result<Self> {
        Self::find_optional(flag)?.ok_or_else(|| {
            Failure::error(format!("failed to find `{FILE_NAME}` in this folder or above"))
                .kind(ErrorKind::Config)
                .code("config")
                .hint("go to the project's folder, or name the file with --config or $OPS_CONFIG")
                .into()
        })
    }

    /// [`Config::find`] for a tool that can do without: `None` when no file is named and none is found.
    ///
    /// # Errors
    /// When there is one that cannot be read or does not fit the schema.
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
        let text = std::fs::read_to_string(path).or_error(
            format!("failed to read config file `{}`", path.display()),
            "name the file with --config or $OPS_CONFIG",
        )?;
        Self::parse(path, &text)
    }

    /// Reads `text`, which stands in the file `path`.
    ///
    /// # Errors
    /// As [`Config::find`].
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let fault = |error: &toml::de::Error| fault(path, text, error);
        let schema: Schema = toml::from_str(text).map_err(|error| fault(&error))?;
        schema.validate().map_err(|message| {
            Failure::error(format!(
                "failed to use config file `{}`: {message}",
                path.display()
            ))
            .kind(ErrorKind::Config)
            .code("config")
        })?;
        let table = text.parse().map_err(|error| fault(&error))?;
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

    /// The error of a tool whose table `[name]` is not in the file.
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

    /// `[params]`, expanded but for its entries: their templates hold secrets and are `put-params`'s own.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn params(&self, variables: &Variables) -> Result<Option<Params>> {
        let Some(unexpanded) = &self.schema.params else {
            return Ok(None);
        };
        let mut params: Params = self.section_but("params", &["entry"], variables)?;
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

    /// `[service]` without its network: who only looks at a service needs no subnets.
    ///
    /// # Errors
    /// When a variable is unset or unknown.
    pub fn service_without_network(&self, variables: &Variables) -> Result<Option<Service>> {
        self.section_but("service", &["subnets", "security_groups"], variables)
    }

    fn section<T: DeserializeOwned + Default>(&self, name: &str, variables: &Variables) -> Result<T> {
        self.section_but(name, &[], variables)
    }

    fn section_but<T: DeserializeOwned + Default>(
        &self,
        name: &str,
        but: &[&str],
        variables: &Variables,
    ) -> Result<T> {
        let Some(value) = self.table.get(name) else {
            return Ok(T::default());
        };
        let mut value = value.clone();
        if let Some(table) = value.as_table_mut() {
            but.iter().for_each(|key| drop(table.remove(*key)));
        }
        expand_value(&mut value, name, variables)
            .with_context(|| format!("failed to read `{}`", self.path.display()))?;
        value.try_into().map_err(|error: toml::de::Error| {
            Failure::error(format!(
                "failed to read `[{name}]` of `{}`: {}",
                self.path.display(),
                harmless(error.message())
            ))
            .kind(ErrorKind::Config)
            .code("config")
            .into()
        })
    }
}

/// Expands every string in `value`; `path` names it for the error.
fn expand_value(value: &mut toml::Value, path: &str, variables: &Variables) -> Result<()> {
    match value {
        toml::Value::String(text) => {
            *text = expand(text, variables).map_err(|error| error.at(path))?;
        }
        toml::Value::Array(values) => {
            for (index, value) in values.iter_mut().enumerate() {
                // A list of tables is known by the names in it, not by numbers.
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

/// An error of the TOML reader as `file:line:column: message`, without the source line, which could hold a value.
fn fault(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let place = error.span().map(|span| {
        let before = text.get(..span.start).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!(":{}:{column}", before.matches('\n').count() + 1)
    });
    let message = harmless(error.message())
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

/// serde quotes the value it did not expect: `invalid type: string "hunter2", expected …`. Its kind, and what was
/// expected, are enough together with the place.
fn harmless(message: &str) -> String {
    let quoting = ["invalid type", "invalid value", "unknown variant"];
    if !quoting.iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    let kind = message.split(['"', '`', '\'']).next().unwrap_or_default();
    // The last one: the value may hold these words, too.
    let expected = message.rfind(", expected ").and_then(|at| message.get(at..));
    let kind = kind.split(", expected ").next().unwrap_or_default();
    format!("{}{}", kind.trim_end(), expected.unwrap_or_default())
}

/// The items that `names` chooses, in the order of the file; no name means all.
///
/// # Errors
/// When a name is not among them; with those that are.
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

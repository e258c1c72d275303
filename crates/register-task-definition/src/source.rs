//! The file of `[task_definition]`, and the images that it names.

use anyhow::{Context, Result};
use aws_documents::{Content, Diagnostic, Document, Node, shown, tags, task_definition};
use cli::{ErrorKind, Failure};
use common::config::{Config, Variables, expand as expand_text};
use common::documents::{expand_and_check, expand_key};
use reconcile::Tags;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The file, with nothing expanded.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) document: Document,
    pub(crate) images: Vec<SourceImage>,
}

/// An image that the file names as `${image.NAME}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceImage {
    pub(crate) name: String,
    pub(crate) repository: String,
    pub(crate) tag: String,
    /// The reference of `--image`, which takes its place.
    pub(crate) given: Option<String>,
}

/// The path of the file in `[task_definition]`.
///
/// # Errors
/// When there is no such table, or a variable in it is unset.
pub(crate) fn file(config: &Config, variables: &Variables) -> Result<PathBuf> {
    let table = config.task_definition(variables)?;
    let table = table.ok_or_else(|| {
        let hint = "add the table `[task_definition]` with a `file`; `init` writes the file";
        config.no_table("task_definition").hint(hint)
    })?;
    Ok(config.resolve(&table.file))
}

impl Source {
    /// Reads the file. The images of `given` (`--image`) are not looked up.
    ///
    /// # Errors
    /// When the configuration is wrong. A diagnostic of the file itself is the inner result.
    pub(crate) fn read(
        config: &Config,
        variables: &Variables,
        given: &[(String, String)],
    ) -> Result<Result<Self, Diagnostic>> {
        let path = file(config, variables)?;
        let document = match config.read_document(&path) {
            Ok(document) => document,
            Err(mut diagnostic) => {
                if !path.exists() {
                    diagnostic.hint =
                        Some("`register-task-definition init` writes it from a live revision".into());
                }
                return Ok(Err(diagnostic));
            }
        };
        let mut names = BTreeSet::new();
        collect(&document.root, &mut names);
        if let Some((name, _)) = given.iter().find(|(name, _)| !names.contains(name)) {
            let file = document.file.display();
            let known = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let hint = if known.is_empty() {
                "write it as \"image\": \"${image.NAME}\"".to_owned()
            } else {
                format!("it names: {known}")
            };
            let message = format!("failed to use --image `{name}`: `{file}` has no `${{image.{name}}}`");
            return Err(Failure::error(message)
                .kind(ErrorKind::Usage)
                .code("usage")
                .hint(hint)
                .into());
        }
        // A name without a table is reported with its position when the file is expanded.
        let images = names
            .iter()
            .filter_map(|name| source_image(config, variables, name, given).transpose())
            .collect::<Result<_>>()?;
        Ok(Ok(Source { document, images }))
    }

    /// The family, expanded.
    ///
    /// # Errors
    /// When it is missing.
    pub(crate) fn family(&self, variables: &Variables) -> Result<String> {
        let family = expand_key(&self.document, "family", variables).map_err(Diagnostic::into_failure)?;
        let missing = || {
            let root = self.document.field();
            Diagnostic::of_field(&self.document.file, &root, "`family` is missing").into_failure()
        };
        Ok(family.ok_or_else(missing)?)
    }

    /// The file with its variables replaced, and what is wrong with it then.
    pub(crate) fn expand(
        &self,
        variables: &Variables,
    ) -> Result<(Document, Vec<Diagnostic>), Vec<Diagnostic>> {
        expand_and_check(&self.document, variables, task_definition::check)
    }
}

/// `[[image]] NAME`; `None` when there is no such table.
fn source_image(
    config: &Config,
    variables: &Variables,
    name: &str,
    given: &[(String, String)],
) -> Result<Option<SourceImage>> {
    let Some(image) = config.schema.image.iter().find(|image| image.name == name) else {
        return Ok(None);
    };
    // Only these two: the variables of a build may be unset here.
    let expanded = |text: &str, key: &str| {
        let path = format!("image `{name}`.{key}");
        expand_text(text, variables)
            .map_err(|error| error.at(&path))
            .with_context(|| format!("failed to read `{}`", config.path.display()))
    };
    let tag = image.tags.first().ok_or_else(|| {
        Failure::error(format!("failed to use image `{name}`: it has no tag"))
            .kind(ErrorKind::Config)
            .code("config")
    })?;
    let given = given.iter().rev().find(|(other, _)| other == name);
    Ok(Some(SourceImage {
        name: name.to_owned(),
        repository: expanded(&image.repository, "repository")?,
        tag: expanded(tag, "tags[0]")?,
        given: given.map(|(_, reference)| reference.clone()),
    }))
}

/// The names of `${image.NAME}` in all strings.
fn collect(node: &Node, names: &mut BTreeSet<String>) {
    match &node.content {
        Content::Text(text) => names.extend(image_names(text)),
        Content::Array(nodes) => nodes.iter().for_each(|node| collect(node, names)),
        Content::Object(members) => members.iter().for_each(|member| collect(&member.value, names)),
        _ => {}
    }
}

/// The names of `${image.NAME}` in `text`; `$${` is no variable.
pub(crate) fn image_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('$') {
        rest = behind.strip_prefix('$').unwrap_or(behind);
        let variable = behind
            .strip_prefix("{image.")
            .and_then(|name| name.split_once('}'));
        names.extend(variable.map(|(name, _)| name.to_owned()));
    }
    names
}

/// The tags of `[app]`, and what is wrong with them.
///
/// # Errors
/// When a variable in them is unset.
pub(crate) fn app_tags(config: &Config, variables: &Variables) -> Result<(Tags, Vec<Diagnostic>)> {
    let all: Tags = config.tags(variables)?.0.into_iter().collect();
    let diagnostics = all.iter().filter_map(|(key, value)| tags::problem(key, value));
    let diagnostics = diagnostics.map(|message| {
        let mut diagnostic = Diagnostic::of_file(&shown(&config.path), message);
        diagnostic.path = "app.tags".into();
        diagnostic
    });
    let diagnostics = diagnostics.collect();
    Ok((all, diagnostics))
}

/// Removes the tags from `definition` and merges them over those of `[app]`: tags are compared and set separately.
pub(crate) fn take_tags(definition: &mut Value, app: &Tags) -> Tags {
    let own = definition
        .as_object_mut()
        .and_then(|members| members.shift_remove("tags"));
    let text = |tag: &Value, key: &str| {
        tag.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut tags = app.clone();
    for tag in own.as_ref().and_then(Value::as_array).into_iter().flatten() {
        tags.insert(text(tag, "key"), text(tag, "value"));
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn images_are_found_in_a_text() {
        for (text, expected) in [
            ("", &[][..]),
            ("${image.web}", &["web"]),
            (
                "a ${image.web} b ${image.my-api} ${AWS_REGION}",
                &["web", "my-api"],
            ),
            ("$${image.web}", &[]),
            ("$$${image.web}", &["web"]),
            ("${image.web", &[]),
            ("$", &[]),
        ] {
            assert_eq!(image_names(text), expected, "{text}");
        }
    }

    #[test]
    fn the_files_tags_win() {
        let mut definition = json!({"family": "x", "tags": [{"key": "app", "value": "own"}, {"key": "b"}]});
        let app = Tags::from([("app".into(), "all".into()), ("c".into(), "d".into())]);
        let tags = take_tags(&mut definition, &app);
        assert_eq!(definition, json!({"family": "x"}));
        let expected = [("app", "own"), ("b", ""), ("c", "d")];
        assert_eq!(
            tags,
            expected
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into()
        );
    }
}

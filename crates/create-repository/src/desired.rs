//! The repositories of `ops.toml`, with their policy files read, expanded and checked.

use crate::lifecycle;
use crate::validation::validate;
use anyhow::Result;
use aws_documents::policy::{self, Kind, Limits};
use aws_documents::{Diagnostic, Document};
use common::config::{Config, Repository, Variables, select};
use common::documents::expand_and_check;
use reconcile::Tags;
use serde_json::Value;

/// A repository as the file has it.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    /// The table of `ops.toml`.
    pub(crate) repository: Repository,
    pub(crate) policy: Option<Value>,
    pub(crate) lifecycle: Option<Value>,
    pub(crate) tags: Tags,
}

impl Desired {
    pub(crate) fn name(&self) -> &str {
        &self.repository.name
    }
}

/// The configuration, and all that is wrong with its files.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) repositories: Vec<Desired>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// SetRepositoryPolicy, `policyText`.
const LONGEST_POLICY: usize = 10_240;

/// Reads the repositories of these names; no name means all. With `partition`, ARNs must be of that one.
///
/// # Errors
/// When `ops.toml` has no such repository, a variable is unset, or ECR does not accept a value in it.
pub(crate) fn load(
    config: &Config,
    names: &[String],
    variables: &Variables,
    partition: Option<&str>,
) -> Result<Loaded> {
    let all = config.repositories(variables)?;
    let repositories = select("repository", all, |repository| &repository.name, names)?;
    validate(&repositories)?;
    let tags: Tags = config.tags(variables)?.0.into_iter().collect();
    let mut diagnostics = Vec::new();
    let mut read = |path: &Option<String>, check: &dyn Fn(&Document) -> Vec<Diagnostic>| {
        let document = document(config, path.as_deref()?, variables, check);
        match document {
            Ok((value, found)) => {
                // Two repositories may have one file.
                found
                    .into_iter()
                    .for_each(|diagnostic| push(&mut diagnostics, diagnostic));
                Some(value)
            }
            Err(found) => {
                found
                    .into_iter()
                    .for_each(|diagnostic| push(&mut diagnostics, diagnostic));
                None
            }
        }
    };
    let repositories = repositories
        .into_iter()
        .map(|repository| Desired {
            policy: read(&repository.policy, &|document| check_policy(document, partition)),
            lifecycle: read(&repository.lifecycle_policy, &lifecycle::check),
            tags: tags.clone(),
            repository,
        })
        .collect();
    Ok(Loaded {
        repositories,
        diagnostics,
    })
}

fn push(diagnostics: &mut Vec<Diagnostic>, diagnostic: Diagnostic) {
    if !diagnostics.contains(&diagnostic) {
        diagnostics.push(diagnostic);
    }
}

/// A file's value and what is wrong with it.
fn document(
    config: &Config,
    path: &str,
    variables: &Variables,
    check: &dyn Fn(&Document) -> Vec<Diagnostic>,
) -> Result<(Value, Vec<Diagnostic>), Vec<Diagnostic>> {
    let document = config
        .read_document(&config.resolve(path))
        .map_err(|diagnostic| vec![diagnostic])?;
    let (document, diagnostics) = expand_and_check(&document, variables, check)?;
    Ok((document.to_value(), diagnostics))
}

fn check_policy(document: &Document, partition: Option<&str>) -> Vec<Diagnostic> {
    let mut diagnostics = policy::check(document, Kind::Resource, Limits { partition });
    let length = document.to_value().to_string().chars().count();
    if length > LONGEST_POLICY {
        let message = format!("it has {length} characters; ECR accepts {LONGEST_POLICY}");
        diagnostics.push(Diagnostic::of_file(&document.file, message));
    }
    diagnostics
}

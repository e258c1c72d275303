//! The repositories that `ops.toml` wants, with their policy files read, expanded and judged.

use crate::check::check;
use crate::lifecycle;
use anyhow::Result;
use aws_documents::policy::{self, Kind, Limits};
use aws_documents::{Document, Fault};
use common::config::{Config, Repository, Variables, select};
use common::documents::expand_and_check;
use reconcile::Tags;
use serde_json::Value;

/// A repository as the file wants it.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    /// What stands in `ops.toml` itself.
    pub(crate) repository: Repository,
    pub(crate) policy: Option<Value>,
    pub(crate) lifecycle: Option<Value>,
    pub(crate) tags: Tags,
}

impl Desired {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.repository.name
    }

    /// As messages name it.
    pub(crate) fn label(&self) -> String {
        format!("repository `{}`", self.name())
    }
}

/// What the configuration says, and all that is wrong with its files.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) repositories: Vec<Desired>,
    pub(crate) faults: Vec<Fault>,
}

/// SetRepositoryPolicy, `policyText`.
const LONGEST_POLICY: usize = 10_240;

/// Reads the repositories of these names; no name means all. With `partition`, ARNs must be of that one.
///
/// # Errors
/// When `ops.toml` has no such repository, a variable is unset, or a value in it is none that ECR takes.
pub(crate) fn load(
    config: &Config,
    names: &[String],
    variables: &Variables,
    partition: Option<&str>,
) -> Result<Loaded> {
    let all = config.repositories(variables)?;
    let repositories = select("repository", all, |repository| &repository.name, names)?;
    check(&repositories)?;
    let tags: Tags = config.tags(variables)?.0.into_iter().collect();
    let mut faults = Vec::new();
    let mut read = |path: &Option<String>, judge: &dyn Fn(&Document) -> Vec<Fault>| {
        let document = document(config, path.as_deref()?, variables, judge);
        match document {
            Ok((value, found)) => {
                // Two repositories may have one file.
                found.into_iter().for_each(|fault| push(&mut faults, fault));
                Some(value)
            }
            Err(found) => {
                found.into_iter().for_each(|fault| push(&mut faults, fault));
                None
            }
        }
    };
    let repositories = repositories
        .into_iter()
        .map(|repository| Desired {
            policy: read(&repository.policy, &|document| judge_policy(document, partition)),
            lifecycle: read(&repository.lifecycle_policy, &lifecycle::check),
            tags: tags.clone(),
            repository,
        })
        .collect();
    Ok(Loaded { repositories, faults })
}

fn push(faults: &mut Vec<Fault>, fault: Fault) {
    if !faults.contains(&fault) {
        faults.push(fault);
    }
}

/// A file's value and what is wrong with it.
fn document(
    config: &Config,
    path: &str,
    variables: &Variables,
    judge: &dyn Fn(&Document) -> Vec<Fault>,
) -> Result<(Value, Vec<Fault>), Vec<Fault>> {
    let document = Document::read(&config.resolve(path)).map_err(|fault| vec![fault])?;
    let (document, faults) = expand_and_check(&document, variables, judge)?;
    Ok((document.to_value(), faults))
}

fn judge_policy(document: &Document, partition: Option<&str>) -> Vec<Fault> {
    let mut faults = policy::check(document, Kind::Resource, Limits { partition });
    let length = document.to_value().to_string().chars().count();
    if length > LONGEST_POLICY {
        let message = format!("it has {length} characters, and ECR takes {LONGEST_POLICY}");
        faults.push(Fault::of_file(&document.file, message));
    }
    faults
}

//! What differs between `ops.toml` and ECR. No I/O.

use crate::lifecycle;
use crate::wanted::Wanted;
use aws_documents::policy;
use common::config::{Encryption, EncryptionType, Repository, TagMutability};
use common::plan::{self, Step};
use common::{Change, Failure, Tags};
use serde_json::Value;
use std::collections::BTreeSet;

/// A repository as ECR has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Current {
    pub(crate) uri: String,
    /// ECR's own word: `MUTABLE`, `IMMUTABLE_WITH_EXCLUSION`, …
    pub(crate) tag_mutability: String,
    pub(crate) exclusions: Vec<String>,
    pub(crate) scan_on_push: bool,
    /// ECR's own word.
    pub(crate) encryption: String,
    /// The ARN of the key, when there is one.
    pub(crate) kms_key: Option<String>,
    /// Read only when the file names one.
    pub(crate) policy: Option<Value>,
    /// Read only when the file names one.
    pub(crate) lifecycle: Option<Value>,
    pub(crate) tags: Tags,
}

/// What is to be done for one repository.
pub(crate) type Plan = plan::Plan<Deed>;

/// What a new repository gets from birth.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct New {
    pub(crate) mutability: Mutability,
    pub(crate) scan_on_push: bool,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) tags: Tags,
}

/// ECR's word and the patterns that go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mutability {
    pub(crate) word: &'static str,
    pub(crate) exclusions: Vec<String>,
}

/// What a call does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
    /// PutImageTagMutability.
    Mutability(Mutability),
    /// PutImageScanningConfiguration.
    Scanning(bool),
    /// SetRepositoryPolicy.
    Policy(Value),
    /// PutLifecyclePolicy.
    Lifecycle(Value),
    /// TagResource.
    Tag(Tags),
}

/// The lifecycle policy that a repository gets which may have images.
pub(crate) fn lifecycle_of(plan: &Plan) -> Option<&Value> {
    let Plan::Update(steps) = plan else {
        return None;
    };
    steps.iter().find_map(|step| match &step.deed {
        Deed::Lifecycle(policy) => Some(policy),
        _ => None,
    })
}

/// Compares. Tags that the file does not name belong to somebody else and stay.
///
/// # Errors
/// When something differs that cannot be changed.
pub(crate) fn plan(wanted: &Wanted, current: Option<&Current>) -> Result<Plan, Failure> {
    let repository = &wanted.repository;
    let documents = [policy_step(wanted, current), lifecycle_step(wanted, current)];
    let Some(current) = current else {
        let steps = documents.into_iter().flatten().collect();
        return Ok(Plan::Create(New::of(wanted).changes(), steps));
    };
    if let Some(encryption) = &repository.encryption {
        same_encryption(&repository.name, encryption, current)?;
    }
    let own = [
        mutability_step(repository, current),
        scanning_step(repository, current),
    ];
    let steps = own
        .into_iter()
        .chain(documents)
        .chain([tag_step(wanted, current)]);
    Ok(Plan::update(steps.flatten().collect()))
}

fn mutability(repository: &Repository) -> Option<Mutability> {
    let excluding = !repository.mutability_exclusions.is_empty();
    let word = match (repository.tag_mutability?, excluding) {
        (TagMutability::Mutable, false) => "MUTABLE",
        (TagMutability::Mutable, true) => "MUTABLE_WITH_EXCLUSION",
        (TagMutability::Immutable, false) => "IMMUTABLE",
        (TagMutability::Immutable, true) => "IMMUTABLE_WITH_EXCLUSION",
    };
    Some(Mutability {
        word,
        exclusions: repository.mutability_exclusions.clone(),
    })
}

impl New {
    pub(crate) fn of(wanted: &Wanted) -> Self {
        let repository = &wanted.repository;
        let default = Mutability {
            word: "MUTABLE",
            exclusions: Vec::new(),
        };
        New {
            mutability: mutability(repository).unwrap_or(default),
            scan_on_push: repository.scan_on_push.unwrap_or(false),
            encryption: repository.encryption.clone(),
            tags: wanted.tags.clone(),
        }
    }

    fn changes(&self) -> Vec<Change> {
        let first = |path: &str, to: Value| Change::new(path, Value::Null, to);
        let mutability = &self.mutability;
        let mut changes = vec![first("tag_mutability", mutability.word.into())];
        if !mutability.exclusions.is_empty() {
            let exclusions = mutability.exclusions.clone();
            changes.push(first("mutability_exclusions", exclusions.into()));
        }
        changes.push(first("scan_on_push", self.scan_on_push.into()));
        if let Some(encryption) = &self.encryption {
            changes.push(first("encryption.type", encryption.r#type.as_str().into()));
            let key = encryption.kms_key.as_deref();
            changes.extend(key.map(|key| first("encryption.kms_key", key.into())));
        }
        changes.extend(common::tags::changes(&self.tags, &Tags::new()));
        changes
    }
}

/// # Errors
/// When the repository is encrypted in another way: that is chosen for good.
fn same_encryption(name: &str, wanted: &Encryption, current: &Current) -> Result<(), Failure> {
    let refusal = |what: &str, from: &str, to: &str| {
        Failure::could_not(format!(
            "failed to change {what} of repository `{name}` from {from} to {to}: encryption is chosen for good when the repository is made"
        ))
        .code("not-changeable")
        .hint("take `encryption` out of [[repository]], name another repository, or delete this one with all its images")
    };
    let word = wanted.r#type.as_str();
    if word != current.encryption {
        return Err(refusal("the encryption", &current.encryption, word));
    }
    let Some(key) = wanted
        .kms_key
        .as_deref()
        .filter(|_| wanted.r#type != EncryptionType::Aes256)
    else {
        return Ok(());
    };
    let has = current
        .kms_key
        .as_deref()
        .unwrap_or("a key that ECR does not name");
    // ECR gives the ARN, whatever it was given.
    if has == key || has.rsplit_once(":key/").is_some_and(|(_, id)| id == key) {
        Ok(())
    } else {
        Err(refusal("the KMS key", has, key))
    }
}

fn mutability_step(repository: &Repository, current: &Current) -> Option<Step<Deed>> {
    let wanted = mutability(repository)?;
    let set = |patterns: &[String]| patterns.iter().cloned().collect::<BTreeSet<String>>();
    let mut changes = Vec::new();
    if wanted.word != current.tag_mutability {
        let from = current.tag_mutability.as_str();
        changes.push(Change::new("tag_mutability", from, wanted.word));
    }
    if set(&wanted.exclusions) != set(&current.exclusions) {
        let (from, to) = (current.exclusions.clone(), wanted.exclusions.clone());
        changes.push(Change::new("mutability_exclusions", from, to));
    }
    Step::of(Deed::Mutability(wanted), changes)
}

fn scanning_step(repository: &Repository, current: &Current) -> Option<Step<Deed>> {
    let wanted = repository
        .scan_on_push
        .filter(|wanted| *wanted != current.scan_on_push)?;
    let change = Change::new("scan_on_push", current.scan_on_push, wanted);
    Step::of(Deed::Scanning(wanted), vec![change])
}

fn policy_step(wanted: &Wanted, current: Option<&Current>) -> Option<Step<Deed>> {
    let to = wanted.policy.as_ref()?;
    let changes = match current.and_then(|current| current.policy.as_ref()) {
        None => vec![Change::new("policy", Value::Null, to.clone())],
        Some(from) => policy::difference(from, to)
            .into_iter()
            .map(|change| Change::new(format!("policy.{}", change.path), change.from, change.to))
            .collect(),
    };
    Step::of(Deed::Policy(to.clone()), changes)
}

fn lifecycle_step(wanted: &Wanted, current: Option<&Current>) -> Option<Step<Deed>> {
    let to = wanted.lifecycle.as_ref()?;
    let from = current.and_then(|current| current.lifecycle.as_ref());
    let changes = lifecycle::changes(from, to);
    Step::of(Deed::Lifecycle(to.clone()), changes)
}

fn tag_step(wanted: &Wanted, current: &Current) -> Option<Step<Deed>> {
    let differing = common::tags::differing(&wanted.tags, &current.tags);
    let changes = common::tags::changes(&differing, &current.tags);
    Step::of(Deed::Tag(differing), changes)
}

#[cfg(test)]
mod tests;

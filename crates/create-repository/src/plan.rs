//! What differs between `ops.toml` and ECR. No I/O.

use crate::desired::Desired;
use crate::lifecycle;
use aws_documents::policy;
use cli::{Change, ErrorKind, Failure};
use common::config::{Encryption, EncryptionType, Repository, TagMutability};
use reconcile::plan::{self, Step};
use reconcile::{Tags, tags};
use serde_json::Value;
use std::collections::BTreeSet;

/// A repository as ECR has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observed {
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

/// What is to be done.
pub(crate) type Plan = plan::Plan<Action>;

/// What a new repository gets at creation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AtCreation {
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

/// One call that changes a repository.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
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

/// The lifecycle policy that the plan puts on a repository which may have images.
pub(crate) fn lifecycle_of(plan: &Plan) -> Option<&Value> {
    let Plan::Update(steps) = plan else {
        return None;
    };
    steps.iter().find_map(|step| match &step.action {
        Action::Lifecycle(policy) => Some(policy),
        _ => None,
    })
}

/// Compares. Tags that the file does not name stay.
///
/// # Errors
/// When a field differs that can't be changed.
pub(crate) fn plan(desired: &Desired, observed: Option<&Observed>) -> Result<Plan, Failure> {
    let repository = &desired.repository;
    let documents = [policy_step(desired, observed), lifecycle_step(desired, observed)];
    let Some(observed) = observed else {
        let steps = documents.into_iter().flatten().collect();
        return Ok(Plan::Create(AtCreation::of(desired).changes(), steps));
    };
    if let Some(encryption) = &repository.encryption {
        check_immutable_fields(&repository.name, encryption, observed)?;
    }
    let own = [
        mutability_step(repository, observed),
        scanning_step(repository, observed),
    ];
    let steps =
        own.into_iter()
            .chain(documents)
            .chain([tags::step(&desired.tags, &observed.tags, Action::Tag)]);
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

impl AtCreation {
    pub(crate) fn of(desired: &Desired) -> Self {
        let repository = &desired.repository;
        let default = Mutability {
            word: "MUTABLE",
            exclusions: Vec::new(),
        };
        AtCreation {
            mutability: mutability(repository).unwrap_or(default),
            scan_on_push: repository.scan_on_push.unwrap_or(false),
            encryption: repository.encryption.clone(),
            tags: desired.tags.clone(),
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
        changes.extend(tags::changes(&self.tags, &Tags::new()));
        changes
    }
}

/// # Errors
/// When the repository has another encryption, which is set only at creation.
fn check_immutable_fields(name: &str, desired: &Encryption, observed: &Observed) -> Result<(), Failure> {
    let refusal = |what: &str, from: &str, to: &str| {
        Failure::error(format!(
            "failed to change {what} of repository `{name}` from {from} to {to}: encryption is set only at creation"
        ))
        .kind(ErrorKind::Conflict).code("not-changeable")
        .hint("take `encryption` out of [[repository]], name another repository, or delete this one with all its images")
    };
    let word = desired.r#type.as_str();
    if word != observed.encryption {
        return Err(refusal("the encryption", &observed.encryption, word));
    }
    let Some(key) = desired
        .kms_key
        .as_deref()
        .filter(|_| desired.r#type != EncryptionType::Aes256)
    else {
        return Ok(());
    };
    let has = observed.kms_key.as_deref().unwrap_or("an unknown key");
    // ECR returns the ARN, also of a key that was given by its id.
    if has == key || arn::split(has).and_then(|arn| arn.resource.strip_prefix("key/")) == Some(key) {
        Ok(())
    } else {
        Err(refusal("the KMS key", has, key))
    }
}

fn mutability_step(repository: &Repository, observed: &Observed) -> Option<Step<Action>> {
    let desired = mutability(repository)?;
    let set = |patterns: &[String]| patterns.iter().cloned().collect::<BTreeSet<String>>();
    let mut changes = Vec::new();
    if desired.word != observed.tag_mutability {
        let from = observed.tag_mutability.as_str();
        changes.push(Change::new("tag_mutability", from, desired.word));
    }
    if set(&desired.exclusions) != set(&observed.exclusions) {
        let (from, to) = (observed.exclusions.clone(), desired.exclusions.clone());
        changes.push(Change::new("mutability_exclusions", from, to));
    }
    Step::of(Action::Mutability(desired), changes)
}

fn scanning_step(repository: &Repository, observed: &Observed) -> Option<Step<Action>> {
    let desired = repository
        .scan_on_push
        .filter(|desired| *desired != observed.scan_on_push)?;
    let change = Change::new("scan_on_push", observed.scan_on_push, desired);
    Step::of(Action::Scanning(desired), vec![change])
}

fn policy_step(desired: &Desired, observed: Option<&Observed>) -> Option<Step<Action>> {
    let to = desired.policy.as_ref()?;
    let changes = match observed.and_then(|observed| observed.policy.as_ref()) {
        None => vec![Change::new("policy", Value::Null, to.clone())],
        Some(from) => policy::difference(from, to)
            .into_iter()
            .map(|change| Change::new(format!("policy.{}", change.path), change.from, change.to))
            .collect(),
    };
    Step::of(Action::Policy(to.clone()), changes)
}

fn lifecycle_step(desired: &Desired, observed: Option<&Observed>) -> Option<Step<Action>> {
    let to = desired.lifecycle.as_ref()?;
    let from = observed.and_then(|observed| observed.lifecycle.as_ref());
    let changes = lifecycle::changes(from, to);
    Step::of(Action::Lifecycle(to.clone()), changes)
}

#[cfg(test)]
mod tests;

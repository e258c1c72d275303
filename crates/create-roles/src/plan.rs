//! What differs between `ops.toml` and IAM. No I/O.

use crate::documents::Desired;
use aws_documents::policy;
use cli::{Change, ErrorKind, Failure};
use reconcile::Tags;
use reconcile::plan::{self, Step};
use serde_json::Value;
use std::collections::BTreeMap;

/// A role as IAM has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observed {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) path: String,
    pub(crate) trust: Value,
    /// The names of all inline policies.
    pub(crate) inline: Vec<String>,
    /// The inline policies that the file names too.
    pub(crate) documents: BTreeMap<String, Value>,
    pub(crate) managed: Vec<String>,
    pub(crate) boundary: Option<String>,
    pub(crate) tags: Tags,
}

/// What is to be done for one role.
pub(crate) type Plan = plan::Plan<Action>;

/// What a call does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// UpdateAssumeRolePolicy.
    Trust(Value),
    /// PutRolePermissionsBoundary.
    Bound(String),
    /// AttachRolePolicy.
    Attach(String),
    /// PutRolePolicy; it replaces the whole document of that name.
    Put(String, Value),
    /// TagRole.
    Tag(Tags),
    /// DetachRolePolicy.
    Detach(String),
    /// DeleteRolePolicy.
    Delete(String),
}

/// What is on the role and not in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unnamed {
    pub(crate) inline: Vec<String>,
    pub(crate) managed: Vec<String>,
}

/// What of `plan`, made after `done`, still differs. What it takes away counts only when `done` has taken it
/// away too: the rest was confirmed by nobody, and stays.
pub(crate) fn left(plan: Plan, done: &[Step<Action>]) -> Vec<Change> {
    let counts = |step: &Step<Action>| match step.action {
        Action::Detach(_) | Action::Delete(_) => done.iter().any(|done| done.action == step.action),
        _ => true,
    };
    match plan {
        Plan::Update(steps) => Plan::update(steps.into_iter().filter(counts).collect()).changes(),
        plan => plan.changes(),
    }
}

/// What the plan takes away from `role`, in words that complete "this will …".
pub(crate) fn removals(plan: &Plan, role: &str) -> Vec<String> {
    let words = |step: &Step<Action>| match &step.action {
        Action::Delete(name) => Some(format!("delete inline policy `{name}` of role `{role}`")),
        Action::Detach(arn) => Some(format!("detach `{arn}` from role `{role}`")),
        _ => None,
    };
    plan.steps().iter().filter_map(words).collect()
}

/// The managed policies that the plan attaches, and the one that bounds.
pub(crate) fn policies_of(plan: &Plan, desired: &Desired) -> Vec<String> {
    let arn = |step: &Step<Action>| match &step.action {
        Action::Attach(arn) | Action::Bound(arn) => Some(arn.clone()),
        _ => None,
    };
    let bound = desired
        .boundary
        .iter()
        .filter(|_| matches!(plan, Plan::Create(..)))
        .cloned();
    plan.steps().iter().filter_map(arn).chain(bound).collect()
}

/// Compares. Tags and policies that the file does not name belong to somebody else and stay; policies go
/// with `prune`.
///
/// # Errors
/// When something differs that cannot be changed.
pub(crate) fn plan(desired: &Desired, observed: Option<&Observed>, prune: bool) -> Result<Plan, Failure> {
    let Some(observed) = observed else {
        return Ok(Plan::Create(
            changes_of_creation(desired),
            policies(desired, None),
        ));
    };
    possible(desired, observed)?;
    let mut steps = Vec::new();
    let changes = below("trust", policy::difference(&observed.trust, &desired.trust));
    steps.extend(Step::of(Action::Trust(desired.trust.clone()), changes));
    if let Some(boundary) = desired
        .boundary
        .as_ref()
        .filter(|desired| observed.boundary.as_ref() != Some(*desired))
    {
        let from = observed.boundary.as_deref().map_or(Value::Null, Value::from);
        let changes = vec![Change::new("permissions_boundary", from, boundary.as_str())];
        steps.extend(Step::of(Action::Bound(boundary.clone()), changes));
    }
    steps.extend(policies(desired, Some(observed)));
    let differing = reconcile::tags::differing(&desired.tags, &observed.tags);
    let changes = reconcile::tags::changes(&differing, &observed.tags);
    steps.extend(Step::of(Action::Tag(differing), changes));
    if prune {
        steps.extend(without(&unnamed(desired, observed)));
    }
    Ok(Plan::update(steps))
}

/// What is on the role and not in the file.
pub(crate) fn unnamed(desired: &Desired, observed: &Observed) -> Unnamed {
    let named = |name: &&String| desired.inline.iter().any(|(known, _)| known == *name);
    Unnamed {
        inline: observed
            .inline
            .iter()
            .filter(|name| !named(name))
            .cloned()
            .collect(),
        managed: observed
            .managed
            .iter()
            .filter(|arn| !desired.managed.contains(arn))
            .cloned()
            .collect(),
    }
}

fn changes_of_creation(desired: &Desired) -> Vec<Change> {
    let mut changes = vec![Change::new("trust", Value::Null, desired.trust.clone())];
    if desired.path != "/" {
        changes.push(Change::new("path", Value::Null, desired.path.as_str()));
    }
    if let Some(boundary) = &desired.boundary {
        changes.push(Change::new(
            "permissions_boundary",
            Value::Null,
            boundary.as_str(),
        ));
    }
    changes.extend(reconcile::tags::changes(&desired.tags, &Tags::new()));
    changes
}

/// Whether nothing differs that is fixed for good.
fn possible(desired: &Desired, observed: &Observed) -> Result<(), Failure> {
    if desired.name != observed.name {
        return Err(spelled_otherwise(&desired.name, &observed.name));
    }
    if desired.path != observed.path {
        let message = format!(
            "failed to change the path of role `{}` from `{}` to `{}`: a path is chosen for good when the role is made",
            desired.name, observed.path, desired.path
        );
        let hint = format!(
            "set `path = \"{}\"` in [roles.{}], or take another name",
            observed.path, desired.key
        );
        return Err(Failure::error(message)
            .kind(ErrorKind::Conflict)
            .code("not-changeable")
            .hint(hint));
    }
    Ok(())
}

/// To IAM the two are one name, but its ARN has the spelling of the one that was first.
pub(crate) fn spelled_otherwise(desired: &str, found: &str) -> Failure {
    Failure::error(format!(
        "failed to use the role name `{desired}`: IAM has a role `{found}`, and to it case makes no difference"
    ))
    .kind(ErrorKind::Conflict).code("not-changeable")
    .hint(format!("write `{found}` in ops.toml, or take another name"))
}

/// The managed policies that are missing, and the inline policies that differ.
fn policies(desired: &Desired, observed: Option<&Observed>) -> Vec<Step<Action>> {
    let attached = |arn: &String| observed.is_some_and(|observed| observed.managed.contains(arn));
    let mut steps: Vec<Step<Action>> = desired
        .managed
        .iter()
        .filter(|arn| !attached(arn))
        .map(|arn| Step {
            action: Action::Attach(arn.clone()),
            changes: vec![Change::new("managed", Value::Null, arn.as_str())],
        })
        .collect();
    for (name, document) in &desired.inline {
        let path = format!("inline.{name}");
        let changes = match observed.and_then(|observed| observed.documents.get(name)) {
            None => vec![Change::new(path, Value::Null, document.clone())],
            Some(old) => below(&path, policy::difference(old, document)),
        };
        steps.extend(Step::of(Action::Put(name.clone(), document.clone()), changes));
    }
    steps
}

fn without(unnamed: &Unnamed) -> Vec<Step<Action>> {
    let managed = unnamed.managed.iter().map(|arn| Step {
        action: Action::Detach(arn.clone()),
        changes: vec![Change::new("managed", arn.as_str(), Value::Null)],
    });
    let inline = unnamed.inline.iter().map(|name| Step {
        action: Action::Delete(name.clone()),
        changes: vec![Change::new("inline", name.as_str(), Value::Null)],
    });
    managed.chain(inline).collect()
}

fn below(path: &str, changes: Vec<Change>) -> Vec<Change> {
    let change = |change: Change| Change {
        path: format!("{path}.{}", change.path),
        ..change
    };
    changes.into_iter().map(change).collect()
}

#[cfg(test)]
mod tests;

//! What differs between `ops.toml` and IAM. No I/O.

use crate::documents::Wanted;
use aws_documents::policy;
use common::plan::{self, Step};
use common::{Change, Failure, Tags};
use serde_json::Value;
use std::collections::BTreeMap;

/// A role as IAM has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Current {
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
pub(crate) type Plan = plan::Plan<Deed>;

/// What a call does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
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
pub(crate) fn left(plan: Plan, done: &[Step<Deed>]) -> Vec<Change> {
    let counts = |step: &Step<Deed>| match step.deed {
        Deed::Detach(_) | Deed::Delete(_) => done.iter().any(|done| done.deed == step.deed),
        _ => true,
    };
    match plan {
        Plan::Update(steps) => Plan::update(steps.into_iter().filter(counts).collect()).changes(),
        plan => plan.changes(),
    }
}

/// What the plan takes away from `role`, in words that complete "this will …".
pub(crate) fn removals(plan: &Plan, role: &str) -> Vec<String> {
    let words = |step: &Step<Deed>| match &step.deed {
        Deed::Delete(name) => Some(format!("delete inline policy `{name}` of role `{role}`")),
        Deed::Detach(arn) => Some(format!("detach `{arn}` from role `{role}`")),
        _ => None,
    };
    plan.steps().iter().filter_map(words).collect()
}

/// The managed policies that the plan attaches, and the one that bounds.
pub(crate) fn policies_of(plan: &Plan, wanted: &Wanted) -> Vec<String> {
    let arn = |step: &Step<Deed>| match &step.deed {
        Deed::Attach(arn) | Deed::Bound(arn) => Some(arn.clone()),
        _ => None,
    };
    let bound = wanted
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
pub(crate) fn plan(wanted: &Wanted, current: Option<&Current>, prune: bool) -> Result<Plan, Failure> {
    let Some(current) = current else {
        return Ok(Plan::Create(changes_of_creation(wanted), policies(wanted, None)));
    };
    possible(wanted, current)?;
    let mut steps = Vec::new();
    let changes = below("trust", policy::difference(&current.trust, &wanted.trust));
    steps.extend(Step::of(Deed::Trust(wanted.trust.clone()), changes));
    if let Some(boundary) = wanted
        .boundary
        .as_ref()
        .filter(|wanted| current.boundary.as_ref() != Some(*wanted))
    {
        let from = current.boundary.as_deref().map_or(Value::Null, Value::from);
        let changes = vec![Change::new("permissions_boundary", from, boundary.as_str())];
        steps.extend(Step::of(Deed::Bound(boundary.clone()), changes));
    }
    steps.extend(policies(wanted, Some(current)));
    let differing = common::tags::differing(&wanted.tags, &current.tags);
    let changes = common::tags::changes(&differing, &current.tags);
    steps.extend(Step::of(Deed::Tag(differing), changes));
    if prune {
        steps.extend(without(&unnamed(wanted, current)));
    }
    Ok(Plan::update(steps))
}

/// What is on the role and not in the file.
pub(crate) fn unnamed(wanted: &Wanted, current: &Current) -> Unnamed {
    let named = |name: &&String| wanted.inline.iter().any(|(known, _)| known == *name);
    Unnamed {
        inline: current
            .inline
            .iter()
            .filter(|name| !named(name))
            .cloned()
            .collect(),
        managed: current
            .managed
            .iter()
            .filter(|arn| !wanted.managed.contains(arn))
            .cloned()
            .collect(),
    }
}

fn changes_of_creation(wanted: &Wanted) -> Vec<Change> {
    let mut changes = vec![Change::new("trust", Value::Null, wanted.trust.clone())];
    if wanted.path != "/" {
        changes.push(Change::new("path", Value::Null, wanted.path.as_str()));
    }
    if let Some(boundary) = &wanted.boundary {
        changes.push(Change::new(
            "permissions_boundary",
            Value::Null,
            boundary.as_str(),
        ));
    }
    changes.extend(common::tags::changes(&wanted.tags, &Tags::new()));
    changes
}

/// Whether nothing differs that is fixed for good.
fn possible(wanted: &Wanted, current: &Current) -> Result<(), Failure> {
    if wanted.name != current.name {
        return Err(spelled_otherwise(&wanted.name, &current.name));
    }
    if wanted.path != current.path {
        let message = format!(
            "failed to change the path of role `{}` from `{}` to `{}`: a path is chosen for good when the role is made",
            wanted.name, current.path, wanted.path
        );
        let hint = format!(
            "set `path = \"{}\"` in [roles.{}], or take another name",
            current.path, wanted.key
        );
        return Err(Failure::could_not(message).code("not-changeable").hint(hint));
    }
    Ok(())
}

/// To IAM the two are one name, but its ARN has the spelling of the one that was first.
pub(crate) fn spelled_otherwise(wanted: &str, found: &str) -> Failure {
    Failure::could_not(format!(
        "failed to use the role name `{wanted}`: IAM has a role `{found}`, and to it case makes no difference"
    ))
    .code("not-changeable")
    .hint(format!("write `{found}` in ops.toml, or take another name"))
}

/// The managed policies that are missing, and the inline policies that differ.
fn policies(wanted: &Wanted, current: Option<&Current>) -> Vec<Step<Deed>> {
    let attached = |arn: &String| current.is_some_and(|current| current.managed.contains(arn));
    let mut steps: Vec<Step<Deed>> = wanted
        .managed
        .iter()
        .filter(|arn| !attached(arn))
        .map(|arn| Step {
            deed: Deed::Attach(arn.clone()),
            changes: vec![Change::new("managed", Value::Null, arn.as_str())],
        })
        .collect();
    for (name, document) in &wanted.inline {
        let path = format!("inline.{name}");
        let changes = match current.and_then(|current| current.documents.get(name)) {
            None => vec![Change::new(path, Value::Null, document.clone())],
            Some(old) => below(&path, policy::difference(old, document)),
        };
        steps.extend(Step::of(Deed::Put(name.clone(), document.clone()), changes));
    }
    steps
}

fn without(unnamed: &Unnamed) -> Vec<Step<Deed>> {
    let managed = unnamed.managed.iter().map(|arn| Step {
        deed: Deed::Detach(arn.clone()),
        changes: vec![Change::new("managed", arn.as_str(), Value::Null)],
    });
    let inline = unnamed.inline.iter().map(|name| Step {
        deed: Deed::Delete(name.clone()),
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

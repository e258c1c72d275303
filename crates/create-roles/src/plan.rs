//! What differs between `ops.toml` and IAM. No I/O.

use crate::desired::Desired;
use aws_documents::policy;
use cli::{Change, ErrorKind, Failure};
use reconcile::plan::{self, Step};
use reconcile::{Tags, tags};
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

/// What is to be done.
pub(crate) type Plan = plan::Plan<Action>;

/// One call that changes a role.
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

/// The policies of a role that the file does not name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unmanaged {
    pub(crate) inline: Vec<String>,
    pub(crate) managed: Vec<String>,
}

/// `plan` without the removals that are not among the steps that were `performed`: they have not been confirmed.
pub(crate) fn remaining(plan: Plan, performed: &[Step<Action>]) -> Plan {
    let counts = |step: &Step<Action>| match step.action {
        Action::Detach(_) | Action::Delete(_) => performed.iter().any(|other| other.action == step.action),
        _ => true,
    };
    match plan {
        Plan::Update(steps) => Plan::update(steps.into_iter().filter(counts).collect()),
        plan => plan,
    }
}

/// What the plan removes from `role`, in words that complete "this will …".
pub(crate) fn removals(plan: &Plan, role: &str) -> Vec<String> {
    let words = |step: &Step<Action>| match &step.action {
        Action::Delete(name) => Some(format!("delete inline policy `{name}` of role `{role}`")),
        Action::Detach(arn) => Some(format!("detach `{arn}` from role `{role}`")),
        _ => None,
    };
    plan.steps().iter().filter_map(words).collect()
}

/// The managed policies that the plan attaches or sets as the permissions boundary.
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

/// Compares. Tags and policies that the file does not name stay; with `prune` such policies are removed.
///
/// # Errors
/// When a field differs that can't be changed.
pub(crate) fn plan(desired: &Desired, observed: Option<&Observed>, prune: bool) -> Result<Plan, Failure> {
    let Some(observed) = observed else {
        return Ok(Plan::Create(
            changes_of_creation(desired),
            policies(desired, None),
        ));
    };
    check_immutable_fields(desired, observed)?;
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
    steps.extend(tags::step(&desired.tags, &observed.tags, Action::Tag));
    if prune {
        steps.extend(removal_steps(&unmanaged(desired, observed)));
    }
    Ok(Plan::update(steps))
}

/// The policies of the role that the file does not name.
pub(crate) fn unmanaged(desired: &Desired, observed: &Observed) -> Unmanaged {
    let named = |name: &&String| desired.inline.iter().any(|(known, _)| known == *name);
    Unmanaged {
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
    changes.extend(tags::changes(&desired.tags, &Tags::new()));
    changes
}

/// # Errors
/// When a field differs that is set only at creation.
fn check_immutable_fields(desired: &Desired, observed: &Observed) -> Result<(), Failure> {
    if desired.name != observed.name {
        return Err(differs_in_case(&desired.name, &observed.name));
    }
    if desired.path != observed.path {
        let message = format!(
            "failed to change the path of role `{}` from `{}` to `{}`: a path is set only at creation",
            desired.name, observed.path, desired.path
        );
        let hint = format!(
            "set `path = \"{}\"` in [roles.{}], or use another name",
            observed.path, desired.key
        );
        return Err(Failure::error(message)
            .kind(ErrorKind::Conflict)
            .code("not-changeable")
            .hint(hint));
    }
    Ok(())
}

/// The names differ only in case, which IAM ignores; but the ARN has the spelling of the role that exists.
pub(crate) fn differs_in_case(desired: &str, found: &str) -> Failure {
    Failure::error(format!(
        "failed to use the role name `{desired}`: IAM has a role `{found}`, and ignores case"
    ))
    .kind(ErrorKind::Conflict)
    .code("not-changeable")
    .hint(format!("write `{found}` in ops.toml, or use another name"))
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

fn removal_steps(unmanaged: &Unmanaged) -> Vec<Step<Action>> {
    let managed = unmanaged.managed.iter().map(|arn| Step {
        action: Action::Detach(arn.clone()),
        changes: vec![Change::new("managed", arn.as_str(), Value::Null)],
    });
    let inline = unmanaged.inline.iter().map(|name| Step {
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

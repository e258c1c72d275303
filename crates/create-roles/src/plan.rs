//! What differs between `ops.toml` and IAM. No I/O.

use crate::documents::Wanted;
use aws_documents::policy;
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
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    /// It is not there: the changes of its creation, and what comes after.
    Create(Vec<Change>, Vec<Step>),
    /// It differs: one call after the other.
    Update(Vec<Step>),
    /// It is as it should be.
    Nothing,
}

/// One call that changes something.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    pub(crate) changes: Vec<Change>,
}

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

impl Plan {
    /// The word for the report.
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Plan::Create(..) => "create",
            Plan::Update(_) => "update",
            Plan::Nothing => "none",
        }
    }

    /// The calls behind the creation.
    pub(crate) fn steps(&self) -> &[Step] {
        match self {
            Plan::Create(_, steps) | Plan::Update(steps) => steps,
            Plan::Nothing => &[],
        }
    }

    /// What differs, field by field.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let created = match self {
            Plan::Create(changes, _) => changes.clone(),
            _ => Vec::new(),
        };
        let rest = self.steps().iter().flat_map(|step| step.changes.clone());
        created.into_iter().chain(rest).collect()
    }

    /// What it takes away, in words that complete "this will …".
    pub(crate) fn removals(&self, role: &str) -> Vec<String> {
        let words = |step: &Step| match &step.deed {
            Deed::Delete(name) => Some(format!("delete inline policy `{name}` of role `{role}`")),
            Deed::Detach(arn) => Some(format!("detach `{arn}` from role `{role}`")),
            _ => None,
        };
        self.steps().iter().filter_map(words).collect()
    }

    /// The managed policies that it attaches, and the one that bounds.
    pub(crate) fn policies(&self, wanted: &Wanted) -> Vec<String> {
        let arn = |step: &Step| match &step.deed {
            Deed::Attach(arn) | Deed::Bound(arn) => Some(arn.clone()),
            _ => None,
        };
        let bound = wanted
            .boundary
            .iter()
            .filter(|_| matches!(self, Plan::Create(..)))
            .cloned();
        self.steps().iter().filter_map(arn).chain(bound).collect()
    }
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
    if !changes.is_empty() {
        let deed = Deed::Trust(wanted.trust.clone());
        steps.push(Step { deed, changes });
    }
    if let Some(boundary) = wanted
        .boundary
        .as_ref()
        .filter(|wanted| current.boundary.as_ref() != Some(*wanted))
    {
        let from = current.boundary.as_deref().map_or(Value::Null, Value::from);
        let changes = vec![Change::new("permissions_boundary", from, boundary.as_str())];
        let deed = Deed::Bound(boundary.clone());
        steps.push(Step { deed, changes });
    }
    steps.extend(policies(wanted, Some(current)));
    let differing = common::tags::differing(&wanted.tags, &current.tags);
    if !differing.is_empty() {
        let changes = common::tags::changes(&differing, &current.tags);
        let deed = Deed::Tag(differing);
        steps.push(Step { deed, changes });
    }
    if prune {
        steps.extend(removals(&unnamed(wanted, current)));
    }
    Ok(if steps.is_empty() {
        Plan::Nothing
    } else {
        Plan::Update(steps)
    })
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
fn policies(wanted: &Wanted, current: Option<&Current>) -> Vec<Step> {
    let attached = |arn: &String| current.is_some_and(|current| current.managed.contains(arn));
    let mut steps: Vec<Step> = wanted
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
        if !changes.is_empty() {
            let deed = Deed::Put(name.clone(), document.clone());
            steps.push(Step { deed, changes });
        }
    }
    steps
}

fn removals(unnamed: &Unnamed) -> Vec<Step> {
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

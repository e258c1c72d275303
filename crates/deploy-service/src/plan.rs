//! What has to be done to a service. No I/O.

use crate::manual_commands::ManualCommands;
use crate::rollout::State;
use crate::service::{Service, Status};
use aws_documents::service::{
    NEEDS_DEPLOYMENT, NEEDS_FORCE, Namespaces, ONLY_NEW_TASKS, UNCHANGEABLE, complete, difference, update,
};
use cli::{Change, ErrorKind, Failure};
use common::json::text;
use ecs::names::revision_name;
use reconcile::Tags;
use reconcile::tags::{changes as tag_changes, differing, to_json};
use serde_json::{Value, json};

/// What there is to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    /// It does not exist, or was deleted.
    Create(Vec<Change>),
    /// It is being deleted, which has to end first.
    Drain,
    /// These fields of UpdateService; none when only tags differ.
    Update {
        fields: Value,
        tags: Tags,
        changes: Vec<Change>,
        /// Whether something of it applies only to tasks that start later.
        later: bool,
    },
    /// It is as desired, and its deployment is in progress, or tasks are missing.
    Await,
    /// It is as desired.
    Nothing,
}

impl Plan {
    /// Compares `service` with `desired`, which has CreateService's shape and
    /// the ARN of the task definition.
    ///
    /// # Errors
    /// When what differs can't be changed in place.
    pub(crate) fn new(
        service: Option<&Service>,
        desired: &Value,
        tags: &Tags,
        namespaces: &Namespaces,
        force: bool,
        manual: &ManualCommands,
    ) -> Result<Self, Failure> {
        let service = match service {
            Some(service) if service.status == Status::Draining => return Ok(Plan::Drain),
            Some(service) if service.status == Status::Active => service,
            _ => return Ok(Plan::Create(creation(desired, tags))),
        };
        let difference = difference(&service.value, desired, namespaces);
        if difference.touches(&UNCHANGEABLE) {
            let name = text(desired, "serviceName");
            return Err(unchangeable(name, &difference.changes, manual));
        }
        let mut fields = update(desired, &difference);
        let mut changes = difference.changes.clone();
        let new_tags = differing(tags, &service.tags());
        changes.extend(tag_changes(&new_tags, &service.tags()));
        let task_definition = revision_name(text(desired, "taskDefinition"));
        let primary = service.primary();
        // A failed deployment is replaced only by another one.
        let failed = primary.is_some_and(|one| one.state == State::Failed);
        let starts = difference.touches(&NEEDS_DEPLOYMENT);
        if force || (failed && !starts) || difference.touches(&NEEDS_FORCE) {
            if let Some(members) = fields.as_object_mut() {
                members.insert("forceNewDeployment".into(), true.into());
            }
            if !starts {
                let from = primary.map(|one| one.state.as_str());
                changes.push(Change::new("deployment", from, "a new one"));
            }
        }
        if changes.is_empty() {
            // ECS starts missing tasks again, and they may fail.
            let done = primary.is_some_and(|one| {
                one.state == State::Completed
                    && one.task_definition == task_definition
                    && one.running >= one.desired
            });
            return Ok(if done { Plan::Nothing } else { Plan::Await });
        }
        Ok(Plan::Update {
            fields,
            tags: new_tags,
            later: difference.touches(&ONLY_NEW_TASKS) && !starts && !force && !failed,
            changes,
        })
    }

    /// The word for the report.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Plan::Create(_) | Plan::Drain => "create",
            Plan::Update { .. } => "update",
            Plan::Await | Plan::Nothing => "none",
        }
    }

    pub(crate) fn changes(&self) -> &[Change] {
        match self {
            Plan::Create(changes) | Plan::Update { changes, .. } => changes,
            Plan::Drain | Plan::Await | Plan::Nothing => &[],
        }
    }
}

/// The body of CreateService. A request with the same `token` is the same request: a repetition after a broken
/// connection returns the service that the first one created.
pub(crate) fn create_body(desired: &Value, tags: &Tags, token: &str) -> Value {
    let mut body = complete(desired);
    if let Some(members) = body.as_object_mut() {
        let daemon = members.get("schedulingStrategy") == Some(&json!("DAEMON"));
        if !daemon {
            members.entry("desiredCount").or_insert_with(|| json!(1));
        }
        members.insert("clientToken".into(), token.into());
        if !tags.is_empty() {
            members.insert("tags".into(), to_json(tags));
        }
    }
    body
}

/// What a plan shows of a service that does not exist yet.
fn creation(desired: &Value, tags: &Tags) -> Vec<Change> {
    let complete = create_body(desired, &Tags::new(), "");
    let mut changes = vec![Change::new(
        "taskDefinition",
        Value::Null,
        revision_name(text(desired, "taskDefinition")),
    )];
    for (path, pointer) in [
        ("desiredCount", "/desiredCount"),
        (
            "deploymentCircuitBreaker",
            "/deploymentConfiguration/deploymentCircuitBreaker",
        ),
        ("subnets", "/networkConfiguration/awsvpcConfiguration/subnets"),
        (
            "securityGroups",
            "/networkConfiguration/awsvpcConfiguration/securityGroups",
        ),
        (
            "serviceConnectConfiguration.namespace",
            "/serviceConnectConfiguration/namespace",
        ),
    ] {
        if let Some(value) = complete.pointer(pointer) {
            changes.push(Change::new(path, Value::Null, value.clone()));
        }
    }
    changes.extend(tag_changes(tags, &Tags::new()));
    changes
}

fn unchangeable(service: &str, changes: &[Change], manual: &ManualCommands) -> Failure {
    let first = |change: &&Change| {
        let field = change.path.split(['.', '[']).next().unwrap_or_default();
        UNCHANGEABLE.contains(&field)
    };
    let shown: Vec<String> = changes.iter().filter(first).map(ToString::to_string).collect();
    Failure::error(format!(
        "failed to update service `{service}`: ECS can't change this of a service that exists: {}",
        shown.join(", ")
    ))
    .kind(ErrorKind::Conflict)
    .code("unchangeable")
    .hint(format!(
        "change the file, or `{}` and run this again",
        manual.delete()
    ))
}

#[cfg(test)]
mod tests;

//! What has to be done to a service. No I/O.

use crate::commands::Commands;
use crate::rollout::{State, short};
use crate::service::{Service, Status, text};
use aws_documents::service::{
    NEEDS_DEPLOYMENT, NEEDS_FORCE, Namespaces, ONLY_NEW_TASKS, UNCHANGEABLE, complete, difference, update,
};
use cli::{Change, ErrorKind, Failure};
use reconcile::Tags;
use reconcile::tags::{changes as tag_changes, differing, to_json};
use serde_json::{Value, json};

/// What there is to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    /// There is none, or only the memory of one.
    Create(Vec<Change>),
    /// The old one has to be gone first.
    Drain,
    /// These fields of UpdateService; none when only tags differ.
    Update {
        fields: Value,
        tags: Tags,
        changes: Vec<Change>,
        /// What is true only of tasks that start later.
        later: bool,
    },
    /// It is as desired, and its deployment still goes on, or tasks are missing.
    Await,
    Nothing,
}

impl Plan {
    /// Compares; `desired` has CreateService's shape, and the ARN of its task definition.
    ///
    /// # Errors
    /// When what differs can't be changed in place.
    pub(crate) fn new(
        service: Option<&Service>,
        desired: &Value,
        tags: &Tags,
        namespaces: &Namespaces,
        force: bool,
        commands: &Commands,
    ) -> Result<Self, Failure> {
        let service = match service {
            Some(service) if service.status == Status::Draining => return Ok(Plan::Drain),
            Some(service) if service.status == Status::Active => service,
            _ => return Ok(Plan::Create(creation(desired, tags))),
        };
        let difference = difference(&service.value, desired, namespaces);
        if difference.touches(&UNCHANGEABLE) {
            let name = text(desired, "serviceName");
            return Err(unchangeable(name, &difference.changes, commands));
        }
        let mut fields = update(desired, &difference);
        let mut changes = difference.changes.clone();
        let new_tags = differing(tags, &service.tags());
        changes.extend(tag_changes(&new_tags, &service.tags()));
        let task_definition = short(text(desired, "taskDefinition"));
        let primary = service.primary();
        // A deployment that failed stays so until there is another one.
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
            // Tasks that are missing are started anew, and may fail.
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

    /// As the report has it.
    pub(crate) fn action(&self) -> &'static str {
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

/// The body of CreateService. The same `token` again is the same request: what is sent once more after a broken
/// connection finds the service that it has made.
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

/// What somebody wants to see of a service that is not there yet.
fn creation(desired: &Value, tags: &Tags) -> Vec<Change> {
    let complete = create_body(desired, &Tags::new(), "");
    let mut changes = vec![Change::new(
        "taskDefinition",
        Value::Null,
        short(text(desired, "taskDefinition")),
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

fn unchangeable(service: &str, changes: &[Change], commands: &Commands) -> Failure {
    let first = |change: &&Change| {
        let field = change.path.split(['.', '[']).next().unwrap_or_default();
        UNCHANGEABLE.contains(&field)
    };
    let told: Vec<String> = changes.iter().filter(first).map(ToString::to_string).collect();
    Failure::error(format!(
        "failed to update service `{service}`: ECS can't change this of a service that exists: {}",
        told.join(", ")
    ))
    .kind(ErrorKind::Conflict)
    .code("unchangeable")
    .hint(format!(
        "change the file, or `{}` and run this again",
        commands.delete()
    ))
}

#[cfg(test)]
mod tests;

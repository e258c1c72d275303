//! A service as DescribeServices shows it.

use crate::rollout::{Deployment, State};
use common::json::{count, list, text};
use reconcile::Tags;
use reconcile::tags;
use serde_json::Value;

/// The status of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    /// It was deleted, and its tasks are ending.
    Draining,
    /// It was deleted, and is still listed.
    Inactive,
}

/// An event of the service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) time: f64,
    pub(crate) message: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Service {
    /// As ECS sent it; this is compared.
    pub(crate) value: Value,
    pub(crate) status: Status,
    pub(crate) deployments: Vec<Deployment>,
    /// The oldest first.
    pub(crate) events: Vec<Event>,
}

impl Service {
    pub(crate) fn of(value: Value) -> Self {
        let status = match text(&value, "status") {
            "DRAINING" => Status::Draining,
            "INACTIVE" => Status::Inactive,
            _ => Status::Active,
        };
        let deployments = list(&value, "deployments").iter().map(Deployment::of).collect();
        let events = list(&value, "events").iter().rev().map(|event| Event {
            id: text(event, "id").to_owned(),
            time: event.get("createdAt").and_then(Value::as_f64).unwrap_or_default(),
            message: text(event, "message").to_owned(),
        });
        Service {
            status,
            deployments,
            events: events.collect(),
            value,
        }
    }

    pub(crate) fn arn(&self) -> &str {
        text(&self.value, "serviceArn")
    }

    pub(crate) fn tags(&self) -> Tags {
        tags::of_json(&self.value)
    }

    pub(crate) fn count(&self, key: &str) -> i64 {
        count(&self.value, key)
    }

    /// The deployment that new tasks are started for.
    pub(crate) fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|one| one.primary)
    }

    /// The task definition of the last deployment that completed: where ECS rolls back to.
    pub(crate) fn last_good(&self) -> Option<String> {
        let good = self.deployments.iter().find(|one| one.state == State::Completed);
        good.map(|one| one.task_definition.clone())
    }

    /// Whether ECS rolls a failed deployment back by itself: by the circuit breaker, or by an alarm.
    pub(crate) fn rolls_back(&self) -> bool {
        let configuration = self.value.get("deploymentConfiguration");
        ["deploymentCircuitBreaker", "alarms"].iter().any(|watcher| {
            let watcher = configuration.and_then(|configuration| configuration.get(watcher));
            let is = |key: &str| watcher.and_then(|watcher| watcher.get(key)) == Some(&Value::Bool(true));
            is("enable") && is("rollback")
        })
    }

    /// The ARN of the Cloud Map namespace, when the service names it so.
    pub(crate) fn namespace_arn(&self) -> Option<&str> {
        let primary = list(&self.value, "deployments")
            .iter()
            .find(|one| text(one, "status") == "PRIMARY")?;
        let namespace = primary.pointer("/serviceConnectConfiguration/namespace")?;
        namespace.as_str().filter(|text| text.starts_with("arn:"))
    }
}

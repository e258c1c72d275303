//! Changes the service, and waits for the deployment that the change starts.

use crate::cadence::NEW_RESOURCE;
use crate::context::Context;
use crate::events::Events;
use crate::outcome;
use crate::plan::Plan;
use crate::rollout::{TrackedDeployment, progress};
use crate::service::{Service, Status};
use crate::waiter::{DeploymentWaiter, deployment_ref};
use anyhow::Result;
use cli::{Change, Console, ErrorKind, Failure, Item, Outcome, Report};
use common::json::{take, text};
use ecs::names::revision_name;
use ecs::{EcsError, Reason};
use reconcile::backoff::Backoff;
use serde_json::Value;
use tokio::time::Instant;

/// What is to be deployed, and how.
pub(crate) struct Deployer<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) definition: &'a Value,
    pub(crate) wait: bool,
    /// The revision that a rollback replaces.
    pub(crate) rolled_back_from: Option<&'a str>,
}

/// The result of a call that changes the service.
pub(crate) enum Sent {
    Service(Box<Service>),
    /// Another caller has created or deleted the service in the meantime.
    Outdated,
}

/// The service in the response to a call that changed it.
pub(crate) fn changed_service(answer: Value) -> Sent {
    Sent::Service(Box::new(Service::of(take(answer, "service"))))
}

impl Deployer<'_> {
    /// `FAMILY:REVISION`
    fn revision(&self) -> &str {
        revision_name(text(self.definition, "taskDefinitionArn"))
    }

    pub(crate) fn console(&self) -> &Console {
        self.context.console
    }

    fn item(&self, plan: &Plan) -> Item {
        let definition = text(self.definition, "taskDefinitionArn");
        let item = self.context.item(plan.verb()).changes(plan.changes().to_vec());
        item.detail("task_definition", definition)
    }

    /// `--dry-run`: prints what would be done.
    pub(crate) fn announce(&self, plan: &Plan, mut report: Report) -> Report {
        let name = self.context.name();
        let item = self.item(plan);
        match plan {
            Plan::Drain => self
                .console()
                .info(format!("{name}: DRAINING, will be recreated once deleted")),
            Plan::Await => self
                .console()
                .info(format!("{name}: unchanged, its deployment goes on")),
            _ => self.console().announce(&item, true),
        }
        if item.action != "none" {
            report.outcome = Outcome::Planned;
        }
        report.items.push(item);
        report.line(self.context.arn())
    }

    /// Prints what was changed, and adds it to the report. `earlier` are changes that were made before a new plan
    /// had to be made.
    pub(crate) fn changed(&self, plan: &Plan, earlier: Vec<Change>, mut report: Report) -> Report {
        let mut item = self.item(plan);
        // With the service that was deleted in the meantime its tags are gone.
        let earlier = if matches!(plan, Plan::Create(_)) {
            Vec::new()
        } else {
            earlier
        };
        if !earlier.is_empty() && item.action == "none" {
            item.action = "update".into();
        }
        item.changes.splice(0..0, earlier);
        self.console().announce(&item, false);
        if item.action != "none" {
            report.outcome = Outcome::Changed;
        }
        if matches!(plan, Plan::Update { later: true, .. }) {
            self.console().warn(format!(
                "{}: applies only to new tasks: --force-new-deployment starts new ones now",
                self.context.name()
            ));
        }
        report.items.push(item);
        report.line(self.context.arn())
    }

    /// One UpdateService with these fields; none when there are none.
    ///
    /// # Errors
    /// When ECS refuses.
    pub(crate) async fn update(&self, service: Service, fields: &Value) -> Result<Sent> {
        let context = self.context;
        let mut body = fields.clone();
        let Some(members) = body.as_object_mut().filter(|members| !members.is_empty()) else {
            return Ok(Sent::Service(Box::new(service)));
        };
        members.insert("cluster".into(), context.names.cluster.as_str().into());
        members.insert("service".into(), context.name().into());
        match self.send("UpdateService", &body).await {
            Ok(answer) => Ok(changed_service(answer)),
            Err(error) if error.reason() == Reason::ServiceNotFound => Ok(Sent::Outdated),
            Err(error) => Err(self
                .explained(error)
                .context(format!("failed to update service `{}`", context.name()))),
        }
    }

    /// Sends `body` until the call succeeds or fails for good.
    pub(crate) async fn send(&self, operation: &str, body: &Value) -> Result<Value, EcsError> {
        let context = self.context;
        let label = format!("ecs:{operation} for service `{}`", context.name());
        let start = Instant::now();
        let retry_reason = |error: &EcsError| {
            let reason = error.reason();
            let is_missing = matches!(reason, Reason::ClusterNotFound | Reason::NamespaceNotFound);
            let may_be_new = !is_missing || start.elapsed() <= NEW_RESOURCE;
            reason.retry_reason().filter(|_| may_be_new).map(str::to_owned)
        };
        Backoff::PROPAGATION
            .retry(self.console(), retry_reason, async || {
                let call = context.ecs.call(operation, body);
                self.console().in_flight(label.as_str(), call).await
            })
            .await
    }

    /// The error with the next step. Without a response the call may have been applied.
    pub(crate) fn explained(&self, error: EcsError) -> EcsError {
        let is_unanswered = error.code().is_none() && error.kind() != ErrorKind::Credentials;
        if is_unanswered {
            let status = self.context.manual.status();
            error.hint(format!(
                "check the network; the change may have been applied: `{status}` shows it"
            ))
        } else {
            self.context.explained(error)
        }
    }

    /// Waits for the deployment that `service` has after the change, and reports how it ended. `before` is the service
    /// before the change.
    pub(crate) async fn follow(
        &self,
        plan: &Plan,
        service: Service,
        before: Option<&Service>,
        mut report: Report,
    ) -> Report {
        let (context, console) = (self.context, self.console());
        let name = context.name();
        let Some(primary) = service.primary() else {
            let failure = Failure::error(format!("failed to follow service `{name}`: it has no deployment"));
            return console.partial(&failure.into(), report);
        };
        if let Some(item) = report.items.last_mut() {
            item.details
                .insert("deployment".into(), primary.id.as_str().into());
        }
        if *plan == Plan::Nothing {
            return report;
        }
        let tracked = TrackedDeployment {
            id: primary.id.clone(),
            desired: self.revision().to_owned(),
            last_good: before
                .filter(|service| service.status == Status::Active)
                .and_then(Service::last_good),
            rolls_back: service.rolls_back(),
        };
        let report_in_flight = || {
            let deployment = deployment_ref(&tracked, self.rolled_back_from, None);
            let hint = context.manual.hint(&deployment);
            console.info(format!("{name}: deployment `{}` goes on: {hint}", tracked.id));
        };
        if !self.wait {
            // New tags alone start no deployment.
            if !progress(&service.deployments, &tracked, true).is_end() {
                report_in_flight();
            }
            return report;
        }
        let waiter = DeploymentWaiter::new(
            context,
            &tracked,
            self.definition,
            self.rolled_back_from,
            Events::before(before),
        );
        match waiter.wait(service, report.clone()).await {
            Ok(end) => outcome::report(context, self.revision(), end),
            Err(error) => {
                console.on_interrupt(None);
                report_in_flight();
                if report.outcome == Outcome::Changed {
                    console.partial(&error, report)
                } else {
                    console.failed(&error, report)
                }
            }
        }
    }
}

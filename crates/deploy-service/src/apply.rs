//! Makes the plan true.

use crate::ecs::{Ecs, client_token};
use crate::events::Events;
use crate::namespaces;
use crate::ongoing::Ongoing;
use crate::plan::{Plan, create_body};
use crate::refusal::{Refusal, RefusalContext};
use crate::rollout::{Ours, short};
use crate::service::{Service, Status, text};
use crate::verdict;
use crate::watch::Watch;
use anyhow::{Context, Result};
use common::aws::Aws;
use common::retry::Patience;
use common::{Console, Failure, Item, Outcome, Report, Tags};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// How often a plan that somebody else's run has made untrue is made anew.
const ATTEMPTS: usize = 5;

/// How long a namespace or a cluster that ECS does not know may still be a new one.
const NEW: Duration = Duration::from_secs(10);

/// One service, on its way.
pub(crate) struct Job<'a> {
    pub(crate) ecs: &'a Ecs,
    pub(crate) aws: &'a Aws,
    pub(crate) console: &'a Console,
    pub(crate) ongoing: &'a Ongoing,
    pub(crate) name: &'a str,
    pub(crate) arn: String,
    /// In CreateService's shape.
    pub(crate) value: &'a Value,
    pub(crate) tags: &'a Tags,
    pub(crate) definition: &'a Value,
    pub(crate) force: bool,
    pub(crate) wait: bool,
    pub(crate) poll: Duration,
}

/// What came of a call.
pub(crate) enum Sent {
    Service(Box<Service>),
    /// Somebody else was faster.
    Outdated,
}

impl Job<'_> {
    /// `--dry-run`: what would be done.
    pub(crate) fn announce(&self, plan: &Plan, mut report: Report) -> Report {
        let item = self.item(plan);
        match plan {
            Plan::Drain => self.console.note(format!(
                "{}: DRAINING, it would be made anew when that is done",
                self.name
            )),
            Plan::Await => self
                .console
                .note(format!("{}: unchanged, its deployment goes on", self.name)),
            _ => self.console.announce(&item, true),
        }
        if item.action != "none" {
            report.outcome = Outcome::Planned;
        }
        report.items.push(item);
        report.line(&self.arn)
    }

    fn item(&self, plan: &Plan) -> Item {
        Item::new("service", self.name, plan.action())
            .changes(plan.changes().to_vec())
            .detail("arn", self.arn.as_str())
            .detail("task_definition", text(self.definition, "taskDefinitionArn"))
    }

    /// Changes what differs in one call, and waits.
    ///
    /// # Errors
    /// When nothing could be done. Where something went through, the report carries the error.
    pub(crate) async fn apply(
        &self,
        plan: Plan,
        service: Option<Service>,
        mut report: Report,
    ) -> Result<Report> {
        let (mut plan, mut service) = (plan, service);
        for _ in 0..ATTEMPTS {
            let events = Events::before(service.as_ref());
            // Where ECS would go back to.
            let active = service
                .as_ref()
                .filter(|service| service.status == Status::Active);
            let before = active.and_then(Service::last_good);
            let sent = match &plan {
                Plan::Drain => {
                    self.wait_until_drained().await?;
                    Sent::Outdated
                }
                Plan::Create(_) => self.create().await?,
                Plan::Update { fields, tags, .. } => {
                    let service = service.clone().context("failed to find the service to update")?;
                    self.update(service, fields, tags).await?
                }
                Plan::Await | Plan::Nothing => {
                    Sent::Service(Box::new(service.clone().context("failed to find the service")?))
                }
            };
            if let Sent::Service(made) = sent {
                report = self.changed(&plan, report);
                return Ok(self.follow(&plan, *made, before, events, report).await);
            }
            let found = self.ecs.service(self.name).await;
            service = found.with_context(|| format!("failed to describe service `{}`", self.name))?;
            let namespaces = namespaces::of(service.as_ref(), self.value, self.aws).await?;
            plan = Plan::new(service.as_ref(), self.value, self.tags, &namespaces, self.force)?;
        }
        Err(Failure::could_not(format!(
            "failed to deploy service `{}`: somebody else keeps changing it",
            self.name
        ))
        .hint("run it again when they are done")
        .into())
    }

    /// Tells what was changed, and puts it into the report.
    pub(crate) fn changed(&self, plan: &Plan, mut report: Report) -> Report {
        let item = self.item(plan);
        self.console.announce(&item, false);
        if item.action != "none" {
            report.outcome = Outcome::Changed;
        }
        if matches!(plan, Plan::Update { later: true, .. }) {
            self.console.warn(format!(
                "{}: this is true of tasks that start later: --force-new-deployment starts new ones now",
                self.name
            ));
        }
        report.items.push(item);
        report.line(&self.arn)
    }

    async fn wait_until_drained(&self) -> Result<()> {
        self.console.note(format!(
            "{}: DRAINING, it is made anew when that is done",
            self.name
        ));
        loop {
            let found = self.ecs.service(self.name).await;
            let found = found.with_context(|| format!("failed to describe service `{}`", self.name))?;
            if found.is_none_or(|service| service.status != Status::Draining) {
                return Ok(());
            }
            tokio::time::sleep(self.poll).await;
        }
    }

    async fn create(&self) -> Result<Sent> {
        let body = create_body(self.value, self.tags, &client_token());
        let made = self.send(async || self.ecs.create(body.clone()).await).await;
        match made {
            Ok(service) => Ok(Sent::Service(Box::new(service))),
            // There is one of this name by now, or its end was not over.
            Err(refusal) if refusal.message.contains("not idempotent") => {
                tokio::time::sleep(self.poll.min(Duration::from_secs(1))).await;
                Ok(Sent::Outdated)
            }
            Err(refusal) => Err(refusal.explained(&self.ecs.cluster))
                .with_context(|| format!("failed to create service `{}`", self.name)),
        }
    }

    /// Tags, and one UpdateService with these fields; none of it when there are none.
    ///
    /// # Errors
    /// When ECS refuses.
    pub(crate) async fn update(&self, service: Service, fields: &Value, tags: &Tags) -> Result<Sent> {
        if !tags.is_empty() {
            let tagged = self.ecs.tag(service.arn(), tags).await;
            tagged.with_context(|| format!("failed to tag service `{}`", self.name))?;
        }
        let mut body = fields.clone();
        let Some(members) = body.as_object_mut().filter(|members| !members.is_empty()) else {
            return Ok(Sent::Service(Box::new(service)));
        };
        members.insert("cluster".into(), self.ecs.cluster.as_str().into());
        members.insert("service".into(), self.name.into());
        match self.send(async || self.ecs.update(body.clone()).await).await {
            Ok(service) => Ok(Sent::Service(Box::new(service))),
            Err(refusal)
                if matches!(
                    refusal.code.as_str(),
                    "ServiceNotFoundException" | "ServiceNotActiveException"
                ) =>
            {
                Ok(Sent::Outdated)
            }
            Err(refusal) => Err(refusal.explained(&self.ecs.cluster))
                .with_context(|| format!("failed to update service `{}`", self.name)),
        }
    }

    /// Sends until it goes through or fails for good.
    async fn send<T>(&self, call: impl AsyncFnMut() -> Result<T, Refusal>) -> Result<T, Refusal> {
        let start = Instant::now();
        let heals = |refusal: &Refusal| {
            let missing = refusal.code == "NamespaceNotFoundException" || refusal.no_cluster();
            if missing && start.elapsed() > NEW {
                None
            } else if refusal.no_cluster() {
                Some("the new cluster is not known everywhere yet".to_owned())
            } else {
                refusal.heals()
            }
        };
        Patience::PROPAGATION.retry(self.console, heals, call).await
    }

    /// Waits for the deployment of `service`, and judges it.
    pub(crate) async fn follow(
        &self,
        plan: &Plan,
        service: Service,
        before: Option<String>,
        events: Events,
        mut report: Report,
    ) -> Report {
        let wanted = short(text(self.definition, "taskDefinitionArn")).to_owned();
        let Some(primary) = service.primary() else {
            let failure = Failure::could_not(format!(
                "failed to follow service `{}`: it has no deployment",
                self.name
            ));
            return self.console.partly(&failure.into(), report);
        };
        if let Some(item) = report.items.last_mut() {
            item.details
                .insert("deployment".into(), primary.id.as_str().into());
        }
        if !self.wait || *plan == Plan::Nothing {
            if *plan != Plan::Nothing {
                self.console.note(format!(
                    "{}: deployment `{}` goes on: follow it with `deploy-service`, or `deploy-service status`",
                    self.name, primary.id
                ));
            }
            return report;
        }
        let watch = Watch {
            ecs: self.ecs,
            aws: self.aws,
            console: self.console,
            ongoing: self.ongoing,
            name: self.name,
            definition: self.definition,
            poll: self.poll,
            ours: Ours {
                id: primary.id.clone(),
                wanted,
                before,
                rolls_back: service.rolls_back(),
            },
        };
        match watch.wait(service, events, report.clone()).await {
            Ok(end) => verdict::report(self, end),
            Err(error) if report.outcome == Outcome::Changed => self.console.partly(&error, report),
            Err(error) => self.console.failed(&error, report),
        }
    }
}

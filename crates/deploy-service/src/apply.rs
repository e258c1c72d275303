//! Makes the plan true.

use crate::commands::Commands;
use crate::ecs::{Ecs, client_token};
use crate::events::Events;
use crate::namespaces;
use crate::ongoing::Ongoing;
use crate::plan::{Plan, create_body};
use crate::refusal::{Refusal, RefusalContext};
use crate::service::{Service, Status, text};
use anyhow::{Context, Result};
use cli::{Console, Failure, Item, Outcome, Report};
use common::aws::Aws;
use reconcile::Tags;
use reconcile::backoff::Backoff;
use reconcile::tags::changes as tag_changes;
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
    pub(crate) commands: Commands,
    /// The revision that a rollback leaves.
    pub(crate) leaves: Option<&'a str>,
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
            Plan::Drain => self.console.info(format!(
                "{}: DRAINING, it would be made anew when that is done",
                self.name
            )),
            Plan::Await => self
                .console
                .info(format!("{}: unchanged, its deployment goes on", self.name)),
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
    pub(crate) async fn apply(&self, plan: Plan, service: Option<Service>, report: Report) -> Result<Report> {
        let mut tagged = None;
        let applied = self.rounds(plan, service, report.clone(), &mut tagged).await;
        match (applied, tagged) {
            (Err(error), Some(item)) => {
                let mut report = report;
                self.console.announce(&item, false);
                report.items.push(item);
                Ok(self.console.partly(&error, report))
            }
            (applied, _) => applied,
        }
    }

    /// Plan after plan, until one goes through; `done` is what the tags became meanwhile.
    async fn rounds(
        &self,
        plan: Plan,
        service: Option<Service>,
        mut report: Report,
        done: &mut Option<Item>,
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
                    if let Some(item) = self.tag(&service, tags).await? {
                        *done = Some(item);
                    }
                    self.update(service, fields).await?
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
            plan = Plan::new(
                service.as_ref(),
                self.value,
                self.tags,
                &namespaces,
                self.force,
                &self.commands,
            )?;
        }
        Err(Failure::error(format!(
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
        self.console.info(format!(
            "{}: DRAINING, it is made anew when that is done",
            self.name
        ));
        loop {
            match self.ecs.service(self.name).await {
                Ok(Some(service)) if service.status == Status::Draining => {}
                Ok(_) => return Ok(()),
                Err(refusal) if refusal.passes() => {}
                Err(refusal) => {
                    return Err(refusal)
                        .with_context(|| format!("failed to describe service `{}`", self.name));
                }
            }
            tokio::time::sleep(self.poll).await;
        }
    }

    async fn create(&self) -> Result<Sent> {
        let body = create_body(self.value, self.tags, &client_token());
        let words = format!("ecs:CreateService for service `{}`", self.name);
        let made = self
            .send(async || {
                let call = self.ecs.create(body.clone());
                self.console.in_flight(words.as_str(), call).await
            })
            .await;
        match made {
            Ok(service) => Ok(Sent::Service(Box::new(service))),
            // There is one of this name by now, or its end was not over.
            Err(refusal) if refusal.message.contains("not idempotent") => {
                tokio::time::sleep(self.poll.min(Duration::from_secs(1))).await;
                Ok(Sent::Outdated)
            }
            Err(refusal) => Err(self.explained(refusal))
                .with_context(|| format!("failed to create service `{}`", self.name)),
        }
    }

    /// Sets these tags, and says so in an item; nothing when there are none.
    async fn tag(&self, service: &Service, tags: &Tags) -> Result<Option<Item>> {
        if tags.is_empty() {
            return Ok(None);
        }
        let words = format!("ecs:TagResource for service `{}`", self.name);
        let tagged = self
            .console
            .in_flight(words, self.ecs.tag(service.arn(), tags))
            .await;
        tagged.with_context(|| format!("failed to tag service `{}`", self.name))?;
        let item = Item::new("service", self.name, "update")
            .changes(tag_changes(tags, &service.tags()))
            .detail("arn", self.arn.as_str());
        self.console.record(&item);
        Ok(Some(item))
    }

    /// One UpdateService with these fields; none when there are none.
    ///
    /// # Errors
    /// When ECS refuses.
    pub(crate) async fn update(&self, service: Service, fields: &Value) -> Result<Sent> {
        let mut body = fields.clone();
        let Some(members) = body.as_object_mut().filter(|members| !members.is_empty()) else {
            return Ok(Sent::Service(Box::new(service)));
        };
        members.insert("cluster".into(), self.ecs.cluster.as_str().into());
        members.insert("service".into(), self.name.into());
        let words = format!("ecs:UpdateService for service `{}`", self.name);
        let updated = self
            .send(async || {
                let call = self.ecs.update(body.clone());
                self.console.in_flight(words.as_str(), call).await
            })
            .await;
        match updated {
            Ok(service) => Ok(Sent::Service(Box::new(service))),
            Err(refusal)
                if matches!(
                    refusal.code.as_str(),
                    "ServiceNotFoundException" | "ServiceNotActiveException"
                ) =>
            {
                Ok(Sent::Outdated)
            }
            Err(refusal) => Err(self.explained(refusal))
                .with_context(|| format!("failed to update service `{}`", self.name)),
        }
    }

    /// With what to do. Without an answer nobody knows whether the call went through.
    fn explained(&self, refusal: Refusal) -> Refusal {
        if refusal.is_network() {
            let status = self.commands.status();
            refusal.hint(format!(
                "check the network; it may have gone through all the same: `{status}` shows it"
            ))
        } else {
            refusal.explained(&self.ecs.cluster)
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
        Backoff::PROPAGATION.retry(self.console, heals, call).await
    }
}

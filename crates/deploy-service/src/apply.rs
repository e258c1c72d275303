//! Makes the service what the file describes: plan after plan, until one is applied.

use crate::cadence::CREATED_ELSEWHERE;
use crate::deployer::{Deployer, Sent, changed_service};
use crate::plan::{Plan, create_body};
use crate::poll::poll_transient;
use crate::service::{Service, Status};
use anyhow::{Context as _, Result};
use cli::{Change, ErrorKind, Failure, Report};
use ecs::Reason;
use reconcile::Tags;
use reconcile::tags::changes as tag_changes;
use serde_json::Value;
use std::hash::{BuildHasher, RandomState};

/// How often a plan is made again that a change by another caller has invalidated.
const ATTEMPTS: usize = 5;

/// Makes repetitions of a request idempotent: 32 random hexadecimal digits.
pub(crate) fn client_token() -> String {
    let random = RandomState::new();
    format!("{:016x}{:016x}", random.hash_one(0), random.hash_one(1))
}

/// The service as the file describes it.
pub(crate) struct ServiceSpec<'a> {
    /// In the shape of CreateService.
    pub(crate) value: &'a Value,
    pub(crate) tags: &'a Tags,
    /// `--force-new-deployment`
    pub(crate) force: bool,
}

impl Deployer<'_> {
    /// What has to be done to `service`.
    ///
    /// # Errors
    /// When it can't be changed in place, or its namespace can't be read.
    pub(crate) async fn plan(&self, service: Option<&Service>, spec: &ServiceSpec<'_>) -> Result<Plan> {
        let ServiceSpec { value, tags, force } = spec;
        let namespaces = self.context.namespaces(service, value).await?;
        let manual = &self.context.manual;
        Ok(Plan::new(service, value, tags, &namespaces, *force, manual)?)
    }

    /// Changes what differs in one call, and waits.
    ///
    /// # Errors
    /// When nothing could be done. Where something was changed, the report carries the error.
    pub(crate) async fn apply(
        &self,
        plan: Plan,
        service: Option<Service>,
        spec: &ServiceSpec<'_>,
        report: Report,
    ) -> Result<Report> {
        let mut tagged = Vec::new();
        let applied = self
            .apply_plans(plan, service, spec, report.clone(), &mut tagged)
            .await;
        match applied {
            Err(error) if !tagged.is_empty() => {
                let item = self.context.item("update").changes(tagged);
                let mut report = report;
                self.console().announce(&item, false);
                report.items.push(item);
                Ok(self.console().partial(&error, report))
            }
            applied => applied,
        }
    }

    /// Makes and applies plans until one is applied completely. `tagged` are the changes of tags that were made.
    async fn apply_plans(
        &self,
        mut plan: Plan,
        mut service: Option<Service>,
        spec: &ServiceSpec<'_>,
        report: Report,
        tagged: &mut Vec<Change>,
    ) -> Result<Report> {
        let name = self.context.name();
        for _ in 0..ATTEMPTS {
            let earlier = tagged.clone();
            let existing = || service.clone().context("failed to find the service");
            let sent = match &plan {
                Plan::Drain => {
                    self.wait_until_drained().await?;
                    Sent::Outdated
                }
                Plan::Create(_) => self.create(spec).await?,
                Plan::Update { fields, tags, .. } => {
                    let service = existing()?;
                    self.tag(&service, tags, tagged).await?;
                    self.update(service, fields).await?
                }
                Plan::Await | Plan::Nothing => Sent::Service(Box::new(existing()?)),
            };
            if let Sent::Service(changed) = sent {
                let report = self.changed(&plan, earlier, report);
                return Ok(self.follow(&plan, *changed, service.as_ref(), report).await);
            }
            let found = self.context.service().await;
            service = found.map_err(|error| error.context(format!("failed to describe service `{name}`")))?;
            plan = self.plan(service.as_ref(), spec).await?;
        }
        Err(Failure::error(format!(
            "failed to deploy service `{name}`: another caller keeps changing it"
        ))
        .kind(ErrorKind::Conflict)
        .hint("run it again when the other changes have ended")
        .into())
    }

    async fn wait_until_drained(&self) -> Result<()> {
        let context = self.context;
        let name = context.name();
        self.console()
            .info(format!("{name}: DRAINING, will be recreated once deleted"));
        loop {
            let report = |text: String| self.console().info(format!("{name}: {text}"));
            let read = async || Ok(context.service().await?);
            let service = poll_transient(context.poll, report, read).await;
            let service = service.with_context(|| format!("failed to describe service `{name}`"))?;
            if service.is_none_or(|service| service.status != Status::Draining) {
                return Ok(());
            }
            tokio::time::sleep(context.poll).await;
        }
    }

    async fn create(&self, spec: &ServiceSpec<'_>) -> Result<Sent> {
        let body = create_body(spec.value, spec.tags, &client_token());
        match self.send("CreateService", &body).await {
            Ok(answer) => Ok(changed_service(answer)),
            // Another caller has created a service of this name, or the deletion of the old one has not ended.
            Err(error) if error.reason() == Reason::ServiceExists => {
                tokio::time::sleep(self.context.poll.min(CREATED_ELSEWHERE)).await;
                Ok(Sent::Outdated)
            }
            Err(error) => Err(self
                .explained(error)
                .context(format!("failed to create service `{}`", self.context.name()))),
        }
    }

    /// Sets these tags, and adds what differs by them to `tagged`.
    async fn tag(&self, service: &Service, tags: &Tags, tagged: &mut Vec<Change>) -> Result<()> {
        if tags.is_empty() {
            return Ok(());
        }
        let context = self.context;
        let label = format!("ecs:TagResource for service `{}`", context.name());
        let call = context.ecs.tag_resource(service.arn(), tags);
        let sent = self.console().in_flight(label, call).await;
        sent.map_err(|error| error.context(format!("failed to tag service `{}`", context.name())))?;
        tagged.extend(tag_changes(tags, &service.tags()));
        self.console()
            .record(&context.item("update").changes(tagged.clone()));
        Ok(())
    }
}

//! Makes the plan true.

use crate::plan::{Action, Desired, Plan, plan};
use crate::store::{Created, Found, Seen, Status, Store, role_item};
use crate::wait::failed;
use anyhow::Result;
use cli::{Failure, Item, Outcome, Report};
use reconcile::backoff::Backoff;
use reconcile::plan::{Done, End, Step};

/// One run of the tool.
pub(crate) struct Run<'a> {
    pub(crate) store: Store<'a>,
    pub(crate) desired: Desired,
}

impl Run<'_> {
    /// Changes what differs, and nothing else.
    ///
    /// # Errors
    /// When nothing could be done. Where something went through, the report carries the error.
    pub(crate) async fn apply(&self, found: Found, create_role: bool, report: Report) -> Result<Report> {
        self.store.console.begin(&report);
        match self.work(found, create_role, report.clone()).await {
            Err(error) if self.store.made_role().is_some() => {
                Ok(self.store.console.partly(&error, self.with_role(report)))
            }
            result => result,
        }
    }

    async fn work(&self, found: Found, create_role: bool, report: Report) -> Result<Report> {
        if let Found::There(seen) = &found
            && seen.status == Status::Failed
        {
            return Err(failed(&self.desired.name, &seen.attachments).into());
        }
        if create_role {
            self.store.create_role().await?;
        }
        match &found {
            Found::There(seen) if seen.status == Status::Deprovisioning => {
                self.store.wait_until_gone(&self.desired).await?;
                self.create(report).await
            }
            Found::There(_) => {
                let seen = self.store.wait_until_usable(&self.desired, found).await?;
                self.update(&seen, false, report).await
            }
            Found::Absent => self.create(report).await,
        }
    }

    async fn create(&self, report: Report) -> Result<Report> {
        let changes = plan(&self.desired, None).changes();
        match self.store.create(&self.desired).await? {
            Created::New => {
                let done = Done::created(changes);
                self.store.console.record(&self.item(&done));
                let result = self.verify().await;
                Ok(self.report(done.ended(result)?, report))
            }
            // Two runs at the same time: the other one won, and the cluster is compared like any other.
            Created::Exists => {
                let seen = self.usable().await?;
                self.update(&seen, true, report).await
            }
        }
    }

    async fn update(&self, seen: &Seen, fresh: bool, report: Report) -> Result<Report> {
        let plan = plan(&self.desired, Some(&seen.observed));
        let mut done = Done::nothing_of(&plan);
        let Plan::Update(steps) = plan else {
            if seen.status == Status::UpdateFailed {
                let (console, why) = (self.store.console, &seen.attachments);
                console.warn(format!(
                    "the last change of the cluster's attachments failed: {why}"
                ));
            }
            return Ok(self.report(done.ended(Ok(()))?, report));
        };
        let result = self.go_on(&mut done, seen, steps, fresh).await;
        Ok(self.report(done.ended(result)?, report))
    }

    /// One step after the other.
    async fn go_on(&self, done: &mut Done, seen: &Seen, steps: Vec<Step<Action>>, fresh: bool) -> Result<()> {
        for (index, step) in steps.into_iter().enumerate() {
            // A change may keep the cluster busy, and a busy one refuses the next.
            if index > 0 {
                self.usable().await?;
            }
            self.store
                .change(&self.desired, seen, &step.action, fresh)
                .await?;
            done.changes.extend(step.changes);
            self.store.console.record(&self.item(done));
        }
        self.verify().await
    }

    async fn usable(&self) -> Result<Box<Seen>> {
        let found = self.store.describe(&self.desired).await?;
        self.store.wait_until_usable(&self.desired, found).await
    }

    /// Waits until the cluster is usable and shows what was set.
    async fn verify(&self) -> Result<()> {
        let name = &self.desired.name;
        let look = async || {
            let seen = self.usable().await?;
            if seen.status == Status::UpdateFailed {
                let why = &seen.attachments;
                let message = format!("failed to change the attachments of cluster `{name}`: {why}");
                return Err(Failure::error(message).code("update-failed").into());
            }
            match plan(&self.desired, Some(&seen.observed)) {
                Plan::Nothing => Ok(Ok(())),
                plan => Ok(Err(plan.changes())),
            }
        };
        let thing = format!("cluster `{name}`");
        Backoff::PROPAGATION
            .wait_until_converged(self.store.console, &thing, look)
            .await
    }

    /// With the service-linked role, when we had to make it.
    fn with_role(&self, mut report: Report) -> Report {
        if let Some(item) = self.store.made_role() {
            report.outcome = Outcome::Changed;
            report.items.push(item);
        }
        report
    }

    fn item(&self, done: &Done) -> Item {
        self.store.item(&self.desired, done.verb, done.changes.clone())
    }

    fn report(&self, end: End<()>, report: Report) -> Report {
        let End { done, error, .. } = end;
        let mut report = self.with_role(report).line(self.store.arn(&self.desired.name));
        if !done.is_nothing() {
            report.outcome = Outcome::Changed;
        }
        let item = self.item(&done);
        self.store.console.announce(&item, false);
        report.items.push(item);
        match error {
            None => report,
            Some(error) => self.store.console.partly(&error, report),
        }
    }
}

/// What is to be done for a cluster of which ECS says this.
pub(crate) fn planned(desired: &Desired, found: &Found) -> Plan {
    match found {
        Found::There(seen) if seen.status != Status::Deprovisioning => plan(desired, Some(&seen.observed)),
        Found::There(_) | Found::Absent => plan(desired, None),
    }
}

/// `--dry-run`: what would be done.
///
/// # Errors
/// When the cluster can't be used as it is.
pub(crate) fn announce(
    store: &Store,
    desired: &Desired,
    found: &Found,
    create_role: bool,
    mut report: Report,
) -> Result<Report> {
    let name = &desired.name;
    if let Found::There(seen) = found
        && seen.status == Status::Failed
    {
        return Err(failed(name, &seen.attachments).into());
    }
    if create_role {
        let item = role_item();
        store.console.announce(&item, true);
        report.items.push(item);
    }
    if let Found::There(seen) = found {
        match &seen.status {
            Status::Deprovisioning => store.console.info(format!("{name}: DEPROVISIONING")),
            Status::Busy(word) => store.console.info(format!("{name}: {word}")),
            Status::Active | Status::UpdateFailed | Status::Failed => {}
        }
    }
    let plan = planned(desired, found);
    if create_role || plan != Plan::Nothing {
        report.outcome = Outcome::Planned;
    }
    let item = store.item(desired, plan.verb(), plan.changes());
    store.console.announce(&item, true);
    report.items.push(item);
    Ok(report.line(store.arn(name)))
}

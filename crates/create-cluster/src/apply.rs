//! Makes the plan true.

use crate::plan::{Plan, Wanted, plan};
use crate::store::{Created, Found, Seen, Status, Store, role_item};
use crate::wait::failed;
use anyhow::Result;
use common::retry::Patience;
use common::{Change, Failure, Outcome, Report};

/// One run of the tool.
pub(crate) struct Run<'a> {
    pub(crate) store: Store<'a>,
    pub(crate) wanted: Wanted,
}

/// What went through.
struct Done {
    action: &'static str,
    changes: Vec<Change>,
}

impl Run<'_> {
    /// Changes what differs, and nothing else.
    ///
    /// # Errors
    /// When nothing could be done. Where something went through, the report carries the error.
    pub(crate) async fn apply(&self, found: Found, create_role: bool, report: Report) -> Result<Report> {
        match &found {
            Found::There(seen) if seen.status == Status::Deprovisioning => {
                self.store.wait_until_gone(&self.wanted).await?;
                self.create(report).await
            }
            Found::There(_) => {
                let seen = self.store.wait_until_usable(&self.wanted, found).await?;
                self.update(&seen, false, report).await
            }
            Found::Absent => {
                if create_role {
                    self.store.create_role().await?;
                }
                self.create(report).await
            }
        }
    }

    async fn create(&self, report: Report) -> Result<Report> {
        let changes = plan(&self.wanted, None).changes();
        match self.store.create(&self.wanted).await {
            Ok(Created::New) => {
                let done = Done {
                    action: "create",
                    changes,
                };
                self.verify(done, report).await
            }
            // Two runs at the same time: the other one won, and the cluster is compared like any other.
            Ok(Created::Exists) => {
                let found = self.store.describe(&self.wanted).await?;
                let seen = self.store.wait_until_usable(&self.wanted, found).await?;
                self.update(&seen, true, report).await
            }
            Err(error) if self.store.made_role().is_some() => {
                Ok(self.store.console.partly(&error, self.with_role(report)))
            }
            Err(error) => Err(error),
        }
    }

    async fn update(&self, seen: &Seen, fresh: bool, report: Report) -> Result<Report> {
        let plan = plan(&self.wanted, Some(&seen.current));
        let mut done = Done {
            action: plan.action(),
            changes: Vec::new(),
        };
        let Plan::Update(steps) = plan else {
            if seen.status == Status::UpdateFailed {
                let (console, why) = (self.store.console, &seen.attachments);
                console.warn(format!(
                    "the last change of the cluster's attachments failed: {why}"
                ));
            }
            return Ok(self.end(done, report));
        };
        for (index, step) in steps.into_iter().enumerate() {
            // A change may keep the cluster busy, and a busy one refuses the next.
            let ready = if index == 0 {
                Ok(())
            } else {
                self.usable().await.map(drop)
            };
            let result = match ready {
                Ok(()) => self.store.change(&self.wanted, seen, &step.deed, fresh).await,
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                if done.changes.is_empty() {
                    return Err(error);
                }
                return Ok(self.partly(&error, done, report));
            }
            done.changes.extend(step.changes);
        }
        self.verify(done, report).await
    }

    async fn usable(&self) -> Result<Box<Seen>> {
        let found = self.store.describe(&self.wanted).await?;
        self.store.wait_until_usable(&self.wanted, found).await
    }

    /// Waits until the cluster is usable and shows what was set.
    async fn verify(&self, done: Done, report: Report) -> Result<Report> {
        let name = &self.wanted.name;
        let differs = |_: &Plan| Some(format!("cluster `{name}` does not show the change yet"));
        let shown = Patience::PROPAGATION.retry(self.store.console, differs, async || {
            let seen = match self.usable().await {
                Ok(seen) => seen,
                Err(error) => return Ok(Err(error)),
            };
            if seen.status == Status::UpdateFailed {
                let why = &seen.attachments;
                let message = format!("failed to change the attachments of cluster `{name}`: {why}");
                return Ok(Err(Failure::could_not(message).code("update-failed").into()));
            }
            match plan(&self.wanted, Some(&seen.current)) {
                Plan::Nothing => Ok(Ok(())),
                plan => Err(plan),
            }
        });
        let shown = shown.await.unwrap_or_else(|plan| {
            let changes: Vec<String> = plan.changes().iter().map(ToString::to_string).collect();
            let changes = changes.join(", ");
            let message =
                format!("failed to verify cluster `{name}`: it does not show what was set: {changes}");
            Err(Failure::could_not(message).into())
        });
        match shown {
            Ok(()) => Ok(self.end(done, report)),
            Err(error) => Ok(self.partly(&error, done, report)),
        }
    }

    /// The end of a run whose changes did not all go through.
    fn partly(&self, error: &anyhow::Error, done: Done, report: Report) -> Report {
        let report = self.end(done, report);
        self.store.console.partly(error, report)
    }

    /// With the service-linked role, when we had to make it.
    fn with_role(&self, mut report: Report) -> Report {
        if let Some(item) = self.store.made_role() {
            self.store.console.announce(&item, false);
            report.outcome = Outcome::Changed;
            report.items.push(item);
        }
        report
    }

    fn end(&self, done: Done, report: Report) -> Report {
        let mut report = self.with_role(report);
        if done.action != "none" {
            report.outcome = Outcome::Changed;
        }
        let item = self.store.item(&self.wanted, done.action, done.changes);
        self.store.console.announce(&item, false);
        report.items.push(item);
        report.line(self.store.arn(&self.wanted.name))
    }
}

/// `--dry-run`: what would be done.
///
/// # Errors
/// When the cluster can't be used as it is.
pub(crate) fn announce(
    store: &Store,
    wanted: &Wanted,
    found: &Found,
    create_role: bool,
    mut report: Report,
) -> Result<Report> {
    if create_role {
        let item = role_item();
        store.console.announce(&item, true);
        report.items.push(item);
    }
    let name = &wanted.name;
    let plan = match found {
        Found::Absent => plan(wanted, None),
        Found::There(seen) => match &seen.status {
            Status::Failed => return Err(failed(name, &seen.attachments).into()),
            Status::Deprovisioning => {
                store.console.note(format!("{name}: DEPROVISIONING"));
                plan(wanted, None)
            }
            Status::Busy(word) => {
                store.console.note(format!("{name}: {word}"));
                plan(wanted, Some(&seen.current))
            }
            Status::Active | Status::UpdateFailed => plan(wanted, Some(&seen.current)),
        },
    };
    if plan != Plan::Nothing {
        report.outcome = Outcome::Planned;
    }
    let item = store.item(wanted, plan.action(), plan.changes());
    store.console.announce(&item, true);
    report.items.push(item);
    Ok(report.line(store.arn(name)))
}

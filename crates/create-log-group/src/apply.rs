//! Makes the plan true.

use crate::plan::{Current, Deed, Plan, Wanted, plan, shown_days};
use crate::store::{Created, Store};
use anyhow::Result;
use common::config::Retention;
use common::confirm::confirm;
use common::retry::Patience;
use common::{Change, Failure, Outcome, Report};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A group this young may be another run's that has not set its retention yet.
const YOUNG: Duration = Duration::from_secs(10);

/// How long such a group is watched.
const SETTLING: Patience = Patience {
    first: Duration::from_millis(50),
    longest: Duration::from_millis(400),
    total: Duration::from_secs(2),
};

/// One run of the tool.
pub(crate) struct Run<'a> {
    pub(crate) store: Store<'a>,
    pub(crate) wanted: Wanted,
    pub(crate) yes: bool,
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
    pub(crate) async fn apply(
        &self,
        current: Option<Current>,
        found: Plan,
        report: Report,
    ) -> Result<Report> {
        let Plan::Create(changes) = found else {
            let plan = self.confirmed(current, found).await?;
            return self.update(plan, false, report).await;
        };
        match self.store.create(&self.wanted).await? {
            Created::New => self.complete(changes, report).await,
            // Two runs at the same time: the other one won, and the group is compared like any other. It was not
            // there when we looked, so nothing in it is old enough to be lost.
            Created::Exists => self.update(self.look_again().await?, true, report).await,
        }
    }

    async fn update(&self, plan: Plan, fresh: bool, report: Report) -> Result<Report> {
        let mut done = Done {
            action: plan.action(),
            changes: Vec::new(),
        };
        let Plan::Update(steps) = plan else {
            return Ok(self.end(done, report));
        };
        for step in steps {
            if let Err(error) = self.store.change(&self.wanted, &step.deed, fresh).await {
                if done.changes.is_empty() {
                    return Err(error);
                }
                return Ok(self.partly(&error, done, report));
            }
            done.changes.extend(step.changes);
            self.tell_about_key(&step.deed);
        }
        self.verify(done, report).await
    }

    /// The rest of what a new group needs: the retention is a call of its own.
    async fn complete(&self, changes: Vec<Change>, report: Report) -> Result<Report> {
        let mut done = Done {
            action: "create",
            changes,
        };
        if let Some(Retention::Days(days)) = self.wanted.retention {
            let deed = Deed::Retain { days, shorter: false };
            if let Err(error) = self.store.change(&self.wanted, &deed, true).await {
                done.changes.retain(|change| change.path != "retention_days");
                return Ok(self.partly(&error, done, report));
            }
        }
        self.verify(done, report).await
    }

    /// The plan, when it deletes nothing or somebody said yes.
    async fn confirmed(&self, current: Option<Current>, found: Plan) -> Result<Plan> {
        if found.deletes_after().is_none() || self.yes {
            return Ok(found);
        }
        let plan = if current.is_some_and(|current| is_young(current.created)) {
            self.settle().await?
        } else {
            found
        };
        if let Some(days) = plan.deletes_after() {
            let name = &self.wanted.name;
            for change in plan.changes() {
                self.store.console.note(format!("  {change}"));
            }
            let events = shown_days(days);
            let deed = format!("delete the events of log group `{name}` that are older than {events}");
            confirm(self.store.console, self.yes, &deed).await?;
        }
        Ok(plan)
    }

    /// Waits a moment for another run that may be about to set the retention of the group it has just made,
    /// so that two runs at the same time need no yes.
    async fn settle(&self) -> Result<Plan> {
        let still = |_: &Plan| Some("the log group is new, and another run may be at work on it".to_owned());
        let settled = SETTLING.retry(self.store.console, still, async || match self.compare().await {
            Ok(plan) if plan.deletes_after().is_some() => Err(plan),
            other => Ok(other),
        });
        settled.await.unwrap_or_else(Ok)
    }

    /// Compares with the group that somebody else made a moment ago.
    async fn look_again(&self) -> Result<Plan> {
        let name = &self.wanted.name;
        let missing = |(): &()| Some(format!("log group `{name}` exists, but is not listed yet"));
        let found =
            Patience::CONFLICT.retry(self.store.console, missing, async || match self.compare().await {
                Ok(Plan::Create(_)) => Err(()),
                other => Ok(other),
            });
        found.await.unwrap_or_else(|()| {
            Err(
                Failure::could_not(format!("failed to create log group `{name}`: it comes and goes"))
                    .hint("somebody else is deleting it: run it again when that is done")
                    .into(),
            )
        })
    }

    async fn compare(&self) -> Result<Plan> {
        let current = self.store.describe(&self.wanted).await?;
        Ok(plan(&self.wanted, current.as_ref())?)
    }

    /// What is stored already keeps its old key: who deletes that key loses the events.
    fn tell_about_key(&self, deed: &Deed) {
        if let Deed::Associate { old: Some(old), .. } | Deed::Disassociate { old } = deed {
            let words = format!("events that are stored already need their old key, keep it: {old}");
            self.store.console.warn(words);
        }
    }

    /// Waits until CloudWatch shows what was set.
    async fn verify(&self, done: Done, report: Report) -> Result<Report> {
        let name = &self.wanted.name;
        let differs = |_: &Plan| Some(format!("log group `{name}` does not show the change yet"));
        let shown =
            Patience::PROPAGATION.retry(self.store.console, differs, async || match self.compare().await {
                Ok(Plan::Nothing) => Ok(Ok(())),
                Ok(plan) => Err(plan),
                Err(error) => Ok(Err(error)),
            });
        let shown = shown.await.unwrap_or_else(|plan| {
            let changes: Vec<String> = plan.changes().iter().map(ToString::to_string).collect();
            let changes = changes.join(", ");
            let message =
                format!("failed to verify log group `{name}`: it does not show what was set: {changes}");
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

    fn end(&self, done: Done, mut report: Report) -> Report {
        if done.action != "none" {
            report.outcome = Outcome::Changed;
        }
        let item = self.store.item(&self.wanted, done.action, done.changes);
        self.store.console.announce(&item, false);
        report.items.push(item);
        report.line(self.store.arn(&self.wanted.name))
    }
}

/// Whether a group was made a moment ago, by this machine's clock; a clock that is wrong costs a question at most.
fn is_young(created: Option<i64>) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    created
        .and_then(|milliseconds| u64::try_from(milliseconds).ok())
        .and_then(|milliseconds| now.checked_sub(Duration::from_millis(milliseconds)))
        .is_some_and(|age| age < YOUNG)
}

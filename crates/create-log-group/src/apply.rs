//! Makes the plan true.

use crate::plan::{Action, Desired, Observed, Plan, deletes_after, plan, shown_days};
use crate::store::{Created, Store};
use anyhow::Result;
use cli::{Change, Item, Outcome, Report};
use reconcile::backoff::Backoff;
use reconcile::confirm::confirm;
use reconcile::lookup::deleted_during_create;
use reconcile::plan::{Done, End, Step};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A group this young may be another run's that has not set its retention yet.
const YOUNG: Duration = Duration::from_secs(10);

/// How long such a group is watched.
const SETTLING: Backoff = Backoff {
    initial: Duration::from_millis(50),
    max_interval: Duration::from_millis(400),
    max_elapsed: Duration::from_secs(2),
};

/// One run of the tool.
pub(crate) struct Run<'a> {
    pub(crate) store: Store<'a>,
    pub(crate) desired: Desired,
    pub(crate) yes: bool,
}

impl Run<'_> {
    /// Changes what differs, and nothing else.
    ///
    /// # Errors
    /// When nothing could be done. Where something went through, the report carries the error.
    pub(crate) async fn apply(
        &self,
        observed: Option<Observed>,
        found: Plan,
        report: Report,
    ) -> Result<Report> {
        let Plan::Create(changes, steps) = found else {
            let plan = self.confirmed(observed, found).await?;
            self.store.console.begin(&report);
            return self.update(plan, false, report).await;
        };
        self.store.console.begin(&report);
        match self.store.create(&self.desired).await? {
            Created::New => self.created(changes, steps, report).await,
            created @ (Created::Exists | Created::MayBeOurs) => {
                let plan = self.look_again().await?;
                if created == Created::MayBeOurs && plan.is_covered_by(&steps) {
                    return self.created(changes, steps, report).await;
                }
                // Two runs at the same time: the other one won, and the group is compared like any other. It was
                // not there when we looked, so nothing in it is old enough to be lost.
                self.update(plan, true, report).await
            }
        }
    }

    /// It is made, with `changes` from birth; `steps` follow.
    async fn created(
        &self,
        changes: Vec<Change>,
        steps: Vec<Step<Action>>,
        report: Report,
    ) -> Result<Report> {
        let done = Done::created(changes);
        self.store.console.record(&self.item(&done));
        self.change(done, steps, true, report).await
    }

    async fn update(&self, plan: Plan, fresh: bool, report: Report) -> Result<Report> {
        let done = Done::nothing_of(&plan);
        match plan {
            Plan::Nothing => Ok(self.report(done.ended(Ok(()))?, report)),
            Plan::Update(steps) => self.change(done, steps, fresh, report).await,
            Plan::Create(..) => Err(deleted_during_create(&self.label()).into()),
        }
    }

    /// One step after the other, and waits until CloudWatch shows them.
    async fn change(
        &self,
        mut done: Done,
        steps: Vec<Step<Action>>,
        fresh: bool,
        report: Report,
    ) -> Result<Report> {
        let result = self.go_on(&mut done, steps, fresh).await;
        Ok(self.report(done.ended(result)?, report))
    }

    async fn go_on(&self, done: &mut Done, steps: Vec<Step<Action>>, fresh: bool) -> Result<()> {
        for step in steps {
            self.store.change(&self.desired, &step.action, fresh).await?;
            done.changes.extend(step.changes);
            self.store.console.record(&self.item(done));
            self.tell_about_key(&step.action);
        }
        let look = async || match self.compare().await? {
            Plan::Nothing => Ok(Ok(())),
            plan => Ok(Err(plan.changes())),
        };
        let thing = self.label();
        Backoff::PROPAGATION
            .wait_until_converged(self.store.console, &thing, look)
            .await
    }

    /// The plan, when it deletes nothing or somebody said yes.
    async fn confirmed(&self, observed: Option<Observed>, found: Plan) -> Result<Plan> {
        if deletes_after(&found).is_none() || self.yes {
            return Ok(found);
        }
        let plan = if observed.is_some_and(|observed| is_young(observed.created)) {
            self.settle().await?
        } else {
            found
        };
        if let Some(days) = deletes_after(&plan) {
            let name = &self.desired.name;
            for change in plan.changes() {
                self.store.console.info(format!("  {change}"));
            }
            let events = shown_days(days);
            let action = format!("delete the events of log group `{name}` that are older than {events}");
            confirm(self.store.console, self.yes, &action).await?;
        }
        Ok(plan)
    }

    /// Waits a moment for another run that may be about to set the retention of the group it has just made,
    /// so that two runs at the same time need no yes.
    async fn settle(&self) -> Result<Plan> {
        let still = |_: &Plan| Some("the log group is new, and another run may be at work on it".to_owned());
        let settled = SETTLING.retry(self.store.console, still, async || match self.compare().await {
            Ok(plan) if deletes_after(&plan).is_some() => Err(plan),
            other => Ok(other),
        });
        settled.await.unwrap_or_else(Ok)
    }

    /// Compares with the group that somebody else made a moment ago.
    async fn look_again(&self) -> Result<Plan> {
        let thing = self.label();
        let look = async || {
            let plan = self.compare().await?;
            Ok((!matches!(plan, Plan::Create(..))).then_some(plan))
        };
        let found = Backoff::CONFLICT
            .wait_until_visible(self.store.console, &thing, look)
            .await?;
        found.ok_or_else(|| deleted_during_create(&self.label()).into())
    }

    fn label(&self) -> String {
        self.desired.label()
    }

    async fn compare(&self) -> Result<Plan> {
        let observed = self.store.describe(&self.desired).await?.found();
        Ok(plan(&self.desired, observed.as_ref())?)
    }

    /// What is stored already keeps its old key: who deletes that key loses the events.
    fn tell_about_key(&self, action: &Action) {
        if let Action::Associate { old: Some(old), .. } | Action::Disassociate { old } = action {
            let words = format!("events that are stored already need their old key, keep it: {old}");
            self.store.console.warn(words);
        }
    }

    fn item(&self, done: &Done) -> Item {
        self.store.item(&self.desired, done.verb, done.changes.clone())
    }

    fn report(&self, end: End<()>, report: Report) -> Report {
        let End { done, error, .. } = end;
        let mut report = report.line(self.store.arn(&self.desired.name));
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

/// Whether a group was made a moment ago, by this machine's clock; a clock that is wrong costs a question at most.
fn is_young(created: Option<i64>) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    created
        .and_then(|milliseconds| u64::try_from(milliseconds).ok())
        .and_then(|milliseconds| now.checked_sub(Duration::from_millis(milliseconds)))
        .is_some_and(|age| age < YOUNG)
}

//! Makes the plan true for one repository.

use crate::desired::Desired;
use crate::plan::{Action, New, Observed, Plan, plan};
use crate::store::{Created, Store};
use anyhow::Result;
use cli::{Change, Item};
use reconcile::backoff::Backoff;
use reconcile::lookup::deleted_during_create;
use reconcile::plan::{Done, End, Step};
use serde_json::{Map, Value};
use std::time::Duration;

/// How long ECR may take to show what was set.
const SHOWN_AFTER: Backoff = Backoff {
    max_elapsed: Duration::from_secs(20),
    ..Backoff::PROPAGATION
};

/// The work on one repository. Its end is the URI.
pub(crate) struct Job<'a> {
    pub(crate) store: &'a Store<'a>,
    pub(crate) desired: &'a Desired,
    /// What else the report says of it.
    pub(crate) details: Map<String, Value>,
}

impl Job<'_> {
    /// Changes what differs, and nothing else.
    ///
    /// # Errors
    /// When nothing could be done. Where something went through, [`End`] carries the error.
    pub(crate) async fn apply(&self, observed: Option<&Observed>, found: Plan) -> Result<End<String>> {
        match (found, observed) {
            (Plan::Create(changes, steps), _) => {
                let new = New::of(self.desired);
                match self.store.create(self.desired.name(), &new).await? {
                    Created::New => self.created(changes, steps).await,
                    created @ (Created::Exists | Created::MayBeOurs) => {
                        let (observed, plan) = self.look_again().await?;
                        if created == Created::MayBeOurs && plan.is_covered_by(&steps) {
                            return self.created(changes, steps).await;
                        }
                        // Two runs at the same time: the other one won, and the repository is compared like any
                        // other. It was not there when we looked, so there is no image to be lost.
                        self.update(&observed, plan, true).await
                    }
                }
            }
            (plan, Some(observed)) => self.update(observed, plan, false).await,
            (_, None) => Err(deleted_during_create(&self.label()).into()),
        }
    }

    /// It is made, with `changes` from birth; `steps` follow.
    async fn created(&self, changes: Vec<Change>, steps: Vec<Step<Action>>) -> Result<End<String>> {
        let done = Done::created(changes);
        self.did(&done);
        self.change(done, steps, true).await
    }

    async fn update(&self, observed: &Observed, plan: Plan, fresh: bool) -> Result<End<String>> {
        let done = Done::nothing_of(&plan);
        match plan {
            Plan::Nothing => done.ended(Ok(observed.uri.clone())),
            Plan::Update(steps) => self.change(done, steps, fresh).await,
            Plan::Create(..) => Err(deleted_during_create(&self.label()).into()),
        }
    }

    /// One step after the other, and waits until ECR shows them.
    async fn change(&self, mut done: Done, steps: Vec<Step<Action>>, fresh: bool) -> Result<End<String>> {
        let result = self.go_on(&mut done, steps, fresh).await;
        done.ended(result)
    }

    async fn go_on(&self, done: &mut Done, steps: Vec<Step<Action>>, fresh: bool) -> Result<String> {
        for step in steps {
            self.store
                .change(self.desired.name(), &step.action, fresh)
                .await?;
            done.changes.extend(step.changes);
            self.did(done);
        }
        let look = async || match self.compare().await? {
            (Some(observed), Plan::Nothing) => Ok(Ok(observed.uri)),
            (_, plan) => Ok(Err(plan.changes())),
        };
        let thing = self.label();
        SHOWN_AFTER
            .wait_until_converged(self.store.console, &thing, look)
            .await
    }

    fn did(&self, done: &Done) {
        let item = self.item(done, &self.store.uri(self.desired.name()));
        self.store.console.record(&item);
    }

    /// The repository in the report.
    pub(crate) fn item(&self, done: &Done, uri: &str) -> Item {
        let mut item = Item::new("repository", self.desired.name(), done.verb);
        item.details = self.details.clone();
        item.changes(done.changes.clone()).detail("uri", uri)
    }

    /// Compares with the repository that somebody else made a moment ago.
    async fn look_again(&self) -> Result<(Observed, Plan)> {
        let look = async || {
            let (observed, plan) = self.compare().await?;
            Ok(observed.map(|observed| (observed, plan)))
        };
        let thing = self.label();
        let found = Backoff::CONFLICT
            .wait_until_visible(self.store.console, &thing, look)
            .await?;
        found.ok_or_else(|| deleted_during_create(&self.label()).into())
    }

    async fn compare(&self) -> Result<(Option<Observed>, Plan)> {
        let observed = self.store.describe(self.desired).await?.found();
        let plan = plan(self.desired, observed.as_ref())?;
        Ok((observed, plan))
    }

    fn label(&self) -> String {
        self.desired.label()
    }
}

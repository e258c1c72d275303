//! Makes the plan true for one repository.

use crate::plan::{Current, Deed, New, Plan, plan};
use crate::store::{Created, Store};
use crate::wanted::Wanted;
use anyhow::Result;
use common::plan::{Done, End, Step};
use common::reading::comes_and_goes;
use common::retry::Patience;
use common::{Change, Item};
use serde_json::{Map, Value};
use std::time::Duration;

/// How long ECR may take to show what was set.
const SHOWN_AFTER: Patience = Patience {
    total: Duration::from_secs(20),
    ..Patience::PROPAGATION
};

/// The work on one repository. Its end is the URI.
pub(crate) struct Job<'a> {
    pub(crate) store: &'a Store<'a>,
    pub(crate) wanted: &'a Wanted,
    /// What else the report says of it.
    pub(crate) details: Map<String, Value>,
}

impl Job<'_> {
    /// Changes what differs, and nothing else.
    ///
    /// # Errors
    /// When nothing could be done. Where something went through, [`End`] carries the error.
    pub(crate) async fn apply(&self, current: Option<&Current>, found: Plan) -> Result<End<String>> {
        match (found, current) {
            (Plan::Create(changes, steps), _) => {
                let new = New::of(self.wanted);
                match self.store.create(self.wanted.name(), &new).await? {
                    Created::New => self.created(changes, steps).await,
                    created @ (Created::Exists | Created::MayBeOurs) => {
                        let (current, plan) = self.look_again().await?;
                        if created == Created::MayBeOurs && plan.is_covered_by(&steps) {
                            return self.created(changes, steps).await;
                        }
                        // Two runs at the same time: the other one won, and the repository is compared like any
                        // other. It was not there when we looked, so there is no image to be lost.
                        self.update(&current, plan, true).await
                    }
                }
            }
            (plan, Some(current)) => self.update(current, plan, false).await,
            (_, None) => Err(comes_and_goes(&self.thing()).into()),
        }
    }

    /// It is made, with `changes` from birth; `steps` follow.
    async fn created(&self, changes: Vec<Change>, steps: Vec<Step<Deed>>) -> Result<End<String>> {
        let done = Done::created(changes);
        self.did(&done);
        self.change(done, steps, true).await
    }

    async fn update(&self, current: &Current, plan: Plan, fresh: bool) -> Result<End<String>> {
        let done = Done::nothing_of(&plan);
        match plan {
            Plan::Nothing => done.ended(Ok(current.uri.clone())),
            Plan::Update(steps) => self.change(done, steps, fresh).await,
            Plan::Create(..) => Err(comes_and_goes(&self.thing()).into()),
        }
    }

    /// One step after the other, and waits until ECR shows them.
    async fn change(&self, mut done: Done, steps: Vec<Step<Deed>>, fresh: bool) -> Result<End<String>> {
        let result = self.go_on(&mut done, steps, fresh).await;
        done.ended(result)
    }

    async fn go_on(&self, done: &mut Done, steps: Vec<Step<Deed>>, fresh: bool) -> Result<String> {
        for step in steps {
            self.store.change(self.wanted.name(), &step.deed, fresh).await?;
            done.changes.extend(step.changes);
            self.did(done);
        }
        let look = async || match self.compare().await? {
            (Some(current), Plan::Nothing) => Ok(Ok(current.uri)),
            (_, plan) => Ok(Err(plan.changes())),
        };
        let thing = self.thing();
        SHOWN_AFTER.until_shown(self.store.console, &thing, look).await
    }

    fn did(&self, done: &Done) {
        let item = self.item(done, &self.store.uri(self.wanted.name()));
        self.store.console.did(&item);
    }

    /// The repository in the report.
    pub(crate) fn item(&self, done: &Done, uri: &str) -> Item {
        let mut item = Item::new("repository", self.wanted.name(), done.action);
        item.details = self.details.clone();
        item.changes(done.changes.clone()).detail("uri", uri)
    }

    /// Compares with the repository that somebody else made a moment ago.
    async fn look_again(&self) -> Result<(Current, Plan)> {
        let look = async || {
            let (current, plan) = self.compare().await?;
            Ok(current.map(|current| (current, plan)))
        };
        let thing = self.thing();
        let found = Patience::CONFLICT
            .until_listed(self.store.console, &thing, look)
            .await?;
        found.ok_or_else(|| comes_and_goes(&self.thing()).into())
    }

    async fn compare(&self) -> Result<(Option<Current>, Plan)> {
        let current = self.store.describe(self.wanted).await?.there();
        let plan = plan(self.wanted, current.as_ref())?;
        Ok((current, plan))
    }

    fn thing(&self) -> String {
        self.wanted.thing()
    }
}

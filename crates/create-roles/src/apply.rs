//! Makes the plan of one role true.

use crate::documents::Wanted;
use crate::plan::{Current, Deed, Plan, left, plan, unnamed};
use crate::store::{Created, Store};
use anyhow::Result;
use common::config::{Place, partition_of};
use common::plan::{Done, End, Step};
use common::retry::Patience;
use common::{Change, Failure, Item};
use std::time::Duration;

/// How long IAM may take to show what was set, and to know a new role everywhere: seconds, as a rule.
pub(crate) const SHOWING: Patience = Patience {
    total: Duration::from_secs(60),
    ..Patience::PROPAGATION
};

/// The work on one role. Its end is the role as IAM shows it then.
pub(crate) struct Job<'a> {
    pub(crate) store: &'a Store<'a>,
    pub(crate) wanted: &'a Wanted,
    pub(crate) place: &'a Place,
}

impl Job<'_> {
    /// Changes what differs, and nothing else.
    ///
    /// # Errors
    /// When nothing could be done. Where something went through, [`End`] carries the error.
    pub(crate) async fn apply(&self, current: Option<Current>, found: Plan) -> Result<End<Current>> {
        match (found, current) {
            (Plan::Create(changes, steps), _) => match self.store.create(self.wanted).await? {
                Created::New => self.created(changes, steps).await,
                created @ (Created::Exists | Created::MayBeOurs) => {
                    let current = self.look_again().await?;
                    let plan = plan(self.wanted, Some(&current), false)?;
                    if created == Created::MayBeOurs && plan.is_covered_by(&steps) {
                        return self.created(changes, steps).await;
                    }
                    // Two runs at the same time: the other one won, and the role is compared like any other. What
                    // it may have that the file does not name was confirmed by nobody, and stays.
                    self.update(current, plan, true).await
                }
            },
            (plan, Some(current)) => self.update(current, plan, false).await,
            (_, None) => Err(self.not_shown().into()),
        }
    }

    /// It is made, with `changes` from birth; `steps` follow.
    async fn created(&self, changes: Vec<Change>, steps: Vec<Step<Deed>>) -> Result<End<Current>> {
        let done = Done::created(changes);
        self.did(&done);
        self.change(done, steps, true).await
    }

    async fn update(&self, current: Current, plan: Plan, fresh: bool) -> Result<End<Current>> {
        let done = Done::nothing_of(&plan);
        match plan {
            Plan::Nothing => done.ended(Ok(current)),
            Plan::Create(_, steps) | Plan::Update(steps) => {
                let end = self.change(done, steps, fresh).await?;
                Ok(End {
                    seen: end.seen.or(Some(current)),
                    ..end
                })
            }
        }
    }

    /// One step after the other, and waits until IAM shows them. That ECS may assume the role is another matter:
    /// the tools that hand it over wait for that.
    async fn change(&self, mut done: Done, steps: Vec<Step<Deed>>, fresh: bool) -> Result<End<Current>> {
        let result = self.go_on(&mut done, steps, fresh).await;
        done.ended(result)
    }

    async fn go_on(&self, done: &mut Done, steps: Vec<Step<Deed>>, fresh: bool) -> Result<Current> {
        for step in &steps {
            self.store.change(&self.wanted.name, &step.deed, fresh).await?;
            done.changes.extend(step.changes.clone());
            self.did(done);
        }
        let look = async || {
            let current = self.store.describe(self.wanted).await?.there();
            let left = left(plan(self.wanted, current.as_ref(), true)?, &steps);
            Ok(current.filter(|_| left.is_empty()).ok_or(left))
        };
        let thing = self.thing();
        SHOWING.until_shown(self.store.console, &thing, look).await
    }

    fn did(&self, done: &Done) {
        let arn = arn(self.wanted, None, self.place);
        let item = item(self.wanted, &arn, done.action, done.changes.clone(), None);
        self.store.console.did(&item);
    }

    /// Reads the role that IAM says is there.
    async fn look_again(&self) -> Result<Current> {
        if let Some(current) = self.store.describe(self.wanted).await?.there() {
            return Ok(current);
        }
        if let Some(failure) = self.store.find_ignoring_case(&self.wanted.name).await {
            return Err(failure.into());
        }
        let look = async || Ok(self.store.describe(self.wanted).await?.there());
        let thing = self.thing();
        let found = Patience::CONFLICT
            .until_listed(self.store.console, &thing, look)
            .await?;
        found.ok_or_else(|| self.not_shown().into())
    }

    fn thing(&self) -> String {
        self.wanted.thing()
    }

    fn not_shown(&self) -> Failure {
        let thing = self.thing();
        Failure::could_not(format!(
            "failed to create {thing}: IAM says that it exists, and does not show it"
        ))
        .code("EntityAlreadyExists")
        .hint("another role may have this name in other letters, or somebody else is deleting it")
    }
}

/// The ARN that the role has, or will have.
pub(crate) fn arn(wanted: &Wanted, current: Option<&Current>, place: &Place) -> String {
    let made = || {
        let partition = partition_of(&place.region);
        format!(
            "arn:{partition}:iam::{}:role{}{}",
            place.account, wanted.path, wanted.name
        )
    };
    current.map_or_else(made, |current| current.arn.clone())
}

/// The line of a role in the report.
pub(crate) fn item(
    wanted: &Wanted,
    arn: &str,
    action: &str,
    changes: Vec<Change>,
    current: Option<&Current>,
) -> Item {
    let unnamed = current
        .map(|current| unnamed(wanted, current))
        .unwrap_or_default();
    let item = Item::new("role", &wanted.name, action)
        .changes(changes)
        .detail("key", wanted.key.as_str())
        .detail("arn", arn);
    if unnamed.inline.is_empty() && unnamed.managed.is_empty() {
        return item;
    }
    item.detail(
        "unnamed",
        serde_json::json!({"inline": unnamed.inline, "managed": unnamed.managed}),
    )
}

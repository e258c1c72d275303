//! Makes the plan of one role true.

use crate::documents::Desired;
use crate::plan::{Action, Observed, Plan, left, plan, unnamed};
use crate::store::{Created, Store};
use anyhow::Result;
use cli::{Change, Failure, Item};
use common::config::{AwsTarget, partition_of};
use reconcile::backoff::Backoff;
use reconcile::plan::{Done, End, Step};
use std::time::Duration;

/// How long IAM may take to show what was set, and to know a new role everywhere: seconds, as a rule.
pub(crate) const SHOWING: Backoff = Backoff {
    max_elapsed: Duration::from_secs(60),
    ..Backoff::PROPAGATION
};

/// The work on one role. Its end is the role as IAM shows it then.
pub(crate) struct Job<'a> {
    pub(crate) store: &'a Store<'a>,
    pub(crate) desired: &'a Desired,
    pub(crate) place: &'a AwsTarget,
}

impl Job<'_> {
    /// Changes what differs, and nothing else.
    ///
    /// # Errors
    /// When nothing could be done. Where something went through, [`End`] carries the error.
    pub(crate) async fn apply(&self, observed: Option<Observed>, found: Plan) -> Result<End<Observed>> {
        match (found, observed) {
            (Plan::Create(changes, steps), _) => match self.store.create(self.desired).await? {
                Created::New => self.created(changes, steps).await,
                created @ (Created::Exists | Created::MayBeOurs) => {
                    let observed = self.look_again().await?;
                    let plan = plan(self.desired, Some(&observed), false)?;
                    if created == Created::MayBeOurs && plan.is_covered_by(&steps) {
                        return self.created(changes, steps).await;
                    }
                    // Two runs at the same time: the other one won, and the role is compared like any other. What
                    // it may have that the file does not name was confirmed by nobody, and stays.
                    self.update(observed, plan, true).await
                }
            },
            (plan, Some(observed)) => self.update(observed, plan, false).await,
            (_, None) => Err(self.not_shown().into()),
        }
    }

    /// It is made, with `changes` from birth; `steps` follow.
    async fn created(&self, changes: Vec<Change>, steps: Vec<Step<Action>>) -> Result<End<Observed>> {
        let done = Done::created(changes);
        self.did(&done);
        self.change(done, steps, true).await
    }

    async fn update(&self, observed: Observed, plan: Plan, fresh: bool) -> Result<End<Observed>> {
        let done = Done::nothing_of(&plan);
        match plan {
            Plan::Nothing => done.ended(Ok(observed)),
            Plan::Create(_, steps) | Plan::Update(steps) => {
                let end = self.change(done, steps, fresh).await?;
                Ok(End {
                    seen: end.seen.or(Some(observed)),
                    ..end
                })
            }
        }
    }

    /// One step after the other, and waits until IAM shows them. That ECS may assume the role is another matter:
    /// the tools that hand it over wait for that.
    async fn change(&self, mut done: Done, steps: Vec<Step<Action>>, fresh: bool) -> Result<End<Observed>> {
        let result = self.go_on(&mut done, steps, fresh).await;
        done.ended(result)
    }

    async fn go_on(&self, done: &mut Done, steps: Vec<Step<Action>>, fresh: bool) -> Result<Observed> {
        for step in &steps {
            self.store.change(&self.desired.name, &step.action, fresh).await?;
            done.changes.extend(step.changes.clone());
            self.did(done);
        }
        let look = async || {
            let observed = self.store.describe(self.desired).await?.found();
            let left = left(plan(self.desired, observed.as_ref(), true)?, &steps);
            Ok(observed.filter(|_| left.is_empty()).ok_or(left))
        };
        let thing = self.label();
        SHOWING
            .wait_until_converged(self.store.console, &thing, look)
            .await
    }

    fn did(&self, done: &Done) {
        let arn = arn(self.desired, None, self.place);
        let item = item(self.desired, &arn, done.verb, done.changes.clone(), None);
        self.store.console.record(&item);
    }

    /// Reads the role that IAM says is there.
    async fn look_again(&self) -> Result<Observed> {
        if let Some(observed) = self.store.describe(self.desired).await?.found() {
            return Ok(observed);
        }
        if let Some(failure) = self.store.find_ignoring_case(&self.desired.name).await {
            return Err(failure.into());
        }
        let look = async || Ok(self.store.describe(self.desired).await?.found());
        let thing = self.label();
        let found = Backoff::CONFLICT
            .wait_until_visible(self.store.console, &thing, look)
            .await?;
        found.ok_or_else(|| self.not_shown().into())
    }

    fn label(&self) -> String {
        self.desired.label()
    }

    fn not_shown(&self) -> Failure {
        let thing = self.label();
        Failure::error(format!(
            "failed to create {thing}: IAM says that it exists, and does not show it"
        ))
        .code("EntityAlreadyExists")
        .hint("another role may have this name in other letters, or somebody else is deleting it")
    }
}

/// The ARN that the role has, or will have.
pub(crate) fn arn(desired: &Desired, observed: Option<&Observed>, place: &AwsTarget) -> String {
    let made = || {
        let partition = partition_of(&place.region);
        format!(
            "arn:{partition}:iam::{}:role{}{}",
            place.account, desired.path, desired.name
        )
    };
    observed.map_or_else(made, |observed| observed.arn.clone())
}

/// The line of a role in the report.
pub(crate) fn item(
    desired: &Desired,
    arn: &str,
    action: &str,
    changes: Vec<Change>,
    observed: Option<&Observed>,
) -> Item {
    let unnamed = observed
        .map(|observed| unnamed(desired, observed))
        .unwrap_or_default();
    let item = Item::new("role", &desired.name, action)
        .changes(changes)
        .detail("key", desired.key.as_str())
        .detail("arn", arn);
    if unnamed.inline.is_empty() && unnamed.managed.is_empty() {
        return item;
    }
    item.detail(
        "unnamed",
        serde_json::json!({"inline": unnamed.inline, "managed": unnamed.managed}),
    )
}

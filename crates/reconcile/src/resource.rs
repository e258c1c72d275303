//! What a resource is to the loop.

use crate::backoff::Backoff;
use crate::lookup::{Lookup, deleted_during_create};
use crate::plan::{Plan, Step};
use anyhow::Result;
use cli::{Failure, Item};

/// The result of a creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// This run created the resource.
    New,
    /// Another caller created a resource of this name in the meantime.
    Exists,
    /// It exists, and an earlier attempt of this run got no answer: that attempt may have created it.
    MayBeOurs,
}

impl Created {
    /// The result when the service answers that the resource exists already; `may_have_applied` when an earlier
    /// attempt of the same call got no answer.
    pub fn existing(may_have_applied: bool) -> Self {
        if may_have_applied {
            Created::MayBeOurs
        } else {
            Created::Exists
        }
    }
}

/// One resource: its description in the configuration, and the calls that read, create and change it. A tool implements
/// the methods without a body, and of the others those in which its service is special.
#[expect(
    async_fn_in_trait,
    reason = "the tools run on one thread, so no caller needs a `Send` future"
)]
pub trait Resource {
    /// The resource as the service has it.
    type Observed;
    /// One call that changes the resource, with its arguments.
    type Action;

    /// The kind of the resource in the JSON document: `log-group`.
    const KIND: &'static str;

    /// Its name.
    fn name(&self) -> &str;

    /// The resource as messages name it: ``log group `x` ``.
    fn label(&self) -> String {
        format!("{} `{}`", Self::KIND.replace('-', " "), self.name())
    }

    /// Reads the resource once.
    ///
    /// # Errors
    /// When a call fails for any other reason than that the resource does not exist.
    async fn observe(&self) -> Result<Lookup<Self::Observed>>;

    /// Compares the desired resource with the observed one. No I/O.
    ///
    /// # Errors
    /// When a field differs that can't be changed.
    fn plan(&self, observed: Option<&Self::Observed>) -> Result<Plan<Self::Action>, Failure>;

    /// Creates the resource. The steps of its plan follow.
    ///
    /// # Errors
    /// When the service refuses.
    async fn create(&self) -> Result<Created>;

    /// Sends one call. Of a resource that is `just_created` some servers of AWS answer that it does not exist: that error
    /// is retried.
    ///
    /// # Errors
    /// When the service refuses.
    async fn perform(&self, action: &Self::Action, just_created: bool) -> Result<()>;

    /// Adds the fields of this kind of resource to its `item` in the JSON document.
    fn item(&self, item: Item, observed: Option<&Self::Observed>) -> Item;

    /// Adds to the item of a plan what the plan destroys.
    fn planned_item(&self, item: Item, _plan: &Plan<Self::Action>) -> Item {
        item
    }

    /// The line for stdout.
    fn line(&self, observed: Option<&Self::Observed>) -> Option<String>;

    /// Lines below the item on stderr, in a plan and at the end.
    fn notes(&self, _plan: &Plan<Self::Action>, _observed: Option<&Self::Observed>) -> Vec<String> {
        Vec::new()
    }

    /// Checks that need calls of their own, before anything is changed or a plan is printed.
    ///
    /// # Errors
    /// When the plan can't be carried out.
    async fn check_plan(&self, _plan: &Plan<Self::Action>) -> Result<()> {
        Ok(())
    }

    /// Prints what [`Resource::check_plan`] has found, before the plan or the question.
    fn explain_plan(&self) {}

    /// What the plan destroys, in words that complete "this will …" and need a confirmation.
    fn destroys(&self, _plan: &Plan<Self::Action>) -> Vec<String> {
        Vec::new()
    }

    /// The part of `plan` that needs no confirmation beyond that of the steps that were `performed`. The plan of a
    /// resource that another run created, or changed since the question, is passed to this method.
    fn confirmed(&self, plan: Plan<Self::Action>, _performed: &[Step<Self::Action>]) -> Plan<Self::Action> {
        plan
    }

    /// Waits for another caller's work on the resource, and creates what the resource needs, before the question and
    /// the first change. The result is the resource after that. The plan is made again from it, and not checked again by
    /// [`Resource::check_plan`]: it may only contain less.
    ///
    /// # Errors
    /// When the wait or a call fails.
    async fn prepare(
        &self,
        observed: Option<Self::Observed>,
        _plan: &Plan<Self::Action>,
    ) -> Result<Option<Self::Observed>> {
        Ok(observed)
    }

    /// Reads the resource after it was created or changed.
    ///
    /// # Errors
    /// When a call fails.
    async fn refetch(&self) -> Result<Lookup<Self::Observed>> {
        Lookup::read_consistent(async || self.observe().await).await
    }

    /// How long the service may take to show what was set.
    fn convergence(&self) -> Backoff {
        Backoff::PROPAGATION
    }

    /// The error for a resource that exists when it is created and never becomes visible.
    async fn explain_missing(&self) -> Failure {
        deleted_during_create(&self.label())
    }

    /// Checks at the end, when all steps are done.
    ///
    /// # Errors
    /// When a part of the work is missing.
    async fn check_end(&self) -> Result<()> {
        Ok(())
    }

    /// The items of what this resource needs and this run has created for it, or would create.
    fn other_items(&self) -> Vec<Item> {
        Vec::new()
    }
}

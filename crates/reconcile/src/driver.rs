//! The loop: look, plan, ask, create or change, wait, report.

use crate::backoff::Backoff;
use crate::confirm::confirm;
use crate::lookup::{Lookup, deleted_during_create};
use crate::plan::{Done, End, Plan, Step};
use crate::resource::{Created, Resource};
use anyhow::Result;
use cli::args::PlanArgs;
use cli::{Change, Console, Item, Outcome, Report};
use futures_util::{StreamExt, TryStreamExt, stream};

/// Resources that are read at the same time, so that the service does not throttle a long list.
const CONCURRENT_READS: usize = 8;

/// What the command line asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// `--dry-run`, `--check`.
    pub plan: PlanArgs,
    /// `--yes`.
    pub yes: bool,
}

/// Makes each of `resources` what the configuration describes, in their order. `report` is what its result is built on:
/// the account, the region. All resources are read and planned before the first one is changed, so that an error ahead
/// changes nothing; what the plans destroy is one question.
///
/// # Errors
/// When nothing could be done. Where something was changed, the report carries the error.
pub async fn reconcile<R: Resource>(
    console: &Console,
    resources: &[R],
    mode: Mode,
    report: Report,
) -> Result<Report> {
    let mut targets: Vec<Target<R>> = stream::iter(resources)
        .map(|resource| Target::look(console, resource))
        .buffered(CONCURRENT_READS)
        .try_collect()
        .await?;
    if mode.plan.plan_only() {
        return Ok(announce(console, &targets, report).checked(mode.plan.check));
    }
    console.begin(&report);
    let result = async {
        for target in &mut targets {
            target.prepare().await?;
        }
        ask(console, &targets, mode.yes).await
    };
    if let Err(error) = result.await {
        return with_other_items(resources, report, |report| failed(console, error, report));
    }
    apply(console, targets, report).await
}

/// A resource with what the service has of it and what is to be done.
struct Target<'a, R: Resource> {
    console: &'a Console,
    resource: &'a R,
    observed: Option<R::Observed>,
    plan: Plan<R::Action>,
}

impl<'a, R: Resource> Target<'a, R> {
    async fn look(console: &'a Console, resource: &'a R) -> Result<Self> {
        let observed = Lookup::read_consistent(async || resource.observe().await).await?;
        let observed = observed.into_option(&resource.label())?;
        let plan = resource.plan(observed.as_ref())?;
        resource.check_plan(&plan).await?;
        Ok(Target {
            console,
            resource,
            observed,
            plan,
        })
    }

    async fn prepare(&mut self) -> Result<()> {
        self.observed = self.resource.prepare(self.observed.take(), &self.plan).await?;
        self.plan = self.resource.plan(self.observed.as_ref())?;
        Ok(())
    }

    fn planned_item(&self) -> Item {
        let done = Done {
            verb: self.plan.verb(),
            changes: self.plan.changes(),
        };
        let item = item(self.resource, &done, self.observed.as_ref());
        self.resource.planned_item(item, &self.plan)
    }

    /// Creates or changes the resource.
    async fn apply(self) -> Result<End<R::Observed>> {
        let Target { resource, .. } = self;
        let Plan::Create(changes, steps) = self.plan else {
            return match self.observed {
                Some(observed) => update(self.console, resource, observed, self.plan, false).await,
                None => Err(deleted_during_create(&resource.label()).into()),
            };
        };
        let created = resource.create().await?;
        if created == Created::New {
            return finish_creation(self.console, resource, changes, steps).await;
        }
        let observed = wait_until_visible(self.console, resource).await?;
        let plan = resource.confirmed(resource.plan(Some(&observed))?, &[]);
        if created == Created::MayBeOurs && plan.is_covered_by(&steps) {
            return finish_creation(self.console, resource, changes, steps).await;
        }
        // Another run created the resource after this one had looked. Its plan destroys nothing that was there then:
        // no events and no images are old enough to be lost, and `confirmed` leaves out what else needs a question.
        update(self.console, resource, observed, plan, true).await
    }
}

/// `--dry-run`: what would be done.
fn announce<R: Resource>(console: &Console, targets: &[Target<R>], mut report: Report) -> Report {
    for target in targets {
        let (resource, observed) = (target.resource, target.observed.as_ref());
        let others = resource.other_items();
        others.iter().for_each(|item| console.announce(item, true));
        resource.explain_plan();
        let item = target.planned_item();
        console.announce(&item, true);
        print_notes(console, resource.notes(&target.plan, observed));
        for words in resource.destroys(&target.plan) {
            console.info(format!("  requires confirmation or --yes: {words}"));
        }
        if !others.is_empty() || !matches!(target.plan, Plan::Nothing) {
            report.outcome = Outcome::Planned;
        }
        report.items.extend(others);
        report.items.push(item);
        report.lines.extend(resource.line(observed));
    }
    report
}

/// One question for all that would be destroyed, before anything is.
async fn ask<R: Resource>(console: &Console, targets: &[Target<'_, R>], yes: bool) -> Result<()> {
    let mut destroyed = Vec::new();
    for target in targets {
        target.resource.explain_plan();
        let words = target.resource.destroys(&target.plan);
        if !words.is_empty() && !yes {
            console.announce(&target.planned_item(), true);
        }
        destroyed.extend(words);
    }
    if destroyed.is_empty() {
        return Ok(());
    }
    confirm(console, yes, &destroyed.join(", ")).await
}

async fn apply<R: Resource>(
    console: &Console,
    targets: Vec<Target<'_, R>>,
    mut report: Report,
) -> Result<Report> {
    for target in targets {
        let resource = target.resource;
        let resources = std::slice::from_ref(resource);
        let mut end = match target.apply().await {
            Ok(end) => end,
            Err(error) => {
                return with_other_items(resources, report, |report| failed(console, error, report));
            }
        };
        if end.error.is_none() {
            end.error = resource.check_end().await.err();
        }
        let End {
            done,
            observed,
            error,
        } = end;
        report = with_other_items(resources, report, Ok)?;
        if !done.is_nothing() {
            report.outcome = Outcome::Changed;
        }
        let item = item(resource, &done, observed.as_ref());
        console.announce(&item, false);
        print_notes(console, resource.notes(&Plan::Nothing, observed.as_ref()));
        report.items.push(item);
        report.lines.extend(resource.line(observed.as_ref()));
        match error {
            Some(error) if report.outcome == Outcome::Changed => {
                return Ok(console.partial(&error, report));
            }
            Some(error) => return Ok(console.failed(&error, report)),
            None => {}
        }
    }
    Ok(report)
}

/// `report` with what was created for `resources` besides themselves, handed to `next`.
fn with_other_items<R: Resource>(
    resources: &[R],
    mut report: Report,
    next: impl FnOnce(Report) -> Result<Report>,
) -> Result<Report> {
    for item in resources.iter().flat_map(Resource::other_items) {
        report.outcome = Outcome::Changed;
        report.items.push(item);
    }
    next(report)
}

/// # Errors
/// `error` itself, when nothing was changed.
fn failed(console: &Console, error: anyhow::Error, report: Report) -> Result<Report> {
    if report.outcome == Outcome::Changed {
        Ok(console.partial(&error, report))
    } else {
        Err(error)
    }
}

fn item<R: Resource>(resource: &R, done: &Done, observed: Option<&R::Observed>) -> Item {
    let item = Item::new(R::KIND, resource.name(), done.verb).changes(done.changes.clone());
    resource.item(item, observed)
}

fn print_notes(console: &Console, notes: Vec<String>) {
    for note in notes {
        console.info(format!("  {note}"));
    }
}

/// The resource was created by this run, with `changes` at creation; `steps` follow.
async fn finish_creation<R: Resource>(
    console: &Console,
    resource: &R,
    changes: Vec<Change>,
    steps: Vec<Step<R::Action>>,
) -> Result<End<R::Observed>> {
    let mut done = Done::created(changes);
    console.record(&item(resource, &done, None));
    let result = change(console, resource, &mut done, None, &steps, true).await;
    done.ended(result)
}

async fn update<R: Resource>(
    console: &Console,
    resource: &R,
    observed: R::Observed,
    plan: Plan<R::Action>,
    just_created: bool,
) -> Result<End<R::Observed>> {
    let mut done = Done::nothing_of(&plan);
    match plan {
        Plan::Nothing => done.ended(Ok(observed)),
        Plan::Create(..) => Err(deleted_during_create(&resource.label()).into()),
        Plan::Update(steps) => {
            let result = change(
                console,
                resource,
                &mut done,
                Some(&observed),
                &steps,
                just_created,
            )
            .await;
            let end = done.ended(result)?;
            Ok(End {
                observed: end.observed.or(Some(observed)),
                ..end
            })
        }
    }
}

/// One step after the other; then waits until the service shows them.
async fn change<R: Resource>(
    console: &Console,
    resource: &R,
    done: &mut Done,
    observed: Option<&R::Observed>,
    steps: &[Step<R::Action>],
    just_created: bool,
) -> Result<R::Observed> {
    for step in steps {
        resource.perform(&step.action, just_created).await?;
        done.changes.extend(step.changes.iter().cloned());
        console.record(&item(resource, done, observed));
    }
    let look = async || {
        let observed = resource.refetch().await?.found();
        let plan = resource.confirmed(resource.plan(observed.as_ref())?, steps);
        Ok(match (observed, plan) {
            (Some(observed), Plan::Nothing) => Ok(observed),
            (_, plan) => Err(plan.changes()),
        })
    };
    let backoff = resource.convergence();
    backoff
        .wait_until_converged(console, &resource.label(), look)
        .await
}

/// Waits for the resource that another caller created a moment ago.
async fn wait_until_visible<R: Resource>(console: &Console, resource: &R) -> Result<R::Observed> {
    let look = async || Ok(resource.refetch().await?.found());
    let label = resource.label();
    let found = Backoff::CONFLICT
        .wait_until_visible(console, &label, look)
        .await?;
    match found {
        Some(observed) => Ok(observed),
        None => Err(resource.explain_missing().await.into()),
    }
}

#[cfg(test)]
mod tests;

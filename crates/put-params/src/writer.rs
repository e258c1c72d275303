//! Carries out the plans: a few parameters at a time, each reported by itself.

use crate::error::ParameterError;
use crate::fetch::fetch_observed;
use crate::plan::{Action, Desired, Observed, Stored, plan};
use crate::rate::CONCURRENCY;
use crate::row::{Row, State};
use crate::store::{Created, Store};
use anyhow::Result;
use cli::{Console, ErrorKind};
use futures_util::{StreamExt, stream};
use reconcile::lookup::deleted_during_create;
use reconcile::{Plan, Step, Tags};
use secrecy::ExposeSecret;
use std::cell::Cell;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the new values are read back: SSM is eventually consistent.
const READ_BACK: Duration = Duration::from_secs(1);

/// The pause between two of these reads.
const READ_PAUSE: Duration = Duration::from_millis(250);

/// One parameter with its plan and its row in the report.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) desired: Desired,
    pub(crate) observed: Option<Observed>,
    /// `None` when the parameter can't become what the file describes: its row has the error.
    pub(crate) plan: Option<Plan<Action>>,
    pub(crate) row: Row,
}

/// Writes parameters.
pub(crate) struct Writer<'a> {
    pub(crate) store: &'a Store<'a>,
    pub(crate) tags: &'a Tags,
    pub(crate) console: &'a Console,
}

impl Writer<'_> {
    /// Does what is planned, keeps the rows up to date, and records each for the report of an interrupted run.
    pub(crate) async fn apply(&self, parameters: &mut [Parameter]) {
        let stop = &Cell::new(false);
        stream::iter(parameters)
            .for_each_concurrent(CONCURRENCY, |parameter| self.write(parameter, stop))
            .await;
    }

    async fn write(&self, parameter: &mut Parameter, stop: &Cell<bool>) {
        let Parameter {
            desired,
            observed,
            plan,
            row,
        } = parameter;
        let result = match plan {
            None | Some(Plan::Nothing) => return,
            Some(_) if stop.get() => {
                row.state = State::Skipped;
                Ok(())
            }
            Some(Plan::Create(..)) => self.create(desired, row).await,
            Some(Plan::Update(steps)) => self.update(desired, observed.as_ref(), steps, row).await,
        };
        if let Err(error) = result {
            let error = ParameterError::of(&desired.name, &error);
            // The other calls would fail for the same reason.
            stop.set(stop.get() || concerns_all(&error));
            row.state = State::Failed(error);
        }
        self.console.debug(format!("`{}`: {}", row.name, row.word()));
        self.console.record(&row.item());
    }

    async fn create(&self, desired: &Desired, row: &mut Row) -> Result<()> {
        match self.store.create(desired, self.tags).await? {
            Created::New(version) => {
                row.state = State::Created;
                row.version = Some(version);
                row.is_written = true;
                Ok(())
            }
            // Another caller has created it: it is compared like any other, and overwritten at most once.
            Created::Exists => self.update_existing(desired, row).await,
        }
    }

    async fn update_existing(&self, desired: &Desired, row: &mut Row) -> Result<()> {
        let with_tags = !self.tags.is_empty();
        let found = fetch_observed(self.store, &[desired], with_tags, self.console).await?;
        let observed = found.get(&desired.name);
        row.version = observed.map(|observed| observed.stored.version);
        match plan(desired, self.tags, observed) {
            Ok(Plan::Create(..)) => {
                Err(deleted_during_create(&format!("parameter `{}`", desired.name)).into())
            }
            Ok(plan) => {
                row.changes = plan.changes();
                self.update(desired, observed, plan.steps(), row).await
            }
            Err(error) => {
                row.state = State::Failed(ParameterError::put(&desired.name, error));
                Ok(())
            }
        }
    }

    async fn update(
        &self,
        desired: &Desired,
        observed: Option<&Observed>,
        steps: &[Step<Action>],
        row: &mut Row,
    ) -> Result<()> {
        let mut done = Vec::new();
        row.version = observed.map(|observed| observed.stored.version);
        for step in steps {
            match (&step.action, observed) {
                (Action::Put, Some(observed)) => {
                    row.version = Some(self.put(desired, observed).await?);
                }
                (Action::Tag(tags), _) => self.store.tag(&desired.name, tags).await?,
                (Action::Put, None) => anyhow::bail!("failed to put parameter `{}`: not found", desired.name),
            }
            row.is_written = true;
            done.extend_from_slice(&step.changes);
            // What is done so far, should the run end before the next step.
            let so_far = Row {
                state: State::Updated,
                changes: done.clone(),
                ..row.clone()
            };
            self.console.record(&so_far.item());
        }
        row.state = if steps.is_empty() {
            State::Unchanged
        } else {
            State::Updated
        };
        Ok(())
    }

    async fn put(&self, desired: &Desired, observed: &Observed) -> Result<i64> {
        let before = observed.stored.version;
        let version = self.store.update(desired, observed).await?;
        if version != before + 1 {
            self.console.warn(format!(
                "parameter `{}` went from version {before} to {version}: another caller wrote it in the meantime",
                desired.name
            ));
        }
        Ok(version)
    }

    /// Reads back what was written. SSM has no compare-and-set, so only this shows that another caller wrote at the
    /// same time, or that a write was lost. The result are warnings.
    pub(crate) async fn verify(&self, parameters: &[Parameter]) -> Vec<String> {
        let mut remaining: Vec<(&Desired, i64)> = parameters
            .iter()
            .filter(|Parameter { row, .. }| {
                row.is_written && row.changes.iter().any(|change| !change.path.starts_with("tags."))
            })
            .filter_map(|parameter| Some((&parameter.desired, parameter.row.version?)))
            .collect();
        let mut warnings = Vec::new();
        let start = Instant::now();
        while !remaining.is_empty() {
            let names: Vec<&str> = remaining
                .iter()
                .map(|(desired, _)| desired.name.as_str())
                .collect();
            let found = match self.store.read(&names).await {
                Ok(found) => found,
                Err(error) => {
                    warnings.push(format!("failed to read the new values back: {error:#}"));
                    return warnings;
                }
            };
            remaining.retain(|(desired, version)| {
                match compare(desired, *version, found.get(&desired.name)) {
                    ReadBack::Same => false,
                    ReadBack::Differs(warning) => {
                        warnings.push(warning);
                        false
                    }
                    ReadBack::Stale => true,
                }
            });
            if start.elapsed() >= READ_BACK {
                break;
            }
            if !remaining.is_empty() {
                sleep(READ_PAUSE).await;
            }
        }
        warnings.extend(remaining.iter().map(|(desired, version)| {
            format!(
                "parameter `{}` does not read back in version {version} yet",
                desired.name
            )
        }));
        warnings
    }
}

enum ReadBack {
    Same,
    /// With the warning.
    Differs(String),
    /// SSM still returns the version before the write.
    Stale,
}

fn compare(desired: &Desired, version: i64, stored: Option<&Stored>) -> ReadBack {
    let name = &desired.name;
    match stored {
        Some(stored) if stored.version > version => ReadBack::Differs(format!(
            "parameter `{name}` is in version {} already: another caller writes it as well",
            stored.version
        )),
        Some(stored) if stored.version == version => {
            if stored.value.expose_secret() == desired.value.expose_secret() {
                ReadBack::Same
            } else {
                ReadBack::Differs(format!(
                    "parameter `{name}` reads back with another value than was written"
                ))
            }
        }
        _ => ReadBack::Stale,
    }
}

/// Whether an error concerns the caller or the connection, so that the other calls would fail as well. A denied call is
/// none of these: a policy may grant one parameter, one tag or one key and not another.
fn concerns_all(error: &ParameterError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Credentials | ErrorKind::Network | ErrorKind::Unparseable
    )
}

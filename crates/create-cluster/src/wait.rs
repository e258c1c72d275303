//! Waits until a cluster is usable, and tells meanwhile what it is doing.

use crate::plan::Desired;
use crate::store::{Found, Seen, Status, Store};
use anyhow::Result;
use cli::Failure;
use cli::duration;
use cli::progress::Progress;
use std::time::Duration;
use tokio::time::Instant;

/// How often ECS is asked: soon at first, since many changes are quick.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often a state that stays the same is told again.
const REMINDER: Duration = Duration::from_secs(15);

/// How long a cluster that was just made may not be listed.
const LISTED_AFTER: Duration = Duration::from_secs(60);

/// A wait and what was told about it.
struct Watch<'a> {
    progress: Progress<'a>,
    name: String,
    start: Instant,
    told: Option<(String, Instant)>,
    pause: Duration,
}

impl<'a> Watch<'a> {
    fn new(store: &Store<'a>, name: &str) -> Self {
        Watch {
            progress: Progress::new(store.console),
            name: name.to_owned(),
            start: Instant::now(),
            told: None,
            pause: FIRST_PAUSE,
        }
    }

    /// Tells the state when it is another, or was told long ago, and sleeps.
    async fn pause(&mut self, state: &str) {
        let known = self
            .told
            .as_ref()
            .is_some_and(|(told, at)| told == state && at.elapsed() < REMINDER);
        if !known {
            let name = &self.name;
            let line = match duration::show(self.start.elapsed()) {
                _ if self.told.is_none() => format!("{name}: {state}"),
                elapsed => format!("{name}: {state} ({elapsed})"),
            };
            self.progress.info(line);
            self.told = Some((state.to_owned(), Instant::now()));
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

impl Store<'_> {
    /// Waits until the cluster is ACTIVE and nothing about it goes on. The deadline is the run's own.
    ///
    /// # Errors
    /// When it fails or goes away meanwhile.
    pub(crate) async fn wait_until_usable(&self, desired: &Desired, found: Found) -> Result<Box<Seen>> {
        let name = &desired.name;
        let mut watch = Watch::new(self, name);
        let mut found = found;
        loop {
            let state = match found {
                Found::Absent if watch.start.elapsed() < LISTED_AFTER => "not listed yet".to_owned(),
                Found::Absent => {
                    return Err(
                        Failure::error(format!("failed to find cluster `{name}`: it is not listed"))
                            .hint("somebody else may be deleting it: run it again")
                            .into(),
                    );
                }
                Found::There(seen) => match seen.status {
                    Status::Active | Status::UpdateFailed => return Ok(seen),
                    Status::Busy(word) => word,
                    Status::Failed => return Err(failed(name, &seen.attachments).into()),
                    Status::Deprovisioning => {
                        return Err(Failure::error(format!(
                            "failed to wait for cluster `{name}`: somebody else is deleting it"
                        ))
                        .into());
                    }
                },
            };
            watch.pause(&state).await;
            found = self.describe(desired).await?;
        }
    }

    /// Waits until a cluster that is being deleted is gone.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn wait_until_gone(&self, desired: &Desired) -> Result<()> {
        let mut watch = Watch::new(self, &desired.name);
        loop {
            match self.describe(desired).await? {
                Found::There(seen) if seen.status == Status::Deprovisioning => {
                    watch
                        .pause("DEPROVISIONING, it is made anew when that is done")
                        .await;
                }
                _ => return Ok(()),
            }
        }
    }
}

/// The error for a cluster that could not come about.
pub(crate) fn failed(name: &str, attachments: &str) -> Failure {
    let why = if attachments.is_empty() {
        "ECS gives no reason"
    } else {
        attachments
    };
    Failure::error(format!("failed to use cluster `{name}`: it is FAILED: {why}"))
        .code("cluster-failed")
        .hint(format!(
            "remove the cause, then `aws ecs delete-cluster --cluster {name}` and run this again"
        ))
}

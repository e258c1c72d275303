//! Waits until a cluster is usable, and prints its state meanwhile.

use crate::describe::Reader;
use crate::observed::{Observed, Status, failed};
use anyhow::Result;
use cli::progress::Progress;
use cli::{Console, ErrorKind, Failure, duration};
use reconcile::Lookup;
use std::time::Duration;
use tokio::time::Instant;

/// The first pause between two reads, since many changes are quick; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause between two reads.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// When a state that has not changed is printed again.
const REMINDER: Duration = Duration::from_secs(15);

/// How long a new cluster may be missing in DescribeClusters.
const VISIBLE_AFTER: Duration = Duration::from_secs(60);

/// A wait, and the state that it printed last.
struct Waiter<'a> {
    progress: Progress<'a>,
    name: &'a str,
    start: Instant,
    printed: Option<(String, Instant)>,
    pause: Duration,
}

impl<'a> Waiter<'a> {
    fn new(reader: &'a Reader, console: &'a Console) -> Self {
        Waiter {
            progress: Progress::new(console),
            name: &reader.name,
            start: Instant::now(),
            printed: None,
            pause: FIRST_PAUSE,
        }
    }

    /// Prints the state when it is new, or was printed long ago, and sleeps.
    async fn pause(&mut self, state: &str) {
        let printed = self.printed.as_ref();
        let is_known = printed.is_some_and(|(printed, at)| printed == state && at.elapsed() < REMINDER);
        if !is_known {
            let name = &self.name;
            let line = match duration::show(self.start.elapsed()) {
                _ if self.printed.is_none() => format!("{name}: {state}"),
                elapsed => format!("{name}: {state} ({elapsed})"),
            };
            self.progress.info(line);
            self.printed = Some((state.to_owned(), Instant::now()));
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

impl Reader<'_> {
    /// Reads the cluster until it is ACTIVE and no update is in progress. The deadline is that of the run.
    ///
    /// # Errors
    /// When the cluster fails or is deleted meanwhile.
    pub(crate) async fn wait_until_usable(&self, console: &Console) -> Result<Observed> {
        let label = format!("cluster `{}`", self.name);
        let mut waiter = Waiter::new(self, console);
        loop {
            let state = match self.describe().await? {
                Lookup::Found(observed) => match observed.status {
                    Status::Active | Status::UpdateFailed => return Ok(observed),
                    Status::Busy(word) => word,
                    Status::Failed => return Err(failed(&self.name, &observed.attachments).into()),
                    Status::Deprovisioning => {
                        let message = format!("failed to wait for {label}: another caller is deleting it");
                        return Err(Failure::error(message).kind(ErrorKind::Conflict).into());
                    }
                },
                _ if waiter.start.elapsed() < VISIBLE_AFTER => "not listed yet".to_owned(),
                _ => {
                    let message = format!("failed to find {label}: it is not listed");
                    let failure = Failure::error(message).kind(ErrorKind::NotFound);
                    return Err(failure
                        .hint("another caller may be deleting it: run it again")
                        .into());
                }
            };
            waiter.pause(&state).await;
        }
    }

    /// Waits until a cluster that is being deleted is gone.
    ///
    /// # Errors
    /// When the cluster can't be read.
    pub(crate) async fn wait_until_gone(&self, console: &Console) -> Result<()> {
        let mut waiter = Waiter::new(self, console);
        loop {
            match self.describe().await? {
                Lookup::Found(observed) if observed.status == Status::Deprovisioning => {
                    waiter
                        .pause("DEPROVISIONING, will be recreated once deleted")
                        .await;
                }
                _ => return Ok(()),
            }
        }
    }
}

//! Carries out the plan: a few writes at a time, each reported for itself.

use crate::fault::Fault;
use crate::listing::{Row, State};
use crate::pace::AT_ONCE;
use crate::plan::{Current, Plan, Stored, Tags, Update, Wanted, plan, settings};
use crate::store::{Created, Store};
use crate::survey::survey;
use anyhow::{Result, anyhow};
use cli::{Change, Console};
use futures_util::{StreamExt, stream};
use secrecy::ExposeSecret;
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How often the new values are read back until AWS has caught up.
const READS: u32 = 4;

/// The pause between two of these.
const PAUSE: Duration = Duration::from_millis(250);

/// One parameter with its plan.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) wanted: Wanted,
    pub(crate) current: Option<Current>,
    pub(crate) plan: Plan,
}

/// What the calls need.
pub(crate) struct Writer<'a> {
    pub(crate) store: &'a Store<'a>,
    pub(crate) tags: &'a Tags,
    pub(crate) console: &'a Console,
}

/// What became of one parameter.
struct Done {
    state: State,
    version: Option<i64>,
    /// What was changed; absent leaves what was planned.
    changes: Option<Vec<Change>>,
}

impl Writer<'_> {
    /// Does what is planned, and keeps `rows` up to date. When the deadline passes, those that are not done
    /// stay [`State::Unfinished`]; gives whether it was in time.
    pub(crate) async fn apply(&self, tasks: &[Task], rows: &RefCell<Vec<Row>>, deadline: Instant) -> bool {
        let stop = Cell::new(false);
        let all = stream::iter(tasks.iter().enumerate()).for_each_concurrent(AT_ONCE, |(at, task)| {
            let stop = &stop;
            async move {
                let done = match &task.plan {
                    Plan::Nothing | Plan::Blocked(_) => return,
                    Plan::Create | Plan::Update(_) if stop.get() => Done {
                        state: State::Skipped,
                        version: task.version(),
                        changes: None,
                    },
                    Plan::Create => self.create(task).await,
                    Plan::Update(update) => self.update(&task.wanted, task.current.as_ref(), update).await,
                };
                if let State::Failed { fault, .. } = &done.state {
                    // The others would be told the same.
                    stop.set(stop.get() || concerns_all(fault));
                }
                if let Some(row) = rows.borrow_mut().get_mut(at) {
                    row.state = done.state;
                    self.console.debug(format!("`{}`: {}", row.name, row.word()));
                    row.version = done.version;
                    row.changes = done.changes.unwrap_or(std::mem::take(&mut row.changes));
                }
            }
        });
        timeout_at(deadline, all).await.is_ok()
    }

    async fn create(&self, task: &Task) -> Done {
        let wanted = &task.wanted;
        match self.store.create(wanted, self.tags).await {
            Ok(Created::New(version)) => Done {
                state: State::Created,
                version: Some(version),
                changes: Some(settings(wanted, self.tags)),
            },
            // Somebody else was quicker: compared like any other, and written over at most once.
            Ok(Created::Exists) => match self.existing(wanted).await {
                Ok(done) => done,
                Err(error) => failed(wanted, &error, None, false),
            },
            Err(error) => failed(wanted, &error, None, false),
        }
    }

    async fn existing(&self, wanted: &Wanted) -> Result<Done> {
        let found = survey(self.store, &[wanted], !self.tags.is_empty(), self.console).await?;
        let current = found.get(&wanted.name);
        let version = current.map(|current| current.stored.version);
        Ok(match plan(wanted, self.tags, current) {
            Plan::Create => {
                return Err(anyhow!(
                    "parameter `{}` comes and goes: somebody else is deleting it",
                    wanted.name
                ));
            }
            Plan::Update(update) => self.update(wanted, current, &update).await,
            Plan::Nothing => Done {
                state: State::Unchanged,
                version,
                changes: Some(Vec::new()),
            },
            Plan::Blocked(flaw) => Done {
                state: State::Failed {
                    fault: Fault::new("put", &wanted.name, flaw),
                    written: false,
                },
                version,
                changes: None,
            },
        })
    }

    async fn update(&self, wanted: &Wanted, current: Option<&Current>, update: &Update) -> Done {
        let Some(current) = current else {
            let error = anyhow!("failed to put parameter `{}`: it is not there", wanted.name);
            return failed(wanted, &error, None, false);
        };
        let before = current.stored.version;
        let mut version = before;
        if update.put {
            version = match self.store.update(wanted, current).await {
                Ok(version) => version,
                Err(error) => return failed(wanted, &error, Some(before), false),
            };
            if version != before + 1 {
                self.console.warn(format!(
                    "parameter `{}` went from version {before} to {version}: somebody else wrote it in the meantime",
                    wanted.name
                ));
            }
        }
        if !update.tags.is_empty()
            && let Err(error) = self.store.tag(&wanted.name, &update.tags).await
        {
            return failed(wanted, &error, Some(version), update.put);
        }
        Done {
            state: State::Updated,
            version: Some(version),
            changes: Some(update.changes.clone()),
        }
    }

    /// Reads back what was written. There is no compare-and-set in SSM: this is how somebody else's write in
    /// between, or one that did not arrive, is seen. Gives what is odd.
    pub(crate) async fn verify(&self, tasks: &[Task], rows: &[Row], deadline: Instant) -> Vec<String> {
        let written: Vec<(&Wanted, i64)> = tasks
            .iter()
            .zip(rows)
            .filter(|(_, row)| {
                row.is_written() && row.changes.iter().any(|change| !change.path.starts_with("tags."))
            })
            .filter_map(|(task, row)| Some((&task.wanted, row.version?)))
            .collect();
        if written.is_empty() {
            return Vec::new();
        }
        timeout_at(deadline, self.read_back(&written))
            .await
            .unwrap_or_else(|_| vec!["there was no time left to read the new values back".into()])
    }

    async fn read_back(&self, written: &[(&Wanted, i64)]) -> Vec<String> {
        let mut left = written.to_vec();
        let mut odd = Vec::new();
        for read in 1..=READS {
            let names: Vec<&str> = left.iter().map(|(wanted, _)| wanted.name.as_str()).collect();
            let found = match self.store.read(&names).await {
                Ok(found) => found,
                Err(error) => {
                    odd.push(format!("failed to read the new values back: {error:#}"));
                    return odd;
                }
            };
            left.retain(
                |(wanted, version)| match judge(wanted, *version, found.get(&wanted.name)) {
                    ReadBack::Good => false,
                    ReadBack::Odd(what) => {
                        odd.push(what);
                        false
                    }
                    ReadBack::Early => true,
                },
            );
            if left.is_empty() {
                return odd;
            }
            if read < READS {
                sleep(PAUSE).await;
            }
        }
        odd.extend(left.iter().map(|(wanted, version)| {
            let name = &wanted.name;
            format!("parameter `{name}` does not read back in version {version} yet")
        }));
        odd
    }
}

enum ReadBack {
    Good,
    Odd(String),
    /// AWS has not caught up with the write.
    Early,
}

fn judge(wanted: &Wanted, version: i64, stored: Option<&Stored>) -> ReadBack {
    let name = &wanted.name;
    match stored {
        Some(stored) if stored.version > version => ReadBack::Odd(format!(
            "parameter `{name}` is in version {} already: somebody else writes it, too",
            stored.version
        )),
        Some(stored) if stored.version < version => ReadBack::Early,
        Some(stored) if stored.value.expose_secret() != wanted.value.expose_secret() => ReadBack::Odd(
            format!("parameter `{name}` reads back with another value than was written"),
        ),
        Some(_) => ReadBack::Good,
        None => ReadBack::Early,
    }
}

impl Task {
    pub(crate) fn version(&self) -> Option<i64> {
        self.current.as_ref().map(|current| current.stored.version)
    }
}

fn failed(wanted: &Wanted, error: &anyhow::Error, version: Option<i64>, written: bool) -> Done {
    Done {
        state: State::Failed {
            fault: Fault::of_error(&wanted.name, error),
            written,
        },
        version,
        changes: None,
    }
}

/// Whether an error is about the caller or the way to AWS, not about one parameter. A refusal by IAM is not: a policy
/// may allow one parameter, one tag or one key and not another.
fn concerns_all(fault: &Fault) -> bool {
    matches!(
        fault.code.as_deref(),
        Some(
            "ExpiredToken"
                | "ExpiredTokenException"
                | "RequestExpired"
                | "UnrecognizedClientException"
                | "InvalidClientTokenId"
                | "InvalidSignatureException"
                | "SignatureDoesNotMatch"
                | "no-credentials"
                | "network"
                | "no-aws-answer"
        )
    )
}

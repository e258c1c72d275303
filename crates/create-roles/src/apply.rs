//! Makes the plan of one role true.

use crate::documents::Wanted;
use crate::plan::{Current, Plan, Step, plan, unnamed};
use crate::store::{Created, Store};
use anyhow::Result;
use common::retry::Patience;
use common::{Change, Failure, Item};
use std::time::Duration;

/// How long IAM may take to show what was set: seconds, as a rule.
const SHOWING: Patience = Patience {
    total: Duration::from_secs(60),
    ..Patience::PROPAGATION
};

/// What became of one role.
pub(crate) struct Done {
    pub(crate) action: &'static str,
    pub(crate) changes: Vec<Change>,
    /// The role as it is now, when it was seen.
    pub(crate) current: Option<Current>,
    /// The error that came after something had been changed.
    pub(crate) error: Option<anyhow::Error>,
}

impl Done {
    /// Nothing was to be done.
    pub(crate) fn nothing(current: Option<Current>) -> Self {
        Done {
            action: "none",
            changes: Vec::new(),
            current,
            error: None,
        }
    }
}

/// Changes what differs, and nothing else.
///
/// # Errors
/// When nothing could be done. Where something went through, [`Done`] carries the error.
pub(crate) async fn apply(
    store: &Store<'_>,
    wanted: &Wanted,
    current: Option<Current>,
    found: Plan,
) -> Result<Done> {
    match found {
        Plan::Nothing => Ok(Done::nothing(current)),
        Plan::Update(steps) => changed(store, wanted, current, steps).await,
        Plan::Create(changes, steps) => match store.create(wanted).await? {
            Created::New => {
                let done = Done {
                    action: "create",
                    changes,
                    ..Done::nothing(None)
                };
                Ok(run(store, wanted, done, steps).await)
            }
            // Two runs at the same time: the other one won, and the role is compared like any other. What it may
            // have that the file does not name was confirmed by nobody, and stays.
            Created::Exists => {
                let current = look_again(store, wanted).await?;
                match plan(wanted, Some(&current), false)? {
                    Plan::Update(steps) => changed(store, wanted, Some(current), steps).await,
                    Plan::Nothing | Plan::Create(..) => Ok(Done::nothing(Some(current))),
                }
            }
        },
    }
}

async fn changed(
    store: &Store<'_>,
    wanted: &Wanted,
    current: Option<Current>,
    steps: Vec<Step>,
) -> Result<Done> {
    let done = Done {
        action: "update",
        ..Done::nothing(current)
    };
    let mut done = run(store, wanted, done, steps).await;
    match done.error.take() {
        Some(error) if done.changes.is_empty() => Err(error),
        error => Ok(Done { error, ..done }),
    }
}

async fn run(store: &Store<'_>, wanted: &Wanted, mut done: Done, steps: Vec<Step>) -> Done {
    let fresh = done.action == "create";
    for step in steps {
        if let Err(error) = store.change(&wanted.name, &step.deed, fresh).await {
            done.error = Some(error);
            return done;
        }
        done.changes.extend(step.changes);
    }
    match shown(store, wanted).await {
        Ok(current) => done.current = Some(current),
        Err(error) => done.error = Some(error),
    }
    done
}

/// Waits until IAM shows what was set. That ECS may assume the role is another matter: the tools that hand it
/// over wait for that.
async fn shown(store: &Store<'_>, wanted: &Wanted) -> Result<Current> {
    let name = &wanted.name;
    let differs = |_: &Plan| Some(format!("role `{name}` does not show the change yet"));
    let seen = SHOWING.retry(store.console, differs, async || {
        let current = match store.describe(wanted).await {
            Ok(current) => current,
            Err(error) => return Ok(Err(error)),
        };
        match (plan(wanted, current.as_ref(), false), current) {
            (Ok(Plan::Nothing), Some(current)) => Ok(Ok(current)),
            (Ok(plan), _) => Err(plan),
            (Err(failure), _) => Ok(Err(failure.into())),
        }
    });
    seen.await.unwrap_or_else(|plan| {
        let changes: Vec<String> = plan.changes().iter().map(ToString::to_string).collect();
        let changes = changes.join(", ");
        let message = format!("failed to verify role `{name}`: IAM does not show what was set: {changes}");
        Err(Failure::could_not(message).into())
    })
}

/// Reads the role that IAM says is there.
async fn look_again(store: &Store<'_>, wanted: &Wanted) -> Result<Current> {
    let name = &wanted.name;
    if let Some(current) = store.describe(wanted).await? {
        return Ok(current);
    }
    if let Some(failure) = store.find_ignoring_case(name).await {
        return Err(failure.into());
    }
    let missing = |(): &()| Some(format!("role `{name}` exists, but IAM does not show it yet"));
    let found = Patience::CONFLICT.retry(store.console, missing, async || {
        match store.describe(wanted).await {
            Ok(Some(current)) => Ok(Ok(current)),
            Ok(None) => Err(()),
            Err(error) => Ok(Err(error)),
        }
    });
    found.await.unwrap_or_else(|()| {
        let message =
            format!("failed to create role `{name}`: IAM says that it exists, and does not show it");
        let hint = "another role may have this name in other letters, or somebody else is deleting it";
        Err(Failure::could_not(message)
            .code("EntityAlreadyExists")
            .hint(hint)
            .into())
    })
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

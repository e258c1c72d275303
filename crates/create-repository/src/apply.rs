//! Makes the plan true for one repository.

use crate::plan::{Current, Plan, Step, plan};
use crate::store::{Created, Store};
use crate::wanted::Wanted;
use anyhow::Result;
use common::retry::Patience;
use common::{Change, Failure};
use std::time::Duration;

/// How long ECR may take to show what was set.
const SHOWN_AFTER: Patience = Patience {
    total: Duration::from_secs(20),
    ..Patience::PROPAGATION
};

/// What became of one repository.
pub(crate) struct Done {
    pub(crate) uri: String,
    pub(crate) action: &'static str,
    /// What went through.
    pub(crate) changes: Vec<Change>,
    /// What stopped the rest.
    pub(crate) error: Option<anyhow::Error>,
}

/// Changes what differs, and nothing else.
///
/// # Errors
/// When nothing could be done. Where something went through, [`Done`] carries the error.
pub(crate) async fn apply(
    store: &Store<'_>,
    wanted: &Wanted,
    current: Option<&Current>,
    found: &Plan,
) -> Result<Done> {
    match found {
        Plan::Create(new, steps) => match store.create(wanted.name(), new).await? {
            Created::New => Ok(go_on(store, wanted, "create", new.changes.clone(), steps, true).await),
            // Two runs at the same time: the other one won, and the repository is compared like any other.
            Created::Exists => {
                let (current, plan) = look_again(store, wanted).await?;
                update(store, wanted, &current, &plan, true).await
            }
        },
        Plan::Update(_) | Plan::Nothing => match current {
            Some(current) => update(store, wanted, current, found, false).await,
            None => Err(comes_and_goes(wanted).into()),
        },
    }
}

async fn update(
    store: &Store<'_>,
    wanted: &Wanted,
    current: &Current,
    plan: &Plan,
    fresh: bool,
) -> Result<Done> {
    let Plan::Update(steps) = plan else {
        return Ok(Done {
            uri: current.uri.clone(),
            action: "none",
            changes: Vec::new(),
            error: None,
        });
    };
    let done = go_on(store, wanted, "update", Vec::new(), steps, fresh).await;
    match done {
        Done {
            error: Some(error),
            changes,
            ..
        } if changes.is_empty() => Err(error),
        done => Ok(done),
    }
}

/// One step after the other, until one fails.
async fn go_on(
    store: &Store<'_>,
    wanted: &Wanted,
    action: &'static str,
    mut changes: Vec<Change>,
    steps: &[Step],
    fresh: bool,
) -> Done {
    let name = wanted.name();
    let mut error = None;
    for step in steps {
        if let Err(refused) = store.change(name, &step.deed, fresh).await {
            error = Some(refused);
            break;
        }
        changes.extend(step.changes.clone());
    }
    let verified = match &error {
        None => verify(store, wanted).await,
        Some(_) => Ok(None),
    };
    let uri = match verified {
        Ok(uri) => uri,
        Err(unverified) => {
            error = Some(unverified);
            None
        }
    };
    Done {
        uri: uri.unwrap_or_else(|| store.uri(name)),
        action,
        changes,
        error,
    }
}

/// Waits until ECR shows what was set, and gives the URI.
async fn verify(store: &Store<'_>, wanted: &Wanted) -> Result<Option<String>> {
    let name = wanted.name();
    let differs = |_: &Plan| Some(format!("repository `{name}` does not show the change yet"));
    let shown = SHOWN_AFTER.retry(store.console, differs, async || {
        let (current, plan) = match compare(store, wanted).await {
            Ok(compared) => compared,
            Err(error) => return Ok(Err(error)),
        };
        match plan {
            Plan::Nothing => Ok(Ok(current.map(|current| current.uri))),
            plan => Err(plan),
        }
    });
    shown.await.unwrap_or_else(|plan| {
        let changes: Vec<String> = plan.changes().iter().map(ToString::to_string).collect();
        let changes = changes.join(", ");
        let message =
            format!("failed to verify repository `{name}`: it does not show what was set: {changes}");
        Err(Failure::could_not(message).into())
    })
}

/// Compares with the repository that somebody else made a moment ago.
async fn look_again(store: &Store<'_>, wanted: &Wanted) -> Result<(Current, Plan)> {
    let name = wanted.name();
    let missing = |(): &()| Some(format!("repository `{name}` exists, but is not listed yet"));
    let found = Patience::CONFLICT.retry(store.console, missing, async || {
        match compare(store, wanted).await {
            Ok((Some(current), plan)) => Ok(Ok((current, plan))),
            Ok((None, _)) => Err(()),
            Err(error) => Ok(Err(error)),
        }
    });
    found
        .await
        .unwrap_or_else(|()| Err(comes_and_goes(wanted).into()))
}

async fn compare(store: &Store<'_>, wanted: &Wanted) -> Result<(Option<Current>, Plan)> {
    let current = store.describe(wanted).await?;
    let plan = plan(wanted, current.as_ref())?;
    Ok((current, plan))
}

fn comes_and_goes(wanted: &Wanted) -> Failure {
    Failure::could_not(format!(
        "failed to create repository `{}`: it comes and goes",
        wanted.name()
    ))
    .hint("somebody else is deleting it: run it again when that is done")
}

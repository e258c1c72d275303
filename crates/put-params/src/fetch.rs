//! Reads what the plan needs of the existing parameters.

use crate::plan::{Desired, Metadata, Need, Observed, Stored, need};
use crate::rate::CONCURRENCY;
use crate::store::Store;
use anyhow::{Context, Result};
use cli::error::ErrorSummary;
use cli::{Console, ErrorKind};
use futures_util::{StreamExt, TryStreamExt, stream};
use reconcile::Tags;
use std::collections::BTreeMap;

/// Reads the parameters that exist, `with_tags` if the file has tags.
///
/// # Errors
/// When a read fails that the plan needs. A denied read that only compares is a warning.
pub(crate) async fn fetch_observed(
    store: &Store<'_>,
    desired: &[&Desired],
    with_tags: bool,
    console: &Console,
) -> Result<BTreeMap<String, Observed>> {
    let names: Vec<&str> = desired.iter().map(|desired| desired.name.as_str()).collect();
    let stored = store.read(&names).await.with_context(|| match names.as_slice() {
        [name] => format!("failed to read parameter `{name}`"),
        names => format!("failed to read {} parameters", names.len()),
    })?;
    console.debug(format!("{} of {} parameters exist", stored.len(), names.len()));
    let (mut metadata, mut tags) = tokio::try_join!(
        metadata(store, desired, &stored, console),
        tags(store, &stored, with_tags, console)
    )?;
    let observed = stored.into_iter().map(|(name, stored)| {
        let observed = Observed {
            stored,
            metadata: metadata.remove(&name),
            tags: tags.remove(&name),
        };
        (name, observed)
    });
    Ok(observed.collect())
}

async fn metadata(
    store: &Store<'_>,
    desired: &[&Desired],
    stored: &BTreeMap<String, Stored>,
    console: &Console,
) -> Result<BTreeMap<String, Metadata>> {
    let mut needed: Vec<(&str, Need)> = Vec::new();
    for desired in desired {
        if let Some(stored) = stored.get(&desired.name) {
            needed.push((&desired.name, need(desired, stored)));
        }
    }
    needed.retain(|(_, need)| *need != Need::No);
    if needed.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names: Vec<&str> = needed.iter().map(|(name, _)| *name).collect();
    let answer = store.describe(&names).await;
    let kept = needed.iter().find(|(_, need)| *need == Need::Keep);
    match (answer, kept) {
        (Err(error), None) if is_denied(&error) => {
            console.warn(format!("key, tier and description not judged: {error:#}"));
            Ok(BTreeMap::new())
        }
        (answer, kept) => {
            let name = kept.or(needed.first()).map_or("", |(name, _)| name);
            answer.with_context(|| format!("failed to read key and tier of parameter `{name}`"))
        }
    }
}

async fn tags(
    store: &Store<'_>,
    stored: &BTreeMap<String, Stored>,
    with_tags: bool,
    console: &Console,
) -> Result<BTreeMap<String, Tags>> {
    if !with_tags {
        return Ok(BTreeMap::new());
    }
    let read = async |name: &String| -> Result<(String, Tags)> {
        let tags = store.tags(name).await;
        let tags = tags.with_context(|| format!("failed to read the tags of parameter `{name}`"))?;
        Ok((name.clone(), tags))
    };
    let answers = stream::iter(stored.keys()).map(read);
    match answers.buffer_unordered(CONCURRENCY).try_collect().await {
        Err(error) if is_denied(&error) => {
            console.warn(format!("tags not judged: {error:#}"));
            Ok(BTreeMap::new())
        }
        answer => answer,
    }
}

fn is_denied(error: &anyhow::Error) -> bool {
    ErrorSummary::of(error).kind == ErrorKind::Denied
}

//! What Parameter Store has now, as far as the plan depends on it.

use crate::plan::{Current, Metadata, Need, Stored, Tags, Wanted, need};
use crate::store::Store;
use anyhow::{Context, Result};
use cli::Console;
use cli::error::ErrorSummary;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;

/// Reads the parameters that are there. `with_tags` says whether their tags matter.
///
/// # Errors
/// When a read fails that the plan needs. One that is denied and would only have been a check is a warning.
pub(crate) async fn survey(
    store: &Store<'_>,
    wanted: &[&Wanted],
    with_tags: bool,
    console: &Console,
) -> Result<BTreeMap<String, Current>> {
    let names: Vec<&str> = wanted.iter().map(|wanted| wanted.name.as_str()).collect();
    let stored = store.read(&names).await.with_context(|| match names.as_slice() {
        [name] => format!("failed to read parameter `{name}`"),
        names => format!("failed to read {} parameters", names.len()),
    })?;
    console.debug(format!(
        "{} of {} parameters are there",
        stored.len(),
        names.len()
    ));
    let (mut metadata, mut tags) = futures_util::try_join!(
        metadata(store, wanted, &stored, console),
        tags(store, &stored, with_tags, console)
    )?;
    let current = stored.into_iter().map(|(name, stored)| {
        let current = Current {
            stored,
            metadata: metadata.remove(&name),
            tags: tags.remove(&name),
        };
        (name, current)
    });
    Ok(current.collect())
}

async fn metadata(
    store: &Store<'_>,
    wanted: &[&Wanted],
    stored: &BTreeMap<String, Stored>,
    console: &Console,
) -> Result<BTreeMap<String, Metadata>> {
    let mut needed: Vec<(&str, Need)> = Vec::new();
    for wanted in wanted {
        if let Some(stored) = stored.get(&wanted.name) {
            needed.push((&wanted.name, need(wanted, stored)));
        }
    }
    needed.retain(|(_, need)| *need != Need::No);
    if needed.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names: Vec<&str> = needed.iter().map(|(name, _)| *name).collect();
    let answer = store.describe(&names).await;
    let kept = needed.iter().find(|(_, need)| *need == Need::ToKeep);
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
    wanted: bool,
    console: &Console,
) -> Result<BTreeMap<String, Tags>> {
    if !wanted {
        return Ok(BTreeMap::new());
    }
    let read = async |name: &String| -> Result<(String, Tags)> {
        let tags = store.tags(name).await;
        let tags = tags.with_context(|| format!("failed to read the tags of parameter `{name}`"))?;
        Ok((name.clone(), tags))
    };
    let answers = stream::iter(stored.keys()).map(read);
    match answers.buffer_unordered(crate::pace::AT_ONCE).try_collect().await {
        Err(error) if is_denied(&error) => {
            console.warn(format!("tags not judged: {error:#}"));
            Ok(BTreeMap::new())
        }
        answer => answer,
    }
}

fn is_denied(error: &anyhow::Error) -> bool {
    ErrorSummary::of(error)
        .code
        .is_some_and(|code| matches!(code.as_str(), "AccessDenied" | "AccessDeniedException"))
}

//! The result of one image, for the report.

use crate::desired::Desired;
use crate::remote::{RemoteImage, Repository};
use cli::{Change, Item, Outcome};
use serde_json::Value;

/// Stands for the digest of an image that was not pushed yet: it depends on how the registry stores the layers.
pub(crate) const UNKNOWN_DIGEST: &str = "(known after the push)";

/// The result of one image.
pub(crate) struct ImageResult {
    pub(crate) outcome: Outcome,
    action: &'static str,
    changes: Vec<Change>,
    /// With the digest, if it is known.
    uri: String,
    digest: Option<String>,
    size: Option<u64>,
    /// The command that has to run before.
    after: Option<String>,
    /// For stderr.
    pub(crate) summary: String,
    /// For stdout.
    pub(crate) line: String,
}

impl ImageResult {
    /// A planned push that the command `after` makes possible. `repository` is `host/name`.
    pub(crate) fn would_push_after(repository: &str, image: &Desired, after: &str) -> Self {
        let changes = image
            .tags
            .iter()
            .map(|tag| Change::new(format!("tags.{tag}"), Value::Null, UNKNOWN_DIGEST));
        Self::planned(repository, image, changes.collect(), Some(after))
    }

    /// A planned push.
    pub(crate) fn would_push(repository: &Repository, image: &Desired, changes: Vec<Change>) -> Self {
        Self::planned(&repository.uri, image, changes, None)
    }

    fn planned(repository: &str, image: &Desired, changes: Vec<Change>, after: Option<&str>) -> Self {
        let suffix = after.map(|after| format!(" (after {after})")).unwrap_or_default();
        let first = image.tags.first().map_or("latest", String::as_str);
        let uri = format!("{repository}:{first}");
        ImageResult {
            outcome: Outcome::Planned,
            action: "push",
            changes,
            digest: None,
            size: None,
            after: after.map(str::to_owned),
            summary: format!("would be pushed{suffix}"),
            line: format!("{uri} would be pushed{suffix}"),
            uri,
        }
    }

    /// The result of an image that the registry has.
    pub(crate) fn of(
        outcome: Outcome,
        action: &'static str,
        changes: Vec<Change>,
        repository: &Repository,
        remote: &RemoteImage,
    ) -> Self {
        let uri = format!("{}@{}", repository.uri, remote.digest);
        ImageResult {
            outcome,
            action,
            changes,
            digest: Some(remote.digest.clone()),
            size: remote.size,
            after: None,
            summary: match (outcome, action) {
                (Outcome::Planned, _) => "would be tagged".into(),
                (_, "tag") => format!("tagged {}", remote.digest),
                (_, "push") => format!("pushed {}", remote.digest),
                _ => "unchanged".into(),
            },
            line: uri.clone(),
            uri,
        }
    }

    /// The result of an image whose tags all had it.
    pub(crate) fn unchanged(repository: &Repository, remote: &RemoteImage) -> Self {
        Self::of(Outcome::Unchanged, "none", Vec::new(), repository, remote)
    }

    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The item of the JSON document.
    pub(crate) fn item(&self, image: &Desired) -> Item {
        let item = Item::new("image", &image.name, self.action)
            .changes(self.changes.clone())
            .detail("uri", self.uri.as_str())
            .detail("digest", self.digest.clone())
            .detail("tags", image.tags.clone())
            .detail("size", self.size)
            .detail("source", image.source.describe());
        match &self.after {
            Some(after) => item.detail("after", after.as_str()),
            None => item,
        }
    }
}

//! What became of one image, for people and for programs.

use crate::desired::Desired;
use crate::remote::{Remote, Repository};
use cli::{Change, Outcome};
use serde_json::Value;

/// The digest of an image that was never pushed: the registry's form of the layers decides it.
pub(crate) const NOT_KNOWN: &str = "(known after the push)";

/// What became of one image.
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) action: &'static str,
    pub(crate) changes: Vec<Change>,
    /// With the digest, when it is known.
    pub(crate) uri: String,
    pub(crate) digest: Option<String>,
    pub(crate) size: Option<u64>,
    /// What has to be run before.
    pub(crate) after: Option<String>,
    /// For stderr.
    pub(crate) words: String,
    /// For stdout.
    pub(crate) line: String,
}

impl Done {
    /// A push that only something else makes possible. `repository` is `host/name`.
    pub(crate) fn planned(repository: &str, image: &Desired, after: &str) -> Self {
        let changes = image
            .tags
            .iter()
            .map(|tag| Change::new(format!("tags.{tag}"), Value::Null, NOT_KNOWN));
        Done::would_push(repository, image, changes.collect(), Some(after))
    }

    /// A push.
    pub(crate) fn would_push(
        repository: &str,
        image: &Desired,
        changes: Vec<Change>,
        after: Option<&str>,
    ) -> Self {
        let behind = after.map(|after| format!(" (after {after})")).unwrap_or_default();
        let first = image.tags.first().map_or("latest", String::as_str);
        let uri = format!("{repository}:{first}");
        Done {
            outcome: Outcome::Planned,
            action: "push",
            changes,
            digest: None,
            size: None,
            after: after.map(str::to_owned),
            words: format!("would be pushed{behind}"),
            line: format!("{uri} would be pushed{behind}"),
            uri,
        }
    }

    /// What is known of an image that the registry has.
    pub(crate) fn of(
        outcome: Outcome,
        action: &'static str,
        changes: Vec<Change>,
        repository: &Repository,
        remote: &Remote,
    ) -> Self {
        let uri = format!("{}@{}", repository.uri, remote.digest);
        Done {
            outcome,
            action,
            changes,
            digest: Some(remote.digest.clone()),
            size: remote.size,
            after: None,
            words: match (outcome, action) {
                (Outcome::Planned, _) => "would be tagged".into(),
                (_, "tag") => format!("tagged {}", remote.digest),
                (_, "push") => format!("pushed {}", remote.digest),
                _ => "unchanged".into(),
            },
            line: uri.clone(),
            uri,
        }
    }
}

//! Repositories and images of a registry. No I/O.

use serde_json::Value;

/// A repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repository {
    /// `host/name`
    pub(crate) uri: String,
    /// Whether its tags are immutable.
    pub(crate) immutable: bool,
    /// Patterns of the tags to which the opposite applies.
    pub(crate) exclusions: Vec<String>,
}

impl Repository {
    /// Whether `tag` is immutable.
    pub(crate) fn is_immutable(&self, tag: &str) -> bool {
        let excluded = self.exclusions.iter().any(|pattern| matches(pattern, tag));
        self.immutable != excluded
    }
}

/// ECR's wildcards: `*` matches any characters.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| rest.get(at..).is_some_and(|rest| matches(after, rest)))
        }),
    }
}

/// The image of a tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RemoteImage {
    /// `sha256:…` of the manifest or index.
    pub(crate) digest: String,
    /// The digest of the configuration, which is the id of an image in the engine's overlay2 store.
    pub(crate) config: Option<String>,
    /// The bytes of the configuration and of all layers, as stored.
    pub(crate) size: Option<u64>,
    /// The unchanged bytes of the manifest and its media type, with which ECR can give the image another tag.
    pub(crate) manifest: Option<(String, Option<String>)>,
}

impl RemoteImage {
    /// An image of which only the digest is known.
    pub(crate) fn with_digest(digest: impl Into<String>) -> Self {
        RemoteImage {
            digest: digest.into(),
            ..RemoteImage::default()
        }
    }

    /// An image with this manifest.
    pub(crate) fn with_manifest(digest: &str, text: &str, media_type: Option<&str>) -> Self {
        let document: Value = serde_json::from_str(text).unwrap_or_default();
        let config = document.pointer("/config/digest").and_then(Value::as_str);
        let layers = document.get("layers").and_then(Value::as_array);
        let size = layers.map(|layers| {
            let parts = layers.iter().chain(document.get("config"));
            parts.filter_map(|part| part.get("size")?.as_u64()).sum()
        });
        RemoteImage {
            digest: digest.to_owned(),
            config: config.map(str::to_owned),
            size,
            manifest: Some((text.to_owned(), media_type.map(str::to_owned))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions_invert_the_rule() {
        let repository = |immutable: bool, exclusions: &[&str]| Repository {
            immutable,
            exclusions: exclusions.iter().map(|pattern| (*pattern).to_owned()).collect(),
            ..Repository::default()
        };
        for (immutable, exclusions, tag, expected) in [
            (false, &[] as &[&str], "latest", false),
            (true, &[], "latest", true),
            (true, &["latest"], "latest", false),
            (true, &["latest"], "latest2", true),
            (true, &["dev-*", "latest"], "dev-1", false),
            (true, &["dev-*"], "dev", true),
            (false, &["release-*"], "release-1", true),
            (false, &["release-*"], "latest", false),
            (true, &["*-rc*"], "1.0-rc1", false),
            (true, &["*-rc*"], "1.0", true),
            (true, &["*"], "anything", false),
        ] {
            assert_eq!(
                repository(immutable, exclusions).is_immutable(tag),
                expected,
                "{immutable} {exclusions:?} {tag}"
            );
        }
    }

    #[test]
    fn reads_a_manifest() {
        let text = r#"{"schemaVersion":2,"config":{"digest":"sha256:c","size":10},"layers":[{"size":100},{"size":200}]}"#;
        let remote = RemoteImage::with_manifest("sha256:m", text, Some("type"));
        assert_eq!(remote.config.as_deref(), Some("sha256:c"));
        assert_eq!(remote.size, Some(310));
        assert_eq!(remote.manifest, Some((text.to_owned(), Some("type".to_owned()))));
        for text in [r#"{"manifests":[]}"#, "", "null", "[1]"] {
            let remote = RemoteImage::with_manifest("sha256:m", text, None);
            assert_eq!((remote.config, remote.size), (None, None), "{text}");
        }
    }
}

//! The plan for one image, from the image on the engine and the tags in the registry. No I/O.

use crate::engine::LocalImage;
use crate::remote::{RemoteImage, Repository};

/// One of the desired tags, and the image that the registry has under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagState {
    pub(crate) name: String,
    pub(crate) remote: Option<RemoteImage>,
}

/// The plan for one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Every tag has the image.
    Nothing(RemoteImage),
    /// The registry has the image, but not under these tags.
    Tag(RemoteImage, Vec<String>),
    /// No tag is known to have the image.
    Push,
}

/// Compares the image with the registry's tags. The digests that the engine keeps from earlier pushes only show which
/// digests of the registry belong to the same image, not that the registry still has them.
pub(crate) fn plan(image: &LocalImage, repository: &Repository, tags: &[TagState]) -> Plan {
    let has_image = |tag: &&TagState| {
        tag.remote
            .as_ref()
            .is_some_and(|remote| is_same(image, repository, remote))
    };
    // The first tag that has the image gives the digest for the others.
    let Some(same) = tags.iter().find(has_image).and_then(|tag| tag.remote.as_ref()) else {
        return Plan::Push;
    };
    let missing: Vec<String> = tags
        .iter()
        .filter(|tag| !has_image(tag))
        .map(|tag| tag.name.clone())
        .collect();
    if missing.is_empty() {
        Plan::Nothing(same.clone())
    } else {
        Plan::Tag(same.clone(), missing)
    }
}

/// Whether `remote` is `image`. The id of an image is the digest of its configuration in the overlay2 store and of its
/// manifest in the containerd store; both stores keep the digests of earlier pushes and pulls.
fn is_same(image: &LocalImage, repository: &Repository, remote: &RemoteImage) -> bool {
    let known = format!("{}@{}", repository.uri, remote.digest);
    remote.config.as_deref() == Some(&image.id) || remote.digest == image.id || image.digests.contains(&known)
}

/// The first immutable tag that the plan would move, with its digest.
pub(crate) fn immutable_conflict<'a>(
    plan: &Plan,
    image: &LocalImage,
    repository: &Repository,
    tags: &'a [TagState],
) -> Option<(&'a str, &'a str)> {
    let moves = |tag: &str| match plan {
        Plan::Nothing(_) => false,
        Plan::Tag(_, missing) => missing.iter().any(|one| one == tag),
        // The engine may push one platform of an index, whose digest is not known before: the registry checks.
        Plan::Push => !image.is_index,
    };
    tags.iter().find_map(|tag| {
        let remote = tag.remote.as_ref()?;
        (moves(&tag.name) && repository.is_immutable(&tag.name))
            .then_some((tag.name.as_str(), remote.digest.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "host.example/app";

    fn repository(immutable: bool) -> Repository {
        Repository {
            uri: URI.into(),
            immutable,
            exclusions: vec!["latest".into()],
        }
    }

    fn image(id: &str, digests: &[&str]) -> LocalImage {
        LocalImage {
            id: id.into(),
            digests: digests.iter().map(|digest| (*digest).to_owned()).collect(),
            ..LocalImage::default()
        }
    }

    fn remote(digest: &str, config: Option<&str>) -> RemoteImage {
        RemoteImage {
            config: config.map(str::to_owned),
            ..RemoteImage::with_digest(digest)
        }
    }

    fn tags(remotes: &[(&str, Option<RemoteImage>)]) -> Vec<TagState> {
        let tagged = remotes.iter().map(|(tag, remote)| TagState {
            name: (*tag).to_owned(),
            remote: remote.clone(),
        });
        tagged.collect()
    }

    #[test]
    fn the_same_image_is_recognised_in_three_ways() {
        let there = remote("sha256:m", Some("sha256:c"));
        for (what, local) in [
            ("by its configuration", image("sha256:c", &[])),
            ("by its manifest", image("sha256:m", &[])),
            (
                "by an earlier push",
                image("sha256:x", &["host.example/app@sha256:m"]),
            ),
        ] {
            let plan = plan(&local, &repository(false), &tags(&[("1", Some(there.clone()))]));
            assert_eq!(plan, Plan::Nothing(there.clone()), "{what}");
        }
        for (what, local) in [
            ("another image", image("sha256:other", &[])),
            (
                "pushed elsewhere",
                image("sha256:x", &["host.example/other@sha256:m"]),
            ),
            (
                "pushed earlier, since replaced",
                image("sha256:x", &["host.example/app@sha256:old"]),
            ),
        ] {
            let plan = plan(&local, &repository(false), &tags(&[("1", Some(there.clone()))]));
            assert_eq!(plan, Plan::Push, "{what}");
        }
    }

    #[test]
    fn digests_that_the_registry_no_longer_has_are_ignored() {
        let local = image("sha256:c", &["host.example/app@sha256:m"]);
        assert_eq!(
            plan(&local, &repository(false), &tags(&[("1", None)])),
            Plan::Push
        );
    }

    #[test]
    fn all_tags_must_have_the_image() {
        let local = image("sha256:c", &[]);
        let same = remote("sha256:m", Some("sha256:c"));
        let other = remote("sha256:o", Some("sha256:d"));
        let of = |remotes: &[(&str, Option<RemoteImage>)]| plan(&local, &repository(false), &tags(remotes));
        let both = Some(same.clone());
        assert_eq!(
            of(&[("1", both.clone()), ("2", both.clone())]),
            Plan::Nothing(same.clone())
        );
        assert_eq!(
            of(&[("1", both.clone()), ("2", None), ("3", Some(other.clone()))]),
            Plan::Tag(same.clone(), vec!["2".into(), "3".into()])
        );
        assert_eq!(
            of(&[("1", None), ("2", both.clone())]),
            Plan::Tag(same.clone(), vec!["1".into()])
        );
        // The same image compressed by another tool has another digest.
        let repacked = Some(remote("sha256:n", Some("sha256:c")));
        assert_eq!(of(&[("1", both), ("2", repacked)]), Plan::Nothing(same));
        assert_eq!(of(&[("1", None), ("2", Some(other))]), Plan::Push);
    }

    #[test]
    fn an_immutable_tag_conflicts_only_when_it_would_move() {
        let local = image("sha256:c", &[]);
        let same = remote("sha256:m", Some("sha256:c"));
        let other = remote("sha256:o", None);
        let check = |immutable: bool, remotes: &[(&str, Option<RemoteImage>)]| {
            let tags = tags(remotes);
            let plan = plan(&local, &repository(immutable), &tags);
            immutable_conflict(&plan, &local, &repository(immutable), &tags)
                .map(|(tag, digest)| format!("{tag} {digest}"))
        };
        assert_eq!(
            check(true, &[("1", Some(other.clone()))]).as_deref(),
            Some("1 sha256:o")
        );
        assert_eq!(check(true, &[("1", Some(same.clone()))]), None);
        assert_eq!(check(true, &[("1", None)]), None);
        assert_eq!(check(true, &[("latest", Some(other.clone()))]), None);
        assert_eq!(check(false, &[("1", Some(other.clone()))]), None);
        assert_eq!(
            check(false, &[("latest", Some(other.clone()))]).as_deref(),
            Some("latest sha256:o")
        );
        assert_eq!(
            check(
                true,
                &[("latest", Some(same.clone())), ("1", Some(other.clone()))]
            )
            .as_deref(),
            Some("1 sha256:o")
        );
        let index = LocalImage {
            is_index: true,
            ..local.clone()
        };
        let tags = tags(&[("1", Some(other))]);
        assert_eq!(
            immutable_conflict(&Plan::Push, &index, &repository(true), &tags),
            None
        );
    }
}

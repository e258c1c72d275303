//! What has to be sent, from what the engine and the registry have. No I/O.

use crate::engine::LocalImage;
use crate::remote::{Remote, Repository};

/// What the registry has behind one of the desired tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tagged {
    pub(crate) tag: String,
    pub(crate) remote: Option<Remote>,
}

/// What is to be done for one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Every tag has this image.
    Nothing(Remote),
    /// The registry has it; these tags are still elsewhere.
    Tag(Remote, Vec<String>),
    /// As far as can be told, no tag has it.
    Push,
}

/// Compares. The registry is what counts: what the engine remembers of an earlier push only says which of
/// the registry's digests mean the same image.
pub(crate) fn plan(image: &LocalImage, repository: &Repository, tags: &[Tagged]) -> Plan {
    let has_it = |tagged: &&Tagged| {
        tagged
            .remote
            .as_ref()
            .is_some_and(|remote| is_same(image, repository, remote))
    };
    // The first tag is the one that others go by.
    let Some(same) = tags.iter().find(has_it).and_then(|tagged| tagged.remote.as_ref()) else {
        return Plan::Push;
    };
    let elsewhere: Vec<String> = tags
        .iter()
        .filter(|tagged| !has_it(tagged))
        .map(|tagged| tagged.tag.clone())
        .collect();
    if elsewhere.is_empty() {
        Plan::Nothing(same.clone())
    } else {
        Plan::Tag(same.clone(), elsewhere)
    }
}

/// Whether `remote` is `image`. The classic store knows an image by its configuration, the newer one by its
/// manifest, and both know the digests that a push or a pull has given it.
fn is_same(image: &LocalImage, repository: &Repository, remote: &Remote) -> bool {
    let known = format!("{}@{}", repository.uri, remote.digest);
    remote.config.as_deref() == Some(&image.id) || remote.digest == image.id || image.digests.contains(&known)
}

/// The first tag that would have to be moved and may not be, with the digest that it has.
pub(crate) fn in_the_way<'a>(
    plan: &Plan,
    image: &LocalImage,
    repository: &Repository,
    tags: &'a [Tagged],
) -> Option<(&'a str, &'a str)> {
    let moved = |tag: &str| match plan {
        Plan::Nothing(_) => false,
        Plan::Tag(_, elsewhere) => elsewhere.iter().any(|one| one == tag),
        // Of an index the engine may push a part, whose digest is not known before: the registry itself decides.
        Plan::Push => !image.is_index,
    };
    tags.iter().find_map(|tagged| {
        let remote = tagged.remote.as_ref()?;
        (moved(&tagged.tag) && repository.is_immutable(&tagged.tag))
            .then_some((tagged.tag.as_str(), remote.digest.as_str()))
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

    fn remote(digest: &str, config: Option<&str>) -> Remote {
        Remote {
            config: config.map(str::to_owned),
            ..Remote::known_by(digest)
        }
    }

    fn tags(remotes: &[(&str, Option<Remote>)]) -> Vec<Tagged> {
        let tagged = remotes.iter().map(|(tag, remote)| Tagged {
            tag: (*tag).to_owned(),
            remote: remote.clone(),
        });
        tagged.collect()
    }

    #[test]
    fn the_same_image_is_known_in_three_ways() {
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
    fn what_the_engine_remembers_counts_for_nothing_when_the_registry_has_lost_it() {
        let local = image("sha256:c", &["host.example/app@sha256:m"]);
        assert_eq!(
            plan(&local, &repository(false), &tags(&[("1", None)])),
            Plan::Push
        );
    }

    #[test]
    fn all_tags_must_have_it() {
        let local = image("sha256:c", &[]);
        let same = remote("sha256:m", Some("sha256:c"));
        let other = remote("sha256:o", Some("sha256:d"));
        let of = |remotes: &[(&str, Option<Remote>)]| plan(&local, &repository(false), &tags(remotes));
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
        // Compressed by somebody else: another digest, and the same image all the same.
        let repacked = Some(remote("sha256:n", Some("sha256:c")));
        assert_eq!(of(&[("1", both), ("2", repacked)]), Plan::Nothing(same));
        assert_eq!(of(&[("1", None), ("2", Some(other))]), Plan::Push);
    }

    #[test]
    fn a_tag_that_may_not_move_is_in_the_way_only_when_it_would_have_to() {
        let local = image("sha256:c", &[]);
        let same = remote("sha256:m", Some("sha256:c"));
        let other = remote("sha256:o", None);
        let check = |immutable: bool, remotes: &[(&str, Option<Remote>)]| {
            let tags = tags(remotes);
            let plan = plan(&local, &repository(immutable), &tags);
            in_the_way(&plan, &local, &repository(immutable), &tags)
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
        assert_eq!(in_the_way(&Plan::Push, &index, &repository(true), &tags), None);
    }
}

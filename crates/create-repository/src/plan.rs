//! What differs between `ops.toml` and ECR. No I/O.

use common::Change;
use common::config::{Repository, TagMutability};
use serde_json::Value;
use std::collections::BTreeMap;

/// A repository as ECR has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    pub(crate) arn: String,
    pub(crate) uri: String,
    /// ECR's own word: `MUTABLE`, `IMMUTABLE`, or one of the kinds with exclusions.
    pub(crate) tag_mutability: String,
    pub(crate) scan_on_push: bool,
    pub(crate) tags: BTreeMap<String, String>,
}

/// What is to be done for one repository.
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    /// It is not there.
    Create(Wanted),
    /// It differs.
    Update(Update),
    /// It is as it should be.
    Nothing,
}

/// A new repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) tag_mutability: TagMutability,
    pub(crate) scan_on_push: bool,
    pub(crate) tags: BTreeMap<String, String>,
}

/// The parts that differ; the others are not touched.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Update {
    pub(crate) tag_mutability: Option<TagMutability>,
    pub(crate) scan_on_push: Option<bool>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) changes: Vec<Change>,
}

/// ECR's word for it.
pub(crate) fn word(mutability: TagMutability) -> &'static str {
    match mutability {
        TagMutability::Mutable => "MUTABLE",
        TagMutability::Immutable => "IMMUTABLE",
    }
}

/// Compares. Tags that the file does not name belong to somebody else and stay.
pub(crate) fn plan(
    repository: &Repository,
    tags: &BTreeMap<String, String>,
    current: Option<&Current>,
) -> Plan {
    let Some(current) = current else {
        return Plan::Create(Wanted {
            tag_mutability: repository.tag_mutability.unwrap_or(TagMutability::Mutable),
            scan_on_push: repository.scan_on_push.unwrap_or(false),
            tags: tags.clone(),
        });
    };
    let mut update = Update::default();
    if let Some(wanted) = repository
        .tag_mutability
        .filter(|wanted| word(*wanted) != current.tag_mutability)
    {
        update.changes.push(Change::new(
            "tag_mutability",
            current.tag_mutability.as_str(),
            word(wanted),
        ));
        update.tag_mutability = Some(wanted);
    }
    if let Some(wanted) = repository
        .scan_on_push
        .filter(|wanted| *wanted != current.scan_on_push)
    {
        update
            .changes
            .push(Change::new("scan_on_push", current.scan_on_push, wanted));
        update.scan_on_push = Some(wanted);
    }
    for (key, value) in tags {
        let old = current.tags.get(key);
        if old != Some(value) {
            let from = old.map_or(Value::Null, |old| old.as_str().into());
            update
                .changes
                .push(Change::new(format!("tags.{key}"), from, value.as_str()));
            update.tags.insert(key.clone(), value.clone());
        }
    }
    if update.changes.is_empty() {
        Plan::Nothing
    } else {
        Plan::Update(update)
    }
}

/// What is wrong with a name by ECR's rule (CreateRepository, `repositoryName`), told before the call.
pub(crate) fn fault_of_name(name: &str) -> Option<&'static str> {
    let ends_well = |part: &str| {
        let alphanumeric =
            |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        alphanumeric(part.bytes().next()) && alphanumeric(part.bytes().last())
    };
    let separators = |part: &str| {
        part.split(|character: char| character.is_ascii_lowercase() || character.is_ascii_digit())
            .all(|between| matches!(between, "" | "." | "_" | "-"))
    };
    if !(2..=256).contains(&name.len()) {
        Some("it must have 2 to 256 characters")
    } else if !name.split('/').all(|part| ends_well(part) && separators(part)) {
        Some("it must be of small letters and digits, with single `.`, `_`, `-` or `/` between them")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(tag_mutability: Option<TagMutability>, scan_on_push: Option<bool>) -> Repository {
        Repository {
            name: "a".into(),
            export: None,
            tag_mutability,
            mutability_exclusions: Vec::new(),
            scan_on_push,
            encryption: None,
            lifecycle_policy: None,
            policy: None,
        }
    }

    fn current() -> Current {
        Current {
            arn: "arn".into(),
            uri: "uri".into(),
            tag_mutability: "MUTABLE".into(),
            scan_on_push: false,
            tags: BTreeMap::from([
                ("app".into(), "other".into()),
                ("owner".into(), "somebody".into()),
            ]),
        }
    }

    #[test]
    fn what_the_file_does_not_name_stays() {
        let no_tags = BTreeMap::new();
        assert_eq!(
            plan(&wanted(None, None), &no_tags, Some(&current())),
            Plan::Nothing
        );
        let same = wanted(Some(TagMutability::Mutable), Some(false));
        assert_eq!(plan(&same, &no_tags, Some(&current())), Plan::Nothing);
    }

    #[test]
    fn only_what_differs_is_changed() {
        let tags = BTreeMap::from([("app".to_owned(), "cruddur".to_owned())]);
        let Plan::Update(update) = plan(
            &wanted(Some(TagMutability::Immutable), None),
            &tags,
            Some(&current()),
        ) else {
            panic!("an update");
        };
        assert_eq!(
            (update.tag_mutability, update.scan_on_push),
            (Some(TagMutability::Immutable), None)
        );
        assert_eq!(update.tags, tags);
        let shown: Vec<String> = update.changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "tag_mutability: MUTABLE -> IMMUTABLE",
                "tags.app: other -> cruddur"
            ]
        );
    }

    #[test]
    fn a_new_one_is_mutable_unless_the_file_says_otherwise() {
        let Plan::Create(new) = plan(&wanted(None, Some(true)), &BTreeMap::new(), None) else {
            panic!("a new one")
        };
        assert_eq!(
            (new.tag_mutability, new.scan_on_push),
            (TagMutability::Mutable, true)
        );
    }

    #[test]
    fn names_follow_ecrs_rule() {
        for name in ["ab", "cruddur-python", "a1/b-c/d_e.f", &"a".repeat(256)] {
            assert_eq!(fault_of_name(name), None, "{name}");
        }
        for name in [
            "",
            "a",
            "A-b",
            "a b",
            "-ab",
            "ab-",
            "a//b",
            "/ab",
            "a--b",
            "a:b",
            &"a".repeat(257),
        ] {
            assert!(fault_of_name(name).is_some(), "{name}");
        }
    }
}

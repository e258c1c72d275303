//! Checks `[[repository]]` against ECR's rules before the first call. No I/O.

use cli::Failure;
use common::config::{EncryptionType, Repository};
use std::collections::BTreeSet;

/// CreateRepository, `imageTagMutabilityExclusionFilters`.
const MOST_EXCLUSIONS: usize = 5;

/// The `*` that ECR takes in one of them.
const MOST_STARS: usize = 2;

/// # Errors
/// The first error, which names the repository and the key of the file.
pub(crate) fn validate(repositories: &[Repository]) -> Result<(), Failure> {
    let mut exported = BTreeSet::new();
    for repository in repositories {
        let name = &repository.name;
        if let Some(words) = name_problem(name) {
            let message = format!("failed to use the repository name `{name}`: {words}");
            return Err(Failure::config(message));
        }
        if let Some((key, words)) = field_problem(repository) {
            let message = format!("failed to use `{key}` of repository `{name}`: {words}");
            return Err(Failure::config(message));
        }
        if let Some(export) = repository
            .export
            .as_deref()
            .filter(|export| !exported.insert(*export))
        {
            let message = format!(
                "failed to use `export` of repository `{name}`: another repository has the name `{export}`"
            );
            return Err(Failure::config(message));
        }
    }
    Ok(())
}

/// ECR's rule for names (CreateRepository, `repositoryName`).
fn name_problem(name: &str) -> Option<&'static str> {
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
        Some("it must consist of lowercase letters and digits, with single `.`, `_`, `-` or `/` between them")
    } else {
        None
    }
}

fn field_problem(repository: &Repository) -> Option<(&'static str, String)> {
    if let Some(words) = exclusions_problem(repository) {
        return Some(("mutability_exclusions", words));
    }
    let encryption = repository.encryption.as_ref()?;
    let words = match (encryption.r#type, encryption.kms_key.as_deref()?) {
        (EncryptionType::Aes256, _) => {
            "AES256 takes no `kms_key`; a key of your own needs the type KMS".into()
        }
        // An alias can be moved to another key, so it does not tell whether the repository has the right one.
        (_, key) if key.is_empty() || key.contains("alias/") => {
            format!("`{key}` is neither the ARN nor the id of a KMS key")
        }
        _ => return None,
    };
    Some(("encryption", words))
}

fn exclusions_problem(repository: &Repository) -> Option<String> {
    let exclusions = &repository.mutability_exclusions;
    if exclusions.is_empty() {
        return None;
    }
    if repository.tag_mutability.is_none() {
        return Some("exceptions need a `tag_mutability`".into());
    }
    if exclusions.len() > MOST_EXCLUSIONS {
        return Some(format!(
            "there are {}, and ECR takes {MOST_EXCLUSIONS}",
            exclusions.len()
        ));
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._*-".contains(&byte);
    let mut seen = BTreeSet::new();
    exclusions.iter().find_map(|pattern| {
        if !(1..=128).contains(&pattern.len()) || !pattern.bytes().all(known) {
            Some(format!(
                "`{pattern}` must have 1 to 128 letters, digits, `.`, `_`, `-` and `*`"
            ))
        } else if pattern.matches('*').count() > MOST_STARS {
            Some(format!("`{pattern}` has more than {MOST_STARS} `*`"))
        } else if !seen.insert(pattern) {
            Some(format!("`{pattern}` is listed twice"))
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::config::{Encryption, TagMutability};

    fn named(name: &str) -> Repository {
        Repository {
            name: name.into(),
            ..Repository::default()
        }
    }

    fn error(repository: Repository) -> Option<String> {
        validate(&[repository]).err().map(|failure| failure.to_string())
    }

    #[test]
    fn names_follow_ecrs_rule() {
        for name in ["ab", "cruddur-python", "a1/b-c/d_e.f", &"a".repeat(256)] {
            assert_eq!(error(named(name)), None, "{name}");
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
            assert!(error(named(name)).is_some(), "{name}");
        }
    }

    #[test]
    fn exceptions_follow_ecrs_rule() {
        let with = |exclusions: &[&str]| {
            error(Repository {
                tag_mutability: Some(TagMutability::Immutable),
                mutability_exclusions: exclusions.iter().map(|one| (*one).to_owned()).collect(),
                ..named("ab")
            })
        };
        for right in [vec![], vec!["latest"], vec!["dev-*", "*x*", "a.b_c-1", "*", "v"]] {
            assert_eq!(with(&right), None, "{right:?}");
        }
        for wrong in [
            vec![""],
            vec!["a/b"],
            vec!["a b"],
            vec!["*a*b*"],
            vec!["a", "a"],
            vec!["a", "b", "c", "d", "e", "f"],
            vec![&"a".repeat(129)],
        ] {
            let words = with(&wrong).unwrap();
            assert!(
                words.starts_with("failed to use `mutability_exclusions` of repository `ab`: "),
                "{words}"
            );
        }
        let alone = Repository {
            mutability_exclusions: vec!["latest".into()],
            ..named("ab")
        };
        assert!(error(alone).unwrap().contains("need a `tag_mutability`"));
    }

    #[test]
    fn a_key_goes_with_kms_alone_and_is_no_alias() {
        let with = |r#type, key: Option<&str>| {
            error(Repository {
                encryption: Some(Encryption {
                    r#type,
                    kms_key: key.map(str::to_owned),
                }),
                ..named("ab")
            })
        };
        let arn = "arn:aws:kms:us-east-1:123456789012:key/1";
        for (kind, key) in [
            (EncryptionType::Aes256, None),
            (EncryptionType::Kms, None),
            (EncryptionType::Kms, Some(arn)),
            (EncryptionType::KmsDsse, Some("1111-2222")),
        ] {
            assert_eq!(with(kind, key), None, "{kind:?} {key:?}");
        }
        for (kind, key) in [
            (EncryptionType::Aes256, Some(arn)),
            (EncryptionType::Kms, Some("alias/x")),
            (
                EncryptionType::Kms,
                Some("arn:aws:kms:us-east-1:123456789012:alias/x"),
            ),
            (EncryptionType::Kms, Some("")),
        ] {
            assert!(with(kind, key).is_some(), "{kind:?} {key:?}");
        }
    }

    #[test]
    fn no_two_uris_go_under_one_name() {
        let with = |name: &str, export: &str| Repository {
            export: Some(export.into()),
            ..named(name)
        };
        assert!(validate(&[with("ab", "ONE"), with("cd", "TWO")]).is_ok());
        assert!(validate(&[with("ab", "SAME"), with("cd", "SAME")]).is_err());
    }
}

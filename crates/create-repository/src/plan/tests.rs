use super::*;
use serde_json::json;

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1111-2222";

fn wanted(repository: Repository) -> Wanted {
    Wanted {
        repository: Repository {
            name: "ab".into(),
            ..repository
        },
        policy: None,
        lifecycle: None,
        tags: Tags::new(),
    }
}

fn current() -> Current {
    Current {
        uri: "uri".into(),
        tag_mutability: "MUTABLE".into(),
        exclusions: Vec::new(),
        scan_on_push: false,
        encryption: "AES256".into(),
        kms_key: None,
        policy: None,
        lifecycle: None,
        tags: Tags::from([
            ("app".into(), "other".into()),
            ("owner".into(), "somebody".into()),
        ]),
    }
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.changes().iter().map(ToString::to_string).collect()
}

fn deeds(wanted: &Wanted, current: &Current) -> Vec<Deed> {
    match plan(wanted, Some(current)).unwrap() {
        Plan::Update(steps) => steps.into_iter().map(|step| step.deed).collect(),
        Plan::Nothing => Vec::new(),
        Plan::Create(..) => panic!("it is there"),
    }
}

fn policy(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "pull", "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": action}]})
}

fn lifecycle(count: u32) -> Value {
    json!({"rules": [{"rulePriority": 1,
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": count},
        "action": {"type": "expire"}}]})
}

#[test]
fn what_the_file_does_not_name_stays() {
    let rich = Current {
        tag_mutability: "IMMUTABLE_WITH_EXCLUSION".into(),
        exclusions: vec!["x".into()],
        scan_on_push: true,
        encryption: "KMS".into(),
        policy: Some(policy("ecr:BatchGetImage")),
        lifecycle: Some(lifecycle(1)),
        ..current()
    };
    assert_eq!(
        plan(&wanted(Repository::default()), Some(&rich)).unwrap(),
        Plan::Nothing
    );
    let same = wanted(Repository {
        tag_mutability: Some(TagMutability::Mutable),
        scan_on_push: Some(false),
        ..Repository::default()
    });
    assert_eq!(plan(&same, Some(&current())).unwrap(), Plan::Nothing);
}

#[test]
fn mutability_goes_with_its_exceptions() {
    let with = |mutability, exclusions: &[&str]| {
        wanted(Repository {
            tag_mutability: Some(mutability),
            mutability_exclusions: exclusions.iter().map(|one| (*one).to_owned()).collect(),
            ..Repository::default()
        })
    };
    let has = |word: &str, exclusions: &[&str]| Current {
        tag_mutability: word.into(),
        exclusions: exclusions.iter().map(|one| (*one).to_owned()).collect(),
        ..current()
    };
    use TagMutability::{Immutable, Mutable};
    let cases: [(Wanted, Current, &[&str]); 7] = [
        (
            with(Immutable, &[]),
            has("MUTABLE", &[]),
            &["tag_mutability: MUTABLE -> IMMUTABLE"],
        ),
        (
            with(Immutable, &["latest"]),
            has("IMMUTABLE", &[]),
            &[
                "tag_mutability: IMMUTABLE -> IMMUTABLE_WITH_EXCLUSION",
                r#"mutability_exclusions: [] -> ["latest"]"#,
            ],
        ),
        (
            with(Mutable, &["v*"]),
            has("MUTABLE_WITH_EXCLUSION", &["v*"]),
            &[],
        ),
        (
            with(Immutable, &["a", "b"]),
            has("IMMUTABLE_WITH_EXCLUSION", &["b", "a"]),
            &[],
        ),
        (
            with(Immutable, &["a"]),
            has("IMMUTABLE_WITH_EXCLUSION", &["a", "b"]),
            &[r#"mutability_exclusions: ["a","b"] -> ["a"]"#],
        ),
        (
            with(Immutable, &[]),
            has("IMMUTABLE_WITH_EXCLUSION", &["a"]),
            &[
                "tag_mutability: IMMUTABLE_WITH_EXCLUSION -> IMMUTABLE",
                r#"mutability_exclusions: ["a"] -> []"#,
            ],
        ),
        (with(Mutable, &[]), has("MUTABLE", &[]), &[]),
    ];
    for (wanted, current, changes) in cases {
        assert_eq!(
            shown(&plan(&wanted, Some(&current)).unwrap()),
            changes,
            "{wanted:?}"
        );
    }
}

#[test]
fn encryption_that_differs_is_an_error_that_says_so() {
    let with = |r#type, key: Option<&str>| {
        wanted(Repository {
            encryption: Some(Encryption {
                r#type,
                kms_key: key.map(str::to_owned),
            }),
            ..Repository::default()
        })
    };
    let kms = Current {
        encryption: "KMS".into(),
        kms_key: Some(KEY.into()),
        ..current()
    };
    use EncryptionType::{Aes256, Kms, KmsDsse};
    for (wanted, current) in [
        (with(Aes256, None), &current()),
        (with(Kms, None), &kms),
        (with(Kms, Some(KEY)), &kms),
        (with(Kms, Some("1111-2222")), &kms),
    ] {
        assert_eq!(plan(&wanted, Some(current)).unwrap(), Plan::Nothing);
    }
    for (wanted, current, words) in [
        (
            with(Kms, None),
            &current(),
            "the encryption of repository `ab` from AES256 to KMS: ",
        ),
        (
            with(Aes256, None),
            &kms,
            "the encryption of repository `ab` from KMS to AES256: ",
        ),
        (
            with(KmsDsse, None),
            &kms,
            "the encryption of repository `ab` from KMS to KMS_DSSE: ",
        ),
        (
            with(Kms, Some("2222")),
            &kms,
            "the KMS key of repository `ab` from arn:aws:kms:us-east-1:123456789012:key/1111-2222 to 2222: ",
        ),
    ] {
        let error = plan(&wanted, Some(current)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("failed to change {words}")), "{error}");
    }
}

#[test]
fn a_policy_is_compared_as_aws_means_it() {
    let with = |action| Wanted {
        policy: Some(policy(action)),
        ..wanted(Repository::default())
    };
    let has = Current {
        // As ECR gives it back.
        policy: Some(
            json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Sid": "pull",
            "Action": ["ecr:BatchGetImage"], "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}}}),
        ),
        ..current()
    };
    assert_eq!(
        plan(&with("ecr:BatchGetImage"), Some(&has)).unwrap(),
        Plan::Nothing
    );
    let found = plan(&with("ecr:PutImage"), Some(&has)).unwrap();
    assert_eq!(
        shown(&found),
        ["policy.Statement[0].Action: ecr:BatchGetImage -> ecr:PutImage"]
    );
    assert_eq!(
        deeds(&with("ecr:PutImage"), &has),
        [Deed::Policy(policy("ecr:PutImage"))]
    );
    let none = plan(&with("ecr:PutImage"), Some(&current())).unwrap();
    assert_eq!(
        none.changes(),
        [Change::new("policy", Value::Null, policy("ecr:PutImage"))]
    );
}

#[test]
fn a_lifecycle_policy_is_compared_by_its_rules() {
    let with = |count| Wanted {
        lifecycle: Some(lifecycle(count)),
        ..wanted(Repository::default())
    };
    let has = Current {
        lifecycle: Some(lifecycle(3)),
        ..current()
    };
    assert_eq!(plan(&with(3), Some(&has)).unwrap(), Plan::Nothing);
    let found = plan(&with(2), Some(&has)).unwrap();
    assert_eq!(
        shown(&found),
        ["lifecycle_policy.rules[1].selection.countNumber: 3 -> 2"]
    );
    assert_eq!(lifecycle_of(&found), Some(&lifecycle(2)));
    // A new repository has no images to show.
    assert_eq!(lifecycle_of(&plan(&with(2), None).unwrap()), None);
}

#[test]
fn only_what_differs_is_changed() {
    let wanted = Wanted {
        policy: Some(policy("ecr:PutImage")),
        lifecycle: Some(lifecycle(1)),
        tags: Tags::from([("app".into(), "cruddur".into())]),
        ..wanted(Repository {
            tag_mutability: Some(TagMutability::Immutable),
            scan_on_push: Some(true),
            ..Repository::default()
        })
    };
    let has = Current {
        policy: Some(policy("ecr:PutImage")),
        scan_on_push: true,
        ..current()
    };
    let immutable = Mutability {
        word: "IMMUTABLE",
        exclusions: Vec::new(),
    };
    assert_eq!(
        deeds(&wanted, &has),
        [
            Deed::Mutability(immutable),
            Deed::Lifecycle(lifecycle(1)),
            Deed::Tag(wanted.tags.clone())
        ]
    );
    let scanning = Current {
        scan_on_push: false,
        ..has
    };
    assert_eq!(deeds(&wanted, &scanning)[1], Deed::Scanning(true));
}

#[test]
fn a_new_one_is_mutable_unless_the_file_says_otherwise() {
    let bare = wanted(Repository::default());
    let new = New::of(&bare);
    assert_eq!((new.mutability.word, new.scan_on_push), ("MUTABLE", false));
    let found = plan(&bare, None).unwrap();
    assert_eq!(
        shown(&found),
        [
            "tag_mutability: (none) -> MUTABLE",
            "scan_on_push: (none) -> false"
        ]
    );
    assert_eq!(found.steps(), []);
    let wanted = Wanted {
        policy: Some(policy("ecr:PutImage")),
        lifecycle: Some(lifecycle(1)),
        tags: Tags::from([("app".into(), "x".into())]),
        ..wanted(Repository {
            tag_mutability: Some(TagMutability::Immutable),
            mutability_exclusions: vec!["latest".into()],
            scan_on_push: Some(true),
            encryption: Some(Encryption {
                r#type: EncryptionType::Kms,
                kms_key: Some(KEY.into()),
            }),
            ..Repository::default()
        })
    };
    let found = plan(&wanted, None).unwrap();
    let expected = [
        "tag_mutability: (none) -> IMMUTABLE_WITH_EXCLUSION".to_owned(),
        r#"mutability_exclusions: (none) -> ["latest"]"#.to_owned(),
        "scan_on_push: (none) -> true".to_owned(),
        "encryption.type: (none) -> KMS".to_owned(),
        format!("encryption.kms_key: (none) -> {KEY}"),
        "tags.app: (none) -> x".to_owned(),
        format!("policy: (none) -> {}", policy("ecr:PutImage")),
        format!("lifecycle_policy: (none) -> {}", lifecycle(1)),
    ];
    assert_eq!(shown(&found), expected);
}

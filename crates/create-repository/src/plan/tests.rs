use super::*;
use serde_json::json;

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1111-2222";

fn desired(repository: Repository) -> Desired {
    Desired {
        repository: Repository {
            name: "ab".into(),
            ..repository
        },
        policy: None,
        lifecycle: None,
        tags: Tags::new(),
    }
}

fn observed() -> Observed {
    Observed {
        uri: "uri".into(),
        tag_mutability: "MUTABLE".into(),
        exclusions: Vec::new(),
        scan_on_push: false,
        encryption: "AES256".into(),
        kms_key: None,
        policy: None,
        lifecycle: None,
        tags: Tags::from([("app".into(), "other".into()), ("owner".into(), "other".into())]),
    }
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.changes().iter().map(ToString::to_string).collect()
}

fn actions(desired: &Desired, observed: &Observed) -> Vec<Action> {
    match plan(desired, Some(observed)).unwrap() {
        Plan::Update(steps) => steps.into_iter().map(|step| step.action).collect(),
        Plan::Nothing => Vec::new(),
        Plan::Create(..) => panic!("it exists"),
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
    let rich = Observed {
        tag_mutability: "IMMUTABLE_WITH_EXCLUSION".into(),
        exclusions: vec!["x".into()],
        scan_on_push: true,
        encryption: "KMS".into(),
        policy: Some(policy("ecr:BatchGetImage")),
        lifecycle: Some(lifecycle(1)),
        ..observed()
    };
    assert_eq!(
        plan(&desired(Repository::default()), Some(&rich)).unwrap(),
        Plan::Nothing
    );
    let same = desired(Repository {
        tag_mutability: Some(TagMutability::Mutable),
        scan_on_push: Some(false),
        ..Repository::default()
    });
    assert_eq!(plan(&same, Some(&observed())).unwrap(), Plan::Nothing);
}

#[test]
fn mutability_goes_with_its_exceptions() {
    let with = |mutability, exclusions: &[&str]| {
        desired(Repository {
            tag_mutability: Some(mutability),
            mutability_exclusions: exclusions.iter().map(|one| (*one).to_owned()).collect(),
            ..Repository::default()
        })
    };
    let has = |word: &str, exclusions: &[&str]| Observed {
        tag_mutability: word.into(),
        exclusions: exclusions.iter().map(|one| (*one).to_owned()).collect(),
        ..observed()
    };
    use TagMutability::{Immutable, Mutable};
    let cases: [(Desired, Observed, &[&str]); 7] = [
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
    for (desired, observed, changes) in cases {
        assert_eq!(
            shown(&plan(&desired, Some(&observed)).unwrap()),
            changes,
            "{desired:?}"
        );
    }
}

#[test]
fn encryption_that_differs_is_an_error_that_says_so() {
    let with = |r#type, key: Option<&str>| {
        desired(Repository {
            encryption: Some(Encryption {
                r#type,
                kms_key: key.map(str::to_owned),
            }),
            ..Repository::default()
        })
    };
    let kms = Observed {
        encryption: "KMS".into(),
        kms_key: Some(KEY.into()),
        ..observed()
    };
    use EncryptionType::{Aes256, Kms, KmsDsse};
    for (desired, observed) in [
        (with(Aes256, None), &observed()),
        (with(Kms, None), &kms),
        (with(Kms, Some(KEY)), &kms),
        (with(Kms, Some("1111-2222")), &kms),
    ] {
        assert_eq!(plan(&desired, Some(observed)).unwrap(), Plan::Nothing);
    }
    for (desired, observed, words) in [
        (
            with(Kms, None),
            &observed(),
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
        let error = plan(&desired, Some(observed)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("failed to change {words}")), "{error}");
    }
}

#[test]
fn a_policy_is_compared_as_aws_means_it() {
    let with = |action| Desired {
        policy: Some(policy(action)),
        ..desired(Repository::default())
    };
    let has = Observed {
        // As ECR gives it back.
        policy: Some(
            json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Sid": "pull",
            "Action": ["ecr:BatchGetImage"], "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}}}),
        ),
        ..observed()
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
        actions(&with("ecr:PutImage"), &has),
        [Action::Policy(policy("ecr:PutImage"))]
    );
    let none = plan(&with("ecr:PutImage"), Some(&observed())).unwrap();
    assert_eq!(
        none.changes(),
        [Change::new("policy", Value::Null, policy("ecr:PutImage"))]
    );
}

#[test]
fn a_lifecycle_policy_is_compared_by_its_rules() {
    let with = |count| Desired {
        lifecycle: Some(lifecycle(count)),
        ..desired(Repository::default())
    };
    let has = Observed {
        lifecycle: Some(lifecycle(3)),
        ..observed()
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
    let desired = Desired {
        policy: Some(policy("ecr:PutImage")),
        lifecycle: Some(lifecycle(1)),
        tags: Tags::from([("app".into(), "cruddur".into())]),
        ..desired(Repository {
            tag_mutability: Some(TagMutability::Immutable),
            scan_on_push: Some(true),
            ..Repository::default()
        })
    };
    let has = Observed {
        policy: Some(policy("ecr:PutImage")),
        scan_on_push: true,
        ..observed()
    };
    let immutable = Mutability {
        word: "IMMUTABLE",
        exclusions: Vec::new(),
    };
    assert_eq!(
        actions(&desired, &has),
        [
            Action::Mutability(immutable),
            Action::Lifecycle(lifecycle(1)),
            Action::Tag(desired.tags.clone())
        ]
    );
    let scanning = Observed {
        scan_on_push: false,
        ..has
    };
    assert_eq!(actions(&desired, &scanning)[1], Action::Scanning(true));
}

#[test]
fn a_new_one_is_mutable_unless_the_file_says_otherwise() {
    let bare = desired(Repository::default());
    let new = AtCreation::of(&bare);
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
    let desired = Desired {
        policy: Some(policy("ecr:PutImage")),
        lifecycle: Some(lifecycle(1)),
        tags: Tags::from([("app".into(), "x".into())]),
        ..desired(Repository {
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
    let found = plan(&desired, None).unwrap();
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

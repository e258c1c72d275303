//! `create-repository`: describe, compare, change only what differs.

mod calls;
mod confirm;
mod documents;
mod ecr;
mod failures;
mod interrupted;
mod lost;
mod sandbox;

pub(crate) use calls::calls;
use ecr::{Ecr, Repository, repository, writes};
use serde_json::{Value, json};
use support::Tool;
use support::aws::{FakeAws, ecr as target};

const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
tags = { app = "e2e" }
[[repository]]
name = "one"
export = "ONE_URL"
tag_mutability = "MUTABLE"
[[repository]]
name = "two"
tag_mutability = "IMMUTABLE"
scan_on_push = true
"#;

fn tool(aws: &FakeAws) -> Tool {
    aws.tool("create-repository").config_text(CONFIG)
}

/// A file with one repository, `one`, and these lines in its table.
fn with_lines(aws: &FakeAws, lines: &str) -> Tool {
    let config = format!(
        "version = 1\n[app]\nname = \"e2e\"\ntags = {{ app = \"e2e\" }}\n[[repository]]\nname = \"one\"\n{lines}\n"
    );
    aws.tool("create-repository").config_text(&config)
}

fn as_desired() -> [(&'static str, Repository); 2] {
    [
        ("one", repository("MUTABLE", false)),
        ("two", repository("IMMUTABLE", true)),
    ]
}

#[test]
fn creates_missing_repositories_with_their_tags() {
    let (aws, _) = Ecr::with([]);
    assert_eq!(
        tool(&aws).transcript(),
        "exit: 0\n\
         --- stdout\n\
         123456789012.dkr.ecr.us-east-1.amazonaws.com/one\n\
         123456789012.dkr.ecr.us-east-1.amazonaws.com/two\n\
         --- stderr\n\
         create-repository: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n\
         one: created\n  \
         tag_mutability: (none) -> MUTABLE\n  \
         scan_on_push: (none) -> false\n  \
         tags.app: (none) -> e2e\n\
         two: created\n  \
         tag_mutability: (none) -> IMMUTABLE\n  \
         scan_on_push: (none) -> true\n  \
         tags.app: (none) -> e2e\n"
    );
    let tags = json!([{"Key": "app", "Value": "e2e"}]);
    // The SDK leaves out a `false`, which is ECR's own default.
    assert_eq!(
        aws.bodies(target("CreateRepository")),
        [
            json!({"repositoryName": "one", "imageTagMutability": "MUTABLE", "imageScanningConfiguration": {}, "tags": tags}),
            json!({"repositoryName": "two", "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": true}, "tags": tags}),
        ]
    );
    assert_eq!(writes(&aws), ["CreateRepository", "CreateRepository"]);

    aws.forget();
    tool(&aws).run().exits(0).says("one: unchanged\ntwo: unchanged\n");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn leaves_what_is_right_alone() {
    let (aws, _) = Ecr::with(as_desired());
    let output = tool(&aws).args(["-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(document["account"], "123456789012");
    assert_eq!(document["region"], "us-east-1");
    assert_eq!(
        document["items"][0],
        json!({
            "kind": "repository", "name": "one", "action": "none", "changes": [],
            "uri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/one",
        })
    );
    assert_eq!(document["items"][1]["action"], "none");
    assert_eq!(writes(&aws), [""; 0]);
    // Policies that the file does not name are not read.
    assert_eq!(aws.requests().len(), 5, "{:?}", aws.targets());
}

#[test]
fn changes_only_what_differs() {
    let (aws, _) = Ecr::with([
        ("one", repository("IMMUTABLE", true)),
        ("two", repository("IMMUTABLE", false)),
    ]);
    let document = tool(&aws).args(["-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(
        document["items"][0]["changes"],
        json!([{"path": "tag_mutability", "from": "IMMUTABLE", "to": "MUTABLE"}])
    );
    let sent: Vec<(String, Value)> = aws
        .writes()
        .into_iter()
        .map(|one| (one.operation().to_owned(), one.body["repositoryName"].clone()))
        .collect();
    // `scan_on_push` of `one` is not in the file, so it stays.
    assert_eq!(
        sent,
        [
            ("PutImageTagMutability".to_owned(), json!("one")),
            ("PutImageScanningConfiguration".to_owned(), json!("two")),
        ]
    );
    aws.forget();
    tool(&aws).run().exits(0).says("one: unchanged\ntwo: unchanged\n");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_plan_sends_no_writing_call_and_check_makes_it_a_no() {
    let (aws, _) = Ecr::with([("one", repository("MUTABLE", false))]);
    let dry = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0);
    assert_eq!(dry.json()["outcome"], "planned");
    assert_eq!(
        dry.json()["items"][1]["uri"],
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/two"
    );
    tool(&aws)
        .arg("--check")
        .run()
        .exits(1)
        .says("two: would be created\n  tag_mutability: (none) -> IMMUTABLE\n");
    assert_eq!(writes(&aws), [""; 0]);
    let (aws, _) = Ecr::with(as_desired());
    tool(&aws).arg("--check").run().exits(0);
}

#[test]
fn exceptions_of_mutability_are_set_with_it() {
    let lines = "tag_mutability = \"IMMUTABLE\"\nmutability_exclusions = [\"latest\", \"dev-*\"]";
    let filters = json!([
        {"filterType": "WILDCARD", "filter": "latest"}, {"filterType": "WILDCARD", "filter": "dev-*"}]);
    let (aws, _) = Ecr::with([]);
    with_lines(&aws, lines).run().exits(0);
    let made = &aws.bodies(target("CreateRepository"))[0];
    assert_eq!(made["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION");
    assert_eq!(made["imageTagMutabilityExclusionFilters"], filters);

    let (aws, all) = Ecr::with([("one", repository("IMMUTABLE", false))]);
    with_lines(&aws, lines).run().exits(0).says(
        "one: updated\n  tag_mutability: IMMUTABLE -> IMMUTABLE_WITH_EXCLUSION\n  \
         mutability_exclusions: [] -> [\"latest\",\"dev-*\"]\n",
    );
    assert_eq!(
        aws.bodies(target("PutImageTagMutability")),
        [json!({
            "repositoryName": "one",
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": filters,
        })]
    );
    // The order means nothing.
    all.lock().get_mut("one").unwrap().exclusions.reverse();
    aws.forget();
    with_lines(&aws, lines).run().exits(0).says("one: unchanged");
    assert_eq!(writes(&aws), [""; 0]);

    // Without exceptions in the file there are none.
    with_lines(&aws, "tag_mutability = \"MUTABLE\"").run().exits(0);
    assert_eq!(
        aws.bodies(target("PutImageTagMutability")),
        [json!({"repositoryName": "one", "imageTagMutability": "MUTABLE"})]
    );
}

#[test]
fn tags_are_set_and_those_of_others_stay() {
    let mut one = repository("MUTABLE", false);
    one.tags.insert("app".into(), "old".into());
    let (aws, all) = Ecr::with([("one", one)]);
    with_lines(&aws, "")
        .run()
        .exits(0)
        .says("one: updated\n  tags.app: old -> e2e\n");
    assert_eq!(
        aws.bodies(target("TagResource")),
        [json!({"resourceArn": ecr::arn("one"), "tags": [{"Key": "app", "Value": "e2e"}]})]
    );
    let tags = json!(all.get("one").tags);
    assert_eq!(tags, json!({"app": "e2e", "owner": "x"}));
}

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-5555aaaa5555";

#[test]
fn encryption_is_chosen_at_creation() {
    let lines = format!("encryption = {{ type = \"KMS\", kms_key = \"{KEY}\" }}");
    let (aws, _) = Ecr::with([]);
    with_lines(&aws, &lines).run().exits(0).says(&format!(
        "  encryption.type: (none) -> KMS\n  encryption.kms_key: (none) -> {KEY}\n"
    ));
    assert_eq!(
        aws.bodies(target("CreateRepository"))[0]["encryptionConfiguration"],
        json!({"encryptionType": "KMS", "kmsKey": KEY})
    );
    with_lines(&aws, &lines).run().exits(0).says("one: unchanged");
    // ECR gives the ARN for an id.
    let id = KEY.rsplit('/').next().unwrap();
    let by_id = format!("encryption = {{ type = \"KMS\", kms_key = \"{id}\" }}");
    with_lines(&aws, &by_id).run().exits(0).says("one: unchanged");
    // The file need not name the key.
    with_lines(&aws, "encryption = { type = \"KMS\" }")
        .run()
        .exits(0)
        .says("one: unchanged");
}

#[test]
fn another_encryption_is_an_error_before_anything_is_changed() {
    let config = CONFIG.replace(
        "scan_on_push = true",
        "scan_on_push = true\nencryption = { type = \"KMS\" }",
    );
    for argument in ["-v", "--dry-run", "--check"] {
        // `one` differs in what can be changed, and still nothing is.
        let (aws, _) = Ecr::with([
            ("one", repository("IMMUTABLE", false)),
            ("two", repository("IMMUTABLE", true)),
        ]);
        let output = tool(&aws).config_text(&config).arg(argument).run().exits(2);
        output
            .says(
                "create-repository: error: failed to change the encryption of repository `two` from AES256 to KMS: \
                 encryption is set only at creation\n",
            )
            .says("hint: take `encryption` out of [[repository]]");
        assert_eq!(writes(&aws), [""; 0]);
    }
    let mut one = repository("MUTABLE", false);
    one.encryption = Some(json!({"encryptionType": "KMS", "kmsKey": KEY}));
    let (aws, _) = Ecr::with([("one", one)]);
    let other = KEY.replace("11111111", "99999999");
    with_lines(
        &aws,
        &format!("encryption = {{ type = \"KMS\", kms_key = \"{other}\" }}"),
    )
    .run()
    .exits(2)
    .says(&format!(
        "failed to change the KMS key of repository `one` from {KEY} to {other}"
    ));
}

#[test]
fn export_prints_lines_for_a_shell() {
    let (aws, _) = Ecr::with(as_desired());
    let line = "export ONE_URL=123456789012.dkr.ecr.us-east-1.amazonaws.com/one";
    tool(&aws).args(["--export", "-q"]).run().exits(0).prints(line);
    // On a clean account too, without making anything.
    let (aws, _) = Ecr::with([]);
    tool(&aws)
        .args(["--export", "--dry-run", "-q"])
        .run()
        .exits(0)
        .prints(line);
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn names_choose_and_keep_the_order_of_the_file() {
    let (aws, _) = Ecr::with(as_desired());
    let document = tool(&aws)
        .args(["two", "one", "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(document["items"][0]["name"], "one");
    let document = tool(&aws).args(["two", "-o", "json"]).run().exits(0).json();
    assert_eq!(document["items"].as_array().unwrap().len(), 1);
}

#[test]
fn many_repositories_are_read_side_by_side() {
    let mut config = "version = 1\napp = { name = \"e2e\" }\n".to_owned();
    for number in 0..16 {
        config += &format!("[[repository]]\nname = \"r{number}\"\n");
    }
    let (aws, all) = Ecr::with([]);
    for number in 0..16 {
        all.lock()
            .insert(format!("r{number}"), repository("MUTABLE", false));
    }
    let delay = std::time::Duration::from_millis(100);
    let one = json!({"repositories": [{"repositoryUri": "u", "imageTagMutability": "MUTABLE"}]});
    aws.answer_delayed(target("DescribeRepositories"), delay, 200, one);
    let output = aws.tool("create-repository").config_text(&config).run().exits(0);
    // One after the other it would be 1.6 s.
    assert!(output.elapsed < delay * 8, "{:?}", output.elapsed);
}

#[test]
fn works_in_another_region_and_for_another_app() {
    let (aws, _) = Ecr::with([]);
    let config = "version = 1\napp = { name = \"other\" }\n[[repository]]\nname = \"${STAGE}/web\"\n";
    aws.tool("create-repository")
        .config_text(config)
        .env("STAGE", "dev")
        .args(["--region", "cn-north-1", "--dry-run"])
        .run()
        .exits(0)
        .prints("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/dev/web");
}

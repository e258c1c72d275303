//! `create-repository`: describe, compare, change only what differs.

use serde_json::{Value, json};
use support::Tool;
use support::aws::{FakeAws, ecr, registry};

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

fn described(name: &str, mutability: &str, scan_on_push: bool) -> Value {
    json!({
        "repositoryName": name,
        "repositoryArn": format!("arn:aws:ecr:us-east-1:123456789012:repository/{name}"),
        "repositoryUri": format!("{}/{name}", registry("us-east-1")),
        "imageTagMutability": mutability,
        "imageScanningConfiguration": {"scanOnPush": scan_on_push},
    })
}

/// ECR with these repositories; the others are not found. Each has the tag that the file wants.
fn with_repositories(repositories: Vec<Value>) -> FakeAws {
    let aws = FakeAws::start();
    aws.answer_with(ecr("DescribeRepositories"), move |body| {
        let found: Vec<Value> = repositories
            .iter()
            .filter(|one| {
                body["repositoryNames"]
                    .as_array()
                    .unwrap()
                    .contains(&one["repositoryName"])
            })
            .cloned()
            .collect();
        if found.is_empty() {
            (
                400,
                json!({"__type": "RepositoryNotFoundException", "message": "not there"}),
            )
        } else {
            (200, json!({"repositories": found}))
        }
    });
    aws.answer(
        ecr("ListTagsForResource"),
        200,
        json!({"tags": [{"Key": "app", "Value": "e2e"}, {"Key": "owner", "Value": "x"}]}),
    );
    aws.answer_with(ecr("CreateRepository"), |body| {
        let name = body["repositoryName"].as_str().unwrap();
        (200, json!({"repository": described(name, "MUTABLE", false)}))
    });
    for operation in [
        "PutImageTagMutability",
        "PutImageScanningConfiguration",
        "TagResource",
    ] {
        aws.answer(ecr(operation), 200, json!({}));
    }
    aws
}

fn tool(aws: &FakeAws) -> Tool {
    aws.tool("create-repository").config_text(CONFIG)
}

fn as_wanted() -> Vec<Value> {
    vec![
        described("one", "MUTABLE", false),
        described("two", "IMMUTABLE", true),
    ]
}

#[test]
fn creates_what_is_missing_with_its_tags_from_birth() {
    let aws = with_repositories(Vec::new());
    assert_eq!(
        tool(&aws).transcript(),
        "exit: 0\n\
         --- stdout\n\
         123456789012.dkr.ecr.us-east-1.amazonaws.com/one\n\
         123456789012.dkr.ecr.us-east-1.amazonaws.com/two\n\
         --- stderr\n\
         create-repository: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n\
         one: created\n\
         two: created\n"
    );
    let tags = json!([{"Key": "app", "Value": "e2e"}]);
    // The SDK leaves out a `false`, which is ECR's own default.
    assert_eq!(
        aws.bodies(ecr("CreateRepository")),
        [
            json!({"repositoryName": "one", "imageTagMutability": "MUTABLE", "imageScanningConfiguration": {}, "tags": tags}),
            json!({"repositoryName": "two", "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": true}, "tags": tags}),
        ]
    );
    assert_eq!(aws.writes().len(), 2);
}

#[test]
fn leaves_what_is_right_alone() {
    let aws = with_repositories(as_wanted());
    let output = tool(&aws).args(["-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(document["account"], "123456789012");
    assert_eq!(document["region"], "us-east-1");
    let actions: Vec<&Value> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["action"])
        .collect();
    assert_eq!(actions, ["none", "none"]);
    assert_eq!(aws.writes(), []);
}

#[test]
fn changes_only_what_differs() {
    let aws = with_repositories(vec![
        described("one", "IMMUTABLE", true),
        described("two", "IMMUTABLE", false),
    ]);
    let document = tool(&aws).args(["-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(
        document["items"][0]["changes"],
        json!([{"path": "tag_mutability", "from": "IMMUTABLE", "to": "MUTABLE"}])
    );
    let writes: Vec<(String, Value)> = aws
        .writes()
        .into_iter()
        .map(|one| (one.operation().to_owned(), one.body["repositoryName"].clone()))
        .collect();
    // `scan_on_push` of `one` is not in the file, so it stays.
    assert_eq!(
        writes,
        [
            ("PutImageTagMutability".to_owned(), json!("one")),
            ("PutImageScanningConfiguration".to_owned(), json!("two")),
        ]
    );
}

#[test]
fn a_plan_sends_no_writing_call_and_check_makes_it_a_no() {
    let aws = with_repositories(vec![described("one", "MUTABLE", false)]);
    let dry = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0);
    assert_eq!(dry.json()["outcome"], "planned");
    tool(&aws)
        .arg("--check")
        .run()
        .exits(1)
        .says("two: would be created");
    assert_eq!(aws.writes(), []);
    let aws = with_repositories(as_wanted());
    tool(&aws).arg("--check").run().exits(0);
}

#[test]
fn a_read_that_is_denied_is_not_taken_for_absence() {
    let aws = with_repositories(Vec::new());
    aws.refuse(ecr("DescribeRepositories"), "AccessDeniedException", "no");
    let output = tool(&aws).run().exits(2);
    output.says("failed to describe repository `one`: ecr:DescribeRepositories refused with AccessDeniedException: no");
    assert_eq!(aws.writes(), []);
}

#[test]
fn what_went_through_before_a_refusal_is_reported() {
    let aws = with_repositories(Vec::new());
    aws.answer_once(
        ecr("CreateRepository"),
        200,
        json!({"repository": described("one", "MUTABLE", false)}),
    );
    aws.refuse(ecr("CreateRepository"), "LimitExceededException", "too many");
    let output = tool(&aws).args(["-o", "json"]).run().exits(4);
    let document = output.json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["items"][0]["name"], "one");
    assert_eq!(document["error"]["code"], "LimitExceededException");
    output.says("failed to create repository `two`");
}

#[test]
fn somebody_who_creates_it_at_the_same_time_is_no_error() {
    let aws = FakeAws::start();
    aws.refuse_once(ecr("DescribeRepositories"), "RepositoryNotFoundException", "x");
    aws.answer(
        ecr("DescribeRepositories"),
        200,
        json!({"repositories": [described("one", "MUTABLE", false)]}),
    );
    aws.answer(
        ecr("ListTagsForResource"),
        200,
        json!({"tags": [{"Key": "app", "Value": "e2e"}]}),
    );
    aws.refuse(ecr("CreateRepository"), "RepositoryAlreadyExistsException", "x");
    tool(&aws).arg("one").run().exits(0).says("one: unchanged");
}

#[test]
fn throttling_heals() {
    let aws = with_repositories(as_wanted());
    aws.refuse_once(ecr("ListTagsForResource"), "ThrottlingException", "slow down");
    tool(&aws).run().exits(0);
}

#[test]
fn export_prints_lines_for_a_shell() {
    let aws = with_repositories(as_wanted());
    tool(&aws)
        .args(["--export", "-q"])
        .run()
        .exits(0)
        .prints("export ONE_URL=123456789012.dkr.ecr.us-east-1.amazonaws.com/one");
}

#[test]
fn a_name_that_is_not_in_the_file_is_named_with_those_that_are() {
    let aws = with_repositories(Vec::new());
    tool(&aws)
        .arg("three")
        .run()
        .exits(2)
        .says("failed to find repository `three`")
        .says("it has: one, two");
    assert_eq!(aws.requests(), []);
}

#[test]
fn faults_of_the_file_are_told_before_the_first_call() {
    let aws = with_repositories(Vec::new());
    let cases = [
        (
            CONFIG.replace("name = \"one\"", "name = \"One\""),
            "failed to use the repository name `One`",
        ),
        (CONFIG.replace("name = \"two\"", "name = \"one\""), "one"),
        (CONFIG.replace("scan_on_push", "scan_on_pull"), "ops.toml:13:1"),
        (CONFIG.replace("\"MUTABLE\"", "\"SOMETIMES\""), "ops.toml"),
        (CONFIG.replace("version = 1", "version = 2"), "`version` is 2"),
        (
            CONFIG.replace("name = \"one\"", "name = \"${NOT_SET_ANYWHERE}\""),
            "NOT_SET_ANYWHERE",
        ),
    ];
    for (text, words) in cases {
        tool(&aws).config_text(&text).run().exits(2).says(words);
    }
    support::aws::with_credentials(support::tool("create-repository"))
        .run()
        .exits(2)
        .says("failed to find `ops.toml`");
    assert_eq!(aws.requests(), []);
}

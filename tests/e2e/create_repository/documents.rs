//! Repository policies and lifecycle policies: files, compared as AWS means them.

use super::ecr::{Ecr, preview_shows, repository, writes};
use super::with_lines;
use serde_json::{Value, json};
use std::time::Duration;
use support::Tool;
use support::aws::{FakeAws, ecr};

pub(super) const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "AllowPull",
      "Effect": "Allow",
      "Principal": { "AWS": "${AWS_ACCOUNT_ID}" },
      "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }
  ]
}
"#;

pub(super) const LIFECYCLE: &str = r#"{
  "rules": [
    {
      "rulePriority": 1,
      "selection": { "tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3 },
      "action": { "type": "expire" }
    }
  ]
}
"#;

pub(super) const LINES: &str = "policy = \"aws/policy.json\"\nlifecycle_policy = \"aws/lifecycle.json\"";

pub(super) fn tool(aws: &FakeAws) -> Tool {
    with_lines(aws, LINES)
        .file("aws/policy.json", POLICY)
        .file("aws/lifecycle.json", LIFECYCLE)
}

pub(super) fn lifecycle(count: u32) -> Value {
    let mut policy: Value = serde_json::from_str(LIFECYCLE).unwrap();
    policy["rules"][0]["selection"]["countNumber"] = json!(count);
    policy
}

fn policy() -> Value {
    serde_json::from_str(&POLICY.replace("${AWS_ACCOUNT_ID}", "123456789012")).unwrap()
}

pub(super) fn with_both(count: u32) -> super::Repository {
    super::Repository {
        policy: Some(policy()),
        lifecycle: Some(lifecycle(count)),
        ..repository("MUTABLE", false)
    }
}

#[test]
fn a_new_repository_gets_both() {
    let (aws, all) = Ecr::with([]);
    let output = tool(&aws).run().exits(0);
    output
        .says("one: created\n")
        .says("  lifecycle_policy: (none) -> {\"rules\":");
    assert_eq!(
        writes(&aws),
        ["CreateRepository", "SetRepositoryPolicy", "PutLifecyclePolicy"]
    );
    // Where there are no images there is nothing to preview.
    assert_eq!(aws.bodies(ecr("StartLifecyclePolicyPreview")), [Value::Null; 0]);
    let one = all.get("one");
    assert_eq!(one.policy, Some(policy()));
    assert_eq!(one.lifecycle, Some(lifecycle(3)));
    aws.forget();
    tool(&aws).run().exits(0).says("one: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn the_same_said_in_another_way_is_no_difference() {
    let mut one = with_both(3);
    // As ECR returns the policy, and as another caller may have written it.
    one.policy = Some(
        json!({"Statement": {"Sid": "AllowPull", "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]},
        "Action": ["ecr:getdownloadurlforlayer", "ecr:BatchGetImage"], "Effect": "Allow"}, "Version": "2012-10-17"}),
    );
    one.lifecycle = Some(
        json!({"rules": [{"action": {"type": "expire"}, "description": "", "rulePriority": 1,
        "selection": {"countNumber": 3, "countType": "imageCountMoreThan", "tagStatus": "untagged"}}]}),
    );
    let (aws, _) = Ecr::with([("one", one)]);
    tool(&aws).run().exits(0).says("one: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_policy_that_differs_is_set_and_its_fields_reported() {
    let mut one = with_both(3);
    one.policy.as_mut().unwrap()["Statement"][0]["Action"] = json!("ecr:*");
    let (aws, all) = Ecr::with([("one", one)]);
    tool(&aws)
        .run()
        .exits(0)
        .says("one: updated\n  policy.Statement[0].Action: ecr:* -> ecr:BatchGetImage\n");
    assert_eq!(writes(&aws), ["SetRepositoryPolicy"]);
    assert_eq!(all.get("one").policy, Some(policy()));
}

#[test]
fn a_principal_that_ecr_does_not_know_yet_is_waited_for() {
    let mut one = with_both(3);
    one.policy = None;
    let (aws, _) = Ecr::with([("one", one)]);
    let words = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'";
    aws.refuse_once(ecr("SetRepositoryPolicy"), "InvalidParameterException", words);
    tool(&aws).run().exits(0).says("one: updated");
    assert_eq!(writes(&aws), ["SetRepositoryPolicy", "SetRepositoryPolicy"]);
}

#[test]
fn the_preview_shows_which_images_would_go_before_they_go() {
    let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
    let (first, second) = (digest("a"), digest("b"));
    let shown = format!(
        "one: the lifecycle policy deletes 2 images that are there now\n  {first} (v1, old), by rule 1\n  {second} (untagged), by rule 1\n"
    );
    let (aws, all) = Ecr::with([("one", with_both(9))]);
    preview_shows(&aws, &[(&first, &["v1", "old"]), (&second, &[])]);
    let dry = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0);
    let item = &dry.json()["items"][0];
    assert_eq!(
        item["lifecycle_preview"],
        json!({"deletes": 2, "archives": 0, "images": [
            {"digest": first, "tags": ["v1", "old"], "rule": 1}, {"digest": second, "tags": [], "rule": 1}]})
    );
    dry.says("one: would be updated\n  lifecycle_policy.rules[1].selection.countNumber: 9 -> 3\n")
        .says(&shown);
    assert_eq!(writes(&aws), [""; 0]);

    tool(&aws)
        .arg("--yes")
        .run()
        .exits(0)
        .says(&format!("{shown}one: updated\n"));
    let asked = aws.bodies(ecr("StartLifecyclePolicyPreview"));
    let text = asked[1]["lifecyclePolicyText"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), lifecycle(3));
    assert_eq!(writes(&aws), ["PutLifecyclePolicy"]);
    assert_eq!(all.get("one").lifecycle, Some(lifecycle(3)));
    aws.forget();
    tool(&aws).run().exits(0).says("one: unchanged");
    // An unchanged one needs no preview.
    assert_eq!(aws.bodies(ecr("StartLifecyclePolicyPreview")), [Value::Null; 0]);
}

#[test]
fn many_images_are_counted_over_all_pages() {
    let (aws, _) = Ecr::with([("one", with_both(9))]);
    let page = |from: usize, next: Option<&str>| {
        let results: Vec<Value> = (from..from + 15)
            .map(
                |number| json!({"imageDigest": format!("sha256:{number:064}"), "action": {"type": "EXPIRE"}}),
            )
            .collect();
        let mut page = json!({"status": "COMPLETE", "previewResults": results, "summary": {"expiringImageTotalCount": 30}});
        if let Some(next) = next {
            page["nextToken"] = json!(next);
        }
        page
    };
    let (first, second) = (page(0, Some("more")), page(15, None));
    aws.answer_with(ecr("GetLifecyclePolicyPreview"), move |body| {
        (
            200,
            if body["nextToken"] == "more" {
                second.clone()
            } else {
                first.clone()
            },
        )
    });
    let output = tool(&aws).arg("--dry-run").run().exits(0);
    let lines = output.stderr.matches("  sha256:").count();
    assert_eq!(lines, 20, "{}", output.stderr);
    output
        .says("deletes 30 images that are there now\n")
        .says("\n  and 10 more\n");
}

#[test]
fn archived_images_are_no_deleted_ones() {
    let (aws, _) = Ecr::with([("one", with_both(9))]);
    let moved =
        json!({"imageDigest": "sha256:1", "action": {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}});
    aws.answer(
        ecr("GetLifecyclePolicyPreview"),
        200,
        json!({"status": "COMPLETE", "previewResults": [moved]}),
    );
    tool(&aws)
        .arg("--dry-run")
        .run()
        .exits(0)
        .says("one: the lifecycle policy deletes no image that is there now\none: the lifecycle policy archives 1\n");
}

#[test]
fn a_preview_that_takes_a_moment_is_waited_for() {
    let (aws, _) = Ecr::with([("one", with_both(9))]);
    aws.refuse_once(
        ecr("StartLifecyclePolicyPreview"),
        "LifecyclePolicyPreviewInProgressException",
        "x",
    );
    aws.refuse_once(
        ecr("GetLifecyclePolicyPreview"),
        "LifecyclePolicyPreviewNotFoundException",
        "x",
    );
    aws.answer_once(
        ecr("GetLifecyclePolicyPreview"),
        200,
        json!({"status": "IN_PROGRESS"}),
    );
    preview_shows(&aws, &[]);
    tool(&aws)
        .run()
        .exits(0)
        .says("deletes no image that is there now\none: updated\n");
}

#[test]
fn a_preview_that_does_not_come_is_a_warning() {
    let no_preview =
        "create-repository: warning: could not preview the lifecycle policy of repository `one`: ";
    let denied = |operation: &str| {
        let (aws, _) = Ecr::with([("one", with_both(9))]);
        preview_shows(&aws, &[]);
        aws.refuse(
            ecr(operation),
            "AccessDeniedException",
            "User: ci is not authorized",
        );
        let output = tool(&aws).arg("--yes").run().exits(0);
        let output = output.says(&format!(
            "{no_preview}ecr:{operation} failed: AccessDeniedException: User: ci"
        ));
        assert!(output.stderr.contains("one: updated"), "{}", output.stderr);
        assert_eq!(writes(&aws), ["PutLifecyclePolicy"]);
    };
    denied("StartLifecyclePolicyPreview");
    denied("GetLifecyclePolicyPreview");
    for (answer, words) in [
        (
            json!({"status": "FAILED"}),
            "ecr:GetLifecyclePolicyPreview returned the status FAILED",
        ),
        (
            json!({}),
            "ecr:GetLifecyclePolicyPreview returned the status (none)",
        ),
        (
            json!({"status": "COMPLETE", "lifecyclePolicyText": "{\"rules\": []}"}),
            "a preview of another policy replaced it",
        ),
    ] {
        let (aws, _) = Ecr::with([("one", with_both(9))]);
        aws.answer(ecr("GetLifecyclePolicyPreview"), 200, answer);
        tool(&aws)
            .arg("--yes")
            .run()
            .exits(0)
            .says(&format!("{no_preview}{words}"));
        assert_eq!(writes(&aws), ["PutLifecyclePolicy"]);
    }
}

#[test]
fn a_preview_that_never_ends_is_given_up() {
    let (aws, _) = Ecr::with([("one", with_both(9))]);
    aws.answer(
        ecr("GetLifecyclePolicyPreview"),
        200,
        json!({"status": "IN_PROGRESS"}),
    );
    let output = tool(&aws)
        .arg("--yes")
        .limit(Duration::from_secs(60))
        .run()
        .exits(0);
    assert!(output.elapsed < Duration::from_secs(30), "{:?}", output.elapsed);
    output
        .says(
            "could not preview the lifecycle policy of repository `one`: ECR is still computing the preview",
        )
        .says("one: updated");
}

#[test]
fn a_policy_that_ecr_rejects_is_reported_before_any_change() {
    let mut one = with_both(9);
    one.mutability = "IMMUTABLE".into();
    let (aws, _) = Ecr::with([("one", one)]);
    aws.refuse(
        ecr("StartLifecyclePolicyPreview"),
        "InvalidParameterException",
        "Lifecycle policy validation failure",
    );
    let lines = format!("tag_mutability = \"MUTABLE\"\n{LINES}");
    with_lines(&aws, &lines)
        .file("aws/policy.json", POLICY)
        .file("aws/lifecycle.json", LIFECYCLE)
        .run()
        .exits(2)
        .says("failed to preview the lifecycle policy of repository `one`: ecr:StartLifecyclePolicyPreview failed: InvalidParameterException: Lifecycle policy");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn errors_of_the_files_have_their_positions() {
    let aws = FakeAws::start();
    let cases = [
        (
            POLICY.replace("\"Effect\"", "\"Efect\""),
            LIFECYCLE.to_owned(),
            "aws/policy.json:",
        ),
        (
            POLICY.replace("${AWS_ACCOUNT_ID}", "${NOT_SET_ANYWHERE}"),
            LIFECYCLE.to_owned(),
            "aws/policy.json:7:",
        ),
        (
            POLICY.replace("]\n}", "]"),
            LIFECYCLE.to_owned(),
            "aws/policy.json:",
        ),
        (
            POLICY.to_owned(),
            LIFECYCLE.replace("\"countNumber\": 3", "\"countNumber\": \"3\""),
            "aws/lifecycle.json:5:",
        ),
        (
            POLICY.to_owned(),
            LIFECYCLE.replace("rulePriority", "priority"),
            "aws/lifecycle.json:4:7",
        ),
        (POLICY.to_owned(), "{".to_owned(), "aws/lifecycle.json:1:"),
    ];
    for (policy, lifecycle, place) in cases {
        let output = with_lines(&aws, LINES)
            .file("aws/policy.json", &policy)
            .file("aws/lifecycle.json", &lifecycle)
            .args(["-o", "json"])
            .run()
            .exits(2);
        assert_eq!(output.json()["outcome"], "failed");
        output.says(place);
    }
    with_lines(&aws, LINES).run().exits(2).says("aws/policy.json");
    assert_eq!(aws.requests(), []);
}

#[test]
fn all_errors_are_reported_at_once() {
    let aws = FakeAws::start();
    with_lines(&aws, LINES)
        .file("aws/policy.json", POLICY.replace("\"Effect\"", "\"Efect\""))
        .file("aws/lifecycle.json", LIFECYCLE.replace("untagged", "tagged"))
        .run()
        .exits(2)
        .says("aws/policy.json:")
        .says(
            "aws/lifecycle.json:5:20: rules[0].selection: `tagged` needs `tagPatternList` or `tagPrefixList`",
        )
        .says(" errors in ");
}

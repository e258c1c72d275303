//! Failures: errors of the file, refused calls, throttling, other runs, invalid responses.

use super::ecr::{Ecr, repository, writes};
use super::{CONFIG, tool, with_lines};
use serde_json::json;
use std::time::Duration;
use support::aws::ecr;

#[test]
fn errors_of_the_file_are_reported_before_the_first_call() {
    let (aws, _) = Ecr::with([]);
    let replaced = |from: &str, to: &str| CONFIG.replace(from, to);
    let line = |line: &str| format!("{CONFIG}{line}\n");
    let cases = [
        (
            replaced("name = \"one\"", "name = \"One\""),
            "failed to use the repository name `One`",
        ),
        (replaced("name = \"two\"", "name = \"one\""), "one"),
        (replaced("scan_on_push", "scan_on_pull"), "ops.toml:13:1"),
        (
            replaced("\"MUTABLE\"", "\"SOMETIMES\""),
            "ops.toml:9:18`: unknown variant, expected `MUTABLE` or `IMMUTABLE`",
        ),
        (
            replaced("version = 1", "version = 2"),
            "unsupported version 2 (supported: 1)",
        ),
        (
            replaced("name = \"one\"", "name = \"${NOT_SET_ANYWHERE}\""),
            "NOT_SET_ANYWHERE",
        ),
        (
            replaced("ONE_URL", "ONE URL"),
            "`export` of repository `one` is not a valid shell variable name",
        ),
        (
            line("mutability_exclusions = [\"a/b\"]"),
            "failed to use `mutability_exclusions` of repository `two`: `a/b` must have",
        ),
        (
            line("mutability_exclusions = [\"*a*b*\"]"),
            "`*a*b*` has more than 2 `*`",
        ),
        (
            line("encryption = { type = \"SOME\" }"),
            "ops.toml:14:23`: unknown variant, expected one of `AES256`, `KMS`, `KMS_DSSE`",
        ),
        (
            line("encryption = { type = \"AES256\", kms_key = \"k\" }"),
            "failed to use `encryption` of repository `two`: AES256 takes no `kms_key`",
        ),
        (
            line("encryption = { type = \"KMS\", kms_key = \"alias/x\" }"),
            "`alias/x` is neither the ARN nor the id of a KMS key",
        ),
        (line("policy = \"nowhere.json\""), "nowhere.json"),
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

#[test]
fn a_name_that_is_not_in_the_file_is_named_with_those_that_are() {
    let (aws, _) = Ecr::with([]);
    tool(&aws)
        .arg("three")
        .run()
        .exits(2)
        .says("failed to find repository `three`")
        .says("it has: one, two");
    assert_eq!(aws.requests(), []);
}

const LIFECYCLE: &str = r#"{"rules": [{"rulePriority": 1, "action": {"type": "expire"},
  "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3}}]}"#;
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}]}"#;

#[test]
fn changes_before_a_refused_call_are_reported() {
    // The second repository could not be made.
    let (aws, _) = Ecr::with([("one", repository("IMMUTABLE", false))]);
    aws.refuse(ecr("CreateRepository"), "LimitExceededException", "too many");
    let output = tool(&aws).args(["-o", "json"]).run().exits(4);
    let document = output.json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["items"][0]["name"], "one");
    assert_eq!(document["items"][0]["action"], "update");
    assert_eq!(document["error"]["code"], "LimitExceededException");
    output.says("failed to create repository `two`");

    // The first one was made, and could not be finished.
    let (aws, _) = Ecr::with([]);
    aws.refuse(ecr("SetRepositoryPolicy"), "AccessDeniedException", "no");
    let lines = "policy = \"p.json\"\nexport = \"ONE\"";
    let output = with_lines(&aws, lines)
        .file("p.json", POLICY)
        .args(["-o", "json"])
        .run()
        .exits(4);
    let document = output.json();
    assert_eq!(document["items"][0]["action"], "create");
    let paths = document["items"][0]["changes"].as_array().unwrap().iter();
    let paths: Vec<&str> = paths.map(|change| change["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["tag_mutability", "scan_on_push", "tags.app"]);
    assert_eq!(
        document["items"][0]["uri"],
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/one"
    );
    output.says("hint: grant `ecr:SetRepositoryPolicy`");
}

#[test]
fn another_caller_who_creates_it_at_the_same_time_is_no_error() {
    let (aws, _) = Ecr::with([("one", repository("MUTABLE", false))]);
    aws.refuse_once(ecr("DescribeRepositories"), "RepositoryNotFoundException", "x");
    with_lines(&aws, "").run().exits(0).says("one: unchanged");
    assert_eq!(writes(&aws), ["CreateRepository"]);

    // Listed late, with other settings, and not known everywhere.
    let (aws, all) = Ecr::with([("one", repository("MUTABLE", false))]);
    for _ in 0..3 {
        aws.refuse_once(ecr("DescribeRepositories"), "RepositoryNotFoundException", "x");
    }
    aws.refuse_once(ecr("PutImageTagMutability"), "RepositoryNotFoundException", "x");
    with_lines(&aws, "tag_mutability = \"IMMUTABLE\"")
        .run()
        .exits(0)
        .says("one: updated\n  tag_mutability: MUTABLE -> IMMUTABLE\n");
    assert_eq!(all.get("one").mutability, "IMMUTABLE");
}

#[test]
fn a_repository_that_comes_between_two_reads_is_read_again() {
    let (aws, _) = Ecr::with([("one", repository("MUTABLE", false))]);
    aws.refuse_once(ecr("ListTagsForResource"), "RepositoryNotFoundException", "x");
    with_lines(&aws, "").run().exits(0).says("one: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
    aws.refuse(ecr("ListTagsForResource"), "RepositoryNotFoundException", "x");
    with_lines(&aws, "")
        .run()
        .exits(2)
        .says("failed to describe repository `one`: AWS returned inconsistent reads");
}

#[test]
fn a_repository_that_is_known_to_one_call_and_not_to_the_next_is_waited_for() {
    let (aws, _) = Ecr::with([]);
    // The first read finds nothing, and neither do several reads after the creation.
    for _ in 0..8 {
        aws.refuse_once(
            ecr("ListTagsForResource"),
            "RepositoryNotFoundException",
            "not yet",
        );
    }
    with_lines(&aws, "").run().exits(0).says_once("one: created\n");
}

#[test]
fn one_that_is_gone_is_an_error_when_it_was_no_new_one() {
    let (aws, _) = Ecr::with([("one", repository("MUTABLE", false))]);
    aws.refuse(
        ecr("PutImageTagMutability"),
        "RepositoryNotFoundException",
        "gone",
    );
    with_lines(&aws, "tag_mutability = \"IMMUTABLE\"")
        .run()
        .exits(2)
        .says("ecr:PutImageTagMutability failed: RepositoryNotFoundException: gone");
    assert_eq!(writes(&aws), ["PutImageTagMutability"]);
}

#[test]
fn runs_at_the_same_time_all_go_well() {
    let (aws, all) = Ecr::with([]);
    let running: Vec<_> = (0..4).map(|_| tool(&aws).spawn()).collect();
    for child in running {
        child.wait().exits(0);
    }
    assert_eq!(all.lock().len(), 2);
    aws.forget();
    tool(&aws).run().exits(0).says("one: unchanged\ntwo: unchanged\n");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_change_that_ecr_does_not_show_is_an_error_in_bounded_time() {
    let (aws, _) = Ecr::with([("one", repository("MUTABLE", false))]);
    aws.answer(ecr("PutImageTagMutability"), 200, json!({}));
    let output = with_lines(&aws, "tag_mutability = \"IMMUTABLE\"").run().exits(4);
    assert!(output.elapsed < Duration::from_secs(25), "{:?}", output.elapsed);
    output.says("repository `one` did not converge: tag_mutability: MUTABLE -> IMMUTABLE");
}

#[test]
fn answers_that_make_no_sense_are_errors_and_write_nothing() {
    for (operation, answer, words) in [
        (
            "DescribeRepositories",
            json!({}),
            "ecr:DescribeRepositories response omitted `repositories`",
        ),
        (
            "DescribeRepositories",
            json!({"repositories": []}),
            "ecr:DescribeRepositories response omitted `repositories`",
        ),
        (
            "DescribeRepositories",
            json!({"repositories": [{}]}),
            "ecr:DescribeRepositories response omitted `repositoryUri`",
        ),
        (
            "GetRepositoryPolicy",
            json!({}),
            "ecr:GetRepositoryPolicy response omitted `policyText`",
        ),
        (
            "GetRepositoryPolicy",
            json!({"policyText": "{"}),
            "ecr:GetRepositoryPolicy returned invalid JSON in `policyText`",
        ),
        (
            "GetLifecyclePolicy",
            json!({}),
            "ecr:GetLifecyclePolicy response omitted `lifecyclePolicyText`",
        ),
    ] {
        let (aws, _) = Ecr::with([("one", repository("MUTABLE", false))]);
        aws.answer(ecr(operation), 200, answer);
        with_lines(&aws, "policy = \"p.json\"\nlifecycle_policy = \"l.json\"")
            .file("p.json", POLICY)
            .file("l.json", LIFECYCLE)
            .run()
            .exits(2)
            .says("create-repository: error: failed to ")
            .says(words);
        assert_eq!(writes(&aws), [""; 0]);
    }
}

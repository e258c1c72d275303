//! The answer to a creation is lost, and the call is sent again.

use super::documents::{lifecycle, tool};
use super::ecr::{Ecr, repository, writes};
use super::{Repository, with_lines};
use serde_json::json;
use support::aws::{FakeAws, ecr};

/// `one` is created by a call whose response is lost.
fn lost(made: Repository) -> (FakeAws, Ecr) {
    let (aws, all) = Ecr::with([]);
    let repositories = all.clone();
    aws.lose_once(ecr("CreateRepository"), move |_| {
        repositories.lock().insert("one".into(), made.clone());
        (200, json!({}))
    });
    (aws, all)
}

#[test]
fn what_this_run_has_made_is_created() {
    let (aws, _) = lost(repository("MUTABLE", false));
    let output = with_lines(&aws, "").args(["-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(document["items"][0]["action"], "create");
    output.says_once("one: created\n  tag_mutability: (none) -> MUTABLE\n");
    assert_eq!(writes(&aws), ["CreateRepository", "CreateRepository"]);

    let (aws, all) = lost(repository("MUTABLE", false));
    tool(&aws).run().exits(0).says_once("one: created\n");
    assert_eq!(all.get("one").lifecycle, Some(lifecycle(3)));
}

#[test]
fn what_looks_otherwise_is_another_callers() {
    let (aws, _) = lost(repository("IMMUTABLE", false));
    with_lines(&aws, "tag_mutability = \"MUTABLE\"")
        .run()
        .exits(0)
        .says("one: updated\n  tag_mutability: IMMUTABLE -> MUTABLE\n")
        .does_not_say("created");
}

#[test]
fn an_internal_error_of_ecr_may_hide_a_creation() {
    let (aws, all) = Ecr::with([]);
    aws.answer_once(ecr("CreateRepository"), 500, json!({"__type": "ServerException"}));
    with_lines(&aws, "").run().exits(0).says("one: created\n");
    // The first call created nothing, and the second one got a response.
    assert_eq!(all.lock().len(), 1);

    let (aws, _) = Ecr::with([("one", repository("MUTABLE", false))]);
    aws.refuse_once(ecr("DescribeRepositories"), "RepositoryNotFoundException", "x");
    aws.answer_once(ecr("CreateRepository"), 500, json!({"__type": "ServerException"}));
    with_lines(&aws, "").run().exits(0).says("one: created\n");

    // A throttled call has created nothing.
    let (aws, _) = Ecr::with([("one", repository("MUTABLE", false))]);
    aws.refuse_once(ecr("DescribeRepositories"), "RepositoryNotFoundException", "x");
    aws.refuse_once(ecr("CreateRepository"), "ThrottlingException", "slow down");
    with_lines(&aws, "").run().exits(0).says("one: unchanged\n");
}

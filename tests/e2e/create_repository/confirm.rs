//! A lifecycle policy deletes images, so it requires confirmation.

use super::documents::{LIFECYCLE, LINES, POLICY, lifecycle, tool, with_both};
use super::ecr::{Ecr, preview_shows, writes};
use super::{repository, with_lines};
use serde_json::json;
use support::aws::{FakeAws, ecr};

const IMAGES: [(&str, &[&str]); 2] = [("sha256:1", &["v1"]), ("sha256:2", &[])];

const DEED: &str = "delete 2 images of repository `one`";

#[test]
fn images_are_deleted_without_a_terminal_only_with_yes() {
    let mut one = with_both(9);
    one.mutability = "IMMUTABLE".into();
    let (aws, all) = Ecr::with([("one", one)]);
    preview_shows(&aws, &IMAGES);
    let lines = format!("tag_mutability = \"MUTABLE\"\n{LINES}");
    let tool = with_lines(&aws, &lines)
        .file("aws/policy.json", POLICY)
        .file("aws/lifecycle.json", LIFECYCLE);
    let output = tool.clone().args(["-o", "json"]).run().exits(2);
    let document = output.json();
    assert_eq!(document["outcome"], "failed");
    assert_eq!(document["error"]["code"], "not-confirmed");
    output
        .says("one: the lifecycle policy deletes 2 images that are there now\n  sha256:1 (v1), by rule 1\n")
        .says(&format!(
            "create-repository: error: refused to {DEED}: there is no terminal to ask on, and no --yes\n\
             hint: give --yes if that is what you want\n"
        ));
    // A yes on a pipe is no yes of a person.
    tool.clone().stdin("y\n").run().exits(2);
    // Nothing else is changed either.
    assert_eq!(writes(&aws), [""; 0]);
    tool.arg("--yes").run().exits(0).says("one: updated");
    assert_eq!(writes(&aws), ["PutImageTagMutability", "PutLifecyclePolicy"]);
    assert_eq!(all.get("one").lifecycle, Some(lifecycle(3)));
}

#[test]
fn asks_on_a_terminal_and_takes_only_a_yes_for_yes() {
    for (answer, code) in [("y\n", 0), ("n\n", 2), ("\n", 2)] {
        let (aws, all) = Ecr::with([("one", with_both(9))]);
        preview_shows(&aws, &IMAGES);
        let output = tool(&aws).on_a_terminal(answer).run();
        let text = output.stdout.replace('\r', "");
        assert_eq!(output.code, Some(code), "{answer:?}: {text}");
        let question = format!("create-repository: this will {DEED}. Go on? [y/N] ");
        assert!(text.contains(&question), "{text}");
        if code == 0 {
            assert_eq!(all.get("one").lifecycle, Some(lifecycle(3)));
        } else {
            assert_eq!(writes(&aws), [""; 0]);
        }
    }
}

#[test]
fn all_repositories_are_one_question() {
    let (aws, _) = Ecr::with([("one", with_both(9)), ("two", with_both(9))]);
    preview_shows(&aws, &IMAGES[..1]);
    let more = format!("{LINES}\n[[repository]]\nname = \"two\"\n{LINES}");
    with_lines(&aws, &more)
        .file("aws/policy.json", POLICY)
        .file("aws/lifecycle.json", LIFECYCLE)
        .run()
        .exits(2)
        .says("refused to delete 1 image of repository `one`, delete 1 image of repository `two`: ");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn what_ecr_does_not_say_is_asked_as_well() {
    let refused = "refused to put a lifecycle policy that may delete images of repository `one`: ";
    // A changed one, and the first one.
    for found in [with_both(9), repository("MUTABLE", false)] {
        let (aws, _) = Ecr::with([("one", found)]);
        aws.refuse(ecr("StartLifecyclePolicyPreview"), "AccessDeniedException", "no");
        tool(&aws).run().exits(2).says(refused);
        assert_eq!(writes(&aws), [""; 0]);
    }
}

fn never_asks(aws: &FakeAws, code: i32, arguments: &[&str]) {
    let output = tool(aws).args(arguments).run().exits(code);
    output.does_not_say("refused to");
}

#[test]
fn what_deletes_nothing_is_not_asked() {
    let (aws, all) = Ecr::with([("one", with_both(9))]);
    preview_shows(&aws, &[]);
    never_asks(&aws, 0, &[]);
    assert_eq!(all.get("one").lifecycle, Some(lifecycle(3)));
    // A new repository is not asked about either, whatever ECR would answer.
    let (aws, all) = Ecr::with([]);
    aws.refuse(ecr("StartLifecyclePolicyPreview"), "AccessDeniedException", "no");
    never_asks(&aws, 0, &[]);
    assert_eq!(all.get("one").lifecycle, Some(lifecycle(3)));
}

#[test]
fn the_plan_never_asks_and_says_so() {
    let (aws, _) = Ecr::with([("one", with_both(9))]);
    preview_shows(&aws, &IMAGES);
    for (argument, code) in [("--dry-run", 0), ("--check", 1)] {
        let output = tool(&aws).args([argument, "-o", "json"]).run().exits(code);
        assert_eq!(
            output.json()["items"][0]["lifecycle_preview"]["deletes"],
            json!(2)
        );
        output
            .says(&format!("  requires confirmation or --yes: {DEED}\n"))
            .says("(untagged), by rule 1\n")
            .does_not_say("refused to");
    }
    assert_eq!(writes(&aws), [""; 0]);
}

//! `diff A B`.

use super::{arn, expanded, register, registered, tool, writes};
use serde_json::json;

#[test]
fn two_revisions_are_compared() {
    let (aws, account) = registered(|_| {});
    let mut other = expanded();
    other["cpu"] = json!("512");
    other["tags"][0]["value"] = json!("other");
    register(&mut account.state(), &other);
    register(&mut account.state(), &other);
    account.state().revisions[0]["status"] = json!("INACTIVE");
    let lines = "cpu: 256 -> 512\ntags[app].value: e2e -> other";
    for (from, to) in [
        ("1", "2"),
        ("web:1", "web:2"),
        ("web:1", "web"),
        (arn(1).as_str(), arn(2).as_str()),
    ] {
        tool(&aws).args(["diff", from, to]).run().exits(1).prints(lines);
    }
    let document = tool(&aws)
        .args(["diff", "1", "2", "-o", "json"])
        .run()
        .exits(1)
        .json();
    assert_eq!(document["outcome"], "no");
    assert_eq!(
        document["items"],
        json!([{
            "kind": "task-definition", "name": "web:1 -> web:2", "action": "differs",
            "changes": [
                {"path": "cpu", "from": "256", "to": "512"},
                {"path": "tags[app].value", "from": "e2e", "to": "other"},
            ],
            "from": arn(1), "to": arn(2),
        }])
    );
    let same = tool(&aws).args(["diff", "2", "3"]).run().exits(0).prints("");
    same.says("web:2 and web:3 are the same\n");
    let same = tool(&aws)
        .args(["diff", "2", "3", "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(same["outcome"], "ok");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn what_is_not_there_cant_be_compared() {
    let (aws, _account) = registered(|_| {});
    for (from, to, missing) in [("1", "9", "web:9"), ("other", "1", "other"), ("8", "9", "web:8")] {
        tool(&aws).args(["diff", from, to]).run().exits(2).says(&format!(
            "error: failed to find task definition `{missing}`: ECS has no such revision"
        ));
    }
    tool(&aws).args(["diff", "1"]).run().exits(2).says("<B>");
}

#[test]
fn families_that_are_named_need_no_config() {
    let (aws, _account) = registered(|_| {});
    let bare = aws.tool("register-task-definition");
    bare.clone().args(["diff", "web:1", "web"]).run().exits(0);
    bare.args(["diff", "1", "1"])
        .run()
        .exits(2)
        .says("failed to find `ops.toml`");
}

#[test]
fn secrets_in_plain_variables_are_not_shown() {
    let (aws, account) = registered(|body| {
        body["containerDefinitions"][0]["environment"] = json!([{"name": "API_KEY", "value": "canary-one"}]);
    });
    let mut other = expanded();
    other["containerDefinitions"][0]["environment"] = json!([{"name": "API_KEY", "value": "canary-two"}]);
    register(&mut account.state(), &other);
    let output = tool(&aws).args(["diff", "1", "2", "-v"]).run().exits(1);
    output
        .clone()
        .prints("containerDefinitions[web].environment[API_KEY].value: (hidden) -> (hidden)");
    assert!(!output.transcript().contains("canary"), "{}", output.transcript());
    tool(&aws)
        .args(["diff", "1", "2", "--show-values"])
        .run()
        .exits(1)
        .prints("containerDefinitions[web].environment[API_KEY].value: canary-one -> canary-two");
}

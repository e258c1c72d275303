//! `create-roles`: check the policies, describe, compare, change only what differs.

mod calls;
mod documents;
mod example;
mod failures;
mod iam;
mod interrupted;
mod prune;
mod races;
mod sandbox;
mod simulate;

pub(crate) use calls::calls;
use iam::{Iam, READ, Role, TRUST, X_RAY, compact, forms, writes};
use serde_json::{Value, json};
use support::Tool;
use support::aws::FakeAws;

const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
tags = { app = "e2e" }
[params]
prefix = "/e2e"
[roles.one]
name = "One"
trust = "policies/trust.json"
inline = { Read = "policies/read.json" }
[roles.two]
name = "Two"
trust = "policies/trust.json"
managed = ["arn:${AWS_PARTITION}:iam::aws:policy/AWSXRayDaemonWriteAccess"]
"#;

const READ_TEMPLATE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [{
    "Sid": "Read",
    "Effect": "Allow",
    "Action": ["ssm:GetParameters", "ssm:GetParameter"],
    "Resource": "arn:${AWS_PARTITION}:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter${params.prefix}/*"
  }]
}
"#;

fn with_config(aws: &FakeAws, config: &str) -> Tool {
    aws.tool("create-roles")
        .config_text(config)
        .file("policies/trust.json", TRUST)
        .file("policies/read.json", READ_TEMPLATE)
}

fn tool(aws: &FakeAws) -> Tool {
    with_config(aws, CONFIG)
}

fn arns(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("arn:aws:iam::123456789012:role/{name}\n"))
        .collect()
}

#[test]
fn makes_them_on_a_clean_account_and_leaves_them_alone_the_second_time() {
    let (aws, iam) = Iam::with([]);
    let trust = compact(TRUST);
    let read = compact(READ);
    assert_eq!(
        tool(&aws).transcript(),
        format!(
            "exit: 0\n\
             --- stdout\n\
             {}\
             --- stderr\n\
             create-roles: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n\
             One: created\n  \
             trust: (none) -> {trust}\n  \
             tags.app: (none) -> e2e\n  \
             inline.Read: (none) -> {read}\n\
             Two: created\n  \
             trust: (none) -> {trust}\n  \
             tags.app: (none) -> e2e\n  \
             managed: (none) -> {X_RAY}\n",
            arns(&["One", "Two"]),
            trust = trust.as_str().unwrap(),
            read = read.as_str().unwrap(),
        )
    );
    assert_eq!(
        writes(&aws),
        [
            "CreateRole One",
            "PutRolePolicy One",
            "CreateRole Two",
            "AttachRolePolicy Two"
        ]
    );
    let created = |name: &str| {
        json!({
            "RoleName": name, "Path": "/", "AssumeRolePolicyDocument": trust,
            "Tags.member.1.Key": "app", "Tags.member.1.Value": "e2e",
        })
    };
    assert_eq!(forms(&aws, "CreateRole"), [created("One"), created("Two")]);
    assert_eq!(
        forms(&aws, "PutRolePolicy"),
        [json!({"RoleName": "One", "PolicyName": "Read", "PolicyDocument": read})]
    );
    assert_eq!(
        forms(&aws, "AttachRolePolicy"),
        [json!({"RoleName": "Two", "PolicyArn": X_RAY})]
    );
    assert_eq!(iam.roles()["Two"], Role::two());

    aws.forget();
    let second = tool(&aws).args(["-o", "json"]).run().exits(0);
    let document = second.json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(
        document["items"],
        json!([
            {"kind": "role", "name": "One", "action": "none", "changes": [], "key": "one", "arn": "arn:aws:iam::123456789012:role/One"},
            {"kind": "role", "name": "Two", "action": "none", "changes": [], "key": "two", "arn": "arn:aws:iam::123456789012:role/Two"},
        ])
    );
    assert_eq!(writes(&aws), [""; 0]);
    // The caller identity, and for each role the role itself, its two lists and the inline policies of the file.
    assert_eq!(aws.requests().len(), 1 + 4 + 3, "{:?}", aws.targets());
}

#[test]
fn the_same_in_other_words_is_left_alone() {
    let (aws, _) = Iam::with([("One", Role::one()), ("Two", Role::two())]);
    tool(&aws)
        .run()
        .exits(0)
        .says("One: unchanged\nTwo: unchanged\n")
        .prints(&arns(&["One", "Two"]));
    tool(&aws).arg("--check").run().exits(0);
    assert_eq!(writes(&aws), [""; 0]);
}

/// A role in which everything differs.
fn drifted() -> Role {
    Role {
        trust: TRUST.replace("ecs-tasks", "ec2"),
        inline: [(
            "Read".to_owned(),
            READ.replace("us-east-1:123456789012", "us-east-1::123456789012")
                .replace(",\"ssm:GetParameter\"", ""),
        )]
        .into(),
        tags: [("app".to_owned(), "other".to_owned())].into(),
        ..Role::one()
    }
}

#[test]
fn only_what_differs_is_changed() {
    let (aws, iam) = Iam::with([
        ("One", drifted()),
        (
            "Two",
            Role {
                managed: Vec::new(),
                ..Role::two()
            },
        ),
    ]);
    let output = tool(&aws).args(["-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(
        document["items"][0]["changes"],
        json!([
            {"path": "trust.Statement[0].Principal.Service", "from": "ec2.amazonaws.com", "to": "ecs-tasks.amazonaws.com"},
            {"path": "inline.Read.Statement[0].Action", "from": null, "to": "ssm:GetParameter"},
            {
                "path": "inline.Read.Statement[0].Resource",
                "from": "arn:aws:ssm:us-east-1::123456789012:parameter/e2e/*",
                "to": "arn:aws:ssm:us-east-1:123456789012:parameter/e2e/*",
            },
            {"path": "tags.app", "from": "other", "to": "e2e"},
        ])
    );
    assert_eq!(
        writes(&aws),
        [
            "UpdateAssumeRolePolicy One",
            "PutRolePolicy One",
            "TagRole One",
            "AttachRolePolicy Two"
        ]
    );
    assert_eq!(iam.roles()["Two"], Role::two());
    output.says("One: updated\n  trust.Statement[0].Principal.Service: ec2.amazonaws.com -> ecs-tasks.amazonaws.com\n");
    aws.forget();
    assert_eq!(
        tool(&aws).args(["-o", "json"]).run().exits(0).json()["outcome"],
        "unchanged"
    );
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_plan_sends_no_writing_call_and_check_makes_it_a_no() {
    let (aws, _) = Iam::with([("One", drifted())]);
    let dry = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0);
    let document = dry.json();
    assert_eq!(document["outcome"], "planned");
    let actions: Vec<&Value> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["action"])
        .collect();
    assert_eq!(actions, ["update", "create"]);
    dry.says("One: would be updated\n")
        .says("Two: would be created\n");
    tool(&aws)
        .arg("--check")
        .run()
        .exits(1)
        .prints(&arns(&["One", "Two"]));
    tool(&aws).args(["one", "--check", "-q"]).run().exits(1);
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn only_the_roles_that_are_named() {
    let (aws, iam) = Iam::with([]);
    tool(&aws).arg("two").run().exits(0).prints(&arns(&["Two"]));
    assert_eq!(iam.roles().keys().collect::<Vec<_>>(), ["Two"]);
    aws.forget();
    tool(&aws)
        .arg("Two")
        .run()
        .exits(2)
        .says("failed to find role `Two` in the config file")
        .says("hint: it has: one, two");
    assert_eq!(aws.requests(), []);
}

#[test]
fn a_path_is_part_of_the_arn_and_fixed_for_good() {
    let (aws, iam) = Iam::with([]);
    let config = CONFIG.replace("name = \"Two\"", "name = \"Two\"\npath = \"/apps/e2e/\"");
    with_config(&aws, &config)
        .args(["two"])
        .run()
        .exits(0)
        .prints("arn:aws:iam::123456789012:role/apps/e2e/Two");
    assert_eq!(forms(&aws, "CreateRole")[0]["Path"], "/apps/e2e/");
    assert_eq!(iam.roles()["Two"].path, "/apps/e2e/");
    with_config(&aws, &config)
        .arg("two")
        .run()
        .exits(0)
        .says("Two: unchanged");
    aws.forget();
    tool(&aws)
        .run()
        .exits(2)
        .says("failed to change the path of role `Two` from `/apps/e2e/` to `/`: a path is set only at creation")
        .says("hint: set `path = \"/apps/e2e/\"` in [roles.two], or use another name");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_boundary_is_set_at_creation_and_when_it_differs() {
    let boundary = "arn:aws:iam::123456789012:policy/Boundary";
    let config = CONFIG.replace(
        "name = \"Two\"",
        &format!("name = \"Two\"\npermissions_boundary = \"{boundary}\""),
    );
    let (aws, iam) = Iam::with([("Two", Role::two())]);
    aws.answer_query(
        "GetPolicy",
        200,
        &iam::xml("GetPolicy", "<Policy><PolicyName>Boundary</PolicyName></Policy>"),
    );
    with_config(&aws, &config)
        .run()
        .exits(0)
        .says(&format!("  permissions_boundary: (none) -> {boundary}\n"));
    assert_eq!(iam.roles()["Two"].boundary.as_deref(), Some(boundary));
    iam.roles().remove("Two");
    with_config(&aws, &config).run().exits(0);
    assert_eq!(
        forms(&aws, "CreateRole").last().unwrap()["PermissionsBoundary"],
        boundary
    );
    aws.forget();
    // What the file does not name stays.
    tool(&aws).run().exits(0).says("Two: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

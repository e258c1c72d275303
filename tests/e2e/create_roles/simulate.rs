//! `--simulate`: may the execution role do what the task definition needs?

use super::iam::{Iam, Role, simulator, writes};
use super::{CONFIG, with_config};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::Tool;
use support::aws::FakeAws;

const DEFINITION: &str = r#"{
  "family": "web",
  "executionRoleArn": "${roles.one.arn}",
  "containerDefinitions": [{
    "name": "flask",
    "image": "${image.flask}",
    "secrets": [
      {"name": "A", "valueFrom": "arn:${AWS_PARTITION}:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter${params.prefix}/A"},
      {"name": "B", "valueFrom": "/other/B"}
    ],
    "logConfiguration": {"logDriver": "awslogs", "options": {
      "awslogs-group": "group", "awslogs-region": "${AWS_REGION}", "awslogs-stream-prefix": "web"}}
  }]
}"#;

fn tool(aws: &FakeAws) -> Tool {
    let more = "[task_definition]\nfile = \"web.json\"\n[[image]]\nname = \"flask\"\nrepository = \"team/flask\"\ntags = [\"latest\"]\nfrom = \"x\"\n";
    with_config(aws, &format!("{CONFIG}{more}"))
        .file("web.json", DEFINITION)
        .args(["one", "--simulate"])
}

#[test]
fn what_the_task_definition_needs_is_asked_for() {
    let (aws, _) = Iam::with([("One", Role::one())]);
    simulator(&aws, |_, _| "allowed");
    let output = tool(&aws).run().exits(0);
    output.says("One: unchanged\nOne: 8 of 8 permissions that the task definition needs are allowed\n");
    let mut asked: Vec<(String, Vec<String>)> = aws
        .bodies("SimulatePrincipalPolicy")
        .iter()
        .map(|form| {
            assert_eq!(form["PolicySourceArn"], "arn:aws:iam::123456789012:role/One");
            let actions = (1..).map(|number| form[format!("ActionNames.member.{number}")].as_str());
            let actions = actions.map_while(|action| action.map(str::to_owned)).collect();
            (
                form["ResourceArns.member.1"].as_str().unwrap().to_owned(),
                actions,
            )
        })
        .collect();
    asked.sort();
    let line = |resource: &str, actions: &[&str]| {
        (
            resource.to_owned(),
            actions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        asked,
        [
            line("*", &["ecr:GetAuthorizationToken"]),
            line(
                "arn:aws:ecr:us-east-1:123456789012:repository/team/flask",
                &[
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:BatchGetImage"
                ]
            ),
            line(
                "arn:aws:logs:us-east-1:123456789012:log-group:group:log-stream:web/flask/task",
                &["logs:CreateLogStream", "logs:PutLogEvents"]
            ),
            line(
                "arn:aws:ssm:us-east-1:123456789012:parameter/e2e/A",
                &["ssm:GetParameters"]
            ),
            line(
                "arn:aws:ssm:us-east-1:123456789012:parameter/other/B",
                &["ssm:GetParameters"]
            ),
        ]
    );
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn what_is_denied_makes_it_a_no() {
    let (aws, _) = Iam::with([("One", Role::one())]);
    simulator(&aws, |_, resource| {
        if resource.ends_with("/B") {
            "implicitDeny"
        } else {
            "allowed"
        }
    });
    let output = tool(&aws).args(["-o", "json"]).run().exits(1);
    let document = output.json();
    assert_eq!(document["outcome"], "no");
    assert_eq!(document["error"]["code"], "permission-missing");
    let denied: Vec<&Value> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["action"] == "denied")
        .collect();
    assert_eq!(denied.len(), 1);
    assert_eq!(denied[0]["kind"], "permission");
    assert_eq!(
        denied[0]["name"],
        "ssm:GetParameters on arn:aws:ssm:us-east-1:123456789012:parameter/other/B"
    );
    output.says(
        "create-roles: error: role `One` lacks 1 of the 8 permissions that the task definition needs: ssm:GetParameters on \
         arn:aws:ssm:us-east-1:123456789012:parameter/other/B (implicitDeny)",
    );
    simulator(&aws, |action, _| {
        if action.starts_with("ssm") {
            "explicitDeny"
        } else {
            "allowed"
        }
    });
    tool(&aws)
        .run()
        .exits(1)
        .says("  denied: ssm:GetParameters on arn:aws:ssm:us-east-1:123456789012:parameter/e2e/A (explicitDeny)\n")
        .says("create-roles: error: role `One` lacks 2 of the 8 permissions that the task definition needs\n");
}

#[test]
fn what_the_simulator_cannot_know_is_not_judged() {
    let (aws, _) = Iam::with([("One", Role::one())]);
    simulator(&aws, |action, _| {
        if action.starts_with("logs") {
            "missing"
        } else {
            "allowed"
        }
    });
    tool(&aws)
        .run()
        .exits(0)
        .says("create-roles: warning: not judged: logs:PutLogEvents on arn:aws:logs:us-east-1:123456789012:log-group:group:log-stream:web/flask/task: a condition needs aws:ResourceTag/app")
        .says("One: 6 of 8 permissions that the task definition needs are allowed");
}

#[test]
fn a_role_that_is_only_planned_is_not_judged() {
    let (aws, _) = Iam::with([]);
    tool(&aws)
        .arg("--dry-run")
        .run()
        .exits(0)
        .says("create-roles: warning: not judged: role `One` is only planned");
    assert_eq!(writes(&aws), [""; 0]);
    assert!(aws.bodies("SimulatePrincipalPolicy").is_empty());
    // After the change it is asked.
    simulator(&aws, |_, _| "allowed");
    let document = tool(&aws).args(["-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "changed");
}

#[test]
fn a_simulator_that_may_not_be_asked_is_an_error() {
    let (aws, _) = Iam::with([("One", Role::one())]);
    aws.refuse_query("SimulatePrincipalPolicy", "AccessDenied", "no");
    let words = "failed to simulate role `One`: iam:SimulatePrincipalPolicy failed: AccessDenied: no";
    tool(&aws).run().exits(2).says(words);
    let (aws, _) = Iam::with([]);
    aws.refuse_query("SimulatePrincipalPolicy", "AccessDenied", "no");
    let document = tool(&aws).args(["-o", "json"]).run().exits(4).says(words).json();
    assert_eq!(document["items"][0]["action"], "create");
}

#[test]
fn a_simulator_that_does_not_know_the_change_yet_is_waited_for() {
    let bare = Role {
        inline: [].into(),
        ..Role::one()
    };
    for (found, word) in [(None, "created"), (Some(bare), "updated")] {
        let (aws, iam) = Iam::with([]);
        iam.roles().extend(found.map(|role| ("One".to_owned(), role)));
        for _ in 0..7 {
            let missing = "The role with name One cannot be found.";
            aws.refuse_once("SimulatePrincipalPolicy", "NoSuchEntity", missing);
        }
        let denials = AtomicUsize::new(2);
        simulator(&aws, move |action, _| {
            let less = |left: usize| left.checked_sub(1);
            let denied = action == "ecr:BatchGetImage"
                && denials
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
                    .is_ok();
            if denied { "implicitDeny" } else { "allowed" }
        });
        tool(&aws)
            .arg("-v")
            .run()
            .exits(0)
            .says(&format!("One: {word}\n"))
            .says("the simulator does not have the new role `One` yet: trying again in ")
            .says("the simulator may not have the change of role `One` yet: trying again in ")
            .says("One: 8 of 8 permissions that the task definition needs are allowed\n")
            .does_not_say("denied");
    }
}

#[test]
fn a_lasting_denial_is_reported_in_bounded_time() {
    let (aws, _) = Iam::with([]);
    simulator(&aws, |_, _| "implicitDeny");
    let output = tool(&aws).args(["-o", "json"]).run().exits(1);
    assert!(output.elapsed > Duration::from_secs(5), "{:?}", output.elapsed);
    assert!(output.elapsed < Duration::from_secs(20), "{:?}", output.elapsed);
    assert_eq!(output.json()["items"][0]["action"], "create");
    output.says("role `One` lacks 8 of the 8 permissions");

    // For a role that was not changed, the first response counts.
    let (aws, _) = Iam::with([("One", Role::one())]);
    simulator(&aws, |_, _| "implicitDeny");
    tool(&aws).run().exits(1);
    assert_eq!(aws.bodies("SimulatePrincipalPolicy").len(), 5);
    aws.refuse_query("SimulatePrincipalPolicy", "NoSuchEntity", "gone");
    let output = tool(&aws).run().exits(2);
    assert!(output.elapsed < Duration::from_secs(5), "{:?}", output.elapsed);
}

#[test]
fn errors_of_the_task_definition_are_reported_before_the_first_call() {
    let aws = FakeAws::start();
    let cases = [
        ("{", "failed to use `web.json:1:2`"),
        (
            "{}",
            "failed to use `web.json`: `executionRoleArn` is missing: there is no role to simulate",
        ),
        (
            "{\"executionRoleArn\": \"${NOT_SET_ANYWHERE}\"}",
            "failed to use `web.json:1:22`: executionRoleArn: needs the environment variable `NOT_SET_ANYWHERE`",
        ),
    ];
    for (text, words) in cases {
        tool(&aws).file("web.json", text).run().exits(2).says(words);
    }
    with_config(&aws, CONFIG)
        .arg("--simulate")
        .run()
        .exits(2)
        .says("failed to find `[task_definition]`");
    assert_eq!(aws.requests(), []);
    assert_eq!(json!(aws.targets()), json!([]));
}

//! The commands of the hints for a deployment in progress: they name this deployment, account and region.

use super::fake::{self, ARN, DEPLOYMENT, answers, described, service, tool, with};
use serde_json::{Value, json};
use support::aws::{FakeAws, ecs};

/// A service that is at rest on `present`; each change of it begins this deployment, which never ends.
fn endless(present: &[&str], begun: &[&str]) -> FakeAws {
    let aws = fake::start();
    aws.answer(ecs("UpdateService"), 200, json!({"service": service(begun)}));
    aws.answer(ecs("CreateService"), 200, json!({"service": service(begun)}));
    let present = if present.is_empty() {
        Vec::new()
    } else {
        vec![service(present)]
    };
    aws.answer_once(ecs("DescribeServices"), 200, described(&present));
    answers(
        &aws,
        &[with(
            service(begun),
            "currentServiceDeployment",
            format!("{DEPLOYMENT}/1").into(),
        )],
    );
    aws
}

/// The hint of a run that the deadline ends.
#[track_caller]
fn hint(aws: &FakeAws, arguments: &[&str]) -> String {
    let arguments = [arguments, &["--poll", "20ms", "--timeout", "700ms", "-o", "json"]].concat();
    let document = tool(aws, &arguments).run().exits(3).json();
    assert_eq!(
        document["items"][0]["arn"],
        ARN.replace("us-east-1", document["region"].as_str().unwrap())
    );
    document["error"]["hint"].as_str().unwrap().to_owned()
}

const OLD: &[&str] = &["old PRIMARY 1 COMPLETED"];
const NEW: &[&str] = &["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"];

#[test]
fn the_options_of_the_place_are_in_them() {
    let aws = endless(OLD, NEW);
    assert_eq!(
        hint(&aws, &["--region", "eu-west-1", "--config", "./ops.toml"]),
        "it goes on: follow it with `deploy-service --task-definition web:2 --config ./ops.toml --region eu-west-1`, \
         look at it with `deploy-service status --config ./ops.toml --region eu-west-1`, \
         stop it with `deploy-service rollback --task-definition web:1 --yes --config ./ops.toml --region eu-west-1`"
    );
}

#[test]
fn an_older_revision_stays_the_one_that_is_meant() {
    let aws = endless(
        &["old PRIMARY 2 COMPLETED"],
        &["new PRIMARY 1 IN_PROGRESS", "old ACTIVE 2 COMPLETED"],
    );
    assert_eq!(
        hint(&aws, &["--task-definition", "1"]),
        "it goes on: follow it with `deploy-service --task-definition web:1`, \
         look at it with `deploy-service status`, \
         stop it with `deploy-service rollback --task-definition web:2 --yes`"
    );
}

#[test]
fn after_a_rollback_they_do_not_undo_it() {
    let rolled: &[&str] = &["new PRIMARY 1 IN_PROGRESS", "old ACTIVE 2 COMPLETED"];
    let words = "it goes on: follow it with `deploy-service rollback --task-definition web:1`, \
                 look at it with `deploy-service status`, \
                 stop it with `deploy-service rollback --task-definition web:2 --yes`";
    let aws = endless(&["old PRIMARY 2 COMPLETED"], rolled);
    fake::deployed(&aws, &[2, 1]);
    assert_eq!(hint(&aws, &["rollback", "--yes"]), words);

    // Rollback of a deployment that had not completed.
    let aws = endless(
        &["bad PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"],
        &[
            "new PRIMARY 1 IN_PROGRESS",
            "bad ACTIVE 2 IN_PROGRESS",
            "old ACTIVE 1 COMPLETED",
        ],
    );
    assert_eq!(hint(&aws, &["rollback", "--yes"]), words);

    // The command of the hint for following the deployment: it waits, and changes nothing.
    aws.forget();
    let aws = endless(rolled, rolled);
    assert_eq!(hint(&aws, &["rollback", "--task-definition", "web:1"]), words);
    assert_eq!(fake::writes(&aws), [""; 0]);
    let aws = endless(OLD, NEW);
    let output = tool(
        &aws,
        &["rollback", "--no-wait", "--yes", "--task-definition", "2"],
    );
    output.run().exits(0).says(
        "web: deployment `ecs-svc/new` goes on: follow it with `deploy-service rollback --task-definition web:2`, \
         look at it with `deploy-service status`, \
         stop it with `deploy-service rollback --task-definition web:1 --yes`\n",
    );
}

#[test]
fn without_an_earlier_revision_the_hint_stops_the_deployment() {
    let aws = endless(&[], &["new PRIMARY 2 IN_PROGRESS"]);
    assert_eq!(
        hint(&aws, &[]),
        "it goes on: follow it with `deploy-service --task-definition web:2`, \
         look at it with `deploy-service status`, \
         stop it with `aws ecs update-service --cluster apps --service web --desired-count 0 --region us-east-1`"
    );
    // Another deployment of the same revision.
    let aws = endless(
        &["old PRIMARY 2 COMPLETED"],
        &["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 2 COMPLETED"],
    );
    assert_eq!(
        hint(&aws, &["--force-new-deployment"]),
        format!(
            "it goes on: follow it with `deploy-service --task-definition web:2`, \
             look at it with `deploy-service status`, \
             stop it with `aws ecs stop-service-deployment --service-deployment-arn {DEPLOYMENT}/1 --region us-east-1`"
        )
    );
}

#[test]
fn at_a_terminal_the_command_asks_by_itself() {
    let aws = endless(OLD, NEW);
    let output = tool(&aws, &["--no-wait"]).on_a_terminal("").run();
    assert!(
        output
            .stdout
            .contains("stop it with `deploy-service rollback --task-definition web:1`"),
        "{}",
        output.transcript()
    );
}

#[test]
fn the_log_is_named_with_its_place() {
    let aws = endless(OLD, NEW);
    let failed: Value = service(&["new PRIMARY 2 FAILED", "old ACTIVE 1 COMPLETED"]);
    let failed = with(failed, "deploymentConfiguration", json!({}));
    let begun = with(service(NEW), "deploymentConfiguration", json!({}));
    aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
    aws.answer(ecs("DescribeServices"), 200, described(&[failed]));
    tool(&aws, &["--poll", "20ms", "--config", "ops.toml"])
        .run()
        .exits(1)
        .says("`deploy-service logs --since 1h --config ops.toml` has more lines");
}

#[test]
fn a_shell_understands_them() {
    let aws = endless(OLD, NEW);
    let place = "my apps/it's";
    let tool = aws
        .tool("deploy-service")
        .file(format!("{place}/ops.toml"), fake::CONFIG)
        .file(format!("{place}/service.json"), fake::FILE);
    let config = tool.folder().join(place).join("ops.toml");
    let output = tool
        .clone()
        .arg("--config")
        .arg(&config)
        .arg("--no-wait")
        .run()
        .exits(0);
    let line = output
        .stderr
        .lines()
        .find(|line| line.contains("goes on"))
        .unwrap();
    let words = line.split_once("goes on: ").unwrap().1;
    let commands: Vec<&str> = words.split('`').skip(1).step_by(2).collect();
    assert_eq!(commands.len(), 3, "{line}");
    let path = format!("{}:/usr/bin:/bin", support::bin_dir().display());
    let paste = |command: &str| {
        aws.forget();
        let shell = aws.point(support::program("sh")).env("PATH", &path);
        shell.arg("-c").arg(format!("{command} --poll 20ms")).run()
    };
    paste(commands[1]).exits(1);
    assert_eq!(fake::writes(&aws), [""; 0]);
    let begun = service(NEW);
    answers(
        &aws,
        &[begun.clone(), begun, service(&["new PRIMARY 2 COMPLETED"])],
    );
    paste(commands[0]).exits(0).says("web: web:2 is deployed");
    assert_eq!(fake::writes(&aws), [""; 0]);
    let back = service(&["back PRIMARY 1 IN_PROGRESS", "new ACTIVE 2 COMPLETED"]);
    aws.answer(ecs("UpdateService"), 200, json!({"service": back}));
    aws.answer_once(
        ecs("DescribeServices"),
        200,
        described(&[service(&["new PRIMARY 2 COMPLETED"])]),
    );
    aws.answer(
        ecs("DescribeServices"),
        200,
        described(&[service(&["back PRIMARY 1 COMPLETED"])]),
    );
    paste(commands[2]).exits(0);
    assert_eq!(
        aws.bodies(ecs("UpdateService")),
        [json!({"cluster": "apps", "service": "web", "taskDefinition": fake::revision(1)})]
    );
}

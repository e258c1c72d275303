//! What is asked before anything is registered.

use super::account::{Account, index, platform, single};
use super::{arn, tool, with_file, writes};
use serde_json::{Value, json};
use support::aws::{ecr, logs, ssm};

#[test]
fn a_role_that_tasks_may_not_assume_is_an_error() {
    let (aws, account) = Account::ready();
    let trust = super::account::TRUST.replace("ecs-tasks", "ecs");
    account.state().roles.get_mut("Task").unwrap().0 = trust;
    tool(&aws)
        .run()
        .exits(2)
        .says("error: failed to use `aws/web.json:8:18`: taskRoleArn: role `Task` does not trust ecs-tasks.amazonaws.com")
        .says("hint: run create-roles, which repairs its trust policy");
    let file = super::FILE.replace("${roles.task.arn}", "arn:aws:iam::123456789012:role/path/Task");
    with_file(&aws, &file)
        .run()
        .exits(2)
        .says("role `Task` has another ARN: `arn:aws:iam::123456789012:role/Task`");
    let file = super::FILE.replace("${roles.task.arn}", "arn:aws:iam::111122223333:role/Task");
    with_file(&aws, &file)
        .run()
        .exits(2)
        .says("role `Task` is of account 111122223333, and a task takes roles only of its own, 123456789012");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn the_image_must_be_for_the_platform_of_the_task() {
    let on_arm = super::FILE.replace(
        "\"cpu\":",
        "\"runtimePlatform\": { \"cpuArchitecture\": \"ARM64\" },\n  \"cpu\":",
    );
    // Manifest, architecture of the configuration, platform of the task, and what is said.
    let cases = [
        (single(), "amd64", super::FILE, None),
        (
            single(),
            "arm64",
            super::FILE,
            Some("the image is for linux/arm64, and the task runs on linux/amd64"),
        ),
        (single(), "arm64", &on_arm, None),
        (
            single(),
            "amd64",
            &on_arm,
            Some("the image is for linux/amd64, and the task runs on linux/arm64"),
        ),
        (
            index(&["linux/amd64", "linux/arm64", "unknown/unknown"]),
            "",
            &on_arm,
            None,
        ),
        (
            index(&["linux/arm64", "unknown/unknown"]),
            "",
            super::FILE,
            Some("the image is for linux/arm64, and the task runs on linux/amd64"),
        ),
        (
            index(&["windows/amd64"]),
            "",
            super::FILE,
            Some("the image is for windows/amd64, and the task runs on linux/amd64"),
        ),
    ];
    for (manifest, architecture, file, error) in cases {
        let (aws, account) = Account::ready();
        account.state().images.get_mut("apps/web:latest").unwrap().1 = manifest;
        platform(&aws, architecture);
        let output = with_file(&aws, file).run();
        match error {
            None => drop(output.exits(0).prints(&arn(1))),
            Some(error) => {
                let place = format!("aws/web.json:{}:16", if file == on_arm { 13 } else { 12 });
                output
                    .exits(2)
                    .says(&format!("`{place}`: containerDefinitions[0].image: {error}"));
                assert_eq!(writes(&aws), [""; 0]);
            }
        }
    }
}

#[test]
fn an_unknown_platform_is_not_judged() {
    let (aws, account) = Account::ready();
    let not_judged = "warning: not judged: whether image `apps/web` is for linux/amd64: ";
    platform(&aws, "");
    tool(&aws).arg("--dry-run").run().exits(0).says(not_judged);
    aws.answer_text(format!("GET {}", super::account::SIGNED), 404, "", "text/plain");
    tool(&aws)
        .arg("--dry-run")
        .run()
        .exits(0)
        .says(not_judged)
        .says("returned status 404");
    aws.cut(format!("GET {}", super::account::SIGNED));
    tool(&aws)
        .arg("--dry-run")
        .run()
        .exits(0)
        .says("could not be reached");
    aws.refuse(
        ecr("GetDownloadUrlForLayer"),
        "AccessDeniedException",
        "User: ci may not",
    );
    tool(&aws)
        .arg("--dry-run")
        .run()
        .exits(0)
        .says(not_judged)
        .says("ecr:GetDownloadUrlForLayer failed: AccessDeniedException");
    account.state().images.get_mut("apps/web:latest").unwrap().1 = json!({"schemaVersion": 1});
    tool(&aws).run().exits(0).says(not_judged).prints(&arn(1));
}

#[test]
fn only_the_exact_log_group_counts() {
    let (aws, account) = Account::ready();
    account.state().log_groups = ["web-logs-old".into()].into();
    tool(&aws)
        .run()
        .exits(2)
        .says("`aws/web.json:23:28`: containerDefinitions[0].logConfiguration.options.awslogs-group: there is no log group `web-logs`");
    // It may stand on a later page.
    aws.answer_with(logs("DescribeLogGroups"), |body| {
        match body["nextToken"].as_str() {
            None => (
                200,
                json!({"logGroups": [{"logGroupName": "web-logs-old"}], "nextToken": "two"}),
            ),
            Some(_) => (200, json!({"logGroups": [{"logGroupName": "web-logs"}]})),
        }
    });
    tool(&aws).run().exits(0).prints(&arn(1));
}

#[test]
fn parameters_are_asked_for_in_tens() {
    let (aws, account) = Account::ready();
    let name = |number: usize| format!("/apps/web/P{number:02}");
    let entry = |number: usize| json!({"name": format!("P{number:02}"), "valueFrom": name(number)});
    let mut file: Value = serde_json::from_str(super::FILE).unwrap();
    file["containerDefinitions"][0]["secrets"] = (0..23).map(entry).collect();
    let file = serde_json::to_string_pretty(&file).unwrap();
    account.state().parameters = (0..23).map(name).collect();
    account
        .state()
        .parameters
        .retain(|one| !matches!(one.as_str(), "/apps/web/P03" | "/apps/web/P21"));
    let output = with_file(&aws, &file).run().exits(2);
    output
        .says("there is no parameter `/apps/web/P03` in us-east-1\n    hint: create it, or correct its name")
        .says("there is no parameter `/apps/web/P21` in us-east-1")
        .says("error: 2 errors in ");
    let sizes: Vec<usize> = aws
        .bodies(ssm("GetParameters"))
        .iter()
        .map(|body| body["Names"].as_array().unwrap().len())
        .collect();
    let mut sorted = sizes.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [3, 10, 10], "{sizes:?}");
}

#[test]
fn a_parameter_of_another_region_is_warned_about() {
    let (aws, _account) = Account::ready();
    let file = super::FILE.replacen("ssm:${AWS_REGION}", "ssm:eu-west-1", 1);
    with_file(&aws, &file)
        .run()
        .exits(0)
        .says("warning: aws/web.json:17:37: containerDefinitions[0].secrets[0].valueFrom: it is read from eu-west-1 whenever a task starts in us-east-1");
}

#[test]
fn a_secret_of_secrets_manager_is_not_judged() {
    let (aws, _account) = Account::ready();
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:web-AbCdEf";
    let file = super::FILE.replace("\"${params.prefix}/B\"", &format!("\"{secret}\""));
    with_file(&aws, &file)
        .run()
        .exits(0)
        .says(&format!("not judged: whether secret `{secret}` exists"));
}

#[test]
fn what_may_not_be_asked_ahead_is_not_judged() {
    let (aws, _account) = Account::ready();
    aws.refuse_query("GetRole", "AccessDenied", "User: ci may not");
    aws.refuse(
        logs("DescribeLogGroups"),
        "AccessDeniedException",
        "User: ci may not",
    );
    aws.refuse(ssm("GetParameters"), "AccessDeniedException", "User: ci may not");
    let output = tool(&aws).run().exits(0).prints(&arn(1));
    output
        .says("warning: not judged: whether role `Execution` exists and trusts ecs-tasks.amazonaws.com (iam:GetRole was denied)\n")
        .says("warning: not judged: whether log group `web-logs` exists (logs:DescribeLogGroups was denied)\n")
        .says("warning: not judged: whether 2 parameters exist (ssm:GetParameters was denied)\n");
    // An image that the file names itself needs no looking up.
    let (aws, _account) = Account::ready();
    aws.refuse(ecr("BatchGetImage"), "AccessDeniedException", "User: ci may not");
    let image = super::image();
    with_file(&aws, &super::FILE.replace("${image.web}", &image))
        .run()
        .exits(0)
        .says(&format!(
            "warning: not judged: whether image `{image}` exists (ecr:BatchGetImage was denied)"
        ));
}

#[test]
fn a_check_that_fails_otherwise_is_an_error() {
    let (aws, _account) = Account::ready();
    aws.refuse(ssm("GetParameters"), "ValidationException", "no");
    tool(&aws)
        .run()
        .exits(2)
        .says("error: failed to find the parameters: ssm:GetParameters failed: ValidationException: no");
    assert_eq!(writes(&aws), [""; 0]);
}

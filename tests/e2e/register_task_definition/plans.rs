//! `--dry-run` and `--check`, on a clean account too.

use super::{Account, arn, registered, tool, writes};
use serde_json::{Value, json};

#[test]
fn a_plan_sends_no_writing_call_and_check_makes_it_a_no() {
    let (aws, _account) = registered(|body| body["cpu"] = json!("512"));
    let dry = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0);
    let document = dry.json();
    assert_eq!(document["outcome"], "planned");
    assert_eq!(
        document["items"],
        json!([{
            "kind": "task-definition", "name": "web", "action": "register",
            "changes": [{"path": "cpu", "from": "512", "to": "256"}], "arn": arn(1), "revision": 1,
        }])
    );
    dry.says("web: would be updated\n  cpu: 512 -> 256\n");
    tool(&aws).arg("--check").run().exits(1).prints("");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn what_an_earlier_step_makes_is_planned_on_a_clean_account() {
    let (aws, _account) = Account::empty();
    let output = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(document["outcome"], "planned");
    let planned: Vec<(&str, &str, &str)> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["action"] == "planned")
        .map(|item| {
            let text = |key: &str| item[key].as_str().unwrap_or_default();
            (text("kind"), text("name"), text("after"))
        })
        .collect();
    assert_eq!(
        planned,
        [
            ("role", "Execution", "create-roles"),
            ("role", "Task", "create-roles"),
            ("log-group", "web-logs", "create-log-group"),
            ("image", "web", "push-image"),
            ("parameter", "/apps/web/A", "put-params"),
            ("parameter", "/apps/web/B", "put-params"),
        ]
    );
    let definition = document["items"].as_array().unwrap().last().unwrap();
    assert_eq!(definition["action"], "create");
    let image: Vec<&Value> = definition["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["path"] == "containerDefinitions[web].image")
        .map(|change| &change["to"])
        .collect();
    let expected =
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/apps/web@(the digest that push-image pushes)";
    assert_eq!(image, [&json!(expected)]);
    output
        .says("role `Execution`: planned (after create-roles)\n")
        .says("log group `web-logs`: planned (after create-log-group)\n")
        .says("image `web`: planned (after push-image)\n")
        .says("parameter `/apps/web/A`: planned (after put-params)\n");
    tool(&aws).arg("--check").run().exits(1);
    assert_eq!(writes(&aws), [""; 0]);
    // For the registration they must exist.
    tool(&aws)
        .run()
        .exits(2)
        .says("executionRoleArn: there is no role `Execution`\n    hint: run create-roles first\n")
        .says("image: ECR has no image `web` (`apps/web:latest`)\n    hint: run push-image first\n")
        .says("there is no log group `web-logs`\n    hint: run create-log-group first\n")
        .says("there is no parameter `/apps/web/A` in us-east-1\n    hint: run put-params first\n")
        .says("error: 6 errors in `aws/web.json`\n");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn what_no_step_makes_is_an_error_in_a_plan_too() {
    let (aws, _account) = Account::ready();
    let file = super::FILE
        .replace("${log_group.name}", "does-not-exist")
        .replace("${params.prefix}/B", "/does-not-exist/x")
        .replace(
            "${roles.task.arn}",
            "arn:aws:iam::${AWS_ACCOUNT_ID}:role/OfNobody",
        );
    super::with_file(&aws, &file)
        .arg("--dry-run")
        .run()
        .exits(2)
        .says("there is no role `OfNobody`\n    hint: create it, or correct the ARN\n")
        .says("there is no log group `does-not-exist`\n")
        .says("there is no parameter `/does-not-exist/x` in us-east-1\n")
        .says("error: 3 errors in `aws/web.json`\n");
}

//! Errors of the file and calls that AWS refuses.

use super::{Account, FILE, arn, registered, tool, with_file, writes};
use serde_json::json;
use support::aws::{FakeAws, ecr, ecs};

#[test]
fn all_errors_of_the_file_are_reported_before_the_first_call() {
    let aws = FakeAws::start();
    let file = FILE
        .replace("\"512\"", "\"700\"")
        .replace("\"startPeriod\": 10", "\"startPeriod\": 301")
        .replace(
            "\"name\": \"web\", \"containerPort\"",
            "\"name\": \"Web\", \"containerPort\"",
        )
        .replace("\"awslogs-stream-prefix\"", "\"awslogs-prefix\"");
    let output = with_file(&aws, &file).args(["-o", "json"]).run().exits(2);
    let document = output.json();
    assert_eq!(document["outcome"], "failed");
    assert_eq!(document["error"]["code"], "document");
    let places: Vec<(&str, u64)> = document["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["path"].as_str().unwrap(), error["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        places,
        [
            ("memory", 6),
            ("containerDefinitions[0].portMappings[0].name", 13),
            ("containerDefinitions[0].healthCheck.startPeriod", 14),
            ("containerDefinitions[0].logConfiguration.options", 22),
            (
                "containerDefinitions[0].logConfiguration.options.awslogs-prefix",
                25
            ),
        ]
    );
    output
        .says("  aws/web.json:6:13: memory: ")
        .says("error: 5 errors in `aws/web.json`\n");
    assert_eq!(aws.requests(), []);
}

#[test]
fn an_unset_variable_hides_no_other_error() {
    let aws = FakeAws::start();
    let file = FILE
        .replace("\"256\"", "\"300\"")
        .replace("${AWS_REGION}\" }, {", "${NOT_SET_ANYWHERE}\" }, {");
    let output = with_file(&aws, &file).run().exits(2);
    output
        .says("  aws/web.json:5:10: cpu: Fargate has no 300 CPU units, only 256, 512, ")
        .says("containerDefinitions[0].environment[0].value: needs the environment variable `NOT_SET_ANYWHERE`, which is not set\n    hint: export NOT_SET_ANYWHERE=…\n")
        .says("error: 2 errors in `aws/web.json`\n");
    assert_eq!(aws.requests(), []);
}

#[test]
fn damaged_and_missing_files_are_reported_before_the_first_call() {
    let aws = FakeAws::start();
    for (file, words) in [
        ("{\n  \"family\": \"web\",\n", "aws/web.json:3:1"),
        ("[]", "it must be an object, not an array"),
        ("{\"family\": \"web\", \"family\": \"x\"}", "aws/web.json:1:19"),
        (
            r#"{"taskDefinition": {}}"#,
            "this is an answer of DescribeTaskDefinition",
        ),
    ] {
        with_file(&aws, file).run().exits(2).says(words);
    }
    for (from, to, words) in [
        (
            "${image.web}",
            "${image.absent}",
            "image: names `${image.absent}`, which is an unknown variable",
        ),
        (
            "${image.web}",
            "${IMAGE_NOT_SET}",
            "image: needs the environment variable `IMAGE_NOT_SET`, which is not set",
        ),
        ("5$$", "5$", "has a `$` that does not start a `${NAME}`"),
        (
            "${roles.task.arn}",
            "${roles.other.arn}",
            "`${roles.other.arn}`, which is an unknown variable",
        ),
    ] {
        with_file(&aws, &FILE.replace(from, to))
            .run()
            .exits(2)
            .says("`aws/web.json:")
            .says(words);
    }
    aws.tool("register-task-definition")
        .config_text(super::CONFIG)
        .run()
        .exits(2)
        .says("failed to use `aws/web.json`: No such file")
        .says("hint: `register-task-definition init` writes it from a live revision");
    let without = super::CONFIG.replace("[task_definition]\nfile = \"aws/web.json\"", "");
    tool(&aws)
        .config_text(&without)
        .run()
        .exits(2)
        .says("failed to find `[task_definition]` in `")
        .says("hint: add the table `[task_definition]` with a `file`");
    let wrong = super::CONFIG.replace("app = \"e2e\"", "\"aws:app\" = \"e2e\"");
    tool(&aws)
        .config_text(&wrong)
        .run()
        .exits(2)
        .says("app.tags: the tag key `aws:app` begins with `aws:`");
    assert_eq!(aws.requests(), []);
}

#[test]
fn all_errors_of_the_account_are_reported() {
    let (aws, account) = Account::ready();
    let mut state = account.state();
    state.roles.remove("Task");
    state.log_groups.clear();
    state.parameters.clear();
    state.images.clear();
    drop(state);
    let output = tool(&aws).args(["-o", "json"]).run().exits(2);
    let errors: Vec<String> = output.json()["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            format!(
                "{}:{} {}",
                error["line"],
                error["column"],
                error["message"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        errors,
        [
            "8:18 there is no role `Task`",
            "12:16 ECR has no image `web` (`apps/web:latest`)",
            "17:37 there is no parameter `/apps/web/A` in us-east-1",
            "18:37 there is no parameter `/apps/web/B` in us-east-1",
            "23:28 there is no log group `web-logs`",
        ]
    );
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn without_what_the_plan_needs_there_is_none() {
    let denied = |target: &str, operation: &str, context: &str| {
        let (aws, _account) = Account::ready();
        aws.refuse(target, "AccessDeniedException", "User: ci is not authorized");
        for arguments in [&[][..], &["--dry-run"], &["--check"]] {
            tool(&aws).args(arguments).run().exits(2).says(&format!(
                "error: {context}: {operation} failed: AccessDeniedException: User: ci is not authorized\n\
                 hint: grant `{operation}` to"
            ));
        }
        assert_eq!(writes(&aws), [""; 0]);
    };
    denied(
        &ecs("DescribeTaskDefinition"),
        "ecs:DescribeTaskDefinition",
        "failed to describe task definition `web`",
    );
    denied(
        &ecr("BatchGetImage"),
        "ecr:BatchGetImage",
        "failed to look up the digest of image `web` (`apps/web:latest`)",
    );
}

#[test]
fn a_refused_write_names_the_call() {
    let (aws, _account) = Account::ready();
    aws.refuse(
        ecs("RegisterTaskDefinition"),
        "AccessDeniedException",
        "User: ci is not authorized",
    );
    tool(&aws).run().exits(2).says(
        "error: failed to register task definition `web`: ecs:RegisterTaskDefinition failed: \
         AccessDeniedException: User: ci is not authorized\nhint: grant `ecs:RegisterTaskDefinition`",
    );
    assert_eq!(writes(&aws).len(), 1);
    let (aws, _account) = registered(|body| body["tags"] = json!([]));
    aws.refuse(
        ecs("TagResource"),
        "AccessDeniedException",
        "User: ci is not authorized",
    );
    tool(&aws).run().exits(2).says(&format!(
        "error: failed to tag task definition `{}`: ecs:TagResource failed",
        arn(1)
    ));
}

#[test]
fn a_write_with_an_unparseable_response_may_have_been_applied() {
    let unparseable = "an unparseable response: ";
    for (status, body, returned) in [
        (200, "<html>", unparseable),
        (200, "{\"taskDefinition\": ", unparseable),
        (502, "<html>", "a non-AWS response (HTTP 502)"),
    ] {
        let (aws, _account) = Account::ready();
        aws.answer_text(
            ecs("RegisterTaskDefinition"),
            status,
            body,
            "application/x-amz-json-1.1",
        );
        let output = tool(&aws).env("AWS_MAX_ATTEMPTS", "1").run().exits(2);
        let output = output
            .says(&format!(
                "failed to register task definition `web`: ecs:RegisterTaskDefinition returned {returned}"
            ))
            .says("hint: the change may have been applied; re-run to check and continue\n");
        let printed = output.stderr.contains("could not be sent");
        assert!(!printed, "{}", output.transcript());
    }
    // The connection breaks after the request was sent.
    let (aws, _account) = Account::ready();
    aws.cut(ecs("RegisterTaskDefinition"));
    let output = tool(&aws).env("AWS_MAX_ATTEMPTS", "1").run().exits(2);
    output.says("ecs:RegisterTaskDefinition got no answer: connection closed before message completed\n");
}

#[test]
fn odd_answers_are_errors() {
    let (aws, account) = Account::ready();
    aws.answer_once(ecs("DescribeTaskDefinition"), 200, json!({}));
    tool(&aws)
        .run()
        .exits(2)
        .says("ecs:DescribeTaskDefinition response omitted `taskDefinitionArn`");
    aws.answer_once(ecr("BatchGetImage"), 200, json!({"images": [{}]}));
    tool(&aws)
        .run()
        .exits(2)
        .says("ecr:BatchGetImage response omitted digest or manifest");
    aws.answer_once(ecr("BatchGetImage"), 200, json!({}));
    tool(&aws)
        .run()
        .exits(2)
        .says("ecr:BatchGetImage response omitted image and failure");
    let failure = json!({"failures": [{"failureCode": "KmsError", "failureReason": "the key is gone"}]});
    aws.answer_once(ecr("BatchGetImage"), 200, failure);
    tool(&aws)
        .run()
        .exits(2)
        .says("ecr:BatchGetImage failed with KmsError: the key is gone");
    aws.refuse_once(ecs("DescribeTaskDefinition"), "ClientException", "something else");
    tool(&aws)
        .run()
        .exits(2)
        .says("ecs:DescribeTaskDefinition failed: ClientException: something else");
    assert_eq!(account.state().revisions.len(), 0);
}

//! What differs, and what does not.

use super::{Account, arn, image, registered, tool, with_file, writes};
use serde_json::{Value, json};
use support::aws::ecs;

#[test]
fn each_difference_is_named_and_makes_one_revision() {
    type Case = (fn(&mut Value), &'static [&'static str]);
    let cases: [Case; 9] = [
        (|body| body["cpu"] = json!("512"), &["cpu: 512 -> 256"]),
        (|body| body["memory"] = json!("1024"), &["memory: 1024 -> 512"]),
        (
            |body| body["taskRoleArn"] = json!("arn:aws:iam::123456789012:role/Old"),
            &["taskRoleArn: arn:aws:iam::123456789012:role/Old -> arn:aws:iam::123456789012:role/Task"],
        ),
        (
            |body| body["containerDefinitions"][0]["portMappings"][0]["appProtocol"] = json!("http2"),
            &["containerDefinitions[web].portMappings[4567/tcp].appProtocol: http2 -> http"],
        ),
        (
            |body| body["containerDefinitions"][0]["healthCheck"]["interval"] = json!(10),
            &["containerDefinitions[web].healthCheck.interval: 10 -> 30"],
        ),
        (
            |body| {
                let environment =
                    json!([{"name": "REGION", "value": "eu-west-1"}, {"name": "MORE", "value": "1"}]);
                body["containerDefinitions"][0]["environment"] = environment;
            },
            &[
                "containerDefinitions[web].environment[MORE].value: (hidden) -> (none)",
                "containerDefinitions[web].environment[REGION].value: (hidden) -> (hidden)",
                "containerDefinitions[web].environment[PRICE].value: (none) -> (hidden)",
            ],
        ),
        (
            |body| {
                drop(
                    body["containerDefinitions"][0]["secrets"]
                        .as_array_mut()
                        .unwrap()
                        .pop(),
                )
            },
            &["containerDefinitions[web].secrets[B].valueFrom: (none) -> /apps/web/B"],
        ),
        (
            |body| body["runtimePlatform"] = json!({"cpuArchitecture": "ARM64"}),
            &["runtimePlatform.cpuArchitecture: ARM64 -> X86_64"],
        ),
        // A field that this build does not have.
        (
            |body| body["containerDefinitions"][0]["someNewField"] = json!({"deep": [1]}),
            &["containerDefinitions[web].someNewField.deep: (hidden) -> (none)"],
        ),
    ];
    for (change, expected) in cases {
        let (aws, account) = registered(change);
        let output = tool(&aws).run().exits(0).prints(&arn(2));
        let lines: Vec<&str> = output
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix("  "))
            .collect();
        assert_eq!(lines, expected, "{}", output.transcript());
        output.says("web: updated\n");
        assert_eq!(writes(&aws), ["RegisterTaskDefinition"]);
        assert_eq!(account.state().revisions.len(), 2);
        aws.forget();
        tool(&aws).run().exits(0).says("web: unchanged").prints(&arn(2));
        assert_eq!(writes(&aws), [""; 0]);
    }
}

#[test]
fn a_new_image_behind_the_tag_makes_a_revision() {
    let (aws, account) = registered(|_| {});
    let digest = format!("sha256:{}", "12".repeat(32));
    let pushed = (digest.clone(), super::account::single());
    account.state().images.insert("apps/web:latest".into(), pushed);
    let new = image().replace(super::DIGEST, &digest);
    tool(&aws).run().exits(0).prints(&arn(2)).says(&format!(
        "web: updated\n  containerDefinitions[web].image: {} -> {new}\n",
        image()
    ));
}

#[test]
fn the_same_in_other_words_is_left_alone() {
    let (aws, _account) = registered(|body| {
        let container = &mut body["containerDefinitions"][0];
        container["essential"] = json!(true);
        container["portMappings"][0]["protocol"] = json!("tcp");
        container["healthCheck"]["interval"] = json!(30);
        container["command"] = json!([]);
        body["pidMode"] = json!("");
    });
    let file = super::FILE
        .replace("\"256\"", "\".25 vCPU\"")
        .replace("\"512\"", "\"0.5 GB\"");
    with_file(&aws, &file).run().exits(0).says("web: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn tags_are_set_on_the_revision_that_is_there() {
    let (aws, account) = registered(|body| {
        body["tags"] = json!([{"key": "app", "value": "old"}, {"key": "owner", "value": "us"}]);
    });
    tool(&aws)
        .arg("--dry-run")
        .run()
        .exits(0)
        .prints(&arn(1))
        .says("web: would be updated\n  tags.app: old -> e2e\n  tags.stage: (none) -> test\n");
    assert_eq!(writes(&aws), [""; 0]);
    tool(&aws).run().exits(0).prints(&arn(1)).says("web: updated\n");
    assert_eq!(writes(&aws), ["TagResource"]);
    assert_eq!(
        aws.bodies(ecs("TagResource")),
        [
            json!({"resourceArn": arn(1), "tags": [{"key": "app", "value": "e2e"}, {"key": "stage", "value": "test"}]})
        ]
    );
    let tags = account.state().revisions[0]["tags"].clone();
    assert!(
        tags.as_array()
            .unwrap()
            .contains(&json!({"key": "owner", "value": "us"})),
        "{tags}"
    );
    aws.forget();
    tool(&aws).run().exits(0).says("web: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn tags_of_the_file_win_over_those_of_the_app() {
    let (aws, _account) = Account::ready();
    let file = super::FILE.replace(
        "\"cpu\":",
        "\"tags\": [{ \"key\": \"stage\", \"value\": \"own\" }, { \"key\": \"more\", \"value\": \"x\" }],\n  \"cpu\":",
    );
    with_file(&aws, &file).run().exits(0);
    assert_eq!(
        aws.bodies(ecs("RegisterTaskDefinition"))[0]["tags"],
        json!([{"key": "app", "value": "e2e"}, {"key": "more", "value": "x"}, {"key": "stage", "value": "own"}])
    );
    with_file(&aws, &file).run().exits(0).says("web: unchanged");
}

#[test]
fn only_active_revisions_count() {
    let (aws, account) = registered(|_| {});
    account.state().revisions[0]["status"] = json!("INACTIVE");
    tool(&aws).run().exits(0).prints(&arn(2)).says("web: created");
}

#[test]
fn a_field_that_ecs_stores_differently_is_reported() {
    let (aws, _account) = Account::ready();
    let mut kept = super::expanded();
    kept["cpu"] = json!("512");
    kept["taskDefinitionArn"] = json!(arn(1));
    aws.answer(
        ecs("RegisterTaskDefinition"),
        200,
        json!({"taskDefinition": kept}),
    );
    tool(&aws)
        .run()
        .exits(0)
        .says("warning: ECS keeps `cpu` as \"512\", and the file has \"256\": the next run will register another revision");
}

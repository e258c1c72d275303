//! `init`: from a live revision back to the file.

use super::{Account, CONFIG, FILE, arn, registered, tool, with_file, writes};
use serde_json::{Value, json};
use support::Tool;
use support::aws::FakeAws;

/// Without the file.
fn bare(aws: &FakeAws) -> Tool {
    aws.tool("register-task-definition").config_text(CONFIG)
}

fn written(tool: &Tool) -> Value {
    serde_json::from_str(&tool.read("aws/web.json")).unwrap()
}

#[test]
fn the_file_is_written_and_registers_nothing_new() {
    let (aws, _account) = registered(|body| {
        body["tags"]
            .as_array_mut()
            .unwrap()
            .push(json!({"key": "owner", "value": "us"}));
    });
    let init = bare(&aws).arg("init");
    init.run()
        .exits(0)
        .prints("aws/web.json")
        .says("image `web`: the file follows the digest of its first tag in ECR\n")
        .says(&format!("aws/web.json: written from {}\n", arn(1)));
    let mut expected: Value = serde_json::from_str(FILE).unwrap();
    expected["tags"] = json!([{"key": "owner", "value": "us"}]);
    let mut file = written(&init);
    // ECS keeps variables and secrets in an order of its own.
    for list in ["environment", "secrets"] {
        file["containerDefinitions"][0][list]
            .as_array_mut()
            .unwrap()
            .reverse();
    }
    assert_eq!(file, expected);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &init
            .folder()
            .join("aws/web.json")
            .metadata()
            .unwrap()
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o644);
    assert_eq!(std::fs::read_dir(init.folder().join("aws")).unwrap().count(), 1);

    let text = init.read("aws/web.json");
    with_file(&aws, &text).run().exits(0).says("web: unchanged");
    with_file(&aws, &text)
        .args(["init", "--force"])
        .run()
        .exits(0)
        .says("aws/web.json: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_file_is_replaced_only_with_force() {
    let (aws, _account) = registered(|_| {});
    let there = with_file(&aws, "mine").arg("init");
    there
        .run()
        .exits(2)
        .says("error: refused to overwrite `aws/web.json`\nhint: --force replaces it");
    assert_eq!(aws.requests(), []);
    assert_eq!(there.read("aws/web.json"), "mine");
    let dry = there.clone().arg("--dry-run").run().exits(0);
    assert_eq!(
        serde_json::from_str::<Value>(&dry.stdout).unwrap()["family"],
        "web"
    );
    assert_eq!(there.read("aws/web.json"), "mine");
    let document = there
        .clone()
        .args(["--force", "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(
        document["items"],
        json!([{"kind": "file", "name": "aws/web.json", "action": "update", "changes": [], "from": arn(1), "path": "aws/web.json"}])
    );
    assert_eq!(written(&there)["cpu"], "256");
}

#[test]
fn the_family_is_the_one_of_the_file_that_is_there() {
    // The file is called `web`, and its family is another one.
    let (aws, account) = Account::ready();
    let mut body = super::expanded();
    body["family"] = json!("shop-web");
    super::register(&mut account.state(), &body);
    let file = FILE.replace("\"family\": \"web\"", "\"family\": \"${SHOP}-web\"");
    let there = with_file(&aws, &file).env("SHOP", "shop").arg("init");
    for arguments in [&["--dry-run"][..], &["--dry-run", "--from", "1"], &["--force"]] {
        there.clone().args(arguments).run().exits(0);
    }
    assert_eq!(written(&there)["family"], "shop-web");
    // Without one, or with one that can't be read, it is the name of the file.
    let asked = |tool: Tool| {
        tool.args(["init", "--dry-run"])
            .run()
            .exits(2)
            .says("error: failed to find task definition `web`: ECS has no such revision")
            .says("hint: name another one with --from FAMILY[:REVISION]; `aws ecs list-task-definitions` shows those");
    };
    asked(bare(&aws));
    for file in [
        "no JSON",
        "{}",
        "{\"family\": 3}",
        "{\"family\": \"${NOT_SET_ANYWHERE}\"}",
        "{\"family\": \"a b\"}",
    ] {
        asked(with_file(&aws, file));
    }
}

#[test]
fn any_revision_may_be_taken() {
    let (aws, account) = registered(|body| body["cpu"] = json!("512"));
    super::register(&mut account.state(), &super::expanded());
    for (arguments, cpu) in [
        (vec!["init"], "256"),
        (vec!["init", "--from", "web"], "256"),
        (vec!["init", "--from", "web:1"], "512"),
        (vec!["init", "--from", "1"], "512"),
    ] {
        let init = bare(&aws).args(&arguments);
        init.run().exits(0);
        assert_eq!(written(&init)["cpu"], cpu, "{arguments:?}");
    }
    for from in ["web:9", "other"] {
        bare(&aws)
            .args(["init", "--from", from])
            .run()
            .exits(2)
            .says(&format!(
                "error: failed to find task definition `{from}`: ECS has no such revision"
            ));
    }
    bare(&aws)
        .args(["init", "--from", "web:x"])
        .run()
        .exits(2)
        .says("it must be FAMILY, FAMILY:REVISION or REVISION");
}

#[test]
fn errors_of_the_live_revision_are_reported() {
    let (aws, _account) = registered(|body| {
        body["memory"] = json!("700");
        body["containerDefinitions"][0]["image"] = json!("busybox");
    });
    let init = bare(&aws).arg("init");
    init.run()
        .exits(0)
        .says("warning: aws/web.json:")
        .says(": memory: ")
        .says("`busybox` is whatever `latest` is when a task starts");
    assert_eq!(written(&init)["memory"], "700");
}

#[test]
fn a_folder_that_cant_be_written_to_is_an_error() {
    let (aws, _account) = registered(|_| {});
    let init = bare(&aws)
        .file("aws", "a file in the place of the folder")
        .arg("init");
    init.run()
        .exits(2)
        .says("error: failed to write `aws/web.json`: ");
    let (aws, _account) = Account::ready();
    tool(&aws)
        .args(["init", "--dry-run"])
        .run()
        .exits(2)
        .says("failed to find task definition `web`");
}

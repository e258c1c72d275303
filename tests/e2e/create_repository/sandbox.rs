//! A repository in the sandbox, as the aws CLI sees it.

use serde_json::{Value, json};
use support::Tool;
use support::sandbox::{Sandbox, sandbox};

/// A repository of this test's own; it goes away with it.
struct Repository<'a> {
    sandbox: &'a Sandbox,
    name: String,
}

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "AllowPull", "Effect": "Allow",
    "Principal": {"AWS": "arn:${AWS_PARTITION}:iam::${AWS_ACCOUNT_ID}:root"}, "Action": "ecr:BatchGetImage"}]}"#;

impl Repository<'_> {
    fn tool(&self, lines: &str, keep: u32) -> Tool {
        let config = format!(
            "version = 1\napp = {{ name = \"e2e\", tags = {{ app = \"e2e\" }} }}\n[[repository]]\nname = \"{}\"\n\
             policy = \"policy.json\"\nlifecycle_policy = \"lifecycle.json\"\n{lines}\n",
            self.name
        );
        let lifecycle = json!({"rules": [{"rulePriority": 1, "action": {"type": "expire"},
            "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": keep}}]});
        self.sandbox
            .tool("create-repository")
            .config_text(&config)
            .file("policy.json", POLICY)
            .file("lifecycle.json", lifecycle.to_string())
    }

    /// What the aws CLI answers about the repository.
    fn aws(&self, arguments: &[&str]) -> Value {
        let tool = self.sandbox.program("aws").arg("ecr").args(arguments);
        let output = tool.args(["--output", "json"]).run().exits(0);
        serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
    }

    fn described(&self) -> Value {
        let answer = self.aws(&["describe-repositories", "--repository-names", &self.name]);
        answer["repositories"][0].clone()
    }

    fn lifecycle(&self) -> Value {
        let answer = self.aws(&["get-lifecycle-policy", "--repository-name", &self.name]);
        serde_json::from_str(answer["lifecyclePolicyText"].as_str().unwrap()).unwrap()
    }
}

impl Drop for Repository<'_> {
    fn drop(&mut self) {
        let delete = [
            "ecr",
            "delete-repository",
            "--force",
            "--repository-name",
            &self.name,
        ];
        let _ = self.sandbox.program("aws").args(delete).command().output();
    }
}

#[test]
fn the_repository_is_as_the_file_says_and_drift_is_repaired() {
    let sandbox = sandbox();
    let repository = Repository {
        sandbox,
        name: sandbox.unique("repository"),
    };
    let lines = "tag_mutability = \"IMMUTABLE\"\nmutability_exclusions = [\"latest\"]\nscan_on_push = true";
    repository.tool(lines, 3).run().exits(0).says(": created");
    let described = repository.described();
    assert_eq!(described["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION");
    assert_eq!(
        described["imageTagMutabilityExclusionFilters"][0]["filter"],
        "latest"
    );
    assert_eq!(described["imageScanningConfiguration"]["scanOnPush"], true);
    let policy = repository.aws(&["get-repository-policy", "--repository-name", &repository.name]);
    let policy: Value = serde_json::from_str(policy["policyText"].as_str().unwrap()).unwrap();
    assert_eq!(
        policy["Statement"][0]["Principal"]["AWS"],
        "arn:aws:iam::123456789012:root"
    );
    assert_eq!(repository.lifecycle()["rules"][0]["selection"]["countNumber"], 3);
    let uri = described["repositoryUri"].as_str().unwrap();
    repository
        .tool(lines, 3)
        .run()
        .exits(0)
        .prints(uri)
        .says(": unchanged");

    let name = &repository.name;
    repository.aws(&[
        "put-image-tag-mutability",
        "--repository-name",
        name,
        "--image-tag-mutability",
        "MUTABLE",
    ]);
    repository.aws(&["delete-repository-policy", "--repository-name", name]);
    let drifted = repository.tool(lines, 2).arg("--check").run().exits(1);
    drifted
        .says("  tag_mutability: MUTABLE -> IMMUTABLE_WITH_EXCLUSION\n")
        .says("  policy: (none) -> {")
        .says("  lifecycle_policy.rules[1].selection.countNumber: 3 -> 2\n");
    // The emulator has no preview of lifecycle policies, so the tool can't exclude that this one deletes images.
    let update = repository.tool(lines, 2).arg("--yes");
    update.run().exits(0).says(": updated");
    assert_eq!(repository.lifecycle()["rules"][0]["selection"]["countNumber"], 2);
    repository.tool(lines, 2).run().exits(0).says(": unchanged");
    repository
        .tool("encryption = { type = \"KMS\" }", 2)
        .run()
        .exits(2)
        .says("encryption is set only at creation");
}

//! The roles in the sandbox, as the aws CLI sees them.

use super::{READ_TEMPLATE, X_RAY};
use serde_json::{Value, json};
use support::Tool;
use support::sandbox::{Sandbox, sandbox};

/// Two roles of this test's own; they go away with it.
struct Roles<'a> {
    sandbox: &'a Sandbox,
    execution: String,
    task: String,
}

impl Roles<'_> {
    fn tool(&self) -> Tool {
        let config = format!(
            "version = 1\napp = {{ name = \"e2e\", tags = {{ app = \"e2e\" }} }}\n[params]\nprefix = \"/e2e\"\n\
             [roles.execution]\nname = \"{}\"\ntrust = \"trust.json\"\ninline = {{ Read = \"read.json\" }}\n\
             [roles.task]\nname = \"{}\"\npath = \"/e2e/\"\ntrust = \"trust.json\"\nmanaged = [\"{X_RAY}\"]\n\
             [task_definition]\nfile = \"web.json\"\n",
            self.execution, self.task
        );
        let web = r#"{"executionRoleArn": "${roles.execution.arn}", "containerDefinitions": [{"name": "a", "image": "b", "secrets": [
            {"name": "A", "valueFrom": "arn:aws:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter/e2e/A"}]}]}"#;
        self.sandbox
            .tool("create-roles")
            .config_text(&config)
            .file("trust.json", super::TRUST)
            .file("read.json", READ_TEMPLATE)
            .file("web.json", web)
    }

    /// What the aws CLI answers.
    fn aws(&self, arguments: &[&str]) -> Value {
        let tool = self
            .sandbox
            .program("aws")
            .arg("iam")
            .args(arguments)
            .args(["--output", "json"]);
        let output = tool.run().exits(0);
        serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
    }
}

impl Drop for Roles<'_> {
    fn drop(&mut self) {
        let steps = [
            vec![
                "delete-role-policy",
                "--role-name",
                &self.execution,
                "--policy-name",
                "Read",
            ],
            vec!["delete-role", "--role-name", &self.execution],
            vec![
                "detach-role-policy",
                "--role-name",
                &self.task,
                "--policy-arn",
                X_RAY,
            ],
            vec!["delete-role", "--role-name", &self.task],
        ];
        for step in steps {
            let _ = self
                .sandbox
                .program("aws")
                .arg("iam")
                .args(step)
                .command()
                .output();
        }
    }
}

#[test]
fn they_are_made_kept_and_simulated() {
    let sandbox = sandbox();
    let roles = Roles {
        sandbox,
        execution: sandbox.unique("execution"),
        task: sandbox.unique("task"),
    };
    roles.tool().arg("--check").run().exits(1);
    let output = roles.tool().run().exits(0);
    let (execution, task) = (roles.execution.as_str(), roles.task.as_str());
    output.prints(&format!(
        "arn:aws:iam::123456789012:role/{execution}\narn:aws:iam::123456789012:role/e2e/{task}"
    ));

    let role = roles.aws(&["get-role", "--role-name", task]);
    let trust: Value = serde_json::from_str(super::TRUST).unwrap();
    assert_eq!(role["Role"]["AssumeRolePolicyDocument"], trust);
    assert_eq!(role["Role"]["Path"], "/e2e/");
    assert_eq!(role["Role"]["Tags"], json!([{"Key": "app", "Value": "e2e"}]));
    let attached = roles.aws(&["list-attached-role-policies", "--role-name", task]);
    assert_eq!(attached["AttachedPolicies"][0]["PolicyArn"], X_RAY);
    let inline = roles.aws(&[
        "get-role-policy",
        "--role-name",
        execution,
        "--policy-name",
        "Read",
    ]);
    let region = sandbox.get("AWS_REGION");
    assert_eq!(
        inline["PolicyDocument"]["Statement"][0]["Resource"],
        format!("arn:aws:ssm:{region}:123456789012:parameter/e2e/*")
    );

    let second = roles.tool().args(["--simulate", "-o", "json"]).run().exits(0);
    let document = second.json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(document["items"][2]["action"], "allowed");

    // Another caller writes the same in other words, and something else beside it.
    let words = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":["ecs-tasks.amazonaws.com"]},"Action":["sts:AssumeRole"]}}"#;
    roles.aws(&[
        "update-assume-role-policy",
        "--role-name",
        task,
        "--policy-document",
        words,
    ]);
    let more = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}"#;
    roles.aws(&[
        "put-role-policy",
        "--role-name",
        task,
        "--policy-name",
        "More",
        "--policy-document",
        more,
    ]);
    roles
        .tool()
        .arg("--check")
        .run()
        .exits(0)
        .says("  also has inline policy `More`");
    let old = READ_TEMPLATE
        .replace("ssm:GetParameters", "ssm:GetParametersByPath")
        .replace(
            "${AWS_PARTITION}:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter${params.prefix}",
            "aws:ssm:us-east-1::123456789012:parameter/e2e",
        );
    roles.aws(&[
        "put-role-policy",
        "--role-name",
        execution,
        "--policy-name",
        "Read",
        "--policy-document",
        &old,
    ]);
    roles
        .tool()
        .args(["--check", "--simulate"])
        .run()
        .exits(1)
        .says("lacks 1 of the 1 permissions");
    roles
        .tool()
        .args(["--prune", "--yes", "--simulate"])
        .run()
        .exits(0);
    assert_eq!(
        roles.aws(&["list-role-policies", "--role-name", task])["PolicyNames"],
        json!([])
    );
    roles.tool().args(["--check", "--prune"]).run().exits(0);
}

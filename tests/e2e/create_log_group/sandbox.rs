//! A log group in the sandbox, as the aws CLI sees it.

use serde_json::{Value, json};
use support::Tool;
use support::sandbox::{Sandbox, sandbox};

/// A group of this test's own; it goes away with it.
struct Group<'a> {
    sandbox: &'a Sandbox,
    name: String,
}

impl Group<'_> {
    fn tool(&self, lines: &str) -> Tool {
        let config = format!(
            "version = 1\napp = {{ name = \"e2e\", tags = {{ app = \"e2e\" }} }}\n[log_group]\nname = \"{}\"\n{lines}\n",
            self.name
        );
        self.sandbox.tool("create-log-group").config_text(&config)
    }

    /// What the aws CLI answers.
    fn aws(&self, arguments: &[&str]) -> Value {
        let tool = self.sandbox.program("aws").arg("logs").args(arguments);
        let output = tool.args(["--output", "json"]).run().exits(0);
        serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
    }

    fn described(&self) -> Value {
        let groups = self.aws(&["describe-log-groups", "--log-group-name-prefix", &self.name]);
        groups["logGroups"][0].clone()
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        let delete = ["logs", "delete-log-group", "--log-group-name", &self.name];
        let _ = self.sandbox.program("aws").args(delete).command().output();
    }
}

#[test]
fn the_group_is_as_the_file_says_and_the_second_run_changes_nothing() {
    let sandbox = sandbox();
    let group = Group {
        sandbox,
        name: sandbox.unique("log-group"),
    };
    group.tool("retention_days = 7").run().exits(0).says(": created");
    assert_eq!(group.described()["retentionInDays"], 7);
    let arn = group.described()["logGroupArn"].as_str().unwrap().to_owned();
    let tags = group.aws(&["list-tags-for-resource", "--resource-arn", &arn]);
    assert_eq!(tags["tags"], json!({"app": "e2e"}));
    group
        .tool("retention_days = 7")
        .run()
        .exits(0)
        .prints(&arn)
        .says(": unchanged");

    group.tool("retention_days = \"never\"").run().exits(0);
    assert_eq!(group.described()["retentionInDays"], Value::Null);
    let stream = [
        "create-log-stream",
        "--log-stream-name",
        "one",
        "--log-group-name",
    ];
    group.aws(&[&stream[..], &[&group.name]].concat());
    let shorter = group.tool("retention_days = 1");
    shorter
        .run()
        .exits(2)
        .says("refused to delete the events of log group");
    assert_eq!(group.described()["retentionInDays"], Value::Null);
    shorter.clone().arg("--yes").run().exits(0);
    assert_eq!(group.described()["retentionInDays"], 1);
}

#[test]
fn runs_at_the_same_time_all_go_well() {
    let sandbox = sandbox();
    let group = Group {
        sandbox,
        name: sandbox.unique("log-group"),
    };
    let running: Vec<_> = (0..4).map(|_| group.tool("retention_days = 1").spawn()).collect();
    for child in running {
        child.wait().exits(0);
    }
    assert_eq!(group.described()["retentionInDays"], 1);
    group
        .tool("retention_days = 1")
        .run()
        .exits(0)
        .says(": unchanged");
}

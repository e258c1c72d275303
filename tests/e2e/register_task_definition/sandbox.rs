//! The task definition in the sandbox, as the aws CLI sees it.

use super::{FILE, account::TRUST};
use serde_json::{Value, json};
use support::Tool;
use support::sandbox::{Sandbox, sandbox};

/// A family of this test's own with what it needs; it goes away with it.
struct Family<'a> {
    sandbox: &'a Sandbox,
    name: String,
}

impl Family<'_> {
    fn tool(&self, file: &str) -> Tool {
        let name = &self.name;
        let config = format!(
            "version = 1\napp = {{ name = \"e2e\", tags = {{ app = \"e2e\" }} }}\nlog_group = {{ name = \"{name}\" }}\n\
             [params]\nprefix = \"/{name}\"\nentry = {{ A = {{ env = \"A\" }}, B = {{ env = \"B\" }} }}\n\
             [roles.execution]\nname = \"{name}\"\ntrust = \"trust.json\"\n[roles.task]\nname = \"{name}\"\ntrust = \"trust.json\"\n\
             [task_definition]\nfile = \"aws/web.json\"\n"
        );
        let file = file
            .replace("\"family\": \"web\"", &format!("\"family\": \"{name}\""))
            .replace("${image.web}", "busybox:1.36");
        self.sandbox
            .tool("register-task-definition")
            .config_text(&config)
            .file("aws/web.json", file)
    }

    /// What the aws CLI answers.
    fn aws(&self, arguments: &[&str]) -> Value {
        let tool = self
            .sandbox
            .program("aws")
            .args(arguments)
            .args(["--output", "json"]);
        serde_json::from_str(&tool.run().exits(0).stdout).unwrap_or(Value::Null)
    }

    fn described(&self) -> Value {
        self.aws(&[
            "ecs",
            "describe-task-definition",
            "--task-definition",
            &self.name,
            "--include",
            "TAGS",
        ])
    }
}

impl Drop for Family<'_> {
    fn drop(&mut self) {
        let name = self.name.as_str();
        let revision = |number: usize| format!("{name}:{number}");
        let (one, two) = (revision(1), revision(2));
        for step in [
            vec!["ecs", "deregister-task-definition", "--task-definition", &one],
            vec!["ecs", "deregister-task-definition", "--task-definition", &two],
            vec!["logs", "delete-log-group", "--log-group-name", name],
            vec!["iam", "delete-role", "--role-name", name],
            vec![
                "ssm",
                "delete-parameters",
                "--names",
                &format!("/{name}/A"),
                &format!("/{name}/B"),
            ],
        ] {
            let _ = self.sandbox.program("aws").args(step).command().output();
        }
    }
}

#[test]
fn it_is_planned_registered_kept_and_changed() {
    let sandbox = sandbox();
    let family = Family {
        sandbox,
        name: sandbox.unique("task"),
    };
    let name = family.name.as_str();
    let dry = family.tool(FILE).args(["--dry-run", "-o", "json"]).run().exits(0);
    let actions: Vec<Value> = dry.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["action"].clone())
        .collect();
    assert_eq!(actions, ["planned", "planned", "planned", "planned", "create"]);
    family.tool(FILE).run().exits(2).says("error: 5 errors in ");

    family.aws(&[
        "iam",
        "create-role",
        "--role-name",
        name,
        "--assume-role-policy-document",
        TRUST,
    ]);
    family.aws(&["logs", "create-log-group", "--log-group-name", name]);
    for key in ["A", "B"] {
        let parameter = format!("/{name}/{key}");
        family.aws(&[
            "ssm",
            "put-parameter",
            "--name",
            &parameter,
            "--type",
            "SecureString",
            "--value",
            "x",
        ]);
    }
    let region = sandbox.get("AWS_REGION");
    let arn =
        |revision: usize| format!("arn:aws:ecs:{region}:123456789012:task-definition/{name}:{revision}");
    family.tool(FILE).run().exits(0).prints(&arn(1));
    let described = family.described();
    let definition = &described["taskDefinition"];
    assert_eq!(definition["taskDefinitionArn"], arn(1));
    assert_eq!(
        definition["executionRoleArn"],
        format!("arn:aws:iam::123456789012:role/{name}")
    );
    assert_eq!(definition["containerDefinitions"][0]["image"], "busybox:1.36");
    assert_eq!(
        definition["containerDefinitions"][0]["portMappings"][0]["appProtocol"],
        "http"
    );
    assert_eq!(described["tags"], json!([{"key": "app", "value": "e2e"}]));

    family.tool(FILE).arg("--check").run().exits(0).prints(&arn(1));
    family.tool(FILE).run().exits(0).says("unchanged");
    let larger = FILE.replace("\"512\"", "\"1 GB\"");
    family
        .tool(&larger)
        .run()
        .exits(0)
        .prints(&arn(2))
        .says("  memory: 512 -> 1024\n");
    family.tool(&larger).run().exits(0).says("unchanged");
    family
        .tool(&larger)
        .args(["diff", "1", "2"])
        .run()
        .exits(1)
        .prints("memory: 512 -> 1024");

    // Another client removes the tag.
    family.aws(&[
        "ecs",
        "untag-resource",
        "--resource-arn",
        &arn(2),
        "--tag-keys",
        "app",
    ]);
    family
        .tool(&larger)
        .run()
        .exits(0)
        .prints(&arn(2))
        .says("  tags.app: (none) -> e2e\n");
    assert_eq!(
        family.described()["tags"],
        json!([{"key": "app", "value": "e2e"}])
    );

    let init = family.tool(&larger).args(["init", "--from", name, "--force"]);
    init.run().exits(0);
    let written = init.read("aws/web.json");
    assert!(written.contains("${roles.execution.arn}"), "{written}");
    family.tool(&written).run().exits(0).says("unchanged");
}

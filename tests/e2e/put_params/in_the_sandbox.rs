//! The real file against the sandbox, read back with the AWS CLI.

use serde_json::Value;
use std::collections::BTreeMap;
use support::Tool;
use support::canary::Canary;
use support::sandbox::{Sandbox, sandbox};

/// What a secret may look like, each hard for a shell, a URL reader or a parser.
const ODD: [&str; 5] = [
    "https://127.0.0.1:9/never-fetched",
    "file:///etc/hostname",
    "-x $2a$10$abc `id` 'q' \"d\" \\",
    "first line\nsecond line\n\nünïcode",
    "a=b,c=d;e&f#g%20",
];

/// The parameters are deleted with the test.
struct Prefix<'a>(&'a Sandbox, String, Vec<String>);

impl Drop for Prefix<'_> {
    fn drop(&mut self) {
        let Prefix(sandbox, prefix, keys) = self;
        let names: Vec<String> = keys.iter().map(|key| format!("{prefix}/{key}")).collect();
        // SSM deletes ten at a time.
        for names in names.chunks(10) {
            let delete = ["ssm", "delete-parameters", "--names"];
            let _ = sandbox.program("aws").args(delete).args(names).command().output();
        }
    }
}

/// A KMS key that is deleted with the test.
struct Key<'a>(&'a Sandbox, String);

impl Drop for Key<'_> {
    fn drop(&mut self) {
        let delete = ["kms", "schedule-key-deletion", "--key-id", &self.1];
        let _ = self.0.program("aws").args(delete).command().output();
    }
}

fn aws(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let output = sandbox
        .program("aws")
        .args(arguments)
        .args(["--output", "json"])
        .run()
        .exits(0);
    serde_json::from_str(&output.stdout).unwrap()
}

fn config(prefix: &str, count: usize) -> String {
    let entries: Vec<String> = (0..count)
        .map(|number| format!("V{number} = {{ env = \"E2E_{number}\" }}"))
        .collect();
    format!(
        "version = 1\n[app]\nname = \"e2e\"\ntags = {{ app = \"e2e\" }}\n[params]\nprefix = \"{prefix}\"\n[params.entry]\n{}\n",
        entries.join("\n")
    )
}

fn with_values(tool: Tool, values: &[&str]) -> Tool {
    let names = (0..values.len()).map(|number| format!("E2E_{number}"));
    tool.envs(names.zip(values))
}

#[test]
fn values_arrive_as_they_are_and_are_written_once() {
    let sandbox = sandbox();
    let prefix = format!("/{}", sandbox.unique("params"));
    let keys: Vec<String> = (0..12).map(|number| format!("V{number}")).collect();
    let _left = Prefix(sandbox, prefix.clone(), keys.clone());
    let canary = Canary::new();
    let mut values: Vec<&str> = ODD.to_vec();
    values.resize(12, canary.value());
    let tool = with_values(sandbox.launcher("bin/ssm/put-params"), &values).config_text(&config(&prefix, 12));

    let planned = tool.clone().args(["--check", "-o", "json"]).run().exits(1);
    assert_eq!(planned.json()["outcome"], "planned");
    let first = tool.clone().args(["-o", "json"]).run().exits(0);
    assert_eq!(first.json()["outcome"], "changed");
    let second = tool.clone().args(["-o", "json"]).run().exits(0);
    assert_eq!(second.json()["outcome"], "unchanged");
    tool.clone().arg("--check").run().exits(0);
    for output in [&planned, &first, &second] {
        canary.absent_from("the sandbox's run", output);
    }

    // With a new value for one of them.
    let changed = tool.env("E2E_3", "another").run().exits(0);
    assert_eq!(
        changed.stdout.matches("  updated  ").count(),
        1,
        "{}",
        changed.transcript()
    );
    values[3] = "another";
    let names: Vec<String> = keys.iter().map(|key| format!("{prefix}/{key}")).collect();
    let mut stored = BTreeMap::new();
    for names in names.chunks(10) {
        let mut get = vec!["ssm", "get-parameters", "--with-decryption", "--names"];
        get.extend(names.iter().map(String::as_str));
        let answer = aws(sandbox, &get);
        for one in answer["Parameters"].as_array().unwrap() {
            stored.insert(one["Name"].as_str().unwrap().to_owned(), one.clone());
        }
    }
    for (number, name) in names.iter().enumerate() {
        let stored = &stored[name];
        assert_eq!(stored["Value"], values[number], "{name}");
        assert_eq!(stored["Type"], "SecureString", "{name}");
        assert_eq!(stored["Version"], if number == 3 { 2 } else { 1 }, "{name}");
    }
    let name = format!("{prefix}/V3");
    let tags = aws(
        sandbox,
        &[
            "ssm",
            "list-tags-for-resource",
            "--resource-type",
            "Parameter",
            "--resource-id",
            &name,
        ],
    );
    assert_eq!(tags["TagList"][0]["Key"], "app");
    assert_eq!(tags["TagList"][0]["Value"], "e2e");
}

#[test]
fn a_parameter_of_another_user_keeps_its_key_and_gets_the_tags() {
    let sandbox = sandbox();
    let prefix = format!("/{}", sandbox.unique("params"));
    let _left = Prefix(sandbox, prefix.clone(), vec!["V0".into()]);
    let name = format!("{prefix}/V0");
    let key = aws(sandbox, &["kms", "create-key"]);
    let key = Key(sandbox, key["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned());
    let put = [
        "ssm",
        "put-parameter",
        "--type",
        "SecureString",
        "--key-id",
        &key.1,
    ];
    aws(
        sandbox,
        &[
            &put[..],
            &[
                "--name",
                &name,
                "--value",
                "theirs",
                "--description",
                "their words",
            ],
        ]
        .concat(),
    );
    let tool =
        with_values(sandbox.launcher("bin/ssm/put-params"), &["ours"]).config_text(&config(&prefix, 1));
    tool.run()
        .exits(0)
        .says("running ECS tasks keep the old ones")
        .prints(&format!(
            "{name}  updated  version 2  env E2E_0  (value, tags.app: (none) -> e2e)"
        ));
    let described = aws(
        sandbox,
        &[
            "ssm",
            "describe-parameters",
            "--parameter-filters",
            &format!("Key=Name,Option=Equals,Values={name}"),
        ],
    );
    let described = &described["Parameters"][0];
    assert_eq!(described["KeyId"], key.1);
    assert_eq!(described["Description"], "their words");
    assert_eq!(described["Version"], 2);
}

//! `Makefile`, `.gitpod.yml` and the devcontainer: the same commands everywhere, and each of them is there.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use support::{Tool, bin_dir, root};
use yaml_rust2::{Yaml, YamlLoader};

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn targets() -> BTreeSet<String> {
    let names = text("Makefile")
        .lines()
        .filter_map(|line| line.split_once(':').map(|(name, _)| name.to_owned()))
        .collect::<Vec<_>>();
    let plain = |name: &String| {
        !name.is_empty()
            && name
                .chars()
                .all(|character| character.is_ascii_lowercase() || character == '-')
    };
    names.into_iter().filter(plain).collect()
}

fn gitpod() -> Vec<String> {
    let document = YamlLoader::load_from_str(&text(".gitpod.yml")).unwrap().remove(0);
    let mut commands = Vec::new();
    for task in document["tasks"].as_vec().unwrap() {
        for (key, value) in task.as_hash().unwrap() {
            match key.as_str().unwrap() {
                "before" | "init" | "command" => commands.push(value.as_str().unwrap().to_owned()),
                "name" => assert!(value.as_str().is_some()),
                "env" => assert!(
                    value
                        .as_hash()
                        .unwrap()
                        .values()
                        .all(|value| matches!(value, Yaml::String(_)))
                ),
                other => panic!(".gitpod.yml: `{other}` is no key of a task"),
            }
        }
    }
    assert!(
        document["ports"]
            .as_vec()
            .unwrap()
            .iter()
            .all(|port| port["port"].as_i64().is_some())
    );
    commands
}

fn devcontainer() -> Vec<String> {
    let document: serde_json::Value = serde_json::from_str(&text(".devcontainer/devcontainer.json")).unwrap();
    let fields = document.as_object().unwrap();
    let commands = fields.iter().filter(|(key, _)| key.ends_with("Command"));
    commands
        .map(|(_, command)| command.as_str().unwrap().to_owned())
        .collect()
}

/// One simple command: its words.
fn parts(command: &str) -> Vec<Vec<String>> {
    let single = command.replace("&&", "\n").replace(';', "\n");
    let lines = single
        .lines()
        .map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    lines.filter(|words| !words.is_empty()).collect()
}

fn all() -> Vec<Vec<String>> {
    let commands = [gitpod(), devcontainer()].concat();
    let parts: Vec<_> = commands.iter().flat_map(|command| parts(command)).collect();
    assert!(parts.len() >= 6, "{parts:?}");
    parts
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[test]
fn every_command_of_gitpod_and_the_devcontainer_is_there() {
    for words in all() {
        let (first, rest) = words.split_first().unwrap();
        if first == "make" {
            assert!(!rest.is_empty(), "{words:?}");
            let missing: Vec<_> = rest
                .iter()
                .filter(|target| !targets().contains(*target))
                .collect();
            assert!(missing.is_empty(), "no target {missing:?}");
        } else {
            assert!(
                ["bin/", "scripts/"]
                    .iter()
                    .any(|folder| first.starts_with(folder)),
                "{words:?}: neither make nor ours"
            );
            assert!(is_executable(&root().join(first)), "{first} can't be run");
        }
    }
}

#[test]
fn make_alone_lists_every_target() {
    let plain = Tool::new("make").current_dir(root()).run().exits(0);
    let help = Tool::new("make").arg("help").current_dir(root()).run().exits(0);
    assert_eq!(plain.stdout, help.stdout);
    let listed: BTreeSet<String> = plain
        .stdout
        .lines()
        .map(|line| line.split_whitespace().nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(listed, targets());
}

#[test]
fn every_target_runs_something_that_is_there() {
    for target in targets() {
        let dry = Tool::new("make")
            .args(["--dry-run", &target])
            .current_dir(root())
            .run()
            .exits(0);
        let commands: Vec<&str> = dry.stdout.lines().collect();
        assert!((1..=2).contains(&commands.len()), "{target}: {commands:?}");
        for command in commands {
            let first = command.split_whitespace().next().unwrap();
            let ours = first.contains('/');
            assert!(
                !ours || is_executable(&root().join(first)),
                "{target}: {first} is not there"
            );
        }
    }
}

/// A fresh clone has no probes yet, and the app's image copies them.
#[test]
fn push_makes_the_probes_first() {
    let dry = Tool::new("make")
        .args(["--dry-run", "push", "ARGS=backend-flask"])
        .current_dir(root());
    let stdout = dry.run().exits(0).stdout;
    assert_eq!(
        stdout,
        "scripts/dist --quiet --for backend-flask\nbin/ecr/push-image backend-flask\n"
    );
}

#[test]
fn arguments_reach_the_tool() {
    let tool = Tool::new("make")
        .args(["login", "ARGS=--version"])
        .env("OPS_BIN_DIR", bin_dir());
    assert!(
        tool.current_dir(root())
            .run()
            .exits(0)
            .stdout
            .starts_with("ecr-login 0.")
    );
}

#[test]
fn ci_runs_the_gate_and_nothing_else() {
    let script = text(".ci/run");
    let commands: Vec<&str> = script
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    assert_eq!(commands.last(), Some(&"exec make test"));
    assert_eq!(commands.len(), 3);
    assert!(
        text("Makefile").contains("\ntest: ## Install what is missing and run the gate\n\t@scripts/check\n")
    );
}

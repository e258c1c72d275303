//! `scripts/status`: one table, one question a row, and nothing written.

use super::clone::{Clone, document};
use support::Output;

/// The rows behind the heading: label and state.
fn table(output: &Output) -> Vec<(String, String)> {
    let lines = output
        .stdout
        .lines()
        .skip(1)
        .filter(|line| !line.starts_with("account "));
    let row = |line: &str| {
        let (label, rest) = line.split_at(28);
        (label.trim().to_owned(), rest[..12].trim().to_owned())
    };
    lines.map(row).collect()
}

fn all_unchanged() -> Clone {
    let clone = Clone::new();
    let unchanged = document("unchanged", r#"{"kind":"thing","name":"x"}"#);
    for tool in [
        "logs/create-log-group",
        "ecs/create-cluster",
        "iam/create-roles",
        "ecr/create-repository",
        "ecr/push-image",
        "ssm/put-params",
        "ecs/register-task-definition",
    ] {
        clone.step(&format!("bin/{tool}"), &unchanged);
    }
    let health = document("ok", r#"{"kind":"service","name":"backend-flask"}"#);
    let service = format!("case $1 in status) {health} ;; *) {unchanged} ;; esac");
    clone.step("bin/ecs/deploy-service", &service);
    clone
}

#[test]
fn every_row_is_asked_once_and_writes_nothing() {
    let clone = all_unchanged();
    let output = clone.status().run().exits(0);
    let table = table(&output);
    assert_eq!(table.len(), 10, "{}", output.transcript());
    assert!(
        table[..9].iter().all(|(_, state)| state == "unchanged"),
        "{table:?}"
    );
    assert_eq!(table[9], ("service health".to_owned(), "ok".to_owned()));
    assert!(
        output
            .stdout
            .ends_with("account 123456789012, region us-east-1\n"),
        "{}",
        output.stdout
    );
    let calls = clone.calls();
    let (build, calls): (Vec<String>, Vec<String>) = calls
        .into_iter()
        .partition(|call| call.starts_with("scripts/run --build "));
    assert_eq!(build.len(), 1, "{build:?}");
    assert!(build[0].contains(" put-params "), "{build:?}");
    assert_eq!(calls.len(), 10, "{calls:?}");
    for call in calls {
        assert!(
            call.contains(" --check ") || call.starts_with("bin/ecs/deploy-service status "),
            "{call}"
        );
    }
}

#[test]
fn what_differs_is_1_and_what_could_not_be_asked_is_2_with_its_reason() {
    let clone = all_unchanged();
    let planned = document("planned", r#"{"kind":"role","name":"A"}"#);
    clone.step("bin/iam/create-roles", &format!("{planned}; exit 1"));
    let output = clone.status().run().exits(1);
    assert!(
        table(&output).contains(&("create-roles".to_owned(), "planned".to_owned())),
        "{}",
        output.transcript()
    );
    // Without an engine, the other rows are still checked.
    let failed =
        r#"echo '{"schema":1,"outcome":"failed","items":[],"error":{"message":"no engine"}}'; exit 2"#;
    clone.step("bin/ecr/push-image", failed);
    let output = clone.status().run().exits(2);
    let states: Vec<_> = table(&output).into_iter().map(|(_, state)| state).collect();
    assert_eq!(
        states.iter().filter(|state| *state == "not judged").count(),
        2,
        "{}",
        output.transcript()
    );
    assert_eq!(
        states.iter().filter(|state| *state == "unchanged").count(),
        6,
        "{}",
        output.transcript()
    );
    assert!(output.stdout.contains("   no engine\n"), "{}", output.stdout);
}

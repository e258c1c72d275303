//! A sandbox that stayed up has what the last run made: it goes, by somebody else's client.

use super::{PARAMETERS, aws};
use support::sandbox::Sandbox;
use support::wait_for;

fn run(sandbox: &Sandbox, words: &[&str]) {
    // What is not there can't be deleted.
    sandbox.program("aws").args(words).run();
}

/// The texts of a list; none when what has it is not there.
fn listed(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let output = sandbox
        .program("aws")
        .args(words)
        .args(["--output", "text"])
        .run();
    let words = output.stdout.split_whitespace().filter(|word| *word != "None");
    words.map(str::to_owned).collect()
}

pub(super) fn start_afresh(sandbox: &Sandbox) {
    let service = ["--cluster", "cruddur", "--service", "backend-flask"];
    run(
        sandbox,
        &[&["ecs", "delete-service", "--force"], &service[..]].concat(),
    );
    wait_for("the tasks' end", || {
        let tasks = [
            "ecs",
            "list-tasks",
            "--cluster",
            "cruddur",
            "--query",
            "taskArns[]",
        ];
        listed(sandbox, &tasks).is_empty().then_some(())
    });
    let revisions = [
        "ecs",
        "list-task-definitions",
        "--family-prefix",
        "backend-flask",
        "--query",
        "taskDefinitionArns[]",
    ];
    for revision in listed(sandbox, &revisions) {
        let words = [
            "ecs",
            "deregister-task-definition",
            "--task-definition",
            &revision,
        ];
        run(sandbox, &words);
    }
    run(sandbox, &["ecs", "delete-cluster", "--cluster", "cruddur"]);
    run(
        sandbox,
        &["logs", "delete-log-group", "--log-group-name", "cruddur"],
    );
    for role in ["CruddurServiceExecutionRole", "CruddurTaskRole"] {
        delete_role(sandbox, role);
    }
    for name in ["cruddur-python", "backend-flask"] {
        let words = ["ecr", "delete-repository", "--force", "--repository-name", name];
        run(sandbox, &words);
    }
    let paths = PARAMETERS.map(|name| format!("/cruddur/backend-flask/{name}"));
    let mut words = vec!["ssm", "delete-parameters", "--names"];
    words.extend(paths.iter().map(String::as_str));
    aws(sandbox, &words);
}

fn delete_role(sandbox: &Sandbox, role: &str) {
    let of = |words: &[&str]| -> Vec<String> {
        let query = [words, &["--role-name", role][..]].concat();
        listed(sandbox, &query)
    };
    for arn in of(&[
        "iam",
        "list-attached-role-policies",
        "--query",
        "AttachedPolicies[].PolicyArn",
    ]) {
        run(
            sandbox,
            &[
                "iam",
                "detach-role-policy",
                "--role-name",
                role,
                "--policy-arn",
                &arn,
            ],
        );
    }
    for name in of(&["iam", "list-role-policies", "--query", "PolicyNames[]"]) {
        run(
            sandbox,
            &[
                "iam",
                "delete-role-policy",
                "--role-name",
                role,
                "--policy-name",
                &name,
            ],
        );
    }
    run(sandbox, &["iam", "delete-role", "--role-name", role]);
}

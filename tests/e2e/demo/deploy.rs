//! `scripts/deploy`: the plan, the question, the rows.

use super::clone::{ACCOUNT, Clone, rows};
use support::Tool;

#[test]
fn deploy_shows_where_and_what_and_changes_nothing_unless_confirmed() {
    let clone = Clone::new();
    let output = clone.deploy().run().exits(2);
    for line in [
        "Identity  arn:aws:iam::123456789012:user/ada\n",
        "Account   123456789012\n",
        "Region    us-east-1\n",
        "\ncreate-log-group\n",
        "\ncreate-roles\n",
        "\npush-image backend-flask\n  backend-flask:latest would be pushed\n",
        "\nput-params\n",
        "\ndeploy-service\n",
        "deploy: error: not confirmed: nothing was changed\nhint: CONFIRM=123456789012 make deploy\n",
    ] {
        assert!(output.stderr.contains(line), "{line}\n{}", output.transcript());
    }
    assert_eq!(clone.writes(), Vec::<String>::new());
    let wrong = clone.deploy().env("CONFIRM", "210987654321").run().exits(2);
    wrong.says("deploy: error: CONFIRM is not the account: `210987654321` against `123456789012`");
    assert_eq!(clone.writes(), Vec::<String>::new());
}

#[test]
fn deploy_runs_the_same_rows_when_confirmed() {
    let clone = Clone::new();
    let output = clone.deploy().env("CONFIRM", ACCOUNT).run().exits(0);
    let rows = rows(&output);
    assert_eq!(rows.len(), 14, "{}", output.transcript());
    assert!(rows[13].starts_with("[14/14] "), "{}", rows[13]);
    let writes = clone.writes();
    let order: Vec<&str> = writes.iter().filter_map(|call| call.split(' ').next()).collect();
    assert_eq!(
        order,
        [
            "bin/logs/create-log-group",
            "bin/ecs/create-cluster",
            "bin/iam/create-roles",
            "bin/ecr/create-repository",
            "bin/ecr/login",
            "bin/ecr/push-image",
            "bin/ecr/push-image",
            "bin/ssm/put-params",
            "bin/ecs/register-task-definition",
            "bin/ecs/deploy-service",
            "bin/ecs/deploy-service",
            "bin/ecs/deploy-service",
        ]
    );
    assert!(writes[10].contains(" status "), "{}", writes[10]);
    assert!(
        writes[11].contains(" run -- /usr/local/bin/db-test"),
        "{}",
        writes[11]
    );
    // The sandbox is no part of it.
    assert_eq!(
        clone
            .calls()
            .iter()
            .filter(|call| call.starts_with("scripts/sandbox"))
            .count(),
        0
    );
}

#[test]
fn deploy_asks_nothing_when_the_plan_is_not_to_be_had() {
    let clone = Clone::new();
    clone.step(
        "bin/ssm/put-params",
        "echo 'put-params: error: HONEYCOMB_API_KEY is not set' >&2; exit 2",
    );
    let output = clone.deploy().env("CONFIRM", ACCOUNT).run().exits(2);
    output.says("put-params: error: HONEYCOMB_API_KEY is not set");
    assert_eq!(clone.writes(), Vec::<String>::new());
}

/// On a terminal the account id is typed.
#[test]
fn deploy_goes_on_when_the_account_is_typed_and_not_otherwise() {
    for (typed, code, writes) in [("123456789012\n", 0, 12), ("yes\n", 2, 0), ("\n", 2, 0)] {
        let clone = Clone::new();
        let path = clone.deploy();
        let script = clone.folder.path().join("scripts/deploy");
        let environment = path.command();
        let tool = Tool::new("script")
            .args(["--quiet", "--return", "--command"])
            .arg(script)
            .arg("/dev/null")
            .stdin(typed);
        let tool = environment
            .get_envs()
            .fold(tool, |tool, (name, value)| match value {
                Some(value) => tool.env(name, value),
                None => tool,
            });
        let output = tool.run().exits(code);
        assert!(
            output.stdout.contains("Type the account id to continue: "),
            "{}",
            output.transcript()
        );
        assert_eq!(clone.writes().len(), writes, "{typed:?}");
    }
}

//! The rows of the job in the gate's sandbox, and their effect as independent clients see it.

mod afresh;
mod service;

use afresh::start_afresh;
use serde_json::Value;
use std::fs;
use std::time::Duration;
use support::canary::Canary;
use support::sandbox::{Sandbox, sandbox};
use support::{Output, Tool, bin_dir, root, wait_for};
use tempfile::TempDir;

/// Building the app's image installs its packages.
const LIMIT: Duration = Duration::from_secs(15 * 60);

const PARAMETERS: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "CONNECTION_URL",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "ROLLBAR_ACCESS_TOKEN",
];

/// The tools that have something to change, in their order.
const CHANGED: [&str; 9] = [
    "create-log-group",
    "create-cluster",
    "create-roles",
    "create-repository",
    "push-image cruddur-python",
    "push-image backend-flask",
    "put-params",
    "register-task-definition",
    "deploy-service",
];

fn journey(sandbox: &Sandbox, logs: &TempDir) -> Output {
    run_journey(sandbox, logs, |tool| tool)
}

fn run_journey(sandbox: &Sandbox, logs: &TempDir, change: impl Fn(Tool) -> Tool) -> Output {
    let tool = sandbox
        .point(Tool::new(root().join("scripts/journey")))
        .env("OPS_BIN_DIR", bin_dir())
        .env("journey_name", "e2e")
        .env("journey_url_env", "CONNECTION_URL")
        // A demo of this clone has its own.
        .env("steps_logs", logs.path())
        .current_dir(root())
        .limit(LIMIT);
    change(tool).run().exits(0)
}

/// The word behind a row: `changed`, `unchanged`, `ok`.
fn outcome(output: &Output, row: &str) -> String {
    let line = output
        .stderr
        .lines()
        .find(|line| line.starts_with('[') && line.contains(&format!("] {row} ")));
    let line = line.unwrap_or_else(|| panic!("no row `{row}`\n{}", output.transcript()));
    let rest = line.split_once(row).unwrap().1;
    rest.split_whitespace().next().unwrap().to_owned()
}

/// A container that goes away with the test.
struct Container<'a>(&'a Sandbox, String);

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self
            .0
            .program("docker")
            .args(["rm", "--force", "--volumes", &self.1])
            .command()
            .output();
    }
}

fn docker(sandbox: &Sandbox, arguments: &[&str]) -> Tool {
    sandbox
        .program("docker")
        .args(arguments)
        .limit(Duration::from_secs(120))
}

/// The answer of the aws CLI; no argument may contain a space.
fn aws(sandbox: &Sandbox, arguments: &str) -> Value {
    let tool = sandbox.program("aws").args(arguments.split(' '));
    let output = tool.args(["--output", "json"]).run().exits(0);
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn the_job_runs_end_to_end_and_others_see_what_it_did() {
    let sandbox = sandbox();
    let logs = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    start_afresh(sandbox);
    service::all_is_planned(sandbox);

    let first = journey(sandbox, &logs[0]);
    for row in CHANGED {
        assert_eq!(outcome(&first, row), "changed", "{}", first.transcript());
    }
    for row in [
        "db-test (this machine)",
        "health-check (the task)",
        "container health (ECS)",
        "db-test (in the container)",
    ] {
        assert_eq!(outcome(&first, row), "ok");
    }
    let deployed = service::Deployed::seen(sandbox);
    let second = journey(sandbox, &logs[1]);
    for row in CHANGED {
        assert_eq!(outcome(&second, row), "unchanged", "{}", second.transcript());
    }
    // No revision, no deployment and no task more.
    assert_eq!(service::Deployed::seen(sandbox), deployed);
    service::nothing_differs(sandbox);
    // Outside a sandbox ECS is asked, and the database by a task of the same definition.
    let on_aws = TempDir::new().unwrap();
    let third = run_journey(sandbox, &on_aws, |tool| tool.without("OPS_SANDBOX"));
    for row in ["service health", "db-test (a task)"] {
        assert_eq!(outcome(&third, row), "ok", "{}", third.transcript());
    }
    assert_eq!(service::Deployed::seen(sandbox), deployed);

    // The registry, as the aws CLI sees it.
    let image = first
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("The image:"))
        .unwrap()
        .trim();
    let (repository, digest) = image.split_once('@').unwrap();
    assert_eq!(
        repository,
        format!("{}/backend-flask", sandbox.get("ECR_REGISTRY"))
    );
    let images = aws(sandbox, "ecr describe-images --repository-name backend-flask");
    let latest = images["imageDetails"].as_array().unwrap().iter().find(|image| {
        image["imageTags"]
            .as_array()
            .is_some_and(|tags| tags.iter().any(|tag| tag == "latest"))
    });
    assert_eq!(latest.unwrap()["imageDigest"], digest);

    service::runs_the_digest(sandbox, &deployed, image);
    service::has_logs(sandbox, &deployed);

    // The parameters.
    let paths = PARAMETERS.map(|name| format!("/cruddur/backend-flask/{name}"));
    let arguments = format!("ssm get-parameters --with-decryption --names {}", paths.join(" "));
    let answer = aws(sandbox, &arguments);
    let stored = answer["Parameters"].as_array().unwrap();
    assert_eq!(stored.len(), PARAMETERS.len(), "{}", answer["InvalidParameters"]);
    let value = |name: &str| {
        let one = stored
            .iter()
            .find(|one| one["Name"].as_str().unwrap().ends_with(&format!("/{name}")))
            .unwrap();
        assert_eq!(one["Type"], "SecureString", "{name}");
        assert_eq!(one["Version"], 1, "{name}");
        one["Value"].as_str().unwrap().to_owned()
    };
    assert_eq!(value("CONNECTION_URL"), sandbox.get("PROD_CONNECTION_URL"));
    assert_eq!(value("ROLLBAR_ACCESS_TOKEN"), sandbox.get("ROLLBAR_ACCESS_TOKEN"));
    assert_eq!(
        value("OTEL_EXPORTER_OTLP_HEADERS"),
        format!("x-honeycomb-team={}", sandbox.get("HONEYCOMB_API_KEY"))
    );
    assert_eq!(value("AWS_ACCESS_KEY_ID"), sandbox.get("AWS_ACCESS_KEY_ID"));

    // No secret in what was printed, nor in the logs of the steps.
    let secrets = [
        value("CONNECTION_URL"),
        password_of(&value("CONNECTION_URL")),
        value("ROLLBAR_ACCESS_TOKEN"),
        sandbox.get("HONEYCOMB_API_KEY").to_owned(),
        value("AWS_SECRET_ACCESS_KEY"),
    ];
    for secret in secrets {
        let canary = Canary::of(&secret);
        canary.absent_from("the first run", &first);
        canary.absent_from("the second run", &second);
        for entry in logs
            .iter()
            .flat_map(|folder| fs::read_dir(folder.path()).unwrap())
        {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains(&secret), "a secret is in {}", path.display());
        }
    }

    service::a_broken_image_is_rolled_back(sandbox, &deployed);
    the_digest_runs_elsewhere(sandbox, image);
}

fn password_of(url: &str) -> String {
    let user = url.split_once("://").unwrap().1.split('@').next().unwrap();
    user.split_once(':').unwrap().1.to_owned()
}

/// On a machine that has only the digest: pulled, run, asked from outside and from inside.
fn the_digest_runs_elsewhere(sandbox: &Sandbox, image: &str) {
    let (repository, _) = image.split_once('@').unwrap();
    for name in [image, &format!("{repository}:latest")] {
        docker(sandbox, &["rmi", "--force", name]).run();
    }
    let login = sandbox.launcher("bin/ecr/login");
    login.run().exits(0);
    let folder = login.folder().join("docker");
    docker(sandbox, &["pull", "--quiet", image])
        .env("DOCKER_CONFIG", folder)
        .run()
        .exits(0);

    let name = sandbox.unique("digest");
    let container = Container(sandbox, name.clone());
    let url = sandbox.get("PROD_CONNECTION_URL");
    docker(
        sandbox,
        &[
            "run",
            "--detach",
            "--name",
            &name,
            "--env",
            "CONNECTION_URL",
            "--publish",
            "127.0.0.1::4567",
            image,
        ],
    )
    .env("CONNECTION_URL", url)
    .run()
    .exits(0);
    let address = docker(sandbox, &["port", &name, "4567/tcp"])
        .run()
        .exits(0)
        .stdout;
    let url = format!("http://{}/api/health-check", address.lines().next().unwrap());
    wait_for("the app", || {
        let answer = sandbox.launcher("bin/health-check").args(["--url", &url]).run();
        (answer.code == Some(0)).then_some(())
    });
    let asked = sandbox
        .program("curl")
        .args(["--silent", "--show-error", "--fail", "--noproxy", "*", &url])
        .run()
        .exits(0);
    let answer: Value = serde_json::from_str(&asked.stdout).unwrap();
    assert_eq!(answer["success"], true);
    docker(sandbox, &["exec", &name, "/usr/local/bin/health-check"])
        .run()
        .exits(0)
        .prints("Flask server is running");
    let inside = docker(sandbox, &["exec", &name, "/usr/local/bin/db-test"])
        .run()
        .exits(0);
    assert!(
        inside.stdout.contains("Connection successful!"),
        "{}",
        inside.transcript()
    );
    drop(container);
}

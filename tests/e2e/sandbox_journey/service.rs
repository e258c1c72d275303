//! The service that the journey deployed, as the aws CLI and docker see it.

use super::{aws, docker};
use serde_json::Value;
use std::time::Duration;
use support::bin_dir;
use support::sandbox::Sandbox;
use support::{Tool, root};

/// What a second run must not change.
#[derive(Debug, PartialEq)]
pub(super) struct Deployed {
    revision: String,
    revisions: usize,
    deployment: String,
    task: String,
    container: String,
}

fn describe(sandbox: &Sandbox) -> Value {
    let mut answer = aws(
        sandbox,
        "ecs describe-services --cluster cruddur --services backend-flask",
    );
    answer["services"][0].take()
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

impl Deployed {
    /// One deployment, complete; one task, healthy.
    pub(super) fn seen(sandbox: &Sandbox) -> Self {
        let service = describe(sandbox);
        let deployments = service["deployments"].as_array().unwrap();
        assert_eq!(deployments.len(), 1, "{service}");
        assert_eq!(deployments[0]["rolloutState"], "COMPLETED", "{service}");
        assert_eq!(service["runningCount"], 1, "{service}");
        let listed = aws(
            sandbox,
            "ecs list-tasks --cluster cruddur --service-name backend-flask",
        );
        let tasks = listed["taskArns"].as_array().unwrap();
        assert_eq!(tasks.len(), 1, "{listed}");
        let task = text(&tasks[0]);
        let answer = aws(
            sandbox,
            &format!("ecs describe-tasks --cluster cruddur --tasks {task}"),
        );
        let described = &answer["tasks"][0];
        assert_eq!(described["healthStatus"], "HEALTHY", "{answer}");
        assert_eq!(described["taskDefinitionArn"], deployments[0]["taskDefinition"]);
        let revisions = aws(sandbox, "ecs list-task-definitions --family-prefix backend-flask");
        Deployed {
            revision: text(&deployments[0]["taskDefinition"]),
            revisions: revisions["taskDefinitionArns"].as_array().unwrap().len(),
            deployment: text(&deployments[0]["id"]),
            task,
            container: text(&described["containers"][0]["runtimeId"]),
        }
    }
}

/// `make status`: its exit code, and the state of each row but the service's health.
fn status(sandbox: &Sandbox, code: i32, state: &str) {
    let tool = sandbox.point(Tool::new(root().join("scripts/status")));
    let output = tool
        .env("OPS_BIN_DIR", bin_dir())
        .current_dir(root())
        .run()
        .exits(code);
    let state = format!(" {state} ");
    let rows = output.stdout.lines().filter(|line| line.contains(&state));
    assert_eq!(rows.count(), super::CHANGED.len(), "{}", output.transcript());
}

/// Before the job: all of it would be made, and nothing is.
pub(super) fn all_is_planned(sandbox: &Sandbox) {
    status(sandbox, 1, "planned");
    let groups = aws(
        sandbox,
        "logs describe-log-groups --log-group-name-prefix cruddur",
    );
    assert!(groups["logGroups"].as_array().unwrap().is_empty(), "{groups}");
}

/// After the job: everything is as the files say.
pub(super) fn nothing_differs(sandbox: &Sandbox) {
    status(sandbox, 0, "unchanged");
}

/// The definition names the pushed digest, and the container runs it with its secrets, its health check and its limits.
pub(super) fn runs_the_digest(sandbox: &Sandbox, deployed: &Deployed, image: &str) {
    let answer = aws(
        sandbox,
        &format!(
            "ecs describe-task-definition --task-definition {}",
            deployed.revision
        ),
    );
    let definition = &answer["taskDefinition"];
    let container = &definition["containerDefinitions"][0];
    assert_eq!(container["image"], image);
    assert_eq!(
        container["healthCheck"]["command"][1],
        "/usr/local/bin/health-check"
    );
    assert_eq!(
        container["secrets"].as_array().unwrap().len(),
        super::PARAMETERS.len()
    );
    assert_eq!(
        container["logConfiguration"]["options"]["awslogs-group"],
        "cruddur"
    );
    assert_eq!(definition["networkMode"], "awsvpc");
    let role = text(&definition["executionRoleArn"]);
    assert!(role.ends_with(":role/CruddurServiceExecutionRole"), "{role}");

    let inspected = docker(sandbox, &["inspect", &deployed.container]).run().exits(0);
    let inspected: Value = serde_json::from_str(&inspected.stdout).unwrap();
    let inspected = &inspected[0];
    assert_eq!(inspected["Config"]["Image"], image);
    assert_eq!(inspected["State"]["Health"]["Status"], "healthy");
    assert_eq!(inspected["Config"]["User"], container["user"]);
    assert_eq!(
        inspected["HostConfig"]["ReadonlyRootfs"].as_bool(),
        Some(container["readonlyRootFilesystem"] == true)
    );
    let expected = format!("CONNECTION_URL={}", sandbox.get("PROD_CONNECTION_URL"));
    let environment = inspected["Config"]["Env"].as_array().unwrap();
    assert!(
        environment.iter().any(|entry| *entry == expected),
        "the secret is not injected"
    );
    let test = ["exec", &deployed.container, "/usr/local/bin/db-test"];
    let output = docker(sandbox, &test).run().exits(0);
    assert!(
        output.stdout.contains("Connection successful!"),
        "{}",
        output.transcript()
    );
}

/// The log of the app is in the log group.
pub(super) fn has_logs(sandbox: &Sandbox, deployed: &Deployed) {
    let task = deployed.task.rsplit('/').next().unwrap();
    let stream = format!("backend-flask/backend-flask/{task}");
    let get = "logs get-log-events --log-group-name cruddur --start-from-head";
    let events = aws(sandbox, &format!("{get} --log-stream-name {stream}"))["events"].to_string();
    for line in [
        "Running on http://127.0.0.1:4567",
        "GET /api/health-check HTTP/1.1",
    ] {
        assert!(events.contains(line), "no `{line}`: {events}");
    }
}

fn launcher(sandbox: &Sandbox, path: &str) -> Tool {
    sandbox
        .launcher(path)
        .current_dir(root())
        .limit(Duration::from_secs(180))
}

/// An image that starts no server: the circuit breaker takes the service back, and the tool says why.
pub(super) fn a_broken_image_is_rolled_back(sandbox: &Sandbox, deployed: &Deployed) {
    let images = aws(sandbox, "ecr describe-images --repository-name cruddur-python");
    let digest = text(&images["imageDetails"][0]["imageDigest"]);
    let image = format!(
        "backend-flask={}/cruddur-python@{digest}",
        sandbox.get("ECR_REGISTRY")
    );
    launcher(sandbox, "bin/ecs/register-task-definition")
        .args(["--image", &image])
        .run()
        .exits(0);
    let output = launcher(sandbox, "bin/ecs/deploy-service")
        .args(["-o", "json", "--poll", "1s"])
        .run()
        .exits(4);
    assert_eq!(output.json()["outcome"], "rolled-back", "{}", output.transcript());
    let output = output.says("stopped: Essential container exited");
    assert!(
        output.json()["error"]["message"].as_str().is_some(),
        "{}",
        output.transcript()
    );

    let service = describe(sandbox);
    assert_eq!(text(&service["taskDefinition"]), deployed.revision, "{service}");
    assert_eq!(service["runningCount"], 1, "{service}");
    // The good image again: a revision of its own, and the service as it was.
    launcher(sandbox, "bin/ecs/register-task-definition")
        .run()
        .exits(0);
    launcher(sandbox, "bin/ecs/deploy-service")
        .args(["--poll", "1s"])
        .run()
        .exits(0);
}

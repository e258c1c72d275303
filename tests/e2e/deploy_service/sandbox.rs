//! A service whose tasks are real containers, as the aws CLI sees it.

use serde_json::{Value, json};
use std::time::Duration;
use support::Tool;
use support::sandbox::{Sandbox, sandbox};

/// A cluster with all that a service in it needs, of this test's own.
struct Fixture<'a> {
    sandbox: &'a Sandbox,
    name: String,
    image: String,
}

/// A shell, `sleep`, and what the two are linked to.
const IMAGE: &str = "tar -C / -ch bin/sh bin/sleep lib64/ld-linux-x86-64.so.2 lib/x86_64-linux-gnu/libc.so.6 \
     | docker import - \"$1\" && aws ecr get-login-password \
     | docker login --username AWS --password-stdin \"$2\" && docker push --quiet \"$1\"";

impl<'a> Fixture<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        let name = sandbox.unique("service");
        let registry = sandbox.get("ECR_REGISTRY");
        let fixture = Fixture {
            sandbox,
            image: format!("{registry}/{name}:1"),
            name,
        };
        let name = fixture.name.as_str();
        fixture.aws(&["ecr", "create-repository", "--repository-name", name]);
        sandbox
            .program("sh")
            .args(["-ec", IMAGE, "sh", &fixture.image, registry])
            .limit(Duration::from_secs(60))
            .run()
            .exits(0);
        fixture.aws(&["logs", "create-log-group", "--log-group-name", name]);
        let connect = format!("namespace={name}");
        let cluster = ["ecs", "create-cluster", "--cluster-name", name];
        fixture.aws(&[&cluster[..], &["--service-connect-defaults", &connect]].concat());
        let policy =
            |statement: Value| json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let trust = policy(json!({
            "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole",
        }));
        let allow = policy(json!({"Effect": "Allow", "Action": ["ecr:*", "logs:*"], "Resource": "*"}));
        let role = ["iam", "create-role", "--role-name", name];
        fixture.aws(&[&role[..], &["--assume-role-policy-document", &trust]].concat());
        let put = [
            "iam",
            "put-role-policy",
            "--role-name",
            name,
            "--policy-name",
            "p",
        ];
        fixture.aws(&[&put[..], &["--policy-document", &allow]].concat());
        fixture
    }

    /// What the aws CLI answers.
    fn aws(&self, arguments: &[&str]) -> Value {
        let tool = self.sandbox.program("aws").args(arguments);
        let output = tool.args(["--output", "json"]).run().exits(0);
        serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
    }

    /// A revision that runs `script`, from this tag of the image.
    fn register(&self, script: &str, image: &str) {
        self.register_with(script, image, Value::Null);
    }

    fn register_with(&self, script: &str, image: &str, health_check: Value) {
        let role = format!("arn:aws:iam::{}:role/{}", support::aws::ACCOUNT, self.name);
        let definition = json!({
            "family": self.name, "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc",
            "cpu": "512", "memory": "1024", "executionRoleArn": role, "taskRoleArn": role,
            "containerDefinitions": [{
                "name": "web", "image": image, "essential": true, "command": ["sh", "-c", script],
                "healthCheck": health_check,
                "portMappings": [{"name": "web", "containerPort": 4567, "appProtocol": "http"}],
                "logConfiguration": {"logDriver": "awslogs", "options": {
                    "awslogs-group": self.name, "awslogs-region": self.sandbox.get("AWS_REGION"),
                    "awslogs-stream-prefix": "web",
                }},
            }],
        });
        let mut definition = definition;
        if let Some(container) = definition["containerDefinitions"][0].as_object_mut() {
            container.retain(|_, value| !value.is_null());
        }
        let definition = definition.to_string();
        self.aws(&["ecs", "register-task-definition", "--cli-input-json", &definition]);
    }

    fn tool(&self, arguments: &[&str]) -> Tool {
        let config = format!(
            "version = 1\napp = {{ name = \"e2e\" }}\n[cluster]\nname = \"{0}\"\n\
             service_connect_namespace = \"{0}\"\n[service]\nfile = \"service.json\"\n\
             subnets = \"${{SUBNET_IDS}}\"\nsecurity_groups = \"${{SECURITY_GROUP_IDS}}\"\n",
            self.name
        );
        let service = json!({
            "serviceName": "web", "taskDefinition": self.name, "launchType": "FARGATE", "desiredCount": 1,
            "serviceConnectConfiguration": {
                "enabled": true, "namespace": self.name,
                "services": [{"portName": "web", "clientAliases": [{"port": 4567}]}],
            },
        });
        self.sandbox
            .tool("deploy-service")
            .config_text(&config)
            .file("service.json", service.to_string())
            .limit(Duration::from_secs(120))
            .args(arguments)
    }

    fn described(&self) -> Value {
        let describe = ["ecs", "describe-services", "--cluster", &self.name];
        self.aws(&[&describe[..], &["--services", "web"]].concat())["services"][0].clone()
    }
}

impl Drop for Fixture<'_> {
    fn drop(&mut self) {
        let name = self.name.as_str();
        let quietly = |program: &str, arguments: &[&str]| {
            let _ = self.sandbox.program(program).args(arguments).command().output();
        };
        let delete = ["ecs", "delete-service", "--cluster", name, "--service", "web"];
        quietly("aws", &[&delete[..], &["--force"]].concat());
        quietly("aws", &["ecs", "delete-cluster", "--cluster", name]);
        quietly(
            "aws",
            &["ecr", "delete-repository", "--repository-name", name, "--force"],
        );
        quietly("aws", &["logs", "delete-log-group", "--log-group-name", name]);
        let policy = [
            "iam",
            "delete-role-policy",
            "--role-name",
            name,
            "--policy-name",
            "p",
        ];
        quietly("aws", &policy);
        quietly("aws", &["iam", "delete-role", "--role-name", name]);
        quietly("docker", &["rmi", "--force", &self.image]);
    }
}

#[test]
fn a_service_is_deployed_broken_rolled_back_and_used() {
    let fixture = Fixture::new(sandbox());
    fixture.register("echo one; exec sleep 600", &fixture.image);
    let poll = ["--poll", "500ms"];
    let made = fixture.tool(&poll).run().exits(0).says("web: created\n");
    let described = fixture.described();
    assert_eq!(made.stdout.trim(), described["serviceArn"].as_str().unwrap());
    let deployments = described["deployments"].as_array().unwrap();
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    assert_eq!(deployments[0]["rolloutState"], "COMPLETED");
    assert_eq!(deployments[0]["serviceConnectConfiguration"]["enabled"], true);
    fixture.tool(&poll).run().exits(0).says("web: unchanged");

    // It fails at its start: back to the first revision, with the container's own words.
    fixture.register("echo no such table: users >&2; exit 3", &fixture.image);
    fixture
        .tool(&poll)
        .run()
        .exits(4)
        .says("container `web` exited with 3")
        .says("  web | no such table: users")
        .says("was rolled back to `");
    let first = format!("task-definition/{}:1", fixture.name);
    let running = |described: &Value| described["taskDefinition"].as_str().unwrap().to_owned();
    assert!(running(&fixture.described()).ends_with(&first));

    // The latest one again, from an image that is not there.
    let missing = fixture.image.replace(":1", ":2");
    fixture.register("true", &missing);
    fixture
        .tool(&poll)
        .run()
        .exits(4)
        .says("CannotPullContainerError");

    // A one-off task of a revision that works.
    let run = |script: &str| {
        let run = ["run", "--poll", "500ms", "--task-definition", "1"];
        fixture
            .tool(&[&run[..], &["--", "sh", "-c", script]].concat())
            .run()
    };
    run("echo from the task; exit 7").exits(7).prints("from the task");
    run("true").exits(0);
    // Of the service's tasks and of that one.
    let logs = fixture.tool(&["logs", "--since", "1h"]).run().exits(0);
    for line in ["one", "no such table: users", "from the task"] {
        let end = format!(" {line}\n");
        assert!(logs.stdout.contains(&end), "no `{line}`\n{}", logs.transcript());
    }

    fixture.tool(&["status"]).run().exits(0);
    fixture.register_with("exec sleep 600", &fixture.image, never_healthy());
    fixture
        .tool(&["--poll", "500ms", "--timeout", "8s"])
        .run()
        .exits(3)
        .says("is not done after 8 s: IN_PROGRESS, ");
    fixture.tool(&["status"]).run().exits(1);
    fixture.register("echo five; exec sleep 600", &fixture.image);
    fixture.tool(&poll).run().exits(0);
    // The revisions 2 and 3 failed, and 4 was given up.
    let back = ["rollback", "--yes", "--poll", "500ms"];
    let output = fixture.tool(&back).run().exits(0);
    let words = format!(
        "`{0}:1` is the last one deployed successfully before `{0}:5`",
        fixture.name
    );
    output.says(&words);
    assert!(running(&fixture.described()).ends_with(&first));
    // From there the history does not lead further back, though it has revision 5.
    fixture
        .tool(&["rollback", "--dry-run"])
        .run()
        .exits(2)
        .says(" has no active revision before `");

    // Another client deletes the service during its deployment.
    fixture.register_with("exec sleep 600", &fixture.image, never_healthy());
    let running = fixture.tool(&poll).spawn();
    support::wait_for("the deployment", || {
        (fixture.described()["deployments"][0]["rolloutState"] == "IN_PROGRESS").then_some(())
    });
    let delete = [
        "ecs",
        "delete-service",
        "--cluster",
        &fixture.name,
        "--service",
        "web",
    ];
    fixture.aws(&[&delete[..], &["--force"]].concat());
    let output = running.wait().exits(1).says("the service was deleted while `");
    assert!(output.elapsed < Duration::from_secs(30), "{:?}", output.elapsed);
}

/// A health check whose start period is longer than any test waits.
fn never_healthy() -> Value {
    json!({"command": ["CMD", "sh", "-c", "exit 1"], "interval": 5, "startPeriod": 300})
}

//! Tasks and services: real containers, whose health and failures decide as on AWS.

use super::stage::{ACCOUNT, Stage, wait};
use serde_json::{Value, json};
use std::time::Instant;
use support::sandbox::sandbox;

fn messages(service: &Value) -> Vec<&str> {
    let events = service["events"].as_array().unwrap().iter();
    events.map(|event| event["message"].as_str().unwrap()).collect()
}

const RUNS: &str = "echo \"secret: $SECRET\"; env; touch /tmp/ready; while :; do sleep 1; done";

#[test]
fn a_deployment_completes_by_health_and_rolls_back_without_it() {
    let stage = Stage::set(sandbox(), "service");
    let check = |command: &'static str| {
        move |definition: &mut Value| {
            let check = json!({"command": ["CMD-SHELL", command], "interval": 5, "timeout": 2, "retries": 1});
            definition["containerDefinitions"][0]["healthCheck"] = check;
        }
    };
    let good = stage.register("good", RUNS, check("test -e /tmp/ready"));
    let bad = stage.register("bad", RUNS, check("test -e /tmp/never"));
    stage.create_service("app", &good);

    let service = stage.wait_for("app", &good, "COMPLETED");
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    let events = messages(&service);
    assert_eq!(events[0], "(service app) has reached a steady state.");
    assert!(events[1].ends_with("deployment completed."), "{events:?}");
    let running = json!({"cluster": stage.name, "serviceName": "app"});
    let tasks = stage.tasks(&running);
    assert_eq!(tasks.len(), 1);
    let task = &tasks[0];
    assert_eq!(task["healthStatus"], "HEALTHY", "{task}");
    assert_eq!(task["containers"][0]["healthStatus"], "HEALTHY");
    assert_eq!(
        task["startedBy"], service["deployments"][0]["id"],
        "a task of a service is known by its deployment"
    );
    let log = stage.log(task);
    assert!(log.contains(&"secret: the secret value".to_owned()), "{log:?}");
    assert!(
        log.contains(&"AWS_EXECUTION_ENV=AWS_ECS_FARGATE".to_owned()),
        "{log:?}"
    );
    let unreachable = log
        .iter()
        .find(|line| line.starts_with("AWS_ENDPOINT_URL") || line.contains("host.docker.internal"));
    assert_eq!(unreachable, None);

    // The label identifies containers of a killed emulator.
    let label = format!("label=cruddur-ops.sandbox={ACCOUNT}-{}", stage.endpoint.region);
    let cluster = format!(
        "label=com.amazonaws.ecs.task-arn={}",
        task["taskArn"].as_str().unwrap()
    );
    let listed = stage.sandbox.program("docker").args(["ps", "--quiet"]);
    let listed = listed
        .args(["--filter", &label, "--filter", &cluster])
        .run()
        .exits(0);
    assert_eq!(listed.stdout.lines().count(), 1, "{}", listed.transcript());

    // The circuit breaker counts failed health checks, and the task of before keeps running.
    let update = json!({"cluster": stage.name, "service": "app", "taskDefinition": bad});
    stage.endpoint.ask("ecs", "UpdateService", &update);
    let service = stage.wait_for("app", &good, "COMPLETED");
    let failed = &service["deployments"][1];
    assert_eq!(
        (&failed["rolloutState"], &failed["failedTasks"]),
        (&json!("FAILED"), &json!(3)),
        "{service}"
    );
    let events = messages(&service);
    for words in [
        "failed container health checks.",
        "deployment failed: tasks failed to start.",
        "rolling back to deployment",
    ] {
        assert!(
            events.iter().any(|event| event.contains(words)),
            "no `{words}` in {events:?}"
        );
    }
    assert_eq!(stage.tasks(&running)[0]["taskArn"], task["taskArn"]);
}

#[test]
fn what_can_t_run_fails_and_says_why() {
    let stage = Stage::set(sandbox(), "failures");
    let role = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    // The doubled colon of the course's first draft matches nothing.
    let doubled = stage
        .parameter_arn()
        .replace(&format!(":{ACCOUNT}:"), &format!("::{ACCOUNT}:"));
    let deaf = format!("{}-deaf", stage.name);
    stage.role(&deaf, &doubled);
    let docker = stage.sandbox.program("docker");
    // Present in the engine, but not pushed.
    let local = stage.image("local");
    docker
        .clone()
        .args(["tag", &stage.image("1"), &local])
        .run()
        .exits(0);

    let container = "/containerDefinitions/0";
    let cases = [
        (
            "image",
            format!("{container}/image"),
            json!(local),
            "CannotPullContainerError: ",
        ),
        (
            "group",
            format!("{container}/logConfiguration/options/awslogs-group"),
            json!("does-not-exist"),
            "ResourceNotFoundException: The specified log group does not exist",
        ),
        (
            "secret",
            format!("{container}/secrets/0/valueFrom"),
            json!(format!("{}-none", stage.parameter_arn())),
            "not authorized to perform: ssm:GetParameters",
        ),
        (
            "role",
            "/executionRoleArn".into(),
            json!(role("does-not-exist")),
            "ECS was unable to assume the role",
        ),
        (
            "permission",
            "/executionRoleArn".into(),
            json!(role(&deaf)),
            "no identity-based policy allows the ssm:GetParameters action",
        ),
    ];
    let started = cases.map(|(case, path, value, words)| {
        let change = |definition: &mut Value| *definition.pointer_mut(&path).unwrap() = value.clone();
        let definition = stage.register(case, RUNS, change);
        let answer = stage.endpoint.ask("ecs", "RunTask", &stage.start(&definition));
        (case, answer["tasks"][0]["taskArn"].clone(), words)
    });
    let crash = stage.register("crash", "echo dying; exit 3", |_| {});
    stage.create_service("crash", &crash);

    for (case, arn, words) in started {
        let request = json!({"cluster": stage.name, "tasks": [arn]});
        let task = wait(case, || {
            let mut answer = stage.endpoint.ask("ecs", "DescribeTasks", &request);
            let task = answer["tasks"][0].take();
            (task["lastStatus"] == "STOPPED").then_some(task)
        });
        assert_eq!(task["stopCode"], "TaskFailedToStart", "{case}: {task}");
        let reason = task["stoppedReason"].as_str().unwrap();
        assert!(reason.contains(words), "{case}: {reason}");
    }
    docker.args(["rmi", &local]).run().exits(0);

    // Three tasks, one after the other and not at once; then no more.
    let began = Instant::now();
    let service = stage.wait_for("crash", &crash, "FAILED");
    assert_eq!(service["deployments"][0]["failedTasks"], 3, "{service}");
    let tasks = json!({"cluster": stage.name, "serviceName": "crash", "desiredStatus": "STOPPED"});
    let stopped = stage.tasks(&tasks);
    assert_eq!(stopped.len(), 3, "after {:?}", began.elapsed());
    for task in &stopped {
        assert_eq!(task["stoppedReason"], "Essential container exited");
        assert_eq!(task["containers"][0]["exitCode"], 3);
        assert_eq!(stage.log(task), ["dying"]);
    }
}

#[test]
fn a_container_is_run_as_its_definition_says() {
    let stage = Stage::set(sandbox(), "container");
    let script =
        r#"echo "here: $PWD"; (: >/file) 2>/dev/null && echo writable; : >/scratch/file && echo scratch"#;
    let definition = stage.register("options", "unused", |definition| {
        definition["volumes"] = json!([{"name": "scratch"}]);
        let container = &mut definition["containerDefinitions"][0];
        container["entryPoint"] = json!(["/bin/sh", "-c"]);
        container["command"] = json!([script]);
        container["workingDirectory"] = json!("/tmp");
        container["readonlyRootFilesystem"] = json!(true);
        container["mountPoints"] = json!([{"sourceVolume": "scratch", "containerPath": "/scratch"}]);
    });
    let answer = stage.endpoint.ask("ecs", "RunTask", &stage.start(&definition));
    let request = json!({"cluster": stage.name, "tasks": [answer["tasks"][0]["taskArn"]]});
    let task = wait("the task", || {
        let mut answer = stage.endpoint.ask("ecs", "DescribeTasks", &request);
        let task = answer["tasks"][0].take();
        (task["lastStatus"] == "STOPPED").then_some(task)
    });
    assert_eq!(task["containers"][0]["exitCode"], 0, "{task}");
    let log = wait("its log", || {
        let log = stage.log(&task);
        (log.len() > 1).then_some(log)
    });
    assert_eq!(log, ["here: /tmp", "scratch"]);
}

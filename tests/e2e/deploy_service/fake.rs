//! An ECS with one service, whose answers come one after the other.

use serde_json::{Value, json};
use support::Tool;
use support::aws::{FakeAws, ecs};

pub(super) const CLUSTER: &str = "arn:aws:ecs:us-east-1:123456789012:cluster/apps";
pub(super) const ARN: &str = "arn:aws:ecs:us-east-1:123456789012:service/apps/web";
pub(super) const DEPLOYMENT: &str = "arn:aws:ecs:us-east-1:123456789012:service-deployment/apps/web";
pub(super) const SERVICE_REVISION: &str = "arn:aws:ecs:us-east-1:123456789012:service-revision/apps/web";
const FAMILY: &str = "arn:aws:ecs:us-east-1:123456789012:task-definition/web";

pub(super) const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
tags = { app = "e2e" }
[cluster]
name = "apps"
service_connect_namespace = "apps"
[service]
file = "service.json"
subnets = "subnet-1, subnet-2"
security_groups = ["sg-1"]
"#;

pub(super) const FILE: &str = r#"{
  "cluster": "${cluster.name}",
  "serviceName": "web",
  "taskDefinition": "web",
  "launchType": "FARGATE",
  "desiredCount": 1,
  "propagateTags": "SERVICE",
  "networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "ENABLED"}},
  "serviceConnectConfiguration": {
    "enabled": true,
    "namespace": "${cluster.service_connect_namespace}",
    "services": [{"portName": "http", "discoveryName": "web", "clientAliases": [{"port": 80}]}]
  }
}"#;

/// The ARN of a revision.
pub(super) fn revision(number: u64) -> String {
    format!("{FAMILY}:{number}")
}

fn connect() -> Value {
    json!({
        "enabled": true,
        "namespace": "apps",
        "services": [{"portName": "http", "discoveryName": "web", "clientAliases": [{"port": 80}]}],
    })
}

/// `ID STATUS REVISION STATE`, and behind a bar its reason.
fn deployment(text: &str) -> Value {
    let (line, reason) = text.split_once(" | ").unwrap_or((text, ""));
    let words: Vec<&str> = line.split(' ').collect();
    let done = words[3] == "COMPLETED";
    json!({
        "id": format!("ecs-svc/{}", words[0]),
        "status": words[1],
        "taskDefinition": revision(words[2].parse().unwrap()),
        "rolloutState": words[3],
        "rolloutStateReason": reason,
        "desiredCount": 1,
        "runningCount": i32::from(done),
        "pendingCount": i32::from(words[3] == "IN_PROGRESS"),
        "failedTasks": if words[3] == "FAILED" { 3 } else { 0 },
        "serviceConnectConfiguration": connect(),
    })
}

/// The service as the file describes it, with these deployments.
pub(super) fn service(deployments: &[&str]) -> Value {
    let all: Vec<Value> = deployments.iter().map(|text| deployment(text)).collect();
    json!({
        "serviceArn": ARN, "serviceName": "web", "clusterArn": CLUSTER, "status": "ACTIVE",
        "taskDefinition": all.first().map_or_else(|| revision(2).into(), |one| one["taskDefinition"].clone()),
        "desiredCount": 1, "runningCount": 1, "pendingCount": 0,
        "launchType": "FARGATE", "platformVersion": "LATEST", "schedulingStrategy": "REPLICA",
        "propagateTags": "SERVICE", "enableECSManagedTags": false, "enableExecuteCommand": false,
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": true, "rollback": true},
            "maximumPercent": 200, "minimumHealthyPercent": 100,
        },
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-2", "subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED",
        }},
        "deployments": all,
        "events": [],
        "tags": [{"key": "app", "value": "e2e"}, {"key": "owner", "value": "another"}],
    })
}

/// [`service`] with one field changed.
pub(super) fn with(mut service: Value, field: &str, value: Value) -> Value {
    service[field] = value;
    service
}

/// The answer of DescribeServices.
pub(super) fn described(services: &[Value]) -> Value {
    let missing = json!([{"arn": ARN, "reason": "MISSING"}]);
    json!({"services": services, "failures": if services.is_empty() { missing } else { json!([]) }})
}

/// An event of the service.
pub(super) fn event(id: &str, message: &str) -> Value {
    json!({"id": id, "createdAt": 1_700_000_000.5, "message": format!("(service web) {message}")})
}

/// AWS with the revisions 1 and 2 of `web`, and no task.
pub(super) fn start() -> FakeAws {
    let aws = FakeAws::start();
    definitions(&aws, &[(1, "ACTIVE"), (2, "ACTIVE")]);
    aws.answer(ecs("ListTasks"), 200, json!({"taskArns": []}));
    aws
}

/// These revisions of `web`, with their status; the last one is the latest.
pub(super) fn definitions(aws: &FakeAws, revisions: &[(u64, &'static str)]) {
    let revisions = revisions.to_vec();
    aws.answer_with(ecs("DescribeTaskDefinition"), move |body| {
        let name = body["taskDefinition"].as_str().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        let found = match name.strip_prefix("web:") {
            Some(number) => revisions.iter().find(|(one, _)| one.to_string() == number),
            None => revisions.last().filter(|_| name == "web"),
        };
        let Some((number, status)) = found else {
            let message = "Unable to describe task definition.";
            return (400, json!({"__type": "ClientException", "message": message}));
        };
        let definition = with(definition(*number), "status", (*status).into());
        (200, json!({"taskDefinition": definition}))
    });
}

/// ECS's history: these revisions were deployed successfully, the newest first.
pub(super) fn deployed(aws: &FakeAws, revisions: &[u64]) {
    let brief = |at: usize| {
        json!({
            "serviceDeploymentArn": format!("{DEPLOYMENT}/{at}"), "status": "SUCCESSFUL",
            "targetServiceRevisionArn": format!("{SERVICE_REVISION}/{at}"), "createdAt": 1_700_000_000 - at,
        })
    };
    let briefs: Vec<Value> = (0..revisions.len()).map(brief).collect();
    aws.answer(
        ecs("ListServiceDeployments"),
        200,
        json!({"serviceDeployments": briefs}),
    );
    service_revisions(aws, revisions);
}

/// What DescribeServiceRevisions knows: `SERVICE_REVISION/0` is of the first of these revisions.
pub(super) fn service_revisions(aws: &FakeAws, revisions: &[u64]) {
    let revisions = revisions.to_vec();
    aws.answer_with(ecs("DescribeServiceRevisions"), move |body| {
        let arns = body["serviceRevisionArns"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        // The most that ECS takes.
        assert!(arns.len() <= 20, "{}", arns.len());
        let found = arns.iter().filter_map(|arn| {
            let at: usize = arn.as_str()?.rsplit('/').next()?.parse().ok()?;
            let number = revisions.get(at)?;
            Some(json!({"serviceRevisionArn": arn, "taskDefinition": revision(*number)}))
        });
        (
            200,
            json!({"serviceRevisions": found.collect::<Vec<_>>(), "failures": []}),
        )
    });
}

/// A revision, as DescribeTaskDefinition shows it.
pub(super) fn definition(number: u64) -> Value {
    json!({
        "taskDefinitionArn": revision(number), "family": "web", "revision": number, "status": "ACTIVE",
        "cpu": "512", "memory": "1024", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [{
            "name": "web", "image": "x", "essential": true,
            "portMappings": [{"name": "http", "containerPort": 80, "appProtocol": "http"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": "apps", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web",
            }},
        }],
    })
}

/// Answers DescribeServices so, one after the other, and the last for ever.
pub(super) fn answers(aws: &FakeAws, services: &[Value]) {
    for one in services {
        aws.answer_once(ecs("DescribeServices"), 200, described(std::slice::from_ref(one)));
    }
    if let Some(last) = services.last() {
        aws.answer(
            ecs("DescribeServices"),
            200,
            described(std::slice::from_ref(last)),
        );
    }
}

pub(super) fn tool(aws: &FakeAws, arguments: &[&str]) -> Tool {
    aws.tool("deploy-service")
        .config_text(CONFIG)
        .file("service.json", FILE)
        .args(arguments)
}

/// The main job, asking often.
pub(super) fn deploy(aws: &FakeAws, arguments: &[&str]) -> Tool {
    tool(aws, arguments).args(["--poll", "20ms"])
}

/// The operations that change something.
pub(super) fn writes(aws: &FakeAws) -> Vec<String> {
    let writes = aws.writes().into_iter();
    writes
        .map(|request| request.operation().to_owned())
        .filter(|operation| operation != "GetCallerIdentity")
        .collect()
}

/// A stopped task of the deployment `ecs-svc/new`, and its last log line.
pub(super) fn stopped(aws: &FakeAws) {
    let arn = "arn:aws:ecs:us-east-1:123456789012:task/apps/0123abcd";
    aws.answer(ecs("ListTasks"), 200, json!({"taskArns": [arn]}));
    aws.answer(
        ecs("DescribeTasks"),
        200,
        json!({"tasks": [
            {
                "taskArn": arn, "startedBy": "ecs-svc/new", "lastStatus": "STOPPED",
                "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
                "containers": [{"name": "web", "exitCode": 3, "reason": "OutOfMemoryError"}],
            },
            {
                "taskArn": "arn:aws:ecs:us-east-1:123456789012:task/apps/ffff", "startedBy": "ecs-svc/old",
                "lastStatus": "STOPPED", "stoppedReason": "Scaling activity initiated by (deployment ecs-svc/old)",
            },
        ]}),
    );
    aws.answer(
        support::aws::logs("GetLogEvents"),
        200,
        json!({"events": [{"timestamp": 1, "message": "no such table: users"}], "nextForwardToken": "f/1"}),
    );
}

//! What tasks of a test need: an image, a role, a log group, a parameter and a cluster.

use super::Endpoint;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::sandbox::Sandbox;

pub(super) const ACCOUNT: &str = "123456789012";

/// An image with a shell, `sleep`, `env` and `touch` of this machine: nothing has to be pulled.
const IMAGE: &str = r#"
set -e
mkdir -p root/bin root/tmp
chmod 1777 root/tmp
for program in sh sleep env touch; do
    path=$(command -v "$program")
    cp -L "$path" "root/bin/$program"
    for library in $(ldd "$path" | grep -o '/[^ )]*'); do
        mkdir -p "root$(dirname "$library")"
        cp -L "$library" "root$library"
    done
done
tar -C root -c . | docker import --change 'CMD ["/bin/sh"]' - "$1" >/dev/null
docker login --username AWS --password-stdin "$2" 2>/dev/null
docker push --quiet "$1"
"#;

/// What a task needs: an image, a role, a log group, a parameter and a cluster, all of one name.
pub(super) struct Stage<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) endpoint: Endpoint,
    pub(super) name: String,
}

impl<'a> Stage<'a> {
    pub(super) fn set(sandbox: &'a Sandbox, stem: &str) -> Self {
        let stage = Stage {
            sandbox,
            endpoint: Endpoint::of(sandbox),
            name: sandbox.unique(stem),
        };
        let (endpoint, name) = (&stage.endpoint, &stage.name);
        endpoint.ask("ecr", "CreateRepository", &json!({"repositoryName": name}));
        let shell = sandbox.program("sh").args(["-c", IMAGE, "sh", &stage.image("1")]);
        shell
            .arg(sandbox.get("ECR_REGISTRY"))
            .stdin(endpoint.password())
            .run()
            .exits(0);
        endpoint.ask("logs", "CreateLogGroup", &json!({"logGroupName": name}));
        let secret = json!({"Name": stage.parameter(), "Value": "the secret value", "Type": "SecureString"});
        endpoint.ask("ssm", "PutParameter", &secret);
        endpoint.ask("ecs", "CreateCluster", &json!({"clusterName": name}));
        stage.role(name, &stage.parameter_arn());
        stage
    }

    pub(super) fn image(&self, tag: &str) -> String {
        format!("{}/{}:{tag}", self.sandbox.get("ECR_REGISTRY"), self.name)
    }

    pub(super) fn parameter(&self) -> String {
        format!("/{}/SECRET", self.name)
    }

    pub(super) fn parameter_arn(&self) -> String {
        format!(
            "arn:aws:ssm:{}:{ACCOUNT}:parameter{}",
            self.endpoint.region,
            self.parameter()
        )
    }

    /// An execution role that may read these parameters.
    pub(super) fn role(&self, name: &str, parameters: &str) {
        let statement =
            |statement: Value| json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        let trust = statement(json!([{
            "Effect": "Allow", "Principal": {"Service": ["ecs-tasks.amazonaws.com"]}, "Action": ["sts:AssumeRole"],
        }]));
        let (status, answer) = self.endpoint.iam(
            "CreateRole",
            &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)],
        );
        assert_eq!(status, 200, "{answer}");
        let policy = statement(json!([
            {"Effect": "Allow", "Resource": "*", "Action": [
                "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
                "logs:CreateLogStream", "logs:PutLogEvents",
            ]},
            {"Effect": "Allow", "Resource": parameters, "Action": ["ssm:GetParameters"]},
        ]));
        let parameters = [
            ("RoleName", name),
            ("PolicyName", "all"),
            ("PolicyDocument", &policy),
        ];
        let (status, answer) = self.endpoint.iam("PutRolePolicy", &parameters);
        assert_eq!(status, 200, "{answer}");
    }

    /// Registers a task definition that runs `command` in the image, after `change` of it; gives its ARN.
    pub(super) fn register(&self, family: &str, command: &str, change: impl Fn(&mut Value)) -> String {
        let mut definition = json!({
            "family": format!("{}-{family}", self.name),
            "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "executionRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/{}", self.name),
            "containerDefinitions": [{
                "name": "app",
                "image": self.image("1"),
                "command": ["/bin/sh", "-c", command],
                "secrets": [{"name": "SECRET", "valueFrom": self.parameter_arn()}],
                "logConfiguration": {"logDriver": "awslogs", "options": {
                    "awslogs-group": self.name,
                    "awslogs-region": self.endpoint.region,
                    "awslogs-stream-prefix": "test",
                }},
            }],
        });
        change(&mut definition);
        let answer = self.endpoint.ask("ecs", "RegisterTaskDefinition", &definition);
        answer["taskDefinition"]["taskDefinitionArn"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The start of a task or a service.
    pub(super) fn start(&self, definition: &str) -> Value {
        let subnet = self.sandbox.get("SUBNET_IDS").split(',').next().unwrap();
        json!({
            "cluster": self.name, "taskDefinition": definition, "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet]}},
        })
    }

    pub(super) fn create_service(&self, service: &str, definition: &str) {
        let mut request = self.start(definition);
        request["serviceName"] = service.into();
        request["desiredCount"] = 1.into();
        request["deploymentConfiguration"] =
            json!({"deploymentCircuitBreaker": {"enable": true, "rollback": true}});
        let made = self.endpoint.ask("ecs", "CreateService", &request);
        assert_eq!(
            made["service"]["deployments"][0]["rolloutState"], "IN_PROGRESS",
            "{made}"
        );
    }

    pub(super) fn service(&self, service: &str) -> Value {
        let request = json!({"cluster": self.name, "services": [service]});
        self.endpoint.ask("ecs", "DescribeServices", &request)["services"][0].take()
    }

    /// The service, as soon as its primary deployment is of this definition and in this state.
    pub(super) fn wait_for(&self, service: &str, definition: &str, state: &str) -> Value {
        wait(&format!("`{service}` to be {state}"), || {
            let service = self.service(service);
            let primary = &service["deployments"][0];
            assert_eq!(primary["status"], "PRIMARY", "{service}");
            let there = primary["taskDefinition"] == definition && primary["rolloutState"] == state;
            there.then_some(service)
        })
    }

    pub(super) fn tasks(&self, request: &Value) -> Vec<Value> {
        let listed = self.endpoint.ask("ecs", "ListTasks", request);
        if listed["taskArns"].as_array().unwrap().is_empty() {
            return Vec::new();
        }
        let request = json!({"cluster": self.name, "tasks": listed["taskArns"]});
        let mut answer = self.endpoint.ask("ecs", "DescribeTasks", &request);
        answer["tasks"].as_array_mut().unwrap().drain(..).collect()
    }

    /// The lines that a task has written to its log group.
    pub(super) fn log(&self, task: &Value) -> Vec<String> {
        let id = task["taskArn"].as_str().unwrap().rsplit('/').next().unwrap();
        let request = json!({"logGroupName": self.name, "logStreamName": format!("test/app/{id}")});
        let answer = self.endpoint.ask("logs", "GetLogEvents", &request);
        let events = answer["events"].as_array().unwrap().iter();
        events
            .map(|event| event["message"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        let (endpoint, name) = (&self.endpoint, &self.name);
        let cluster = json!({"cluster": name});
        let (_, services) = endpoint.call("ecs", "ListServices", &cluster);
        for service in services["serviceArns"].as_array().into_iter().flatten() {
            let request = json!({"cluster": name, "service": service, "force": true});
            endpoint.call("ecs", "DeleteService", &request);
        }
        endpoint.call("ecs", "DeleteCluster", &cluster);
        endpoint.call("logs", "DeleteLogGroup", &json!({"logGroupName": name}));
        endpoint.call("ssm", "DeleteParameter", &json!({"Name": self.parameter()}));
        let repository = json!({"repositoryName": name, "force": true});
        endpoint.call("ecr", "DeleteRepository", &repository);
        let remove = self
            .sandbox
            .program("docker")
            .args(["rmi", "--force", &self.image("1")]);
        let _ = remove.command().output();
    }
}

/// Deployments take longer than what `support::wait_for` waits for.
pub(super) fn wait<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        if let Some(answer) = ready() {
            return answer;
        }
        assert!(Instant::now() < end, "waited 90 s for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

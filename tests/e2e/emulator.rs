//! The AWS emulator of the sandbox: what we put right in it, as somebody else's clients see it.

mod downloads;
mod images;
mod lifecycle;
mod process;
mod refusals;
mod registry;
mod services;
mod stage;
mod tasks;

use serde_json::Value;
use support::sandbox::Sandbox;
use support::{Tool, tool};

/// Where an emulator answers, and for which region.
#[derive(Clone, Debug)]
struct Endpoint {
    url: String,
    region: String,
}

impl Endpoint {
    fn of(sandbox: &Sandbox) -> Self {
        Endpoint {
            url: sandbox.get("AWS_ENDPOINT_URL").to_owned(),
            region: sandbox.get("AWS_REGION").to_owned(),
        }
    }

    fn in_region(&self, region: &str) -> Self {
        Endpoint {
            region: region.to_owned(),
            ..self.clone()
        }
    }

    /// curl with a signature that names service and region; nobody checks the rest of it.
    fn curl(&self, service: &str) -> Tool {
        let credential = format!("dummy/20260101/{}/{service}/aws4_request", self.region);
        let authorization = format!(
            "Authorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
        );
        curl().args(["--header", &authorization, &self.url])
    }

    /// Calls an operation of a service with JSON bodies: its status and answer.
    fn call(&self, service: &str, operation: &str, body: &Value) -> (u16, Value) {
        let prefix = match service {
            "ecr" => "AmazonEC2ContainerRegistry_V20150921",
            "ecs" => "AmazonEC2ContainerServiceV20141113",
            "logs" => "Logs_20140328",
            "ssm" => "AmazonSSM",
            other => panic!("no target of `{other}` is known"),
        };
        let output = self
            .curl(service)
            .args(["--header", "Content-Type: application/x-amz-json-1.1"])
            .args(["--header", &format!("X-Amz-Target: {prefix}.{operation}")])
            .args(["--data-binary", "@-"])
            .stdin(body.to_string())
            .run()
            .exits(0);
        let (answer, status) = output.stdout.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(answer).unwrap())
    }

    /// The answer of a call that has to go well.
    #[track_caller]
    fn ask(&self, service: &str, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.call(service, operation, body);
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// Code and message of a call that has to be refused.
    #[track_caller]
    fn refusal(&self, service: &str, operation: &str, body: &Value) -> (String, String) {
        let (status, answer) = self.call(service, operation, body);
        assert_ne!(status, 200, "{operation} went well: {answer}");
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        (text("__type"), text("message"))
    }

    /// Calls IAM: the status and the XML.
    fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> (u16, String) {
        let mut tool = self.curl("iam").args(["--data-urlencode", "Version=2010-05-08"]);
        for (name, value) in [&[("Action", action)], parameters].concat() {
            tool = tool.args(["--data-urlencode", &format!("{name}={value}")]);
        }
        let output = tool.run().exits(0);
        let (answer, status) = output.stdout.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), answer.to_owned())
    }

    /// The password of ECR's token.
    fn password(&self) -> String {
        use base64::Engine;
        let answer = self.ask("ecr", "GetAuthorizationToken", &serde_json::json!({}));
        let token = answer["authorizationData"][0]["authorizationToken"]
            .as_str()
            .unwrap();
        let pair = base64::engine::general_purpose::STANDARD.decode(token).unwrap();
        let pair = String::from_utf8(pair).unwrap();
        pair.strip_prefix("AWS:").unwrap().to_owned()
    }
}

/// curl that prints the body, and the status on a line of its own.
fn curl() -> Tool {
    tool::program("curl").args([
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--max-time",
        "20",
        "--write-out",
        "\n%{http_code}",
    ])
}

/// Body and status of a request to a registry, as `user:password` when there is one.
fn registry_request(url: &str, host: &str, user: Option<&str>, arguments: &[&str]) -> (String, u16) {
    let mut tool = curl()
        .args(arguments)
        .args(["--header", &format!("Host: {host}"), url]);
    if let Some(user) = user {
        // Not as an argument: those can be read by everybody.
        tool = tool.args(["--config", "-"]).stdin(format!("user = \"{user}\"\n"));
    }
    let output = tool.run().exits(0);
    let (body, status) = output.stdout.rsplit_once('\n').unwrap();
    (body.to_owned(), status.parse().unwrap())
}

//! The AWS emulator of the sandbox: corrections of ministack that the demo or a test of a tool in the sandbox depends on.
//! The tests of the tools in the sandbox, and the journey, cover the corrections without a test here.

mod stage;
mod tasks;

use serde_json::{Value, json};
use support::sandbox::{Sandbox, sandbox};
use support::{Tool, root, tool};

/// The address of an emulator, and a region.
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

    /// curl with a signature that names service and region; the emulator ignores the rest of it.
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
            other => panic!("unknown service `{other}`"),
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

    /// The answer of a call that must succeed.
    #[track_caller]
    fn ask(&self, service: &str, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.call(service, operation, body);
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
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
        let answer = self.ask("ecr", "GetAuthorizationToken", &json!({}));
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
        // Not as an argument: other users can read those.
        tool = tool.args(["--config", "-"]).stdin(format!("user = \"{user}\"\n"));
    }
    let output = tool.run().exits(0);
    let (body, status) = output.stdout.rsplit_once('\n').unwrap();
    (body.to_owned(), status.parse().unwrap())
}

#[test]
fn the_registry_requires_the_password_of_its_own_region() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let host = sandbox.get("ECR_REGISTRY");
    let url = format!("http://{host}/v2/");
    let ping = |user: Option<&str>| registry_request(&url, host, user, &["--include"]);
    let (head, status) = ping(None);
    let challenge =
        format!("www-authenticate: Basic realm=\"https://{host}/\",service=\"ecr.amazonaws.com\"");
    assert_eq!((status, head.contains(&challenge)), (401, true), "{head}");
    let password = endpoint.password();
    let elsewhere = Endpoint {
        region: "sa-east-1".to_owned(),
        ..endpoint
    };
    for (user, password, expected) in [
        ("AWS", password.as_str(), 200),
        ("AWS", &format!("{password}x"), 400),
        ("AWS", "ministack-auth-token", 400),
        ("AWS", &elsewhere.password(), 400),
        ("aws", &password, 400),
    ] {
        let (body, status) = ping(Some(&format!("{user}:{password}")));
        assert_eq!(status, expected, "{body}");
    }
}

#[test]
fn a_manifest_needs_its_layers_and_a_layer_has_a_download_address() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let (name, host) = (sandbox.unique("layers"), sandbox.get("ECR_REGISTRY"));
    endpoint.ask("ecr", "CreateRepository", &json!({"repositoryName": name}));
    let user = format!("AWS:{}", endpoint.password());
    let request = |path: &str, arguments: &[&str]| {
        let url = format!("http://{host}/v2/{name}/{path}");
        registry_request(&url, host, Some(&user), arguments)
    };
    // The digest of `{}`, which is not there yet.
    let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let config =
        json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 2});
    let manifest = json!({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}).to_string();
    let header = format!("Content-Type: {kind}");
    let put = [
        "--request",
        "PUT",
        "--header",
        &header,
        "--data-binary",
        &manifest,
    ];
    let (body, status) = request("manifests/1", &put);
    assert_eq!(
        (status, body.contains("required for pushing image")),
        (404, true),
        "{body}"
    );
    let upload = format!("blobs/uploads/?digest={digest}");
    assert_eq!(
        request(&upload, &["--request", "POST", "--data-binary", "{}"]).1,
        201
    );
    assert_eq!(request("manifests/1", &put).1, 201);
    let layer = json!({"repositoryName": name, "layerDigest": digest});
    let answer = endpoint.ask("ecr", "GetDownloadUrlForLayer", &layer);
    let address = answer["downloadUrl"].as_str().unwrap();
    assert_eq!(curl().arg(address).run().exits(0).stdout, "{}\n200");
    endpoint.ask(
        "ecr",
        "DeleteRepository",
        &json!({"repositoryName": name, "force": true}),
    );
    // A repository of the same name does not start with the layers of the deleted one.
    endpoint.ask("ecr", "CreateRepository", &json!({"repositoryName": name}));
    assert_eq!(request(&format!("blobs/{digest}"), &[]).1, 404);
    endpoint.ask("ecr", "DeleteRepository", &json!({"repositoryName": name}));
}

#[test]
fn the_service_linked_role_of_ecs_has_the_name_that_aws_gives_it() {
    let endpoint = Endpoint::of(sandbox());
    let role = [("RoleName", "AWSServiceRoleForECS")];
    endpoint.iam(
        "CreateServiceLinkedRole",
        &[("AWSServiceName", "ecs.amazonaws.com")],
    );
    let (status, answer) = endpoint.iam("GetRole", &role);
    let arn = "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS</Arn>";
    assert_eq!((status, answer.contains(arn)), (200, true), "{answer}");
}

#[test]
fn requests_of_web_pages_are_refused() {
    let endpoint = Endpoint::of(sandbox());
    for header in ["Origin: http://example.com", "Sec-Fetch-Site: cross-site"] {
        let output = curl().args(["--header", header, &endpoint.url]).run().exits(0);
        assert!(output.stdout.ends_with("\n403"), "{header}: {}", output.stdout);
    }
}

#[test]
fn it_needs_an_engine_its_packages_and_a_loopback_address() {
    let sandbox = sandbox();
    let mut folders = std::env::split_paths(sandbox.get("PATH"));
    let aws = folders.find_map(|folder| std::fs::canonicalize(folder.join("aws")).ok());
    let python = aws.unwrap().with_file_name("python");
    let emulator = |options: &[&str], more: &[&str]| {
        let tool = sandbox.point(Tool::new(&python)).args(options);
        let tool = tool.arg(root().join("scripts/lib/emulator.py"));
        let region = [
            "--account",
            "123456789012",
            "--region",
            "ap-southeast-6",
            "--state",
            "state",
        ];
        tool.args(region)
            .args(["--port", "0", "--registry-port", "0"])
            .args(more)
    };
    let elsewhere = emulator(&[], &["--registry-address", "10.0.0.1"]);
    elsewhere
        .run()
        .exits(2)
        .says("`10.0.0.1` is not a loopback address");
    let no_engine = emulator(&[], &[]).env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    no_engine
        .run()
        .exits(2)
        .says("error: the Docker engine does not answer: ");
    let no_packages = emulator(&["-S"], &[]);
    no_packages
        .run()
        .exits(2)
        .says("error: ministack is not installed");
}

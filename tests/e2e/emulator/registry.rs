//! The registry under ECR's host name, and who gets in.

use super::{Endpoint, curl, registry_request};
use serde_json::{Value, json};
use support::sandbox::{Sandbox, sandbox};
use support::{Output, Tool};

/// A repository that goes away with the test.
pub(super) struct Repository {
    pub(super) endpoint: Endpoint,
    pub(super) name: String,
}

impl Repository {
    pub(super) fn make(sandbox: &Sandbox, stem: &str, more: &Value) -> Self {
        let repository = Repository {
            endpoint: Endpoint::of(sandbox),
            name: sandbox.unique(stem),
        };
        let mut request = json!({"repositoryName": repository.name});
        request
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        repository.endpoint.ask("ecr", "CreateRepository", &request);
        repository
    }

    pub(super) fn ask(&self, operation: &str, more: &Value) -> Value {
        self.endpoint.ask("ecr", operation, &self.request(more))
    }

    pub(super) fn refusal(&self, operation: &str, more: &Value) -> (String, String) {
        self.endpoint.refusal("ecr", operation, &self.request(more))
    }

    fn request(&self, more: &Value) -> Value {
        let mut request = more.clone();
        request["repositoryName"] = self.name.as_str().into();
        request
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let request = json!({"repositoryName": self.name, "force": true});
        let _ = self.endpoint.call("ecr", "DeleteRepository", &request);
    }
}

pub(super) fn digest_of(content: &str) -> String {
    let output = support::program("sha256sum").stdin(content).run().exits(0);
    format!("sha256:{}", output.stdout.split_whitespace().next().unwrap())
}

#[test]
fn it_asks_for_ecr_s_password_and_takes_no_other() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let host = sandbox.get("ECR_REGISTRY");
    let url = format!("http://{host}/v2/");
    let ping = |user: Option<&str>| registry_request(&url, host, user, &["--include"]);

    let (head, status) = ping(None);
    assert_eq!(status, 401, "{head}");
    let challenge =
        format!("www-authenticate: Basic realm=\"https://{host}/\",service=\"ecr.amazonaws.com\"");
    assert!(head.contains(&challenge), "{head}");

    let password = endpoint.password();
    assert!((1500..2500).contains(&password.len()), "{}", password.len());
    assert_ne!(endpoint.password(), password);
    assert_eq!(ping(Some(&format!("AWS:{password}"))).1, 200);
    assert_eq!(ping(Some(&format!("AWS:{password}x"))).1, 400);
    assert_eq!(ping(Some(&format!("aws:{password}"))).1, 400);
    assert_eq!(ping(Some("AWS:ministack-auth-token")).1, 400);
    // One region's password does not open another region's registry.
    let elsewhere = endpoint.in_region("sa-east-1").password();
    assert_eq!(ping(Some(&format!("AWS:{elsewhere}"))).1, 400);

    let token = endpoint.ask("ecr", "GetAuthorizationToken", &json!({}));
    let expires = token["authorizationData"][0]["expiresAt"].as_f64().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    assert!((expires - now - 12.0 * 3600.0).abs() < 60.0, "{}", expires - now);
}

#[test]
fn docker_and_skopeo_work_when_signed_in_and_fail_when_not() {
    let sandbox = sandbox();
    let repository = Repository::make(sandbox, "clients", &json!({}));
    let host = sandbox.get("ECR_REGISTRY");
    let image = format!("{host}/{}", repository.name);
    let docker = sandbox.program("docker");
    let local = LocalImage::make(sandbox, &format!("{image}:1"));

    let push = docker.clone().args(["push", &local.name]);
    push.run().exits(1).says("no basic auth credentials");
    let login = |password: &str| -> Output {
        let login = docker
            .clone()
            .args(["login", "--username", "AWS", "--password-stdin", host]);
        login.stdin(password).run()
    };
    login("not the password").exits(1).says("400 Bad Request");
    login(&repository.endpoint.password()).exits(0);
    push.run().exits(0);

    // Pulled from the registry, after the local one is gone.
    docker.clone().args(["rmi", &local.name]).run().exits(0);
    docker
        .clone()
        .args(["pull", "--quiet", &local.name])
        .run()
        .exits(0);

    let file = docker.folder().join("docker/config.json");
    let skopeo = |file: &std::path::Path, arguments: &[&str]| {
        let tool = sandbox.program("skopeo").env("REGISTRY_AUTH_FILE", file);
        tool.args(arguments).run()
    };
    let (from, to) = (format!("docker://{image}:1"), format!("docker://{image}:2"));
    let copy = [
        "copy",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        &from,
        &to,
    ];
    let unsigned = skopeo(&docker.folder().join("none.json"), &copy);
    assert_ne!(unsigned.code, Some(0), "{}", unsigned.transcript());
    skopeo(&file, &copy).exits(0);
    let inspected = skopeo(&file, &["inspect", "--raw", "--tls-verify=false", &to]).exits(0);
    let seen: Value = serde_json::from_str(&inspected.stdout).unwrap();

    // The API of ECR and the registry tell of the same image; its size is that of its parts.
    let answer = sandbox
        .program("aws")
        .args(["ecr", "describe-images", "--output", "json", "--repository-name"])
        .arg(&repository.name)
        .run()
        .exits(0);
    let answer: Value = serde_json::from_str(&answer.stdout).unwrap();
    let details = answer["imageDetails"].as_array().unwrap();
    assert_eq!(details.len(), 1, "{answer}");
    assert_eq!(details[0]["imageDigest"], digest_of(&inspected.stdout));
    assert_eq!(details[0]["imageTags"], json!(["1", "2"]));
    let part = |part: &Value| part["size"].as_u64().unwrap();
    let layers = seen["layers"].as_array().unwrap();
    let size = part(&seen["config"]) + layers.iter().map(part).sum::<u64>();
    assert_eq!(details[0]["imageSizeInBytes"], size);
}

/// A local image of nothing but one file, and its removal.
struct LocalImage {
    docker: Tool,
    name: String,
}

impl LocalImage {
    fn make(sandbox: &Sandbox, name: &str) -> Self {
        let script = r#"echo "$1" >file && tar -c file | docker import --change 'CMD ["/file"]' - "$1""#;
        let shell = sandbox.program("sh").args(["-c", script, "sh", name]);
        shell.run().exits(0);
        LocalImage {
            docker: sandbox.program("docker"),
            name: name.to_owned(),
        }
    }
}

impl Drop for LocalImage {
    fn drop(&mut self) {
        let remove = self.docker.clone().args(["rmi", "--force", &self.name]);
        let _ = remove.command().output();
    }
}

#[test]
fn no_web_page_drives_it() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    for header in ["Origin: http://example.com", "Sec-Fetch-Site: cross-site"] {
        let output = curl().args(["--header", header, &endpoint.url]).run().exits(0);
        assert!(output.stdout.ends_with("\n403"), "{header}: {}", output.stdout);
    }
}

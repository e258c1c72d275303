//! The registry under ECR's host name.

use super::{Endpoint, curl, registry_request};
use serde_json::{Value, json};
use support::sandbox::{Sandbox, sandbox};
use support::{Output, Tool};

/// A repository that goes away with the test.
struct Repository {
    endpoint: Endpoint,
    name: String,
}

impl Repository {
    fn make(sandbox: &Sandbox, stem: &str, more: &Value) -> Self {
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

    fn ask(&self, operation: &str, more: &Value) -> Value {
        self.endpoint.ask("ecr", operation, &self.request(more))
    }

    fn refusal(&self, operation: &str, more: &Value) -> (String, String) {
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

/// curl on a path of the registry, signed in.
struct Registry {
    host: String,
    user: String,
}

impl Registry {
    fn of(sandbox: &Sandbox) -> Self {
        Registry {
            host: sandbox.get("ECR_REGISTRY").to_owned(),
            user: format!("AWS:{}", Endpoint::of(sandbox).password()),
        }
    }

    fn request(&self, path: &str, arguments: &[&str]) -> (String, u16) {
        let url = format!("http://{}{path}", self.host);
        registry_request(&url, &self.host, Some(&self.user), arguments)
    }

    /// Uploads a blob in one piece and gives its digest.
    fn upload(&self, repository: &str, content: &str) -> String {
        let digest = digest_of(content);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let (body, status) = self.request(&path, &["--request", "POST", "--data-binary", content]);
        assert_eq!(status, 201, "{body}");
        digest
    }

    fn put_manifest(&self, repository: &str, tag: &str, manifest: &Value) -> (String, u16) {
        let (content, path) = (manifest.to_string(), format!("/v2/{repository}/manifests/{tag}"));
        let kind = format!("Content-Type: {}", manifest["mediaType"].as_str().unwrap());
        self.request(
            &path,
            &["--request", "PUT", "--header", &kind, "--data-binary", &content],
        )
    }
}

fn digest_of(content: &str) -> String {
    let output = support::program("sha256sum").stdin(content).run().exits(0);
    format!("sha256:{}", output.stdout.split_whitespace().next().unwrap())
}

/// A manifest of a configuration and one layer.
fn manifest(config: (&str, usize), layer: (&str, usize)) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": config.0, "size": config.1},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "digest": layer.0, "size": layer.1}],
    })
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
fn layers_go_up_in_pieces_and_come_down_in_ranges() {
    let sandbox = sandbox();
    let repository = Repository::make(sandbox, "pieces", &json!({}));
    let registry = Registry::of(sandbox);
    let name = &repository.name;
    let digest = digest_of("0123456789");

    let start = format!("/v2/{name}/blobs/uploads/");
    let (head, status) = registry.request(&start, &["--include", "--request", "POST"]);
    assert_eq!(status, 202, "{head}");
    let location = head
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap()
        .trim()
        .to_owned();
    let piece = |text: &str, range: &str| {
        let range = format!("Content-Range: {range}");
        registry.request(
            &location,
            &["--request", "PATCH", "--header", &range, "--data-binary", text],
        )
    };
    assert_eq!(piece("01234", "0-4").1, 202);
    let (body, status) = piece("01234", "0-4");
    assert_eq!(
        (
            status,
            body.contains("First byte of the layer part is 0 instead of 5")
        ),
        (416, true)
    );
    assert_eq!(piece("567", "5-7").1, 202);
    let finish = format!("{location}?digest={digest}");
    let (body, status) = registry.request(&finish, &["--request", "PUT", "--data-binary", "89"]);
    assert_eq!(status, 201, "{body}");

    let blob = format!("/v2/{name}/blobs/{digest}");
    assert_eq!(registry.request(&blob, &[]), ("0123456789".to_owned(), 200));
    assert_eq!(
        registry.request(&blob, &["--range", "3-5"]),
        ("345".to_owned(), 206)
    );
    assert_eq!(registry.request(&blob, &["--range", "20-30"]).1, 416);
    assert_eq!(registry.request(&blob, &["--head"]).1, 200);

    let layers = repository.ask(
        "BatchCheckLayerAvailability",
        &json!({"layerDigests": [digest, digest_of("x")]}),
    );
    assert_eq!(layers["layers"][0]["layerAvailability"], "AVAILABLE");
    assert_eq!(layers["layers"][0]["layerSize"], 10);
    assert_eq!(layers["layers"][1]["layerAvailability"], "UNAVAILABLE");

    // Another content than the digest says.
    let wrong = format!("/v2/{name}/blobs/uploads/?digest={digest}");
    let (body, status) = registry.request(&wrong, &["--request", "POST", "--data-binary", "other"]);
    assert_eq!((status, body.contains("DIGEST_INVALID")), (400, true), "{body}");
    // A repository that nobody made.
    let (body, status) = registry.request("/v2/nobody-made-this/blobs/uploads/", &["--request", "POST"]);
    assert_eq!((status, body.contains("NAME_UNKNOWN")), (404, true), "{body}");
}

#[test]
fn manifests_are_refused_as_ecr_refuses_them() {
    let sandbox = sandbox();
    let repository = Repository::make(
        sandbox,
        "manifests",
        &json!({
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}],
        }),
    );
    let registry = Registry::of(sandbox);
    let name = &repository.name;
    let (config, first, second) = (
        registry.upload(name, "{}"),
        registry.upload(name, "one"),
        registry.upload(name, "second"),
    );
    let one = manifest((&config, 2), (&first, 3));
    let other = manifest((&config, 2), (&second, 6));

    let absent = manifest((&config, 2), (&digest_of("never uploaded"), 14));
    let (body, status) = registry.put_manifest(name, "1", &absent);
    assert_eq!(
        (status, body.contains("required for pushing image")),
        (404, true),
        "{body}"
    );
    let image = json!({"imageManifest": absent.to_string(), "imageTag": "1"});
    assert_eq!(
        repository.refusal("PutImage", &image).0,
        "LayersNotFoundException"
    );

    assert_eq!(registry.put_manifest(name, "1", &one).1, 201);
    // The same once more is no other image.
    assert_eq!(registry.put_manifest(name, "1", &one).1, 201);
    let (body, status) = registry.put_manifest(name, "1", &other);
    assert_eq!(
        (status, body.contains("because the tag is immutable")),
        (400, true),
        "{body}"
    );
    assert_eq!(registry.put_manifest(name, "dev-1", &one).1, 201);
    assert_eq!(registry.put_manifest(name, "dev-1", &other).1, 201);

    let image = json!({"imageManifest": other.to_string(), "imageTag": "1"});
    assert_eq!(
        repository.refusal("PutImage", &image).0,
        "ImageTagAlreadyExistsException"
    );
    let image = json!({"imageManifest": one.to_string(), "imageTag": "1"});
    assert_eq!(
        repository.refusal("PutImage", &image).0,
        "ImageAlreadyExistsException"
    );

    // `dev-1` moved, so the first image has one tag; the lists say so.
    let ids = repository.ask("ListImages", &json!({}));
    let mut tags: Vec<(&str, &str)> = ids["imageIds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| {
            (
                id["imageTag"].as_str().unwrap(),
                id["imageDigest"].as_str().unwrap(),
            )
        })
        .collect();
    tags.sort_unstable();
    let (one, other) = (digest_of(&one.to_string()), digest_of(&other.to_string()));
    assert_eq!(tags, [("1", one.as_str()), ("dev-1", other.as_str())]);

    // The last tag takes its image along.
    let gone = repository.ask("BatchDeleteImage", &json!({"imageIds": [{"imageTag": "dev-1"}]}));
    assert_eq!(gone["imageIds"][0]["imageDigest"], other);
    let named = json!({"imageIds": [{"imageDigest": other}]});
    assert_eq!(
        repository.refusal("DescribeImages", &named).0,
        "ImageNotFoundException"
    );
    let answer = repository.ask("BatchGetImage", &named);
    assert_eq!(answer["failures"][0]["failureCode"], "ImageNotFound");
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

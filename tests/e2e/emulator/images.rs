//! What goes into the registry, and what ECR says about it.

use super::registry::{Repository, digest_of};
use super::{Endpoint, registry_request};
use serde_json::{Value, json};
use support::sandbox::{Sandbox, sandbox};

/// curl on a path of the registry, signed in.
pub(super) struct Registry {
    host: String,
    user: String,
}

impl Registry {
    pub(super) fn of(sandbox: &Sandbox) -> Self {
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
    pub(super) fn upload(&self, repository: &str, content: &str) -> String {
        let digest = digest_of(content);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let (body, status) = self.request(&path, &["--request", "POST", "--data-binary", content]);
        assert_eq!(status, 201, "{body}");
        digest
    }

    pub(super) fn put_manifest(&self, repository: &str, tag: &str, manifest: &Value) -> (String, u16) {
        let (content, path) = (manifest.to_string(), format!("/v2/{repository}/manifests/{tag}"));
        let kind = format!("Content-Type: {}", manifest["mediaType"].as_str().unwrap());
        self.request(
            &path,
            &["--request", "PUT", "--header", &kind, "--data-binary", &content],
        )
    }
}

/// A manifest of a configuration and one layer.
pub(super) fn manifest(config: (&str, usize), layer: (&str, usize)) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": config.0, "size": config.1},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "digest": layer.0, "size": layer.1}],
    })
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
            // As an SDK sends `scanOnPush: false`.
            "imageScanningConfiguration": {},
        }),
    );
    let described = json!({"repositoryNames": [repository.name]});
    let described = repository.endpoint.ask("ecr", "DescribeRepositories", &described);
    let described = &described["repositories"][0];
    assert_eq!(
        described["imageScanningConfiguration"],
        json!({"scanOnPush": false})
    );
    assert_eq!(
        described["imageTagMutabilityExclusionFilters"][0]["filter"],
        "dev-*"
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

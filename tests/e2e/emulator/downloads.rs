//! The addresses that ECR hands out for layers, fetched by curl.

use super::curl;
use super::images::{Registry, manifest};
use super::registry::{Repository, digest_of};
use serde_json::json;
use support::sandbox::sandbox;

/// Body and status of what stands at an address.
fn fetch(address: &str, arguments: &[&str]) -> (String, u16) {
    let output = curl().args(arguments).arg(address).run().exits(0);
    let (body, status) = output.stdout.rsplit_once('\n').unwrap();
    (body.to_owned(), status.parse().unwrap())
}

#[test]
fn layers_come_from_the_address_that_ecr_says() {
    let sandbox = sandbox();
    let repository = Repository::make(sandbox, "downloads", &json!({}));
    let (registry, name) = (Registry::of(sandbox), &repository.name);
    let content = "0123456789".repeat(9_000);
    let (config, layer) = (registry.upload(name, "{}"), registry.upload(name, &content));

    // What no image names may go at any time.
    let wanted = |digest: &str| repository.refusal("GetDownloadUrlForLayer", &json!({"layerDigest": digest}));
    assert_eq!(wanted(&layer).0, "LayerInaccessibleException");
    let image = manifest((&config, 2), (&layer, content.len()));
    assert_eq!(registry.put_manifest(name, "1", &image).1, 201);
    let absent = digest_of("never uploaded");
    let (code, message) = wanted(&absent);
    assert_eq!(code, "LayersNotFoundException");
    let words = format!("'{absent}' does not exist within the repository with name '{name}'");
    assert!(message.contains(&words), "{message}");

    let aws = sandbox.program("aws").args(["ecr", "get-download-url-for-layer"]);
    let aws = aws.args(["--repository-name", name, "--layer-digest", &layer]);
    let output = aws.args(["--query", "downloadUrl", "--output", "text"]).run();
    let output = output.exits(0);
    let address = output.stdout.trim();
    assert!(address.starts_with(&repository.endpoint.url), "{address}");
    let (body, status) = fetch(address, &[]);
    assert_eq!((digest_of(&body), status), (layer.clone(), 200));
    let part = fetch(address, &["--range", "10-13"]);
    assert_eq!(part, ("0123".to_owned(), 206));
    let (body, status) = fetch(address, &["--range", "90000-"]);
    assert_eq!((status, body.contains("InvalidRange")), (416, true), "{body}");

    // Neither another layer, nor a longer life, nor another seal, nor none.
    let (bare, seal) = address.split_once("&X-Amz-Signature=").unwrap();
    let turned: String = seal.chars().rev().collect();
    assert_ne!(turned, seal);
    let wrong = [
        (address.replace(&layer, &config), "SignatureDoesNotMatch"),
        (
            address.replace("X-Amz-Expires=", "X-Amz-Expires=9"),
            "SignatureDoesNotMatch",
        ),
        (
            format!("{bare}&X-Amz-Signature={turned}"),
            "SignatureDoesNotMatch",
        ),
        (bare.to_owned(), "AccessDenied"),
        (address.replace("sha256:", ""), "AccessDenied"),
    ];
    for (address, code) in wrong {
        let (body, status) = fetch(&address, &[]);
        let refusal = format!("<Code>{code}</Code>");
        assert_eq!(
            (status, body.contains(&refusal)),
            (403, true),
            "{address}: {body}"
        );
    }
    let (body, status) = fetch(address, &["--request", "DELETE"]);
    assert_eq!(
        (status, body.contains("SignatureDoesNotMatch")),
        (403, true),
        "{body}"
    );

    // A good address of what is gone.
    repository.ask("BatchDeleteImage", &json!({"imageIds": [{"imageTag": "1"}]}));
    assert_eq!(wanted(&layer).0, "LayerInaccessibleException");
    repository
        .endpoint
        .ask("ecr", "DeleteRepository", &json!({"repositoryName": name}));
    let (body, status) = fetch(address, &[]);
    assert_eq!(
        (status, body.contains("<Code>NoSuchKey</Code>")),
        (404, true),
        "{body}"
    );
}

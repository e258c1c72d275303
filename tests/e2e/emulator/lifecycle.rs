//! The dry run of a lifecycle policy, as the aws CLI sees it.

use super::registry::Repository;
use serde_json::{Value, json};
use support::sandbox::sandbox;

/// A rule that keeps the newest `count` images.
fn keeping(count: u32, priority: u32, mut selection: Value) -> Value {
    selection["countType"] = "imageCountMoreThan".into();
    selection["countNumber"] = count.into();
    json!({"rulePriority": priority, "selection": selection, "action": {"type": "expire"}})
}

fn policy(rules: &[Value]) -> Value {
    json!({"lifecyclePolicyText": json!({"rules": rules}).to_string()})
}

#[test]
fn a_preview_says_what_a_policy_would_delete() {
    let sandbox = sandbox();
    let repository = Repository::make(sandbox, "lifecycle", &json!({}));
    let absent = repository.refusal("GetLifecyclePolicyPreview", &json!({}));
    assert_eq!(absent.0, "LifecyclePolicyPreviewNotFoundException");
    let absent = repository.refusal("StartLifecyclePolicyPreview", &json!({}));
    assert_eq!(absent.0, "LifecyclePolicyNotFoundException");

    let kind = "application/vnd.oci.image.manifest.v1+json";
    let mut digests = Vec::new();
    for tag in ["prod-1", "prod-2", "dev-1", "", ""] {
        let number = digests.len().to_string();
        let manifest =
            json!({"schemaVersion": 2, "mediaType": kind, "layers": [], "annotations": {"n": number}});
        let mut image = json!({"imageManifest": manifest.to_string()});
        if !tag.is_empty() {
            image["imageTag"] = tag.into();
        }
        let made = repository.ask("PutImage", &image);
        digests.push(
            made["image"]["imageId"]["imageDigest"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    // What the CLI says after the CLI's own wait: for each image its place above, and the rule.
    let preview = |rules: &[Value]| -> Vec<(usize, u64)> {
        let started = repository.ask("StartLifecyclePolicyPreview", &policy(rules));
        assert_eq!(started["status"], "IN_PROGRESS", "{started}");
        let aws = |arguments: &[&str]| {
            let tool = sandbox.program("aws").arg("ecr").args(arguments);
            let tool = tool.args(["--output", "json", "--repository-name"]);
            tool.arg(&repository.name).run().exits(0).stdout
        };
        aws(&["wait", "lifecycle-policy-preview-complete"]);
        let answer: Value = serde_json::from_str(&aws(&["get-lifecycle-policy-preview"])).unwrap();
        let results = answer["previewResults"].as_array().unwrap();
        assert_eq!(answer["status"], "COMPLETE", "{answer}");
        assert_eq!(
            answer["summary"]["expiringImageTotalCount"],
            results.len(),
            "{answer}"
        );
        let place = |result: &Value| {
            digests
                .iter()
                .position(|digest| result["imageDigest"] == **digest)
        };
        let mut expiring: Vec<_> = results
            .iter()
            .map(|result| {
                (
                    place(result).unwrap(),
                    result["appliedRulePriority"].as_u64().unwrap(),
                )
            })
            .collect();
        expiring.sort_unstable();
        expiring
    };
    let tagged = |prefixes: &[&str]| json!({"tagStatus": "tagged", "tagPrefixList": prefixes});
    let any = json!({"tagStatus": "any"});
    assert_eq!(preview(&[keeping(3, 1, any.clone())]), [(0, 1), (1, 1)]);
    assert_eq!(
        preview(&[keeping(1, 1, json!({"tagStatus": "untagged"}))]),
        [(3, 1)]
    );
    // An image has to have all prefixes of a list.
    assert_eq!(preview(&[keeping(1, 1, tagged(&["prod-", "dev-"]))]), []);
    // What an earlier rule keeps no later one deletes, in whatever order they stand.
    let rules = [keeping(2, 5, any.clone()), keeping(1, 1, tagged(&["prod-"]))];
    assert_eq!(preview(&rules), [(0, 1), (2, 5)]);
    // Nothing here is a day old.
    let mut old = keeping(1, 1, any.clone());
    old["selection"]["countType"] = "sinceImagePushed".into();
    old["selection"]["countUnit"] = "days".into();
    assert_eq!(preview(&[old]), []);

    let broken = [
        vec![],
        vec![keeping(0, 1, any.clone())],
        vec![keeping(1, 1, json!({"tagStatus": "tagged"}))],
        vec![
            keeping(1, 1, any.clone()),
            keeping(1, 1, json!({"tagStatus": "untagged"})),
        ],
        vec![
            keeping(1, 1, any),
            keeping(1, 2, json!({"tagStatus": "untagged"})),
        ],
    ];
    for rules in broken {
        let (code, message) = repository.refusal("StartLifecyclePolicyPreview", &policy(&rules));
        assert_eq!(code, "InvalidParameterException", "{rules:?}: {message}");
        assert!(
            message.contains("Lifecycle policy validation failure"),
            "{message}"
        );
    }
    // A preview deletes nothing.
    let images = repository.ask("DescribeImages", &json!({}));
    assert_eq!(images["imageDetails"].as_array().unwrap().len(), digests.len());
}

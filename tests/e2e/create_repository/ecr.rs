//! A scripted ECR that stores what the calls write.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use support::aws::{FakeAws, ecr, registry};

/// One repository.
#[derive(Clone, Debug, Default)]
pub(super) struct Repository {
    pub(super) mutability: String,
    pub(super) exclusions: Vec<String>,
    pub(super) scan_on_push: bool,
    /// As DescribeRepositories shows it.
    pub(super) encryption: Option<Value>,
    pub(super) policy: Option<Value>,
    pub(super) lifecycle: Option<Value>,
    pub(super) tags: BTreeMap<String, String>,
}

/// With the tag of the file, and one of another caller.
pub(super) fn repository(mutability: &str, scan_on_push: bool) -> Repository {
    Repository {
        mutability: mutability.into(),
        scan_on_push,
        tags: BTreeMap::from([("app".into(), "e2e".into()), ("owner".into(), "x".into())]),
        ..Repository::default()
    }
}

impl Repository {
    fn described(&self, name: &str) -> Value {
        let filters = self.exclusions.iter();
        let filters: Vec<Value> = filters
            .map(|filter| json!({"filterType": "WILDCARD", "filter": filter}))
            .collect();
        json!({
            "repositoryName": name,
            "repositoryArn": arn(name),
            "repositoryUri": format!("{}/{name}", registry("us-east-1")),
            "imageTagMutability": self.mutability,
            "imageTagMutabilityExclusionFilters": filters,
            "imageScanningConfiguration": {"scanOnPush": self.scan_on_push},
            "encryptionConfiguration": self.encryption.clone().unwrap_or(json!({"encryptionType": "AES256"})),
        })
    }
}

pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:ecr:us-east-1:123456789012:repository/{name}")
}

type Repositories = BTreeMap<String, Repository>;

#[derive(Clone, Default)]
pub(super) struct Ecr(Arc<Mutex<Repositories>>);

impl Ecr {
    pub(super) fn with(
        repositories: impl IntoIterator<Item = (&'static str, Repository)>,
    ) -> (FakeAws, Self) {
        let all = Ecr::default();
        let repositories = repositories.into_iter();
        all.lock()
            .extend(repositories.map(|(name, repository)| (name.to_owned(), repository)));
        let aws = FakeAws::start();
        all.answer(&aws);
        (aws, all)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Repositories> {
        self.0.lock().unwrap()
    }

    pub(super) fn get(&self, name: &str) -> Repository {
        self.lock()[name].clone()
    }

    /// Answers `operation` about one repository.
    fn about(
        &self,
        aws: &FakeAws,
        operation: &str,
        answer: impl Fn(&str, &mut Repository, &Value) -> (u16, Value) + Send + Sync + 'static,
    ) {
        let all = self.clone();
        aws.answer_with(ecr(operation), move |body| {
            let by_arn = body["resourceArn"]
                .as_str()
                .and_then(|arn| arn.rsplit('/').next());
            let name = body["repositoryName"].as_str().or(by_arn).unwrap().to_owned();
            match all.lock().get_mut(&name) {
                Some(repository) => answer(&name, repository, body),
                None => refusal("RepositoryNotFoundException"),
            }
        });
    }

    pub(super) fn answer(&self, aws: &FakeAws) {
        let all = self.clone();
        aws.answer_with(ecr("DescribeRepositories"), move |body| {
            let name = body["repositoryNames"][0].as_str().unwrap();
            match all.lock().get(name) {
                Some(repository) => (200, json!({"repositories": [repository.described(name)]})),
                None => refusal("RepositoryNotFoundException"),
            }
        });
        let all = self.clone();
        aws.answer_with(ecr("CreateRepository"), move |body| {
            let name = body["repositoryName"].as_str().unwrap();
            let mut all = all.lock();
            if all.contains_key(name) {
                return refusal("RepositoryAlreadyExistsException");
            }
            let mut made = repository("", false);
            made.tags = tags_of(body);
            made.encryption = body.get("encryptionConfiguration").cloned();
            set_mutability(&mut made, body);
            set_scanning(&mut made, body);
            let answer = json!({"repository": made.described(name)});
            all.insert(name.to_owned(), made);
            (200, answer)
        });
        self.about(aws, "ListTagsForResource", |_, repository, _| {
            let tags = repository.tags.iter();
            let tags: Vec<Value> = tags
                .map(|(key, value)| json!({"Key": key, "Value": value}))
                .collect();
            (200, json!({"tags": tags}))
        });
        self.about(aws, "TagResource", |_, repository, body| {
            repository.tags.extend(tags_of(body));
            (200, json!({}))
        });
        self.about(aws, "PutImageTagMutability", |_, repository, body| {
            set_mutability(repository, body);
            (200, json!({}))
        });
        self.about(aws, "PutImageScanningConfiguration", |_, repository, body| {
            set_scanning(repository, body);
            (200, json!({}))
        });
        self.documents(aws);
    }

    fn documents(&self, aws: &FakeAws) {
        self.about(aws, "GetRepositoryPolicy", |_, repository, _| {
            match &repository.policy {
                Some(policy) => (200, json!({"policyText": policy.to_string()})),
                None => refusal("RepositoryPolicyNotFoundException"),
            }
        });
        self.about(aws, "SetRepositoryPolicy", |_, repository, body| {
            repository.policy = Some(parsed(&body["policyText"]));
            (200, json!({}))
        });
        self.about(aws, "GetLifecyclePolicy", |_, repository, _| {
            match &repository.lifecycle {
                Some(policy) => (200, json!({"lifecyclePolicyText": policy.to_string()})),
                None => refusal("LifecyclePolicyNotFoundException"),
            }
        });
        self.about(aws, "PutLifecyclePolicy", |_, repository, body| {
            repository.lifecycle = Some(parsed(&body["lifecyclePolicyText"]));
            (200, json!({}))
        });
        self.about(aws, "StartLifecyclePolicyPreview", |_, _, body| {
            (
                200,
                json!({"status": "IN_PROGRESS", "lifecyclePolicyText": body["lifecyclePolicyText"]}),
            )
        });
    }
}

/// ECR's preview shows these images, each by its digest and tags.
pub(super) fn preview_shows(aws: &FakeAws, images: &[(&str, &[&str])]) {
    let results: Vec<Value> = images
        .iter()
        .map(|(digest, tags)| {
            json!({"imageDigest": digest, "imageTags": tags, "action": {"type": "EXPIRE"}, "appliedRulePriority": 1})
        })
        .collect();
    let body = json!({
        "status": "COMPLETE",
        "previewResults": results,
        "summary": {"expiringImageTotalCount": images.len()},
    });
    aws.answer(ecr("GetLifecyclePolicyPreview"), 200, body);
}

fn set_mutability(repository: &mut Repository, body: &Value) {
    repository.mutability = body["imageTagMutability"].as_str().unwrap().to_owned();
    let filters = body["imageTagMutabilityExclusionFilters"].as_array();
    let filters = filters.into_iter().flatten();
    repository.exclusions = filters
        .map(|filter| filter["filter"].as_str().unwrap().to_owned())
        .collect();
}

fn set_scanning(repository: &mut Repository, body: &Value) {
    repository.scan_on_push = body["imageScanningConfiguration"]["scanOnPush"] == true;
}

fn tags_of(body: &Value) -> BTreeMap<String, String> {
    let text = |tag: &Value, field: &str| tag[field].as_str().unwrap().to_owned();
    let tags = body["tags"].as_array().into_iter().flatten();
    tags.map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect()
}

fn parsed(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

fn refusal(code: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": "so it is"}))
}

/// The writing calls so far.
pub(super) fn writes(aws: &FakeAws) -> Vec<String> {
    let writes = aws.writes().into_iter();
    writes.map(|request| request.operation().to_owned()).collect()
}

//! `push-image`: what ECR already has is not sent, and the printed digest is read back from ECR.

mod building;
mod destinations;
mod endpoints;
mod failures;
mod interrupted;
mod planning;
mod pushing;
mod sandbox;
mod secrets;
mod sources;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use support::Tool;
use support::aws::{FakeAws, ecr, registry, token};
use support::engine::{EngineAnswer, EngineRequest, FakeEngine};

const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
[[image]]
name = "base"
repository = "base"
tags = ["3"]
from = "python:3"
[[image]]
name = "app"
repository = "app"
tags = ["latest"]
build = { context = "src", platform = "linux/amd64", args = { BASE = "${ECR_REGISTRY}/base:3" } }
"#;

/// `sha256:` and 64 digits that begin with `start`.
fn sha(start: &str) -> String {
    format!("sha256:{start:0<64}")
}

/// The host of the account's registry.
fn host() -> String {
    registry("us-east-1")
}

fn uri(repository: &str) -> String {
    format!("{}/{repository}", host())
}

#[derive(Clone, Debug, Default)]
struct Local {
    id: String,
    digests: BTreeSet<String>,
}

#[derive(Default)]
struct Store {
    /// ECR's repositories, each in the form of `DescribeRepositories`.
    repositories: BTreeMap<String, Value>,
    /// ECR's tags: (repository, tag) → digest.
    tags: BTreeMap<(String, String), String>,
    /// The engine's images by name.
    local: BTreeMap<String, Local>,
    /// The images of other registries: name → id.
    pullable: BTreeMap<String, String>,
    /// The id of the image that a build makes.
    built: String,
}

/// A scripted account and a scripted engine with a common state.
struct World {
    aws: FakeAws,
    engine: FakeEngine,
    store: Arc<Mutex<Store>>,
}

/// The digest that the engine gives an image when it pushes it.
fn digest_of(id: &str) -> String {
    id.replace("sha256:c", "sha256:d")
}

/// The manifest of a pushed image; its configuration has the image's id.
fn manifest_of(digest: &str) -> String {
    let config = digest.replace("sha256:d", "sha256:c");
    json!({"schemaVersion": 2, "config": {"digest": config, "size": 10}, "layers": [{"size": 100}]})
        .to_string()
}

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// The repositories are empty; `python:3` can be pulled; a build makes an image.
    fn new() -> Self {
        let world = World {
            aws: FakeAws::start(),
            engine: FakeEngine::start(),
            store: Arc::default(),
        };
        world.repository("base", json!({})).repository("app", json!({}));
        world.change(|store| {
            store
                .pullable
                .insert("docker.io/library/python:3".into(), sha("c1"));
            store.built = sha("c2");
        });
        world.script_ecr();
        let store = Arc::clone(&world.store);
        world
            .engine
            .otherwise(move |request| engine(&mut lock(&store), request));
        world
    }

    fn change(&self, change: impl FnOnce(&mut Store)) -> &Self {
        change(&mut lock(&self.store));
        self
    }

    fn repository(&self, name: &str, more: Value) -> &Self {
        let mut described =
            json!({"repositoryName": name, "repositoryUri": uri(name), "imageTagMutability": "MUTABLE"});
        for (key, value) in more.as_object().unwrap() {
            described[key] = value.clone();
        }
        self.change(|store| drop(store.repositories.insert(name.to_owned(), described)))
    }

    /// ECR has the image `id` under this tag.
    fn pushed(&self, repository: &str, tag: &str, id: &str) -> &Self {
        self.change(|store| {
            store.tags.insert((repository.into(), tag.into()), digest_of(id));
        })
    }

    /// The engine has the image `id` under this name.
    fn local(&self, name: &str, id: &str, digests: &[&str]) -> &Self {
        let local = Local {
            id: id.to_owned(),
            digests: digests.iter().map(|digest| (*digest).to_owned()).collect(),
        };
        self.change(|store| drop(store.local.insert(name.to_owned(), local)))
    }

    /// The digest that ECR has under this tag.
    fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        lock(&self.store)
            .tags
            .get(&(repository.into(), tag.into()))
            .cloned()
    }

    fn tool(&self) -> Tool {
        self.aws
            .tool("push-image")
            .env("DOCKER_HOST", self.engine.host())
            .config_text(CONFIG)
            .file("src/Dockerfile", "ARG BASE\nFROM ${BASE}\nCOPY app.py /\n")
            .file("src/app.py", "print()\n")
    }

    /// The pushes that the engine received: `base:3`.
    fn pushes(&self) -> Vec<String> {
        let pushes = self.engine.requests().into_iter().filter_map(|request| {
            let name = request
                .call
                .strip_prefix("POST /images/")?
                .strip_suffix("/push")?
                .to_owned();
            Some(format!(
                "{}:{}",
                name.trim_start_matches(&format!("{}/", host())),
                request.query["tag"]
            ))
        });
        pushes.collect()
    }

    fn script_ecr(&self) {
        self.aws.answer(
            ecr("GetAuthorizationToken"),
            200,
            token(&host(), "password-of-ecr"),
        );
        let store = Arc::clone(&self.store);
        self.aws.answer_with(ecr("DescribeRepositories"), move |body| {
            let name = body["repositoryNames"][0].as_str().unwrap();
            match lock(&store).repositories.get(name) {
                Some(described) => (200, json!({"repositories": [described]})),
                None => (
                    400,
                    json!({"__type": "RepositoryNotFoundException", "message": "not there"}),
                ),
            }
        });
        let store = Arc::clone(&self.store);
        self.aws.answer_with(ecr("BatchGetImage"), move |body| {
            let name = body["repositoryName"].as_str().unwrap();
            let tag = body["imageIds"][0]["imageTag"].as_str().unwrap();
            match lock(&store).tags.get(&(name.into(), tag.into())) {
                Some(digest) => (
                    200,
                    json!({"images": [{
                        "imageId": {"imageTag": tag, "imageDigest": digest},
                        "imageManifest": manifest_of(digest),
                        "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json",
                    }], "failures": []}),
                ),
                None => (
                    200,
                    json!({"images": [], "failures": [{
                        "imageId": {"imageTag": tag},
                        "failureCode": "ImageNotFound",
                        "failureReason": "Requested image not found",
                    }]}),
                ),
            }
        });
        let store = Arc::clone(&self.store);
        self.aws.answer_with(ecr("PutImage"), move |body| {
            let text = |key: &str| body[key].as_str().unwrap().to_owned();
            assert_eq!(text("imageManifest"), manifest_of(&text("imageDigest")));
            let place = (text("repositoryName"), text("imageTag"));
            lock(&store).tags.insert(place, text("imageDigest"));
            (200, json!({"image": {}}))
        });
    }
}

/// The behaviour of a Docker engine that a client can see.
fn engine(store: &mut Store, request: &EngineRequest) -> EngineAnswer {
    let query = |name: &str| request.query.get(name).cloned().unwrap_or_default();
    if request.call == "GET /info" {
        return EngineAnswer::Json(200, json!({}));
    }
    if request.call == "POST /images/create" {
        let (name, version) = (query("fromImage"), query("tag"));
        let separator = if version.contains(':') { '@' } else { ':' };
        let name = format!("{name}{separator}{version}");
        return pull(store, &name);
    }
    if request.call == "POST /build" {
        let id = store.built.clone();
        store.local.insert(
            id.clone(),
            Local {
                id: id.clone(),
                digests: BTreeSet::new(),
            },
        );
        return EngineAnswer::Lines(vec![
            json!({"stream": "Step 1/2 : FROM ${BASE}"}),
            json!({"stream": "\n"}),
            json!({"stream": " ---> Using cache\n"}),
            json!({"aux": {"ID": id}}),
        ]);
    }
    let Some((method, rest)) = request.call.split_once(" /images/") else {
        return EngineAnswer::error(404, "page not found");
    };
    let (name, verb) = rest.rsplit_once('/').unwrap();
    let found = store
        .local
        .iter()
        .find(|(known, local)| *known == name || local.id == name);
    let found = found.map(|(_, local)| local.clone());
    match (method, verb, found) {
        ("GET", "json", Some(local)) => {
            // The digests belong to the image, not to one of its names.
            let same = || store.local.iter().filter(|(_, other)| other.id == local.id);
            let tags: Vec<&String> = same()
                .map(|(name, _)| name)
                .filter(|name| !name.starts_with("sha256:"))
                .collect();
            let digests: BTreeSet<&String> = same().flat_map(|(_, local)| &local.digests).collect();
            EngineAnswer::Json(
                200,
                json!({"Id": local.id, "RepoTags": tags, "RepoDigests": digests}),
            )
        }
        ("POST", "tag", Some(local)) => {
            store
                .local
                .insert(format!("{}:{}", query("repo"), query("tag")), local);
            EngineAnswer::Json(201, json!({}))
        }
        ("POST", "push", _) => push(store, name, &query("tag")),
        _ => EngineAnswer::error(404, &format!("No such image: {name}")),
    }
}

fn pull(store: &mut Store, name: &str) -> EngineAnswer {
    let ours = name
        .strip_prefix(&format!("{}/", host()))
        .and_then(|name| name.split_once(':'));
    let pushed = ours.and_then(|(repository, tag)| store.tags.get(&(repository.to_owned(), tag.to_owned())));
    let id = pushed.map(|digest| digest.replace("sha256:d", "sha256:c"));
    let Some(id) = id.or_else(|| store.pullable.get(name).cloned()) else {
        return EngineAnswer::error(404, &format!("manifest for {name} not found: manifest unknown"));
    };
    let repository = name.rsplit_once([':', '@']).unwrap().0;
    let digests = BTreeSet::from([format!("{repository}@{}", digest_of(&id))]);
    store.local.insert(name.to_owned(), Local { id, digests });
    EngineAnswer::Lines(vec![
        json!({"status": "Pulling from x", "id": "3"}),
        json!({"status": "Downloading", "progressDetail": {"current": 1_500_000, "total": 2_000_000}, "id": "aaaaaaaaaaaa"}),
        json!({"status": "Pull complete", "progressDetail": {}, "id": "aaaaaaaaaaaa"}),
        json!({"status": "Status: Downloaded newer image"}),
    ])
}

fn push(store: &mut Store, name: &str, tag: &str) -> EngineAnswer {
    let Some(local) = store.local.get_mut(&format!("{name}:{tag}")) else {
        return EngineAnswer::error(
            404,
            &format!("An image does not exist locally with the tag: {name}"),
        );
    };
    let digest = digest_of(&local.id);
    local.digests.insert(format!("{name}@{digest}"));
    let repository = name.trim_start_matches(&format!("{}/", host()));
    store
        .tags
        .insert((repository.to_owned(), tag.to_owned()), digest.clone());
    EngineAnswer::Lines(vec![
        json!({"status": format!("The push refers to repository [{name}]")}),
        json!({"status": "Preparing", "progressDetail": {}, "id": "aaaaaaaaaaaa"}),
        json!({"status": "Preparing", "progressDetail": {}, "id": "bbbbbbbbbbbb"}),
        json!({"status": "Pushing", "progressDetail": {"current": 2_000_000, "total": 12_345_678}, "id": "aaaaaaaaaaaa"}),
        json!({"status": "Layer already exists", "progressDetail": {}, "id": "bbbbbbbbbbbb"}),
        json!({"status": "Pushing", "progressDetail": {"current": 12_345_678, "total": 12_345_678}, "id": "aaaaaaaaaaaa"}),
        json!({"status": "Pushed", "progressDetail": {}, "id": "aaaaaaaaaaaa"}),
        json!({"status": format!("{tag}: digest: {digest} size: 528")}),
        json!({"progressDetail": {}, "aux": {"Tag": tag, "Digest": digest, "Size": 528}}),
    ])
}

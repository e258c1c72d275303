//! A scripted account that stores task definitions and the resources that they name.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use support::aws::{FakeAws, ecr, ecs, logs, ssm, xml_refusal};

pub(super) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ecs-tasks.amazonaws.com"]},"Action":["sts:AssumeRole"]}]}"#;

/// The digest of the image that `:latest` names.
pub(super) const DIGEST: &str = "sha256:abababababababababababababababababababababababababababababababab";

/// The query signs the address; no output may have it.
pub(super) const SIGNED: &str = "/blob/config?signature=canary-of-the-signed-address";

/// What is in the account.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The revisions of `web`, with what DescribeTaskDefinition adds.
    pub(super) revisions: Vec<Value>,
    /// Names, with trust policy and the time when they were made.
    pub(super) roles: BTreeMap<String, (String, String)>,
    pub(super) log_groups: BTreeSet<String>,
    /// `REPOSITORY:TAG` and `REPOSITORY@DIGEST`, with the manifest.
    pub(super) images: BTreeMap<String, (String, Value)>,
    pub(super) parameters: BTreeSet<String>,
}

/// The state, shared with the answers.
#[derive(Clone, Default)]
pub(super) struct Account(Arc<Mutex<State>>);

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The manifest of one image; its platform is in its configuration.
pub(super) fn single() -> Value {
    json!({"schemaVersion": 2, "config": {"digest": format!("sha256:{}", "cd".repeat(32)), "size": 2}, "layers": []})
}

/// The manifest of an image for several platforms.
pub(super) fn index(platforms: &[&str]) -> Value {
    let entry = |platform: &&str| {
        let (os, architecture) = platform.split_once('/').unwrap();
        json!({"digest": "sha256:1", "platform": {"os": os, "architecture": architecture}})
    };
    json!({"schemaVersion": 2, "manifests": platforms.iter().map(entry).collect::<Value>()})
}

impl Account {
    /// An account without anything in it.
    pub(super) fn empty() -> (FakeAws, Account) {
        let aws = FakeAws::start();
        let account = Account::default();
        account.install(&aws);
        (aws, account)
    }

    /// An account with all that the task definition of the tests names.
    pub(super) fn ready() -> (FakeAws, Account) {
        let (aws, account) = Account::empty();
        let mut state = account.state();
        for role in ["Execution", "Task"] {
            let made = "2024-01-01T00:00:00Z".to_owned();
            state.roles.insert(role.into(), (TRUST.into(), made));
        }
        // A log group whose name only begins alike is another one.
        state.log_groups = ["web-logs".into(), "web-logs-old".into()].into();
        state
            .images
            .insert("apps/web:latest".into(), (DIGEST.into(), single()));
        let names = ["/apps/web/A", "/apps/web/B"];
        state.parameters = names.map(str::to_owned).into();
        drop(state);
        (aws, account)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn install(&self, aws: &FakeAws) {
        let answer = |target: String, compute: fn(&mut State, &Value) -> (u16, Value)| {
            let account = self.clone();
            aws.answer_with(target, move |body| compute(&mut account.state(), body));
        };
        answer(ecs("DescribeTaskDefinition"), describe);
        answer(ecs("RegisterTaskDefinition"), register);
        answer(ecs("TagResource"), tag);
        answer(ecr("BatchGetImage"), batch_get_image);
        answer(logs("DescribeLogGroups"), describe_log_groups);
        answer(ssm("GetParameters"), get_parameters);
        let url = format!("{}{SIGNED}", aws.url());
        aws.answer_with(ecr("GetDownloadUrlForLayer"), move |body| {
            (
                200,
                json!({"downloadUrl": url, "layerDigest": body["layerDigest"]}),
            )
        });
        platform(aws, "amd64");
        let account = self.clone();
        aws.answer_query_with("GetRole", move |form| {
            get_role(&account.state(), text(form, "RoleName"))
        });
    }
}

/// The image of the account is for linux and this architecture.
pub(super) fn platform(aws: &FakeAws, architecture: &str) {
    let config = json!({"os": "linux", "architecture": architecture}).to_string();
    aws.answer_text(format!("GET {SIGNED}"), 200, &config, "application/octet-stream");
}

fn refusal(code: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": message}))
}

/// `web`, `web:2`, or an ARN.
fn find<'a>(state: &'a mut State, name: &str) -> Option<&'a mut Value> {
    let name = name.rsplit('/').next().unwrap_or_default();
    let number: Option<u64> = name.split_once(':').and_then(|(_, number)| number.parse().ok());
    let family = name.split(':').next().unwrap_or_default().to_owned();
    let fits = |one: &&mut Value| {
        one["family"] == *family
            && match number {
                Some(number) => one["revision"] == number,
                None => one["status"] == "ACTIVE",
            }
    };
    state.revisions.iter_mut().rfind(fits)
}

/// The answer of a call that gives a revision.
fn answer(revision: &Value) -> Value {
    let mut definition = revision.clone();
    let tags = definition.as_object_mut().unwrap().shift_remove("tags");
    json!({"taskDefinition": definition, "tags": tags.unwrap_or_else(|| json!([]))})
}

fn describe(state: &mut State, body: &Value) -> (u16, Value) {
    match find(state, text(body, "taskDefinition")) {
        Some(revision) => (200, answer(revision)),
        None => refusal("ClientException", "Unable to describe task definition."),
    }
}

/// Adds what ECS adds.
pub(super) fn register(state: &mut State, body: &Value) -> (u16, Value) {
    let mut revision = body.clone();
    let number = state.revisions.len() + 1;
    let family = text(body, "family");
    let added = json!({
        "taskDefinitionArn": format!("arn:aws:ecs:us-east-1:123456789012:task-definition/{family}:{number}"),
        "revision": number, "status": "ACTIVE", "registeredAt": 1.7e9, "registeredBy": "arn:aws:iam::123456789012:user/ci",
        "compatibilities": ["EC2", "FARGATE"], "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.task-eni"}],
        "volumes": [], "placementConstraints": [],
    });
    let members = revision.as_object_mut().unwrap();
    members.extend(added.as_object().unwrap().clone());
    for container in revision["containerDefinitions"].as_array_mut().unwrap() {
        container["cpu"] = json!(0);
        container["mountPoints"] = json!([]);
        container["systemControls"] = json!([]);
        for list in ["environment", "secrets"] {
            if let Some(list) = container[list].as_array_mut() {
                list.reverse();
            }
        }
        for mapping in container["portMappings"].as_array_mut().into_iter().flatten() {
            mapping["hostPort"] = mapping["containerPort"].clone();
        }
    }
    state.revisions.push(revision.clone());
    (200, answer(&revision))
}

fn tag(state: &mut State, body: &Value) -> (u16, Value) {
    let revision = find(state, text(body, "resourceArn")).unwrap();
    let mut tags = revision["tags"].as_array().cloned().unwrap_or_default();
    for tag in body["tags"].as_array().unwrap() {
        tags.retain(|old| old["key"] != tag["key"]);
        tags.push(tag.clone());
    }
    revision["tags"] = tags.into();
    (200, json!({}))
}

fn batch_get_image(state: &mut State, body: &Value) -> (u16, Value) {
    let repository = text(body, "repositoryName");
    let known = state
        .images
        .keys()
        .any(|name| name.starts_with(&format!("{repository}:")));
    if !known {
        return refusal("RepositoryNotFoundException", "The repository does not exist");
    }
    let id = &body["imageIds"][0];
    let found = state.images.iter().find(|(name, (digest, _))| {
        let tag = format!("{repository}:{}", text(id, "imageTag"));
        **name == tag || (name.starts_with(&format!("{repository}:")) && digest == text(id, "imageDigest"))
    });
    match found {
        Some((_, (digest, manifest))) => {
            let image = json!({"imageId": {"imageDigest": digest}, "imageManifest": manifest.to_string()});
            (200, json!({"images": [image], "failures": []}))
        }
        None => {
            let failure = json!({"imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"});
            (200, json!({"images": [], "failures": [failure]}))
        }
    }
}

fn describe_log_groups(state: &mut State, body: &Value) -> (u16, Value) {
    let prefix = text(body, "logGroupNamePrefix");
    let groups = state.log_groups.iter().filter(|name| name.starts_with(prefix));
    let groups: Vec<Value> = groups.map(|name| json!({"logGroupName": name})).collect();
    (200, json!({"logGroups": groups}))
}

fn get_parameters(state: &mut State, body: &Value) -> (u16, Value) {
    let names = body["Names"].as_array().unwrap();
    if names.len() > 10 {
        return refusal(
            "ValidationException",
            "Member must have length less than or equal to 10",
        );
    }
    let (known, unknown): (Vec<&Value>, Vec<&Value>) = names
        .iter()
        .partition(|name| state.parameters.contains(name.as_str().unwrap()));
    // SSM sends the value of a String parameter whether or not decryption was requested.
    let parameter = |name: &&Value| json!({"Name": name, "Type": "String", "Value": "canary-of-a-value"});
    let known: Vec<Value> = known.iter().map(parameter).collect();
    (200, json!({"Parameters": known, "InvalidParameters": unknown}))
}

fn get_role(state: &State, name: &str) -> (u16, String) {
    let Some((trust, made)) = state.roles.get(name) else {
        let message = format!("The role with name {name} cannot be found.");
        return (404, xml_refusal("NoSuchEntity", &message));
    };
    let trust: String = trust.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let role = format!(
        "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role><Path>/</Path>\
         <RoleName>{name}</RoleName><RoleId>ROLEID</RoleId><Arn>arn:aws:iam::123456789012:role/{name}</Arn>\
         <CreateDate>{made}</CreateDate><AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument></Role>\
         </GetRoleResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></GetRoleResponse>"
    );
    (200, role)
}

//! `put-params`: prepare, fetch, plan, write.

mod before_the_first_call;
mod in_the_sandbox;
mod interrupted;
mod reads;
mod secrets;
mod writes;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use support::Tool;
use support::aws::{FakeAws, ssm};

const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
tags = { app = "e2e" }
[params]
prefix = "/e2e"
[params.entry]
ONE = { env = "SOURCE_ONE" }
TWO = { template = "x-team=${SOURCE_TWO}", check = "otlp-headers" }
"#;

/// `CONFIG` with other entries.
fn config_with(entries: &str) -> String {
    let (head, _) = CONFIG.split_once("ONE = ").unwrap();
    format!("{head}{entries}\n")
}

/// A parameter as Parameter Store keeps it.
#[derive(Clone, Debug)]
struct Parameter {
    value: String,
    kind: &'static str,
    version: i64,
    key: &'static str,
    tier: &'static str,
    description: &'static str,
    tags: BTreeMap<String, String>,
}

/// A SecureString of the account's default key, with the tag of the file.
fn parameter(value: &str) -> Parameter {
    Parameter {
        value: value.into(),
        kind: "SecureString",
        version: 7,
        key: "alias/aws/ssm",
        tier: "Standard",
        description: "",
        tags: BTreeMap::from([("app".into(), "e2e".into())]),
    }
}

type Shared = Arc<Mutex<BTreeMap<String, Parameter>>>;

/// Parameter Store with these parameters; what is put is there afterwards. It keeps SSM's own rules.
fn store(parameters: &[(&str, Parameter)]) -> FakeAws {
    let all = parameters
        .iter()
        .map(|(name, one)| ((*name).to_owned(), one.clone()));
    let shared: Shared = Arc::new(Mutex::new(all.collect()));
    let aws = FakeAws::start();
    let answer = |operation: &str, compute: fn(&mut BTreeMap<String, Parameter>, &Value) -> (u16, Value)| {
        let shared = Arc::clone(&shared);
        aws.answer_with(ssm(operation), move |body| {
            compute(&mut shared.lock().unwrap(), body)
        });
    };
    answer("GetParameters", get);
    answer("DescribeParameters", describe);
    answer("ListTagsForResource", |all, body| {
        let tags = &all[body["ResourceId"].as_str().unwrap()].tags;
        let list = tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}));
        (200, json!({"TagList": list.collect::<Vec<_>>()}))
    });
    answer("PutParameter", put);
    answer("AddTagsToResource", |all, body| {
        let one = all.get_mut(body["ResourceId"].as_str().unwrap()).unwrap();
        one.tags.extend(tags_of(body));
        (200, json!({}))
    });
    aws
}

fn get(all: &mut BTreeMap<String, Parameter>, body: &Value) -> (u16, Value) {
    let names = body["Names"].as_array().unwrap();
    assert!((1..=10).contains(&names.len()), "{names:?}");
    assert_eq!(body["WithDecryption"], true);
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        match all.get(name.as_str().unwrap()) {
            Some(one) => found.push(json!({
                "Name": name, "Type": one.kind, "Value": one.value, "Version": one.version, "DataType": "text",
            })),
            None => missing.push(name),
        }
    }
    (200, json!({"Parameters": found, "InvalidParameters": missing}))
}

fn describe(all: &mut BTreeMap<String, Parameter>, body: &Value) -> (u16, Value) {
    let filter = &body["ParameterFilters"][0];
    assert_eq!(
        (&filter["Key"], &filter["Option"]),
        (&json!("Name"), &json!("Equals"))
    );
    let names = filter["Values"].as_array().unwrap().iter();
    let found = names.filter_map(|name| {
        let one = all.get(name.as_str().unwrap())?;
        let mut described = json!({
            "Name": name, "Type": one.kind, "Version": one.version, "Tier": one.tier,
            "Description": one.description,
        });
        if one.kind == "SecureString" {
            described["KeyId"] = one.key.into();
        }
        Some(described)
    });
    (200, json!({"Parameters": found.collect::<Vec<_>>()}))
}

fn put(all: &mut BTreeMap<String, Parameter>, body: &Value) -> (u16, Value) {
    let name = body["Name"].as_str().unwrap();
    let refusal = |code: &str, message: &str| (400, json!({"__type": code, "message": message}));
    let before = all.get(name);
    match (body["Overwrite"].as_bool(), before) {
        (Some(true), _) if !body["Tags"].is_null() => {
            return refusal("ValidationException", "tags and overwrite can't be used together");
        }
        (Some(false) | None, Some(_)) => {
            return refusal("ParameterAlreadyExists", "The parameter already exists.");
        }
        _ => {}
    }
    let mut one = before.cloned().unwrap_or_else(|| Parameter {
        version: 0,
        tags: tags_of(body),
        ..parameter("")
    });
    one.value = body["Value"].as_str().unwrap().into();
    one.kind = match body["Type"].as_str().unwrap() {
        "String" => "String",
        _ => "SecureString",
    };
    one.version += 1;
    let answer = json!({"Version": one.version, "Tier": one.tier});
    all.insert(name.into(), one);
    (200, answer)
}

fn tags_of(body: &Value) -> BTreeMap<String, String> {
    let tags = body["Tags"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    tags.map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
}

/// The tool with `CONFIG` and its sources.
fn tool(aws: &FakeAws) -> Tool {
    aws.tool("put-params")
        .config_text(CONFIG)
        .env("SOURCE_ONE", "value-of-one")
        .env("SOURCE_TWO", "value-of-two")
}

/// Parameter Store as the file describes it.
fn as_desired() -> FakeAws {
    store(&[
        ("/e2e/ONE", parameter("value-of-one")),
        ("/e2e/TWO", parameter("x-team=value-of-two")),
    ])
}

/// One field of each item of a JSON document.
fn each_item(document: &Value, field: &str) -> Vec<Value> {
    let items = document["items"].as_array().unwrap().iter();
    items.map(|item| item[field].clone()).collect()
}

/// The calls that were made, without the service's prefix.
fn calls(aws: &FakeAws) -> Vec<String> {
    let requests = aws.requests().into_iter();
    let mut calls: Vec<String> = requests.map(|request| request.operation().to_owned()).collect();
    calls.sort();
    calls
}

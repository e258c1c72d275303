//! A scripted CloudWatch that stores what the calls write.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use support::aws::{FakeAws, logs};

pub(super) const ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:cruddur";
pub(super) const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-5555aaaa5555";

/// One group of the scripted CloudWatch.
#[derive(Clone, Default)]
pub(super) struct Group {
    pub(super) retention: Option<u64>,
    pub(super) key: Option<String>,
    pub(super) class: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) protected: Option<bool>,
    /// Whether a container has logged to it.
    pub(super) has_events: bool,
    pub(super) tags: BTreeMap<String, Value>,
}

impl Group {
    /// As the file describes it, and in use.
    pub(super) fn right() -> Self {
        Group {
            retention: Some(1),
            has_events: true,
            tags: BTreeMap::from([("app".into(), json!("e2e")), ("owner".into(), json!("other"))]),
            ..Group::default()
        }
    }

    pub(super) fn described(&self, name: &str) -> Value {
        let mut group = json!({
            "logGroupName": name,
            "arn": format!("arn:aws:logs:us-east-1:123456789012:log-group:{name}:*"),
            "logGroupArn": format!("arn:aws:logs:us-east-1:123456789012:log-group:{name}"),
            "logGroupClass": self.class.as_deref().unwrap_or("STANDARD"),
            "storedBytes": 0,
        });
        for (field, value) in [
            ("retentionInDays", self.retention.map(Value::from)),
            ("kmsKeyId", self.key.clone().map(Value::from)),
            ("retentionPolicyName", self.policy.clone().map(Value::from)),
            ("deletionProtectionEnabled", self.protected.map(Value::from)),
        ] {
            if let Some(value) = value {
                group[field] = value;
            }
        }
        group
    }
}

/// A scripted CloudWatch that stores what the calls write.
#[derive(Clone, Default)]
pub(super) struct Logs(Arc<Mutex<BTreeMap<String, Group>>>);

impl Logs {
    pub(super) fn with(groups: impl IntoIterator<Item = (&'static str, Group)>) -> (FakeAws, Self) {
        let logs_ = Logs::default();
        logs_
            .lock()
            .extend(groups.into_iter().map(|(name, group)| (name.to_owned(), group)));
        let aws = FakeAws::start();
        logs_.answer(&aws);
        (aws, logs_)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Group>> {
        self.0.lock().unwrap()
    }

    pub(super) fn group(&self) -> Group {
        self.lock()["cruddur"].clone()
    }

    pub(super) fn answer(&self, aws: &FakeAws) {
        let all = self.clone();
        aws.answer_with(logs("DescribeLogGroups"), move |body| {
            let prefix = body["logGroupNamePrefix"].as_str().unwrap();
            let all = all.lock();
            let groups = all.iter().filter(|(name, _)| name.starts_with(prefix));
            let groups: Vec<Value> = groups.map(|(name, group)| group.described(name)).collect();
            (200, json!({"logGroups": groups}))
        });
        let all = self.clone();
        aws.answer_with(logs("DescribeLogStreams"), move |body| {
            match all.lock().get(body["logGroupName"].as_str().unwrap()) {
                Some(group) if group.has_events => {
                    (200, json!({"logStreams": [{"logStreamName": "web/web/1"}]}))
                }
                Some(_) => (200, json!({"logStreams": []})),
                None => refusal("ResourceNotFoundException"),
            }
        });
        let all = self.clone();
        aws.answer_with(logs("CreateLogGroup"), move |body| {
            let name = body["logGroupName"].as_str().unwrap().to_owned();
            let mut all = all.lock();
            if all.contains_key(&name) {
                return refusal("ResourceAlreadyExistsException");
            }
            let text = |field: &str| body[field].as_str().map(str::to_owned);
            let tags = body["tags"].as_object().cloned().unwrap_or_default();
            let group = Group {
                key: text("kmsKeyId"),
                class: text("logGroupClass"),
                protected: body["deletionProtectionEnabled"].as_bool(),
                tags: tags.into_iter().collect(),
                ..Group::default()
            };
            all.insert(name, group);
            (200, json!({}))
        });
        self.edit(aws, "PutRetentionPolicy", |group, body| {
            group.retention = body["retentionInDays"].as_u64();
        });
        self.edit(aws, "DeleteRetentionPolicy", |group, _| group.retention = None);
        self.edit(aws, "AssociateKmsKey", |group, body| {
            group.key = body["kmsKeyId"].as_str().map(str::to_owned);
        });
        self.edit(aws, "DisassociateKmsKey", |group, _| group.key = None);
        self.edit(aws, "PutLogGroupDeletionProtection", |group, body| {
            group.protected = body["deletionProtectionEnabled"].as_bool();
        });
        self.edit(aws, "TagResource", |group, body| {
            group.tags.extend(body["tags"].as_object().unwrap().clone());
        });
        let all = self.clone();
        aws.answer_with(logs("ListTagsForResource"), move |body| {
            let arn = body["resourceArn"].as_str().unwrap();
            assert!(!arn.ends_with('*'), "{arn}");
            let name = arn.rsplit(':').next().unwrap();
            match all.lock().get(name) {
                Some(group) => (200, json!({"tags": group.tags})),
                None => refusal("ResourceNotFoundException"),
            }
        });
    }

    fn edit(
        &self,
        aws: &FakeAws,
        operation: &str,
        edit: impl Fn(&mut Group, &Value) + Send + Sync + 'static,
    ) {
        let all = self.clone();
        aws.answer_with(logs(operation), move |body| {
            let by_arn = body["resourceArn"]
                .as_str()
                .and_then(|arn| arn.rsplit(':').next());
            let mut names = ["logGroupName", "logGroupIdentifier"].iter();
            let name = names.find_map(|field| body[*field].as_str()).or(by_arn).unwrap();
            match all.lock().get_mut(name) {
                Some(group) => {
                    edit(group, body);
                    (200, json!({}))
                }
                None => refusal("ResourceNotFoundException"),
            }
        });
    }
}

fn refusal(code: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": "so it is"}))
}

/// A group with a longer retention than the file has.
pub(super) fn keeping(days: Option<u64>) -> Group {
    Group {
        retention: days,
        ..Group::right()
    }
}

/// The writing calls so far.
pub(super) fn writes(aws: &FakeAws) -> Vec<String> {
    let writes = aws.writes().into_iter();
    writes.map(|request| request.operation().to_owned()).collect()
}

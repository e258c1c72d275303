//! A scripted ECS with one cluster, a Cloud Map and an IAM, which store what the calls write.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use support::aws::{FakeAws, cloud_map, ecs};

pub(super) const ARN: &str = "arn:aws:ecs:us-east-1:123456789012:cluster/cruddur";
pub(super) const NAMESPACE: &str = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-cruddur";

/// What the account has.
#[derive(Clone, Default)]
pub(super) struct State {
    /// As DescribeClusters shows it.
    pub(super) cluster: Option<Value>,
    /// Cloud Map's names, by ARN.
    pub(super) namespaces: BTreeMap<String, String>,
    /// The number of further responses that show a cluster that is not ready.
    pub(super) busy: usize,
    /// The number of further responses that do not list the cluster yet.
    pub(super) unlisted: usize,
}

#[derive(Clone, Default)]
pub(super) struct Ecs(Arc<Mutex<State>>);

/// The cluster as the file of the tests describes it.
pub(super) fn right() -> Value {
    json!({
        "clusterArn": ARN,
        "clusterName": "cruddur",
        "status": "ACTIVE",
        "serviceConnectDefaults": {"namespace": NAMESPACE},
        "settings": [{"name": "containerInsights", "value": "disabled"}],
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
        "attachments": [],
        "tags": [{"key": "app", "value": "e2e"}, {"key": "owner", "value": "other"}],
    })
}

/// [`right`] with one field changed.
pub(super) fn with(field: &str, value: Value) -> Value {
    let mut cluster = right();
    cluster[field] = value;
    cluster
}

impl Ecs {
    /// An account with this cluster, or with none.
    pub(super) fn start(cluster: Option<Value>) -> (FakeAws, Self) {
        let all = Ecs::default();
        all.lock().cluster = cluster;
        all.lock().namespaces.insert(NAMESPACE.into(), "cruddur".into());
        let aws = FakeAws::start();
        all.answer(&aws);
        (aws, all)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn cluster(&self) -> Value {
        self.lock().cluster.clone().unwrap()
    }

    fn answer(&self, aws: &FakeAws) {
        role_is_there(aws);
        let all = self.clone();
        aws.answer_with(ecs("DescribeClusters"), move |body| {
            assert_eq!(body["clusters"], json!(["cruddur"]));
            all.lock().describe()
        });
        let all = self.clone();
        aws.answer_with(ecs("CreateCluster"), move |body| all.lock().create(body));
        let all = self.clone();
        aws.answer_with(ecs("UpdateCluster"), move |body| all.lock().update(body));
        let all = self.clone();
        aws.answer_with(ecs("PutClusterCapacityProviders"), move |body| {
            let mut state = all.lock();
            let cluster = state.cluster.as_mut().unwrap();
            for field in ["capacityProviders", "defaultCapacityProviderStrategy"] {
                cluster[field] = body[field].clone();
            }
            (200, json!({"cluster": cluster}))
        });
        let all = self.clone();
        aws.answer_with(ecs("TagResource"), move |body| {
            assert_eq!(body["resourceArn"], ARN);
            let mut state = all.lock();
            let tags = state.cluster.as_mut().unwrap()["tags"].as_array_mut().unwrap();
            for tag in body["tags"].as_array().unwrap() {
                tags.retain(|old| old["key"] != tag["key"]);
                tags.push(tag.clone());
            }
            (200, json!({}))
        });
        let all = self.clone();
        aws.answer_with(cloud_map("GetNamespace"), move |body| {
            let state = all.lock();
            let id = body["Id"].as_str().unwrap();
            let found = state.namespaces.iter().find(|(arn, _)| arn.ends_with(id));
            match found {
                Some((arn, name)) => (200, json!({"Namespace": {"Arn": arn, "Name": name}})),
                None => refusal("NamespaceNotFound", "gone"),
            }
        });
    }
}

impl State {
    fn describe(&mut self) -> (u16, Value) {
        let missing = json!({"clusters": [], "failures": [{"arn": ARN, "reason": "MISSING"}]});
        if self.unlisted > 0 && self.cluster.is_some() {
            self.unlisted -= 1;
            return (200, missing);
        }
        let Some(mut cluster) = self.cluster.clone() else {
            return (200, missing);
        };
        if self.busy > 0 {
            self.busy -= 1;
            cluster["status"] = json!("PROVISIONING");
        }
        (200, json!({"clusters": [cluster], "failures": []}))
    }

    /// The ARN of the namespace, which is made when it is a new name.
    fn namespace(&mut self, reference: &str) -> String {
        if reference.starts_with("arn:") {
            return reference.to_owned();
        }
        let known = self.namespaces.iter().find(|(_, name)| *name == reference);
        if let Some((arn, _)) = known {
            return arn.clone();
        }
        let arn = format!("arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-{reference}");
        self.namespaces.insert(arn.clone(), reference.to_owned());
        arn
    }

    fn create(&mut self, body: &Value) -> (u16, Value) {
        let mut made = with("tags", body.get("tags").cloned().unwrap_or(json!([])));
        made.as_object_mut().unwrap().remove("serviceConnectDefaults");
        self.fill(&mut made, body);
        if let Some(cluster) = self
            .cluster
            .as_ref()
            .filter(|cluster| cluster["status"] == "ACTIVE")
        {
            let alike = |field: &str| cluster.get(field) == made.get(field);
            if !["serviceConnectDefaults", "settings", "configuration"]
                .into_iter()
                .all(alike)
            {
                return refusal(
                    "InvalidParameterException",
                    "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
                );
            }
        } else {
            self.cluster = Some(made.clone());
        }
        made["status"] = json!("PROVISIONING");
        (200, json!({"cluster": made}))
    }

    fn update(&mut self, body: &Value) -> (u16, Value) {
        let Some(mut cluster) = self.cluster.clone() else {
            return refusal("ClusterNotFoundException", "Cluster not found.");
        };
        self.fill(&mut cluster, body);
        self.cluster = Some(cluster.clone());
        (200, json!({"cluster": cluster}))
    }

    fn fill(&mut self, cluster: &mut Value, body: &Value) {
        if let Some(reference) = body["serviceConnectDefaults"]["namespace"].as_str() {
            cluster["serviceConnectDefaults"] = json!({"namespace": self.namespace(reference)});
        }
        for field in ["settings", "configuration", "capacityProviders"] {
            if let Some(value) = body.get(field) {
                cluster[field] = value.clone();
            }
        }
    }
}

fn refusal(code: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": message}))
}

/// IAM's answer with the service-linked role.
pub(super) const ROLE: &str = "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role>\
         <Path>/aws-service-role/ecs.amazonaws.com/</Path><RoleName>AWSServiceRoleForECS</RoleName>\
         <RoleId>ROLEID</RoleId><Arn>arn:aws:iam::123456789012:role/AWSServiceRoleForECS</Arn>\
         <CreateDate>2023-03-01T00:00:00Z</CreateDate></Role></GetRoleResult>\
         <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></GetRoleResponse>";

/// The service-linked role exists.
pub(super) fn role_is_there(aws: &FakeAws) {
    aws.answer_query("GetRole", 200, ROLE);
}

/// IAM answers `action` with this error.
pub(super) fn iam_refuses(aws: &FakeAws, action: &str, status: u16, code: &str, message: &str) {
    let xml = format!(
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    );
    aws.answer_query(action, status, &xml);
}

/// IAM makes the service-linked role.
pub(super) fn iam_makes_the_role(aws: &FakeAws) {
    aws.answer_query(
        "CreateServiceLinkedRole",
        200,
        "<CreateServiceLinkedRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <CreateServiceLinkedRoleResult><Role><Path>/</Path><RoleName>AWSServiceRoleForECS</RoleName>\
         <RoleId>ROLEID</RoleId><Arn>arn:aws:iam::123456789012:role/AWSServiceRoleForECS</Arn>\
         <CreateDate>2023-03-01T00:00:00Z</CreateDate></Role></CreateServiceLinkedRoleResult>\
         <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></CreateServiceLinkedRoleResponse>",
    );
}

/// The writing calls so far.
pub(super) fn writes(aws: &FakeAws) -> Vec<String> {
    let writes = aws.writes().into_iter();
    writes.map(|request| request.operation().to_owned()).collect()
}

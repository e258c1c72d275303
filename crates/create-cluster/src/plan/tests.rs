use super::*;
use crate::observed::{Namespace, Status};
use common::config::{ContainerInsights, ExecuteCommand};

const ARN: &str = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1";
const OTHER: &str = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-2";

fn desired(cluster: Cluster) -> Desired {
    let target = AwsTarget {
        account: "123456789012".into(),
        region: "us-east-1".into(),
    };
    let name = "a".into();
    Desired::new(Cluster { name, ..cluster }, Tags::new(), &target)
}

fn observed() -> Observed {
    Observed {
        status: Status::Active,
        namespace: namespace(ARN, Some("cruddur")),
        insights: "disabled".into(),
        sessions: Sessions::default(),
        managed_storage: None,
        capacity_providers: vec!["FARGATE".into()],
        strategy: json!([{"capacityProvider": "FARGATE", "weight": 1}]),
        tags: Tags::from([("owner".into(), "other".into())]),
        attachments: String::new(),
    }
}

fn namespace(reference: &str, name: Option<&str>) -> Option<Namespace> {
    Some(Namespace {
        reference: reference.into(),
        name: name.map(str::to_owned),
    })
}

fn table() -> ExecuteCommand {
    ExecuteCommand {
        log_group: Some("g".into()),
        ..ExecuteCommand::default()
    }
}

fn sessions() -> Sessions {
    Sessions::new(&table())
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.changes().iter().map(ToString::to_string).collect()
}

/// The operation and the body of each call.
fn calls(plan: &Plan) -> Vec<(&'static str, Value)> {
    let steps = plan.steps().iter();
    steps
        .map(|step| (step.action.operation, step.action.body.clone()))
        .collect()
}

#[test]
fn what_the_file_does_not_name_stays() {
    let desired = desired(Cluster::default());
    assert_eq!(plan(&desired, Some(&observed())), Plan::Nothing);
    let rich = Observed {
        insights: "enhanced".into(),
        sessions: sessions(),
        ..observed()
    };
    assert_eq!(plan(&desired, Some(&rich)), Plan::Nothing);
}

fn with_namespace(namespace: &str) -> Desired {
    desired(Cluster {
        service_connect_namespace: Some(namespace.into()),
        ..Cluster::default()
    })
}

#[test]
fn a_namespace_is_the_same_by_name_and_by_arn() {
    for (desired, found, same) in [
        ("cruddur", observed().namespace, true),
        (ARN, observed().namespace, true),
        (OTHER, observed().namespace, false),
        ("other", observed().namespace, false),
        ("cruddur", None, false),
        // Gone from Cloud Map, though the cluster still has it.
        ("cruddur", namespace(ARN, None), false),
        // An ECS that returns the name that it was given.
        ("cruddur", namespace("cruddur", None), true),
    ] {
        let observed = Observed {
            namespace: found,
            ..observed()
        };
        let calls = calls(&plan(&with_namespace(desired), Some(&observed)));
        let body = json!({"cluster": "a", "serviceConnectDefaults": {"namespace": desired}});
        let expected = if same {
            vec![]
        } else {
            vec![("UpdateCluster", body)]
        };
        assert_eq!(calls, expected, "{desired} {observed:?}");
    }
}

#[test]
fn the_change_shows_the_old_namespace_by_its_name() {
    let desired = with_namespace("other");
    assert_eq!(
        shown(&plan(&desired, Some(&observed()))),
        ["service_connect_namespace: cruddur -> other"]
    );
    let gone = Observed {
        namespace: namespace(ARN, None),
        ..observed()
    };
    assert_eq!(
        shown(&plan(&desired, Some(&gone))),
        [format!("service_connect_namespace: {ARN} -> other")]
    );
}

#[test]
fn one_call_updates_all_parts_that_differ_and_no_others() {
    let desired = desired(Cluster {
        service_connect_namespace: Some("cruddur".into()),
        container_insights: Some(ContainerInsights::Enhanced),
        execute_command: Some(table()),
        ..Cluster::default()
    });
    let observed = Observed {
        managed_storage: Some(json!({"kmsKeyId": "k"})),
        ..observed()
    };
    let found = plan(&desired, Some(&observed));
    assert_eq!(
        shown(&found),
        [
            "container_insights: disabled -> enhanced",
            "execute_command.logging: DEFAULT -> OVERRIDE",
            "execute_command.log_group: (none) -> g",
        ]
    );
    let body = json!({
        "cluster": "a",
        "settings": [{"name": "containerInsights", "value": "enhanced"}],
        "configuration": {
            "executeCommandConfiguration": sessions().to_ecs(),
            "managedStorageConfiguration": {"kmsKeyId": "k"},
        },
    });
    assert_eq!(calls(&found), [("UpdateCluster", body)]);
}

#[test]
fn capacity_providers_are_added_and_the_order_does_not_count() {
    let desired = desired(Cluster {
        capacity_providers: vec!["FARGATE_SPOT".into(), "FARGATE".into()],
        ..Cluster::default()
    });
    let found = plan(&desired, Some(&observed()));
    assert_eq!(
        shown(&found),
        [r#"capacity_providers: ["FARGATE"] -> ["FARGATE","FARGATE_SPOT"]"#]
    );
    let body = json!({
        "cluster": "a",
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}],
    });
    assert_eq!(calls(&found), [("PutClusterCapacityProviders", body)]);
    let more = Observed {
        capacity_providers: vec!["FARGATE".into(), "own".into(), "FARGATE_SPOT".into()],
        ..observed()
    };
    assert_eq!(plan(&desired, Some(&more)), Plan::Nothing);
}

#[test]
fn tags_that_the_file_does_not_name_stay() {
    let mut desired = desired(Cluster::default());
    desired.tags = Tags::from([("app".into(), "x".into())]);
    let found = plan(&desired, Some(&observed()));
    assert_eq!(shown(&found), ["tags.app: (none) -> x"]);
    let body = json!({
        "resourceArn": "arn:aws:ecs:us-east-1:123456789012:cluster/a",
        "tags": [{"key": "app", "value": "x"}],
    });
    assert_eq!(calls(&found), [("TagResource", body)]);
}

#[test]
fn a_new_cluster_gets_all_that_the_file_names() {
    let mut all = desired(Cluster {
        service_connect_namespace: Some("cruddur".into()),
        container_insights: Some(ContainerInsights::Enabled),
        execute_command: Some(table()),
        capacity_providers: vec!["FARGATE".into()],
        ..Cluster::default()
    });
    all.tags = Tags::from([("app".into(), "x".into())]);
    let found = plan(&all, None);
    assert_eq!(found.verb(), "create");
    assert_eq!(
        shown(&found),
        [
            "service_connect_namespace: (none) -> cruddur",
            "container_insights: (none) -> enabled",
            "execute_command.logging: DEFAULT -> OVERRIDE",
            "execute_command.log_group: (none) -> g",
            "capacity_providers: (none) -> [\"FARGATE\"]",
            "tags.app: (none) -> x",
        ]
    );
    assert_eq!(
        all.creation(),
        json!({
            "clusterName": "a",
            "serviceConnectDefaults": {"namespace": "cruddur"},
            "settings": [{"name": "containerInsights", "value": "enabled"}],
            "configuration": {"executeCommandConfiguration": sessions().to_ecs()},
            "capacityProviders": ["FARGATE"],
            "tags": [{"key": "app", "value": "x"}],
        })
    );
    let bare = desired(Cluster::default());
    assert_eq!(plan(&bare, None), Plan::Create(Vec::new(), Vec::new()));
    assert_eq!(bare.creation(), json!({"clusterName": "a"}));
}

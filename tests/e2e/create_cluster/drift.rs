//! Each field that differs is repaired, and nothing else is touched.

use super::ecs::{ARN, Ecs, NAMESPACE, right, with, writes};
use super::{tool, with_line, with_namespace};
use serde_json::{Value, json};
use support::aws::{cloud_map, ecs as target};

#[test]
fn a_namespace_by_name_and_by_arn_is_the_same_one() {
    let (aws, _) = Ecs::start(Some(right()));
    with_namespace(&aws, NAMESPACE)
        .run()
        .exits(0)
        .says("cruddur: unchanged");
    // For a namespace by its ARN, the name is not read.
    assert_eq!(aws.bodies(cloud_map("GetNamespace")), [Value::Null; 0]);
    tool(&aws).run().exits(0).says("cruddur: unchanged");
    assert_eq!(
        aws.bodies(cloud_map("GetNamespace")),
        [json!({"Id": "ns-cruddur"})]
    );
    // An ECS without Cloud Map returns the name as it was given.
    let (aws, _) = Ecs::start(Some(with(
        "serviceConnectDefaults",
        json!({"namespace": "cruddur"}),
    )));
    tool(&aws).run().exits(0).says("cruddur: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_shared_namespace_is_asked_for_by_its_arn() {
    let shared = NAMESPACE.replace("123456789012", "111122223333");
    let (aws, all) = Ecs::start(Some(with("serviceConnectDefaults", json!({"namespace": shared}))));
    all.lock().namespaces.insert(shared.clone(), "cruddur".into());
    tool(&aws).run().exits(0).says("cruddur: unchanged");
    assert_eq!(aws.bodies(cloud_map("GetNamespace")), [json!({"Id": shared})]);
}

#[test]
fn another_namespace_is_repaired_with_update_cluster() {
    let other = NAMESPACE.replace("ns-cruddur", "ns-other");
    let cases = [
        (
            with("serviceConnectDefaults", json!({"namespace": other})),
            "other",
        ),
        (
            with(
                "serviceConnectDefaults",
                json!({"namespace": format!("{other}-gone")}),
            ),
            "gone",
        ),
        (with("serviceConnectDefaults", Value::Null), "(none)"),
    ];
    for (cluster, from) in cases {
        let (aws, all) = Ecs::start(Some(cluster));
        all.lock().namespaces.insert(other.clone(), "other".into());
        let output = tool(&aws)
            .run()
            .exits(0)
            .says("cruddur: updated\n  service_connect_namespace: ");
        assert!(
            output.stderr.contains(&format!("{from} -> cruddur")),
            "{}",
            output.stderr
        );
        assert_eq!(
            aws.bodies(target("UpdateCluster")),
            [json!({"cluster": "cruddur", "serviceConnectDefaults": {"namespace": "cruddur"}})]
        );
        assert_eq!(all.cluster()["serviceConnectDefaults"]["namespace"], NAMESPACE);
        aws.forget();
        tool(&aws).run().exits(0).says("cruddur: unchanged");
        assert_eq!(writes(&aws), [""; 0]);
    }
}

#[test]
fn container_insights_are_repaired_with_update_cluster() {
    for (word, from) in [
        ("enabled", "disabled"),
        ("enhanced", "disabled"),
        ("disabled", "enabled"),
    ] {
        let cluster = with("settings", json!([{"name": "containerInsights", "value": from}]));
        let (aws, _) = Ecs::start(Some(cluster));
        let line = format!("container_insights = \"{word}\"");
        with_line(&aws, &line).run().exits(0).says(&format!(
            "cruddur: updated\n  container_insights: {from} -> {word}\n"
        ));
        assert_eq!(
            aws.bodies(target("UpdateCluster")),
            [json!({"cluster": "cruddur", "settings": [{"name": "containerInsights", "value": word}]})]
        );
        with_line(&aws, &line).run().exits(0).says("cruddur: unchanged");
    }
    // A cluster without `settings` has container insights off.
    let (aws, _) = Ecs::start(Some(with("settings", Value::Null)));
    with_line(&aws, "container_insights = \"disabled\"")
        .run()
        .exits(0)
        .says("cruddur: unchanged");
    // What the file does not name stays.
    let (aws, _) = Ecs::start(Some(with(
        "settings",
        json!([{"name": "containerInsights", "value": "enhanced"}]),
    )));
    tool(&aws).run().exits(0).says("cruddur: unchanged");
}

#[test]
fn the_logs_of_sessions_are_repaired_and_the_rest_of_the_configuration_stays() {
    let configuration = json!({
        "executeCommandConfiguration": {"logging": "OVERRIDE", "logConfiguration": {"cloudWatchLogGroupName": "old"}},
        "managedStorageConfiguration": {"kmsKeyId": "another owner's"},
    });
    let (aws, _) = Ecs::start(Some(with("configuration", configuration)));
    let line = "execute_command = { log_group = \"exec\", kms_key = \"k\", log_group_encryption = true }";
    with_line(&aws, line).run().exits(0).says(
        "cruddur: updated\n  execute_command.kms_key: (none) -> k\n  execute_command.log_group: old -> exec\n  \
         execute_command.log_group_encryption: false -> true\n",
    );
    let sent = &aws.bodies(target("UpdateCluster"))[0]["configuration"];
    assert_eq!(
        sent["managedStorageConfiguration"],
        json!({"kmsKeyId": "another owner's"})
    );
    let sessions = &sent["executeCommandConfiguration"];
    assert_eq!(
        (&sessions["kmsKeyId"], &sessions["logging"]),
        (&json!("k"), &json!("OVERRIDE"))
    );
    let log = &sessions["logConfiguration"];
    assert_eq!(log["cloudWatchLogGroupName"], "exec");
    assert_eq!(log["cloudWatchEncryptionEnabled"], true);
    aws.forget();
    with_line(&aws, line).run().exits(0).says("cruddur: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn what_the_file_does_not_name_of_sessions_stays_and_is_sent_along() {
    let log = json!({
        "cloudWatchLogGroupName": "exec", "cloudWatchEncryptionEnabled": true,
        "s3BucketName": "bucket", "s3KeyPrefix": "prefix", "s3EncryptionEnabled": true,
    });
    let sessions = json!({"kmsKeyId": "key", "logging": "OVERRIDE", "logConfiguration": log});
    let configuration = json!({"executeCommandConfiguration": sessions});
    let (aws, _) = Ecs::start(Some(with("configuration", configuration)));
    let same = "execute_command = { log_group = \"exec\" }";
    with_line(&aws, same)
        .arg("--check")
        .run()
        .exits(0)
        .says("cruddur: unchanged");
    with_line(&aws, "execute_command = { log_group = \"other\" }")
        .run()
        .exits(0)
        .says("cruddur: updated\n  execute_command.log_group: exec -> other\n")
        .does_not_say("(none)");
    let mut expected = sessions;
    expected["logConfiguration"]["cloudWatchLogGroupName"] = json!("other");
    assert_eq!(
        aws.bodies(target("UpdateCluster")),
        [json!({"cluster": "cruddur", "configuration": {"executeCommandConfiguration": expected}})]
    );
}

#[test]
fn capacity_providers_are_added_and_the_strategy_is_kept() {
    let strategy = json!([{"capacityProvider": "own", "weight": 3, "base": 1}]);
    let mut cluster = with("capacityProviders", json!(["own", "FARGATE"]));
    cluster["defaultCapacityProviderStrategy"] = strategy.clone();
    let (aws, _) = Ecs::start(Some(cluster));
    let line = "capacity_providers = [\"FARGATE_SPOT\", \"FARGATE\"]";
    with_line(&aws, line)
        .run()
        .exits(0)
        .says("  capacity_providers: [\"own\",\"FARGATE\"] -> [\"own\",\"FARGATE\",\"FARGATE_SPOT\"]\n");
    assert_eq!(
        aws.bodies(target("PutClusterCapacityProviders")),
        [json!({
            "cluster": "cruddur",
            "capacityProviders": ["own", "FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": strategy,
        })]
    );
    aws.forget();
    with_line(&aws, line).run().exits(0).says("cruddur: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn all_that_differs_is_changed_in_one_run_with_waits_between() {
    let (aws, all) = Ecs::start(Some(with("tags", json!([]))));
    let lines = "container_insights = \"enabled\"\ncapacity_providers = [\"FARGATE\"]";
    let busy = all.clone();
    aws.answer_with(target("UpdateCluster"), move |body| {
        let mut state = busy.lock();
        state.busy = 2;
        let cluster = state.cluster.as_mut().unwrap();
        cluster["settings"] = body["settings"].clone();
        (200, json!({"cluster": cluster}))
    });
    with_line(&aws, lines)
        .run()
        .exits(0)
        .says("cruddur: PROVISIONING\n");
    assert_eq!(
        writes(&aws),
        ["UpdateCluster", "PutClusterCapacityProviders", "TagResource"]
    );
    let targets = aws.targets();
    let at = |operation: &str| targets.iter().position(|one| *one == target(operation)).unwrap();
    let looks = targets[at("UpdateCluster")..at("PutClusterCapacityProviders")].iter();
    assert_eq!(looks.filter(|one| **one == target("DescribeClusters")).count(), 3);
    aws.forget();
    with_line(&aws, lines).run().exits(0).says("cruddur: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn tags_are_set_and_those_of_others_stay() {
    let tags = json!([{"key": "app", "value": "old"}, {"key": "owner", "value": "other"}]);
    let (aws, all) = Ecs::start(Some(with("tags", tags)));
    tool(&aws)
        .run()
        .exits(0)
        .says("cruddur: updated\n  tags.app: old -> e2e\n");
    assert_eq!(
        aws.bodies(target("TagResource")),
        [json!({"resourceArn": ARN, "tags": [{"key": "app", "value": "e2e"}]})]
    );
    assert_eq!(all.cluster()["tags"].as_array().unwrap().len(), 2);
    assert_eq!(writes(&aws), ["TagResource"]);
}

//! `create-cluster`: describe, compare, change only what differs, wait until it is ACTIVE.

mod calls;
mod drift;
mod ecs;
mod failures;
mod interrupted;
mod linked_role;
mod sandbox;

pub(crate) use calls::calls;
use ecs::{ARN, Ecs, right, with, writes};
use serde_json::json;
use support::Tool;
use support::aws::{FakeAws, cloud_map, ecs as target};

const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
tags = { app = "e2e" }
[cluster]
name = "cruddur"
service_connect_namespace = "cruddur"
"#;

fn tool(aws: &FakeAws) -> Tool {
    aws.tool("create-cluster").config_text(CONFIG)
}

fn with_line(aws: &FakeAws, line: &str) -> Tool {
    aws.tool("create-cluster")
        .config_text(&format!("{CONFIG}{line}\n"))
}

/// The file with another namespace.
fn with_namespace(aws: &FakeAws, namespace: &str) -> Tool {
    let line = format!("service_connect_namespace = \"{namespace}\"");
    let config = CONFIG.replace("service_connect_namespace = \"cruddur\"", &line);
    aws.tool("create-cluster").config_text(&config)
}

#[test]
fn makes_it_on_a_clean_account_and_leaves_it_alone_the_second_time() {
    let (aws, all) = Ecs::start(None);
    all.lock().busy = 2;
    assert_eq!(
        tool(&aws).transcript(),
        format!(
            "exit: 0\n\
             --- stdout\n\
             {ARN}\n\
             --- stderr\n\
             create-cluster: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n\
             cruddur: PROVISIONING\n\
             cruddur: created\n  \
             service_connect_namespace: (none) -> cruddur\n  \
             tags.app: (none) -> e2e\n"
        )
    );
    assert_eq!(
        aws.bodies(target("CreateCluster")),
        [json!({
            "clusterName": "cruddur",
            "serviceConnectDefaults": {"namespace": "cruddur"},
            "tags": [{"key": "app", "value": "e2e"}],
        })]
    );
    assert_eq!(writes(&aws), ["CreateCluster"]);

    aws.forget();
    let document = tool(&aws).args(["-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(
        document["items"],
        json!([{"kind": "cluster", "name": "cruddur", "action": "none", "changes": [], "arn": ARN}])
    );
    assert_eq!(writes(&aws), [""; 0]);
    // The caller identity, the cluster, its namespace's name, and beside them the service-linked role.
    let mut targets = aws.targets();
    targets.sort();
    assert_eq!(
        targets,
        [
            target("DescribeClusters"),
            "GetCallerIdentity".to_owned(),
            "GetRole".to_owned(),
            cloud_map("GetNamespace")
        ]
    );
    assert_eq!(
        aws.bodies(target("DescribeClusters"))[0]["include"],
        json!(["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "TAGS"])
    );
}

#[test]
fn a_cluster_that_was_deleted_is_made_again() {
    let (aws, all) = Ecs::start(Some(with("status", json!("INACTIVE"))));
    tool(&aws).run().exits(0).says("cruddur: created");
    assert_eq!(all.cluster()["status"], "ACTIVE");
}

#[test]
fn a_cluster_that_is_provisioning_is_waited_for() {
    let (aws, all) = Ecs::start(Some(right()));
    all.lock().busy = 2;
    let output = tool(&aws).run().exits(0);
    output.says("cruddur: PROVISIONING\ncruddur: unchanged\n");
    assert_eq!(writes(&aws), [""; 0]);
    let (aws, _) = Ecs::start(Some(with("attachmentsStatus", json!("UPDATE_IN_PROGRESS"))));
    let running = tool(&aws).args(["--timeout", "900ms"]).run().exits(3);
    running
        .says("cruddur: UPDATE_IN_PROGRESS")
        .says("not done after 900 ms");
}

#[test]
fn one_that_is_not_listed_yet_is_waited_for() {
    let (aws, all) = Ecs::start(None);
    all.lock().unlisted = 2;
    tool(&aws)
        .run()
        .exits(0)
        .says("cruddur: not listed yet\ncruddur: created\n");
    assert_eq!(writes(&aws), ["CreateCluster"]);
}

#[test]
fn a_cluster_that_is_being_deleted_is_waited_for_and_recreated() {
    let (aws, all) = Ecs::start(Some(with("status", json!("DEPROVISIONING"))));
    let gone = json!({"clusters": [with("status", json!("INACTIVE"))]});
    let going = json!({"clusters": [with("status", json!("DEPROVISIONING"))]});
    for answer in [going.clone(), going, gone] {
        aws.answer_once(target("DescribeClusters"), 200, answer);
    }
    all.lock().cluster = None;
    tool(&aws)
        .run()
        .exits(0)
        .says("cruddur: DEPROVISIONING, will be recreated once deleted\ncruddur: created\n");
    assert_eq!(writes(&aws), ["CreateCluster"]);
    // A plan does not wait.
    let (aws, _) = Ecs::start(Some(with("status", json!("DEPROVISIONING"))));
    tool(&aws)
        .arg("--dry-run")
        .run()
        .exits(0)
        .says("cruddur: would be created");
}

#[test]
fn a_plan_sends_no_writing_call_and_check_makes_it_a_no() {
    let (aws, _) = Ecs::start(None);
    let dry = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0);
    assert_eq!(dry.json()["outcome"], "planned");
    dry.says("cruddur: would be created\n  service_connect_namespace: (none) -> cruddur\n");
    tool(&aws).arg("--check").run().exits(1).prints(ARN);
    assert_eq!(writes(&aws), [""; 0]);
    let (aws, _) = Ecs::start(Some(right()));
    tool(&aws)
        .arg("--check")
        .run()
        .exits(0)
        .says("cruddur: unchanged");
    tool(&aws).args(["--check", "-q"]).run().exits(0).prints(ARN);
    let drifted = with_namespace(&aws, "other").arg("--check").run().exits(1);
    drifted.says("cruddur: would be updated\n  service_connect_namespace: cruddur -> other\n");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn a_new_cluster_gets_all_that_the_file_names_in_one_call() {
    let (aws, _) = Ecs::start(None);
    let lines = "container_insights = \"enhanced\"\ncapacity_providers = [\"FARGATE\"]\n\
                 execute_command = { s3_bucket = \"b\", s3_prefix = \"p\" }";
    with_line(&aws, lines).run().exits(0);
    let body = &aws.bodies(target("CreateCluster"))[0];
    assert_eq!(
        body["settings"],
        json!([{"name": "containerInsights", "value": "enhanced"}])
    );
    assert_eq!(body["capacityProviders"], json!(["FARGATE"]));
    let sessions = &body["configuration"]["executeCommandConfiguration"];
    assert_eq!(sessions["logging"], "OVERRIDE");
    assert_eq!(sessions["logConfiguration"]["s3BucketName"], "b");
    assert_eq!(writes(&aws), ["CreateCluster"]);
    with_line(&aws, lines).run().exits(0).says("cruddur: unchanged");
}

#[test]
fn nothing_is_sent_that_the_file_does_not_name() {
    let (aws, _) = Ecs::start(None);
    let config = "version = 1\napp = { name = \"e2e\" }\ncluster = { name = \"cruddur\" }\n";
    let bare = aws.tool("create-cluster").config_text(config);
    bare.run().exits(0);
    assert_eq!(
        aws.bodies(target("CreateCluster")),
        [json!({"clusterName": "cruddur"})]
    );
    let (aws, _) = Ecs::start(Some(right()));
    aws.tool("create-cluster")
        .config_text(config)
        .run()
        .exits(0)
        .says("cruddur: unchanged");
    assert_eq!(aws.targets().len(), 3, "{:?}", aws.targets());
}

#[test]
fn works_in_another_region_and_for_another_app() {
    let aws = FakeAws::start();
    let missing = json!({"clusters": [], "failures": [{"reason": "MISSING"}]});
    aws.answer(target("DescribeClusters"), 200, missing);
    ecs::role_is_there(&aws);
    let config = "version = 1\napp = { name = \"other\" }\n[cluster]\nname = \"${STAGE}-other\"\n";
    aws.tool("create-cluster")
        .config_text(config)
        .env("STAGE", "dev")
        .args(["--region", "us-gov-west-1", "--dry-run"])
        .run()
        .exits(0)
        .prints("arn:aws-us-gov:ecs:us-gov-west-1:123456789012:cluster/dev-other");
}

//! Failures: errors of the file, refused calls, throttling, other runs, clusters that fail.

use super::ecs::{Ecs, NAMESPACE, iam_refuses, right, with, writes};
use super::{CONFIG, tool, with_line, with_namespace};
use serde_json::json;
use std::time::Duration;
use support::aws::{FakeAws, cloud_map, ecs};

#[test]
fn errors_of_the_file_are_reported_before_the_first_call() {
    let aws = FakeAws::start();
    let line = |line: &str| format!("{CONFIG}{line}\n");
    let cases = [
        (
            CONFIG.replace("name = \"cruddur\"", "name = \"crud dur\""),
            "failed to use the cluster name `crud dur`",
        ),
        (
            CONFIG.replace("namespace = \"cruddur\"", "namespace = \"a/b\""),
            "failed to use `service_connect_namespace` of cluster `cruddur`: the name `a/b`",
        ),
        (
            CONFIG.replace("namespace = \"cruddur\"", "namespace = \"\""),
            "failed to use `service_connect_namespace` of cluster `cruddur`: it is empty",
        ),
        (
            line("container_insights = \"on\""),
            "ops.toml:9:22`: unknown variant, expected one of `enabled`, `disabled`, `enhanced`",
        ),
        (
            line("execute_command = { logging = \"OVERRIDE\" }"),
            "failed to use `execute_command` of cluster `cruddur`: `logging = \"OVERRIDE\"` needs `log_group` or `s3_bucket`",
        ),
        (
            line("execute_command = { s3_prefix = \"x\" }"),
            "`s3_prefix` and `s3_encryption` need `s3_bucket`",
        ),
        (
            line("execute_command = { bucket = \"x\" }"),
            "ops.toml:9:21`: unknown key `bucket`",
        ),
        (
            line("capacity_providers = [\"\"]"),
            "failed to use `capacity_providers` of cluster `cruddur`: one of the names is empty",
        ),
        (
            CONFIG.replace("\"cruddur\"", "\"${NOT_SET_ANYWHERE}\""),
            "NOT_SET_ANYWHERE",
        ),
        (
            "version = 1\napp = { name = \"e2e\" }\n".to_owned(),
            "failed to find `[cluster]` in `",
        ),
    ];
    for (text, words) in cases {
        aws.tool("create-cluster")
            .config_text(&text)
            .run()
            .exits(2)
            .says(words);
    }
    assert_eq!(aws.requests(), []);
}

#[test]
fn a_namespace_whose_name_may_not_be_read_is_not_guessed() {
    let (aws, _) = Ecs::start(Some(right()));
    aws.refuse(
        cloud_map("GetNamespace"),
        "AccessDeniedException",
        "User: ci is not authorized",
    );
    tool(&aws)
        .run()
        .exits(2)
        .says(&format!(
            "failed to describe cluster `cruddur`: failed to read the name of namespace `{NAMESPACE}`: \
             servicediscovery:GetNamespace failed: AccessDeniedException"
        ))
        .says(&format!(
            "`servicediscovery:GetNamespace`, or name the namespace by its ARN in ops.toml: {NAMESPACE}"
        ));
    assert_eq!(writes(&aws), [""; 0]);
    with_namespace(&aws, NAMESPACE)
        .run()
        .exits(0)
        .says("cruddur: unchanged");
}

#[test]
fn a_namespace_that_does_not_exist_is_named() {
    let (aws, _) = Ecs::start(None);
    aws.refuse(
        ecs("CreateCluster"),
        "NamespaceNotFoundException",
        "Failed to retrieve namespace for ns-gone.",
    );
    with_namespace(&aws, &NAMESPACE.replace("ns-cruddur", "ns-gone"))
        .run()
        .exits(2)
        .says("failed to create cluster `cruddur`: ecs:CreateCluster failed: NamespaceNotFoundException: Failed to retrieve namespace");
}

#[test]
fn a_failed_cluster_says_why() {
    let attachments = json!([
        {"type": "as_policy", "status": "CREATED", "details": []},
        {"type": "sc", "status": "FAILED", "details": [
            {"name": "statusReason", "value": "Namespace limit exceeded"}, {"name": "namespace", "value": "cruddur"}]},
    ]);
    let mut cluster = with("attachments", attachments);
    cluster["status"] = json!("FAILED");
    let why = "failed to use cluster `cruddur`: it is FAILED: attachment `sc` is FAILED: \
               statusReason Namespace limit exceeded, namespace cruddur\n";
    for argument in ["-v", "--dry-run", "--check"] {
        let (aws, _) = Ecs::start(Some(cluster.clone()));
        let output = tool(&aws).arg(argument).run().exits(2).says(why);
        output.says("hint: remove the cause, then `aws ecs delete-cluster --cluster cruddur`");
        assert_eq!(writes(&aws), [""; 0]);
    }
    // A cluster that fails while it is provisioning: it was created, and is not usable.
    let (aws, all) = Ecs::start(None);
    all.lock().busy = 1;
    let failing = all.clone();
    aws.answer_with(ecs("CreateCluster"), move |_| {
        failing.lock().cluster = Some(cluster.clone());
        (200, json!({"cluster": {"status": "PROVISIONING"}}))
    });
    let output = tool(&aws).args(["-o", "json"]).run().exits(4);
    let document = output.json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["error"]["code"], "cluster-failed");
    assert_eq!(document["items"][0]["action"], "create");
    output.says("cruddur: PROVISIONING\n").says(why);

    let mut cluster = with("attachments", json!([]));
    cluster["status"] = json!("FAILED");
    let (aws, _) = Ecs::start(Some(cluster));
    tool(&aws)
        .run()
        .exits(2)
        .says("it is FAILED: ECS gives no reason");
}

#[test]
fn attachments_that_could_not_be_changed_are_reported() {
    let failed =
        json!([{"type": "sc", "status": "FAILED", "details": [{"name": "statusReason", "value": "no"}]}]);
    let mut cluster = with("attachments", failed);
    cluster["attachmentsStatus"] = json!("UPDATE_FAILED");
    let (aws, _) = Ecs::start(Some(cluster.clone()));
    tool(&aws)
        .run()
        .exits(0)
        .says("warning: the last change of the cluster's attachments failed: attachment `sc` is FAILED: statusReason no")
        .says("cruddur: unchanged");
    cluster["tags"] = json!([]);
    let (aws, _) = Ecs::start(Some(cluster));
    tool(&aws).run().exits(4).says(
        "failed to change the attachments of cluster `cruddur`: attachment `sc` is FAILED: statusReason no",
    );
}

#[test]
fn changes_before_a_refused_call_are_reported() {
    let (aws, _) = Ecs::start(Some(with("tags", json!([]))));
    aws.refuse(ecs("TagResource"), "AccessDeniedException", "no");
    let output = with_line(&aws, "container_insights = \"enabled\"")
        .args(["-o", "json"])
        .run()
        .exits(4);
    let document = output.json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(
        document["items"][0]["changes"],
        json!([{"path": "container_insights", "from": "disabled", "to": "enabled"}])
    );
    assert_eq!(document["error"]["code"], "AccessDeniedException");
    output.says("hint: grant `ecs:TagResource`");
}

#[test]
fn a_made_role_and_a_refused_cluster_are_partly_done() {
    let (aws, _) = Ecs::start(None);
    iam_refuses(&aws, "GetRole", 404, "NoSuchEntity", "none");
    super::ecs::iam_makes_the_role(&aws);
    aws.refuse(ecs("CreateCluster"), "AccessDeniedException", "no");
    let document = tool(&aws).args(["-o", "json"]).run().exits(4).json();
    assert_eq!(document["items"][0]["name"], "AWSServiceRoleForECS");
    assert_eq!(document["error"]["code"], "AccessDeniedException");
}

#[test]
fn another_caller_who_makes_another_one_at_the_same_time_is_no_error() {
    // The first read finds no cluster; at the creation there is one with other settings.
    let (aws, all) = Ecs::start(Some(with(
        "settings",
        json!([{"name": "containerInsights", "value": "enabled"}]),
    )));
    let missing = json!({"clusters": [], "failures": [{"reason": "MISSING"}]});
    aws.answer_once(ecs("DescribeClusters"), 200, missing.clone());
    with_line(&aws, "container_insights = \"enhanced\"")
        .run()
        .exits(0)
        .says("cruddur: updated\n  container_insights: enabled -> enhanced\n");
    assert_eq!(writes(&aws), ["CreateCluster", "UpdateCluster"]);
    assert_eq!(all.cluster()["settings"][0]["value"], "enhanced");

    // Listed late, and not known everywhere.
    let (aws, _) = Ecs::start(Some(with(
        "settings",
        json!([{"name": "containerInsights", "value": "enabled"}]),
    )));
    for _ in 0..3 {
        aws.answer_once(ecs("DescribeClusters"), 200, missing.clone());
    }
    aws.refuse_once(
        ecs("UpdateCluster"),
        "ClusterNotFoundException",
        "Cluster not found.",
    );
    with_line(&aws, "container_insights = \"enhanced\"")
        .run()
        .exits(0)
        .says("cruddur: not listed yet");
    assert_eq!(writes(&aws), ["CreateCluster", "UpdateCluster", "UpdateCluster"]);
}

#[test]
fn a_cluster_that_is_gone_is_an_error_when_it_was_no_new_one() {
    let (aws, _) = Ecs::start(Some(right()));
    aws.refuse(
        ecs("UpdateCluster"),
        "ClusterNotFoundException",
        "Cluster not found.",
    );
    with_line(&aws, "container_insights = \"enhanced\"")
        .run()
        .exits(2)
        .says("ecs:UpdateCluster failed: ClusterNotFoundException");
    assert_eq!(writes(&aws), ["UpdateCluster"]);
}

#[test]
fn another_update_that_goes_on_is_waited_for() {
    let (aws, _) = Ecs::start(Some(right()));
    aws.refuse_once(
        ecs("PutClusterCapacityProviders"),
        "UpdateInProgressException",
        "wait",
    );
    with_line(&aws, "capacity_providers = [\"FARGATE\"]")
        .run()
        .exits(0)
        .says("cruddur: updated");
    assert_eq!(
        writes(&aws),
        ["PutClusterCapacityProviders", "PutClusterCapacityProviders"]
    );
}

#[test]
fn runs_at_the_same_time_all_go_well() {
    let (aws, all) = Ecs::start(None);
    all.lock().busy = 6;
    let running: Vec<_> = (0..3).map(|_| tool(&aws).spawn()).collect();
    for child in running {
        child.wait().exits(0);
    }
    aws.forget();
    tool(&aws).run().exits(0).says("cruddur: unchanged");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn answers_that_make_no_sense_are_errors_and_write_nothing() {
    for (answer, words) in [
        (json!({}), "ecs:DescribeClusters response omitted `clusters`"),
        (
            json!({"clusters": [], "failures": []}),
            "ecs:DescribeClusters response omitted `clusters`",
        ),
        (
            json!({"clusters": [{}]}),
            "ecs:DescribeClusters response omitted `status`",
        ),
        (
            json!({"clusters": [{"status": "ODD"}]}),
            "it is in the unknown state ODD",
        ),
        (
            json!({"failures": [{"reason": "ACCESS", "detail": "x"}]}),
            "ecs:DescribeClusters reports ACCESS: x",
        ),
        (
            json!({"failures": [{}]}),
            "ecs:DescribeClusters reports a failure without a reason",
        ),
    ] {
        let (aws, _) = Ecs::start(None);
        aws.answer(ecs("DescribeClusters"), 200, answer);
        let output = tool(&aws).run().exits(2);
        output.says(&format!(
            "create-cluster: error: failed to describe cluster `cruddur`: {words}\n"
        ));
        assert_eq!(writes(&aws), [""; 0]);
    }
    for text in ["[]", "{\"clusters\": [{\"status\": 1}]}", "{\"half\":"] {
        let (aws, _) = Ecs::start(None);
        aws.answer_text(ecs("DescribeClusters"), 200, text, "application/x-amz-json-1.1");
        tool(&aws)
            .run()
            .exits(2)
            .says("failed to describe cluster `cruddur`");
        assert_eq!(writes(&aws), [""; 0]);
    }
    let (aws, _) = Ecs::start(Some(right()));
    aws.answer(cloud_map("GetNamespace"), 200, json!({"Namespace": {}}));
    tool(&aws).run().exits(2).says("`Name`");
}

#[test]
fn a_deadline_is_exit_code_three_and_reports_the_state() {
    let (aws, all) = Ecs::start(None);
    all.lock().busy = usize::MAX;
    let output = tool(&aws)
        .args(["--timeout", "800ms", "-o", "json"])
        .run()
        .exits(3);
    assert_eq!(output.json()["outcome"], "timeout");
    assert!(output.elapsed < Duration::from_secs(3), "{:?}", output.elapsed);
    output
        .says("cruddur: PROVISIONING\n")
        .says("not done after 800 ms")
        .says("it is safe to run again");
}

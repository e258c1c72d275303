//! The calls of the tool, for the tests of all calls.

use super::ecs::{Ecs, right, with};
use crate::create_tools::Call;
use serde_json::{Value, json};
use support::aws::ecs;

const CLUSTER: &str = " for cluster `cruddur`";

pub(crate) fn calls() -> Vec<Call> {
    let call = |operation: &'static str, target, context, cluster: Option<Value>, line: &'static str| {
        Call::read(operation, target, context, move || {
            let (aws, _) = Ecs::start(cluster.clone());
            let tool = super::with_line(&aws, line);
            (aws, tool)
        })
    };
    let untagged = || Some(with("tags", json!([])));
    let describe = "failed to describe cluster `cruddur`";
    let create = "failed to create cluster `cruddur`";
    let update = "failed to update cluster `cruddur`";
    let put = "failed to set the capacity providers of cluster `cruddur`";
    let tag = "failed to tag cluster `cruddur`";
    let insights = "container_insights = \"enabled\"";
    let providers = "capacity_providers = [\"FARGATE\"]";
    let put_providers = ecs("PutClusterCapacityProviders");
    vec![
        call(
            "ecs:DescribeClusters",
            ecs("DescribeClusters"),
            describe,
            None,
            "",
        ),
        call("ecs:CreateCluster", ecs("CreateCluster"), create, None, "").write(CLUSTER),
        call(
            "ecs:UpdateCluster",
            ecs("UpdateCluster"),
            update,
            Some(right()),
            insights,
        )
        .write(CLUSTER),
        call(
            "ecs:PutClusterCapacityProviders",
            put_providers,
            put,
            Some(right()),
            providers,
        )
        .write(CLUSTER),
        call("ecs:TagResource", ecs("TagResource"), tag, untagged(), "").write(CLUSTER),
    ]
}

//! The ARNs of clusters, services and task definitions, and the names in them.

use common::config::{AwsTarget, partition_of};

/// The ARN that the cluster `name` has, or will have.
pub fn cluster_arn(target: &AwsTarget, name: &str) -> String {
    arn(target, &format!("cluster/{name}"))
}

/// The ARN that the service `name` has, or will have. `cluster` is a name or an ARN.
pub fn service_arn(target: &AwsTarget, cluster: &str, name: &str) -> String {
    arn(target, &format!("service/{}/{name}", last_part(cluster)))
}

fn arn(target: &AwsTarget, resource: &str) -> String {
    let AwsTarget { account, region } = target;
    format!("arn:{}:ecs:{region}:{account}:{resource}", partition_of(region))
}

/// What stands behind the last slash: the id of a task, the name of a cluster.
pub fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

/// `FAMILY:REVISION` of the ARN of a task definition; anything else as it is.
pub fn revision_name(arn: &str) -> &str {
    arn.rsplit_once("task-definition/").map_or(arn, |(_, name)| name)
}

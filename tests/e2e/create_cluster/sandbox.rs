//! A cluster in the sandbox, as the aws CLI sees it.

use serde_json::Value;
use support::Tool;
use support::sandbox::{Sandbox, sandbox};

/// A cluster of this test's own; it goes away with it. Its namespace stays, as on AWS.
struct Cluster<'a> {
    sandbox: &'a Sandbox,
    name: String,
}

impl Cluster<'_> {
    fn tool(&self, namespace: &str, lines: &str) -> Tool {
        let config = format!(
            "version = 1\napp = {{ name = \"e2e\", tags = {{ app = \"e2e\" }} }}\n[cluster]\nname = \"{}\"\n\
             service_connect_namespace = \"{namespace}\"\n{lines}\n",
            self.name
        );
        self.sandbox.tool("create-cluster").config_text(&config)
    }

    /// What the aws CLI answers.
    fn aws(&self, arguments: &[&str]) -> Value {
        let tool = self.sandbox.program("aws").args(arguments);
        let output = tool.args(["--output", "json"]).run().exits(0);
        serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
    }

    fn described(&self) -> Value {
        let include = ["--include", "SETTINGS", "TAGS", "ATTACHMENTS"];
        let describe = ["ecs", "describe-clusters", "--clusters", &self.name];
        self.aws(&[&describe[..], &include[..]].concat())["clusters"][0].clone()
    }

    /// The name of the cluster's namespace, by way of Cloud Map.
    fn namespace(&self) -> Value {
        let described = self.described();
        let arn = described["serviceConnectDefaults"]["namespace"].as_str().unwrap();
        let id = arn.rsplit('/').next().unwrap();
        self.aws(&["servicediscovery", "get-namespace", "--id", id])["Namespace"]["Name"].clone()
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        let delete = ["ecs", "delete-cluster", "--cluster", &self.name];
        let _ = self.sandbox.program("aws").args(delete).command().output();
    }
}

#[test]
fn the_cluster_is_active_with_its_namespace_and_drift_is_repaired() {
    let sandbox = sandbox();
    let name = sandbox.unique("cluster");
    let cluster = Cluster {
        sandbox,
        name: name.clone(),
    };
    let made = cluster.tool(&name, "").run().exits(0);
    made.says(&format!("{name}: PROVISIONING\n"))
        .says(&format!("{name}: created\n"));
    let described = cluster.described();
    assert_eq!(described["status"], "ACTIVE");
    assert_eq!(described["tags"][0]["value"], "e2e");
    assert_eq!(cluster.namespace(), name);
    let arn = described["clusterArn"].as_str().unwrap();
    cluster
        .tool(&name, "")
        .run()
        .exits(0)
        .prints(arn)
        .says(": unchanged");

    let other = format!("{name}-other");
    cluster
        .tool(&other, "container_insights = \"enabled\"")
        .run()
        .exits(0)
        .says(&format!("  service_connect_namespace: {name} -> {other}\n"));
    assert_eq!(cluster.namespace(), other);
    assert_eq!(cluster.described()["settings"][0]["value"], "enabled");
    cluster
        .tool(&other, "container_insights = \"enabled\"")
        .arg("--check")
        .run()
        .exits(0);
}

#[test]
fn a_cluster_that_was_deleted_is_made_again() {
    let sandbox = sandbox();
    let cluster = Cluster {
        sandbox,
        name: sandbox.unique("cluster"),
    };
    cluster.tool(&cluster.name, "").run().exits(0);
    cluster.aws(&["ecs", "delete-cluster", "--cluster", &cluster.name]);
    cluster.tool(&cluster.name, "").arg("--check").run().exits(1);
    cluster.tool(&cluster.name, "").run().exits(0).says(": created");
    assert_eq!(cluster.described()["status"], "ACTIVE");
}

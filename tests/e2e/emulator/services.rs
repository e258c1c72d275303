//! What ECS refuses, and the emulator by itself would accept.

use super::Endpoint;
use serde_json::{Value, json};
use support::sandbox::sandbox;

/// A task definition of Fargate with one container, as little as AWS takes.
fn definition(family: &str) -> Value {
    json!({
        "family": family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{
            "name": "app",
            "image": "example.invalid/app:1",
            "portMappings": [{"containerPort": 80, "name": "web"}],
            "healthCheck": {"command": ["CMD", "/check"]},
        }],
    })
}

#[test]
fn task_definitions() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let family = sandbox.unique("definition");
    let cases = [
        ("/cpu", json!("300"), "Invalid 'cpu' setting"),
        (
            "/memory",
            json!("4096"),
            "No Fargate configuration exists for given values: 256 CPU, 4096 memory",
        ),
        ("/memory", json!("768"), "No Fargate configuration exists"),
        ("/memory", json!(""), "Fargate requires that 'memory' be defined"),
        (
            "/networkMode",
            json!("bridge"),
            "Fargate only supports network mode 'awsvpc'",
        ),
        ("/family", json!("a b"), "Family contains invalid characters"),
        (
            "/containerDefinitions/0/image",
            json!(""),
            "should not be null or empty",
        ),
        (
            "/containerDefinitions/0/image",
            json!("123456789012.dkr.ecr.us-east-1.amazonaws.com/app"),
            "execution role ARN to support ECR images",
        ),
        (
            "/containerDefinitions/0/portMappings/0",
            json!({"containerPort": 80, "hostPort": 81}),
            "must match",
        ),
        (
            "/containerDefinitions/0/healthCheck/command/0",
            json!("curl"),
            "must begin with CMD",
        ),
        (
            "/containerDefinitions/0/healthCheck",
            json!({"command": ["CMD", "x"], "interval": 4}),
            "between 5 and 300",
        ),
    ];
    for (path, value, words) in cases {
        let mut request = definition(&family);
        *request.pointer_mut(path).unwrap() = value.clone();
        let (code, message) = endpoint.refusal("ecs", "RegisterTaskDefinition", &request);
        assert_eq!(code, "ClientException", "{path} = {value}");
        assert!(message.contains(words), "{path} = {value}: {message}");
    }
    for (name, value, words) in [
        ("executionRoleArn", json!("none"), "Role is not valid"),
        (
            "volumes",
            json!([{"name": "root", "host": {"sourcePath": "/"}}]),
            "host.sourcePath",
        ),
    ] {
        let mut request = definition(&family);
        request[name] = value;
        let (_, message) = endpoint.refusal("ecs", "RegisterTaskDefinition", &request);
        assert!(message.contains(words), "{name}: {message}");
    }

    // What is taken comes back with AWS's defaults.
    let mut request = definition(&family);
    (request["cpu"], request["memory"]) = (json!("0.25 vCPU"), json!("0.5 GB"));
    let answer = endpoint.ask("ecs", "RegisterTaskDefinition", &request);
    let stored = &answer["taskDefinition"];
    assert_eq!(
        (&stored["cpu"], &stored["memory"]),
        (&json!("256"), &json!("512"))
    );
    let container = &stored["containerDefinitions"][0];
    assert_eq!(
        container["healthCheck"],
        json!({"command": ["CMD", "/check"], "interval": 30, "timeout": 5, "retries": 3})
    );
    assert_eq!(
        container["portMappings"][0],
        json!({"containerPort": 80, "hostPort": 80, "protocol": "tcp", "name": "web"})
    );
    assert!(stored.get("taskRoleArn").is_none(), "{stored}");
    let revision = json!({"taskDefinition": stored["taskDefinitionArn"]});
    endpoint.ask("ecs", "DeregisterTaskDefinition", &revision);
    // A family without a revision that is ACTIVE can't be described by its name.
    let (code, _) = endpoint.refusal(
        "ecs",
        "DescribeTaskDefinition",
        &json!({"taskDefinition": family}),
    );
    assert_eq!(code, "ClientException");
}

#[test]
fn clusters_and_services() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let (cluster, namespace) = (sandbox.unique("cluster"), sandbox.unique("namespace"));
    let create = json!({"clusterName": cluster, "serviceConnectDefaults": {"namespace": namespace}});
    let made = endpoint.ask("ecs", "CreateCluster", &create);
    assert_eq!(made["cluster"]["status"], "PROVISIONING");
    let arn = made["cluster"]["serviceConnectDefaults"]["namespace"].clone();
    assert!(
        arn.as_str().unwrap().contains(":namespace/ns-"),
        "the namespace is described by its ARN: {made}"
    );
    support::wait_for("the cluster", || {
        let answer = endpoint.ask("ecs", "DescribeClusters", &json!({"clusters": [cluster]}));
        (answer["clusters"][0]["status"] == "ACTIVE").then_some(())
    });
    let listed = sandbox
        .program("aws")
        .args(["servicediscovery", "list-namespaces", "--output", "json"])
        .run()
        .exits(0);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let found = listed["Namespaces"].as_array().unwrap().iter();
    let found: Vec<_> = found.filter(|one| one["Name"] == namespace.as_str()).collect();
    assert_eq!((found.len(), &found[0]["Arn"]), (1, &arn));
    // The same request again is idempotent, another one is not.
    assert_eq!(
        endpoint.ask("ecs", "CreateCluster", &create)["cluster"]["status"],
        "ACTIVE"
    );
    let (code, _) = endpoint.refusal("ecs", "CreateCluster", &json!({"clusterName": cluster}));
    assert_eq!(code, "InvalidParameterException");

    let family = sandbox.unique("family");
    endpoint.ask("ecs", "RegisterTaskDefinition", &definition(&family));
    let subnet = sandbox.get("SUBNET_IDS").split(',').next().unwrap();
    let network = |subnet: &str| json!({"awsvpcConfiguration": {"subnets": [subnet]}});
    // Nothing is started: the image does not exist.
    let service = json!({
        "cluster": cluster, "serviceName": "app", "taskDefinition": family, "launchType": "FARGATE",
        "desiredCount": 0, "networkConfiguration": network(subnet),
        "serviceConnectConfiguration": {"enabled": true, "services": [{"portName": "web"}]},
    });
    let cases = [
        (
            "cluster",
            json!("nobody-made-this"),
            "ClusterNotFoundException",
            "Cluster not found",
        ),
        (
            "taskDefinition",
            json!("nobody-made-this"),
            "ClientException",
            "TaskDefinition not found",
        ),
        (
            "networkConfiguration",
            json!({}),
            "InvalidParameterException",
            "must be provided when networkMode 'awsvpc'",
        ),
        (
            "networkConfiguration",
            network("subnet-none"),
            "InvalidParameterException",
            "subnet-none",
        ),
        (
            "serviceConnectConfiguration",
            json!({"enabled": true, "services": [{"portName": "none"}]}),
            "InvalidParameterException",
            "portName(none)",
        ),
        (
            "serviceConnectConfiguration",
            json!({"enabled": true, "namespace": "nobody-made-this", "services": []}),
            "NamespaceNotFoundException",
            "nobody-made-this",
        ),
    ];
    for (member, value, code, words) in cases {
        let mut request = service.clone();
        request[member] = value.clone();
        let (found, message) = endpoint.refusal("ecs", "CreateService", &request);
        assert_eq!(found, code, "{member} = {value}: {message}");
        assert!(message.contains(words), "{member} = {value}: {message}");
    }

    let made = endpoint.ask("ecs", "CreateService", &service);
    let deployment = &made["service"]["deployments"][0];
    assert_eq!(deployment["serviceConnectConfiguration"]["namespace"], arn);
    assert_eq!(deployment["serviceConnectResources"][0]["discoveryName"], "web");
    let (code, message) = endpoint.refusal("ecs", "CreateService", &service);
    assert_eq!(code, "InvalidParameterException");
    assert!(message.contains("not idempotent"), "{message}");
    let update = json!({"cluster": cluster, "service": "app", "taskDefinition": "nobody-made-this"});
    let (code, _) = endpoint.refusal("ecs", "UpdateService", &update);
    assert_eq!(code, "ClientException");
    let by_namespace = endpoint.ask("ecs", "ListServicesByNamespace", &json!({"namespace": namespace}));
    assert_eq!(
        by_namespace["serviceArns"],
        json!([made["service"]["serviceArn"]])
    );

    let named = json!({"cluster": cluster, "service": "app", "force": true});
    let cluster = json!({"cluster": cluster});
    let (code, _) = endpoint.refusal("ecs", "DeleteCluster", &cluster);
    assert_eq!(code, "ClusterContainsServicesException");
    endpoint.ask("ecs", "DeleteService", &named);
    let (code, _) = endpoint.refusal("ecs", "UpdateService", &named);
    assert_eq!(code, "ServiceNotActiveException");
    endpoint.ask("ecs", "DeleteCluster", &cluster);
}

#[test]
fn the_history_of_a_service_comes_in_pages() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let (cluster, family) = (sandbox.unique("history"), sandbox.unique("family"));
    endpoint.ask("ecs", "CreateCluster", &json!({"clusterName": cluster}));
    let subnet = sandbox.get("SUBNET_IDS").split(',').next().unwrap();
    // Nothing is started: a deployment of no task completes at once.
    let create = json!({
        "cluster": cluster, "serviceName": "app", "taskDefinition": family, "launchType": "FARGATE",
        "desiredCount": 0, "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet]}},
    });
    let named = json!({"cluster": cluster, "service": "app", "taskDefinition": family});
    let mut revisions = Vec::new();
    for (operation, request) in [
        ("CreateService", &create),
        ("UpdateService", &named),
        ("UpdateService", &named),
    ] {
        let registered = endpoint.ask("ecs", "RegisterTaskDefinition", &definition(&family));
        revisions.insert(0, registered["taskDefinition"]["taskDefinitionArn"].clone());
        let begun = endpoint.ask("ecs", operation, request);
        support::wait_for("the deployment", || {
            let describe = json!({"cluster": cluster, "services": ["app"]});
            let answer = endpoint.ask("ecs", "DescribeServices", &describe);
            let service = &answer["services"][0];
            assert_eq!(
                service["currentServiceDeployment"], begun["service"]["currentServiceDeployment"],
                "{service}"
            );
            (service["deployments"][0]["rolloutState"] == "COMPLETED").then_some(())
        });
    }

    let page = |fields: Value| {
        let mut request = json!({"cluster": cluster, "service": "app", "status": ["SUCCESSFUL"]});
        for (key, value) in fields.as_object().unwrap() {
            request[key] = value.clone();
        }
        request
    };
    let mut deployments = Vec::new();
    let mut token = Value::Null;
    loop {
        let request = page(json!({"maxResults": 2, "nextToken": token}));
        let answer = endpoint.ask("ecs", "ListServiceDeployments", &request);
        let found = answer["serviceDeployments"].as_array().unwrap();
        assert!((1..=2).contains(&found.len()), "{answer}");
        deployments.extend_from_slice(found);
        token = answer["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    let whole = endpoint.ask("ecs", "ListServiceDeployments", &page(json!({})));
    assert_eq!(whole["serviceDeployments"], json!(deployments));
    let arns: Vec<Value> = deployments
        .iter()
        .map(|one| one["targetServiceRevisionArn"].clone())
        .collect();
    let described = endpoint.ask(
        "ecs",
        "DescribeServiceRevisions",
        &json!({"serviceRevisionArns": arns}),
    );
    let found: Vec<&Value> = described["serviceRevisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["taskDefinition"])
        .collect();
    // The newest first.
    assert_eq!(found, revisions.iter().collect::<Vec<_>>());
    let none = page(json!({"status": ["ROLLBACK_SUCCESSFUL"]}));
    let none = endpoint.ask("ecs", "ListServiceDeployments", &none);
    assert_eq!(none["serviceDeployments"], json!([]));

    for fields in [
        json!({"maxResults": 0}),
        json!({"maxResults": 101}),
        json!({"nextToken": "x"}),
    ] {
        let (code, _) = endpoint.refusal("ecs", "ListServiceDeployments", &page(fields));
        assert_eq!(code, "InvalidParameterException");
    }
    let many = json!({"serviceRevisionArns": vec![arns[0].clone(); 21]});
    let (code, _) = endpoint.refusal("ecs", "DescribeServiceRevisions", &many);
    assert_eq!(code, "InvalidParameterException");
    endpoint.ask(
        "ecs",
        "DeleteService",
        &json!({"cluster": cluster, "service": "app", "force": true}),
    );
    endpoint.ask("ecs", "DeleteCluster", &json!({"cluster": cluster}));
}

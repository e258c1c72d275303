//! What AWS refuses, and the emulator by itself would accept.

use super::Endpoint;
use serde_json::{Value, json};
use support::sandbox::sandbox;

#[test]
fn parameters() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let folder = format!("/{}", sandbox.unique("parameters"));
    let name = |leaf: &str| format!("{folder}/{leaf}");
    let text = |name: String, value: &str| json!({"Name": name, "Value": value, "Type": "String"});
    let with = |mut request: Value, key: &str, value: Value| {
        request[key] = value;
        request
    };
    let long = "x".repeat(4097);
    let deep = format!("{folder}{}", "/level".repeat(15));
    let cases = [
        (
            "empty",
            text(name("a"), ""),
            "ValidationException",
            "'value' failed to satisfy constraint",
        ),
        (
            "space",
            text(name("a b"), "x"),
            "ValidationException",
            "can't be prefixed",
        ),
        (
            "no slash",
            text(format!("a{folder}"), "x"),
            "ValidationException",
            "can't be prefixed",
        ),
        (
            "reserved",
            text("/aws/a".into(), "x"),
            "AccessDeniedException",
            "reserved parameter name",
        ),
        (
            "deep",
            text(deep, "x"),
            "HierarchyLevelLimitExceededException",
            "15 levels",
        ),
        (
            "large",
            text(name("a"), &long),
            "ValidationException",
            "4096 characters",
        ),
        (
            "nested",
            text(name("a"), "{{ssm:x}}"),
            "ValidationException",
            "can't nest another parameter",
        ),
        (
            "type",
            with(text(name("a"), "x"), "Type", json!("Text")),
            "ValidationException",
            "'type' failed to satisfy constraint",
        ),
        (
            "key",
            with(text(name("a"), "x"), "KeyId", json!("alias/aws/ssm")),
            "ValidationException",
            "SecureString type parameter only",
        ),
        (
            "unknown key",
            json!({"Name": name("a"), "Value": "x", "Type": "SecureString", "KeyId": "alias/nobody-made-this"}),
            "InvalidKeyId",
            "alias/nobody-made-this",
        ),
        (
            "pattern",
            with(text(name("a"), "x"), "AllowedPattern", json!("^[0-9]+$")),
            "ParameterPatternMismatchException",
            "allowedPattern",
        ),
        (
            "tags on overwrite",
            with(
                with(text(name("a"), "x"), "Overwrite", json!(true)),
                "Tags",
                json!([{"Key": "a", "Value": "b"}]),
            ),
            "ValidationException",
            "tags and overwrite can't be used together",
        ),
    ];
    for (case, request, code, words) in cases {
        let (found, message) = endpoint.refusal("ssm", "PutParameter", &request);
        assert_eq!(found, code, "{case}: {message}");
        assert!(message.contains(words), "{case}: {message}");
        assert!(!message.contains(&long), "{case}: the value is in the message");
    }

    // At the limit it is taken, and measured in bytes.
    endpoint.ask("ssm", "PutParameter", &text(name("full"), &long[1..]));
    let (code, _) = endpoint.refusal("ssm", "PutParameter", &text(name("bytes"), &"ä".repeat(2049)));
    assert_eq!(code, "ValidationException");
    let names: Vec<String> = (0..11).map(|number| name(&number.to_string())).collect();
    let (code, _) = endpoint.refusal("ssm", "GetParameters", &json!({"Names": names}));
    assert_eq!(code, "ValidationException");
    let tags = json!({"ResourceType": "Parameter", "ResourceId": name("none"), "Tags": [{"Key": "a", "Value": "b"}]});
    assert_eq!(
        endpoint.refusal("ssm", "AddTagsToResource", &tags).0,
        "InvalidResourceId"
    );
    endpoint.ask("ssm", "DeleteParameters", &json!({"Names": [name("full")]}));
}

#[test]
fn a_secure_string_is_read_with_decryption_only_and_has_versions() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let name = format!("/{}", sandbox.unique("secure"));
    let put = |value: &str, overwrite: bool| {
        let request = json!({"Name": name, "Value": value, "Type": "SecureString", "Overwrite": overwrite});
        endpoint.call("ssm", "PutParameter", &request)
    };
    assert_eq!(put("first value", false).1["Version"], 1);
    assert_eq!(put("second value", false).1["__type"], "ParameterAlreadyExists");
    assert_eq!(put("second value", true).1["Version"], 2);

    let request = json!({"Names": [name, format!("{name}:1")], "WithDecryption": true});
    let answer = endpoint.ask("ssm", "GetParameters", &request);
    let value = |version: u64| {
        let all = answer["Parameters"].as_array().unwrap();
        all.iter().find(|one| one["Version"] == version).unwrap()["Value"].clone()
    };
    assert_eq!(
        (value(1), value(2)),
        (json!("first value"), json!("second value"))
    );

    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode("second value");
    let sealed = endpoint.ask("ssm", "GetParameter", &json!({"Name": name}));
    let sealed = sealed["Parameter"]["Value"].as_str().unwrap();
    assert!(
        !sealed.contains(&encoded) && !sealed.contains("second value"),
        "{sealed}"
    );
    endpoint.ask("ssm", "DeleteParameter", &json!({"Name": name}));
}

#[test]
fn repositories() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let create = |name: &str, more: Value| {
        let mut request = more;
        request["repositoryName"] = name.into();
        endpoint.refusal("ecr", "CreateRepository", &request)
    };
    for name in ["Upper", "a", "-a", "a//b", "a_-b"] {
        let (code, message) = create(name, json!({}));
        assert_eq!(code, "InvalidParameterException", "{name}: {message}");
    }
    for more in [
        json!({"imageTagMutability": "FROZEN"}),
        json!({"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}),
    ] {
        let (code, message) = create(&sandbox.unique("mutability"), more);
        assert_eq!(code, "InvalidParameterException", "{message}");
    }
    let absent = json!({"repositoryNames": ["nobody-made-this"]});
    let (code, message) = endpoint.refusal("ecr", "DescribeRepositories", &absent);
    assert_eq!(code, "RepositoryNotFoundException");
    assert!(
        message.ends_with("does not exist in the registry with id '123456789012'"),
        "{message}"
    );
}

#[test]
fn roles_and_policies() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let role = sandbox.unique("role");
    let create = |document: &Value| {
        let document = document
            .as_str()
            .map_or_else(|| document.to_string(), str::to_owned);
        endpoint.iam(
            "CreateRole",
            &[("RoleName", &role), ("AssumeRolePolicyDocument", &document)],
        )
    };
    let trust = |statement: Value| json!({"Version": "2012-10-17", "Statement": [statement]});
    let tasks = json!({"Service": "ecs-tasks.amazonaws.com"});
    let cases = [
        (json!("{"), "invalid Json"),
        (json!({"Version": "2012-10-17", "Statement": []}), "Syntax errors"),
        (
            trust(json!({"Effect": "Allow", "Action": "sts:AssumeRole"})),
            "required field Principal",
        ),
        (
            trust(json!({"Effect": "Allow", "Principal": tasks, "Action": "s3:GetObject"})),
            "STS AssumeRole actions",
        ),
        (
            trust(
                json!({"Effect": "Allow", "Principal": tasks, "Action": "sts:AssumeRole", "Resource": "*"}),
            ),
            "prohibited field Resource",
        ),
    ];
    for (document, words) in cases {
        let (status, answer) = create(&document);
        assert_eq!(status, 400, "{document}: {answer}");
        assert!(
            answer.contains("MalformedPolicyDocument") && answer.contains(words),
            "{document}: {answer}"
        );
    }
    let good = trust(json!({"Effect": "Allow", "Principal": tasks, "Action": ["sts:AssumeRole"]}));
    assert_eq!(create(&good).0, 200);
    let attach =
        |policy: &str| endpoint.iam("AttachRolePolicy", &[("RoleName", &role), ("PolicyArn", policy)]);
    for policy in [
        "arn:aws:iam::aws:policy/CloudWatchFullAcces",
        "arn:aws:iam::123456789012:policy/none",
    ] {
        let (status, answer) = attach(policy);
        assert_eq!(
            (status, answer.contains("NoSuchEntity")),
            (404, true),
            "{policy}: {answer}"
        );
    }
    // The two of the job.
    for name in ["CloudWatchFullAccess", "AWSXRayDaemonWriteAccess"] {
        let policy = format!("arn:aws:iam::aws:policy/{name}");
        assert_eq!(attach(&policy).0, 200, "{name}");
        endpoint.iam("DetachRolePolicy", &[("RoleName", &role), ("PolicyArn", &policy)]);
    }
    assert_eq!(endpoint.iam("DeleteRole", &[("RoleName", &role)]).0, 200);
}

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

use super::*;

/// What DescribeTaskDefinition makes of [`good`], by the answers that AWS documents.
fn registered() -> Value {
    let mut definition = good();
    let members = definition.as_object_mut().unwrap();
    for (key, value) in [
        (
            "taskDefinitionArn",
            json!("arn:aws:ecs:us-east-1:123456789012:task-definition/backend-flask:3"),
        ),
        ("revision", json!(3)),
        ("status", json!("ACTIVE")),
        (
            "requiresAttributes",
            json!([{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}]),
        ),
        ("compatibilities", json!(["EC2", "FARGATE"])),
        ("registeredAt", json!(1_700_000_000.5)),
        ("registeredBy", json!("arn:aws:iam::123456789012:user/ci")),
        ("volumes", json!([])),
        ("placementConstraints", json!([])),
    ] {
        members.insert(key.to_owned(), value);
    }
    let container = definition["containerDefinitions"][0].as_object_mut().unwrap();
    for key in ["mountPoints", "volumesFrom", "systemControls"] {
        container.insert(key.to_owned(), json!([]));
    }
    container.insert("cpu".to_owned(), json!(0));
    container["portMappings"][0]["hostPort"] = json!(4567);
    definition
}

#[test]
fn what_aws_fills_in_is_no_difference() {
    assert_eq!(shown(&registered(), &good()), [""; 0]);
    assert_eq!(shown(&good(), &registered()), [""; 0]);
}

#[test]
fn ways_of_writing_the_same_are_no_difference() {
    let same: [&[(&str, Value)]; 9] = [
        &[("/cpu", json!("0.25 vCPU")), ("/memory", json!("0.5GB"))],
        &[("/cpu", json!(".25 vcpu"))],
        &[
            ("/containerDefinitions/0/essential", json!(null)),
            ("/containerDefinitions/0/portMappings/0/protocol", json!(null)),
        ],
        &[(
            "/containerDefinitions/0/healthCheck",
            json!({"command": ["CMD", "/usr/local/bin/health-check"], "startPeriod": 60}),
        )],
        &[
            ("/containerDefinitions/0/privileged", json!(false)),
            ("/containerDefinitions/0/command", json!([])),
        ],
        &[(
            "/runtimePlatform",
            json!({"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}),
        )],
        &[(
            "/containerDefinitions/0/linuxParameters",
            json!({"capabilities": {"add": []}, "initProcessEnabled": false}),
        )],
        &[("/taskRoleArn", json!("CruddurTaskRole"))],
        &[("/volumes", json!(null)), ("/tags", json!([]))],
    ];
    for changes in same {
        assert_eq!(shown(&registered(), &with(changes)), [""; 0], "{changes:?}");
    }
    let efs = |configuration: Value| {
        with(&[(
            "/volumes",
            json!([{"name": "v", "efsVolumeConfiguration": configuration}]),
        )])
    };
    let long = json!({
        "fileSystemId": "fs-1", "rootDirectory": "/", "transitEncryption": "DISABLED",
        "authorizationConfig": {"iam": "DISABLED"},
    });
    assert_eq!(shown(&efs(json!({"fileSystemId": "fs-1"})), &efs(long)), [""; 0]);
    let proxy = |configuration: Value| with(&[("/proxyConfiguration", configuration)]);
    let long = json!({"type": "APPMESH", "containerName": "x"});
    assert_eq!(
        shown(&proxy(json!({"containerName": "x"})), &proxy(long)),
        [""; 0]
    );
}

#[test]
fn order_means_nothing_where_aws_keeps_sets() {
    let mut from = good();
    from["containerDefinitions"][0]["environment"] =
        json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]);
    from["containerDefinitions"][0]["secrets"] =
        json!([{"name": "X", "valueFrom": "/x"}, {"name": "Y", "valueFrom": "/y"}]);
    from["requiresCompatibilities"] = json!(["EC2", "FARGATE"]);
    let mut to = from.clone();
    for pointer in [
        "/requiresCompatibilities",
        "/containerDefinitions/0/environment",
        "/containerDefinitions/0/secrets",
    ] {
        to.pointer_mut(pointer).unwrap().as_array_mut().unwrap().reverse();
    }
    assert_eq!(shown(&from, &to), [""; 0]);
    assert_eq!(normalise(&from), normalise(&to));
    // A command is another one in another order.
    from["containerDefinitions"][0]["command"] = json!(["flask", "run"]);
    to["containerDefinitions"][0]["command"] = json!(["run", "flask"]);
    assert_eq!(
        shown(&from, &to),
        ["containerDefinitions[backend-flask].command: (hidden) -> (hidden)"]
    );
}

#[test]
fn differences_are_listed_by_name() {
    let desired = with(&[
        ("/cpu", json!("1 vCPU")),
        ("/memory", json!("2 GB")),
        ("/containerDefinitions/0/image", json!("nginx:2")),
        ("/containerDefinitions/0/healthCheck/timeout", json!(6)),
        (
            "/containerDefinitions/0/environment",
            json!([{"name": "PORT", "value": "4567"}]),
        ),
        ("/containerDefinitions/0/secrets", json!([])),
        (
            "/containerDefinitions/0/portMappings/0/appProtocol",
            json!("http2"),
        ),
        ("/containerDefinitions/0/readonlyRootFilesystem", json!(true)),
    ]);
    let mut registered = registered();
    registered["containerDefinitions"][0]["image"] = json!("nginx:1");
    assert_eq!(
        shown(&registered, &desired),
        [
            "containerDefinitions[backend-flask].environment[AWS_DEFAULT_REGION].value: (hidden) -> (none)",
            "containerDefinitions[backend-flask].environment[PORT].value: (none) -> (hidden)",
            "containerDefinitions[backend-flask].healthCheck.timeout: 5 -> 6",
            "containerDefinitions[backend-flask].image: nginx:1 -> nginx:2",
            "containerDefinitions[backend-flask].portMappings[4567/tcp].appProtocol: http -> http2",
            "containerDefinitions[backend-flask].secrets[CONNECTION_URL].valueFrom: \
             arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/backend-flask/CONNECTION_URL -> (none)",
            "containerDefinitions[backend-flask].readonlyRootFilesystem: (none) -> true",
            "cpu: 256 -> 1024",
            "memory: 512 -> 2048",
        ]
    );
}

#[test]
fn named_ports_are_found() {
    let expected = NamedPort {
        name: "backend-flask".into(),
        container: "backend-flask".into(),
        port: 4567,
        app_protocol: Some("http".into()),
    };
    assert_eq!(named_ports(&good()), [expected]);
    assert_eq!(named_ports(&json!({})), []);
}

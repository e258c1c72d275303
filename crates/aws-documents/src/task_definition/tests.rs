use super::*;
use serde_json::json;
use std::path::Path;

/// The task definition of the job, as it would stand in a file.
fn good() -> Value {
    json!({
        "family": "backend-flask",
        "executionRoleArn": "arn:aws:iam::123456789012:role/CruddurServiceExecutionRole",
        "taskRoleArn": "arn:aws:iam::123456789012:role/CruddurTaskRole",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{
            "name": "backend-flask",
            "image": format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/backend-flask@sha256:{}", "a".repeat(64)),
            "essential": true,
            "healthCheck": {"command": ["CMD", "/usr/local/bin/health-check"], "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 60},
            "portMappings": [{"name": "backend-flask", "containerPort": 4567, "protocol": "tcp", "appProtocol": "http"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "cruddur", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "backend-flask"}},
            "environment": [{"name": "AWS_DEFAULT_REGION", "value": "us-east-1"}],
            "secrets": [{"name": "CONNECTION_URL", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/backend-flask/CONNECTION_URL"}],
        }],
    })
}

/// [`good`] with the value at a JSON pointer replaced, or taken out by null.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut definition = good();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match definition.pointer_mut(parent).unwrap() {
            Value::Object(members) if value.is_null() => drop(members.remove(key)),
            Value::Object(members) => drop(members.insert(key.to_owned(), value.clone())),
            Value::Array(elements) if key == "-" => elements.push(value.clone()),
            Value::Array(elements) => elements[key.parse::<usize>().unwrap()] = value.clone(),
            other => panic!("{pointer}: {other}"),
        }
    }
    definition
}

/// Path and message of each fault, warnings with a `?`.
fn faults(definition: &Value) -> Vec<String> {
    let document = Document::parse(Path::new("t.json"), &definition.to_string()).unwrap();
    let line = |fault: Fault| {
        let mark = if fault.is_error() { "" } else { "? " };
        assert!(fault.position.is_some(), "{fault}");
        if fault.path.is_empty() {
            format!("{mark}{}", fault.message)
        } else {
            format!("{mark}{}: {}", fault.path, fault.message)
        }
    };
    check(&document).into_iter().map(line).collect()
}

/// The faults of [`good`] with changes below its only container.
#[track_caller]
fn container(changes: &[(&str, Value)], expected: &[&str]) {
    let pointers: Vec<String> = changes
        .iter()
        .map(|(pointer, _)| format!("/containerDefinitions/0{pointer}"))
        .collect();
    let changes: Vec<(&str, Value)> = pointers
        .iter()
        .zip(changes)
        .map(|(pointer, (_, value))| (pointer.as_str(), value.clone()))
        .collect();
    let expected: Vec<String> = expected
        .iter()
        .map(|line| {
            line.replace("C:", "containerDefinitions[0]:")
                .replace("C.", "containerDefinitions[0].")
        })
        .collect();
    assert_eq!(faults(&with(&changes)), expected, "{changes:?}");
}

#[track_caller]
fn task(changes: &[(&str, Value)], expected: &[&str]) {
    assert_eq!(faults(&with(changes)), expected, "{changes:?}");
}

#[test]
fn a_good_one_has_no_fault() {
    task(&[], &[]);
    let rich = [
        ("/cpu", json!("1 vCPU")),
        ("/memory", json!("3GB")),
        ("/ephemeralStorage", json!({"sizeInGiB": 21})),
        (
            "/runtimePlatform",
            json!({"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}),
        ),
        (
            "/volumes",
            json!([{"name": "data"}, {"name": "efs", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": "ENABLED", "authorizationConfig": {"iam": "ENABLED"}}}]),
        ),
        ("/tags", json!([{"key": "app", "value": "cruddur"}])),
        (
            "/containerDefinitions/-",
            json!({
                "name": "xray",
                "image": "public.ecr.aws/xray/aws-xray-daemon:3.3.7",
                "essential": false,
                "user": "1337",
                "cpu": 32,
                "memory": 256,
                "memoryReservation": 128,
                "portMappings": [{"name": "xray", "containerPort": 2000, "protocol": "udp"}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "cruddur", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "xray", "mode": "non-blocking", "max-buffer-size": "25m"}},
                "mountPoints": [{"sourceVolume": "data", "containerPath": "/data", "readOnly": true}],
                "linuxParameters": {"initProcessEnabled": true, "capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}, "tmpfs": [{"containerPath": "/tmp", "size": 64}]},
                "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
                "healthCheck": {"command": ["CMD-SHELL", "true || exit 1"]},
                "dependsOn": [{"containerName": "backend-flask", "condition": "HEALTHY"}],
                "secrets": [
                    {"name": "A", "valueFrom": "/cruddur/a"},
                    {"name": "B", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf:key::"},
                    {"name": "C", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf"}
                ],
                "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::bucket/x.env"}],
            }),
        ),
    ];
    task(&rich, &[]);
    // What a tool fills in only later.
    container(&[("/image", json!("preview"))], &[]);
}

#[test]
fn sizes_are_fargates() {
    let good = [
        ("256", "512"),
        ("0.25 vCPU", "0.5 GB"),
        (".25vcpu", "2GB"),
        ("512", "4096"),
        ("1024", "2048"),
        ("1 vCPU", "8 GB"),
        ("2048", "16384"),
        ("4 vcpu", "30 GB"),
        ("8192", "16384"),
        ("8 vCPU", "60 GB"),
        ("16384", "122880"),
        ("16 vCPU", "32GB"),
    ];
    for (cpu, memory) in good {
        task(&[("/cpu", json!(cpu)), ("/memory", json!(memory))], &[]);
    }
    let bad = [
        (
            "256",
            "4096",
            "memory: Fargate has no 4096 MiB with 256 CPU units, only 512, 1024, 2048",
        ),
        (
            "512",
            "512",
            "memory: Fargate has no 512 MiB with 512 CPU units, only 1024 to 4096 in steps of 1024",
        ),
        (
            "1024",
            "2500",
            "memory: Fargate has no 2500 MiB with 1024 CPU units, only 2048 to 8192 in steps of 1024",
        ),
        (
            "8192",
            "20000",
            "memory: Fargate has no 20000 MiB with 8192 CPU units, only 16384 to 61440 in steps of 4096",
        ),
        (
            "300",
            "512",
            "cpu: Fargate has no 300 CPU units, only 256, 512, 1024, 2048, 4096, 8192, 16384",
        ),
        (
            "quarter",
            "512",
            "cpu: `quarter` is no size: write \"256\" or \"0.25 vCPU\"",
        ),
        (
            "0.3 vCPU",
            "512",
            "cpu: `0.3 vCPU` is no size: write \"256\" or \"0.25 vCPU\"",
        ),
        (
            "256",
            "0.5",
            "memory: `0.5` is no size: write \"512\" or \"0.5 GB\"",
        ),
        (
            "256",
            "512MB",
            "memory: `512MB` is no size: write \"512\" or \"0.5 GB\"",
        ),
        (
            "256",
            "99999999999999999999GB",
            "memory: `99999999999999999999GB` is no size: write \"512\" or \"0.5 GB\"",
        ),
    ];
    for (cpu, memory, expected) in bad {
        task(&[("/cpu", json!(cpu)), ("/memory", json!(memory))], &[expected]);
    }
    task(
        &[("/cpu", json!(256))],
        &["cpu: it must be a string, not a number"],
    );
    task(
        &[("/cpu", json!(null))],
        &["`cpu` is missing: Fargate wants it for the task"],
    );
    task(
        &[
            ("/containerDefinitions/0/cpu", json!(300)),
            ("/containerDefinitions/0/memory", json!(1024)),
        ],
        &[
            "cpu: its containers want 300 CPU units, and the task has 256",
            "memory: its containers want 1024 MiB, and the task has 512",
        ],
    );
}

#[test]
fn the_task_is_for_fargate() {
    task(
        &[("/requiresCompatibilities", json!(null))],
        &["`requiresCompatibilities` is missing: it must hold \"FARGATE\""],
    );
    task(
        &[("/requiresCompatibilities", json!(["EC2"]))],
        &["requiresCompatibilities: it must hold \"FARGATE\""],
    );
    task(
        &[("/requiresCompatibilities", json!(["fargate"]))],
        &[
            "requiresCompatibilities: it must hold \"FARGATE\"",
            "requiresCompatibilities[0]: `fargate` is none of EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES",
        ],
    );
    task(
        &[("/networkMode", json!("bridge"))],
        &["networkMode: on Fargate it must be \"awsvpc\""],
    );
    task(
        &[("/networkMode", json!(null))],
        &["`networkMode` is missing: on Fargate it must be \"awsvpc\""],
    );
    task(
        &[("/family", json!("back end"))],
        &["family: a family has 1 to 255 letters, digits, `_` and `-`"],
    );
    task(
        &[("/ipcMode", json!("task")), ("/pidMode", json!("host"))],
        &[
            "ipcMode: Fargate does not take it",
            "pidMode: on Fargate it must be \"task\"",
        ],
    );
    task(
        &[("/ephemeralStorage", json!({"sizeInGiB": 20}))],
        &["ephemeralStorage.sizeInGiB: it must be 21 to 200 GiB"],
    );
    task(
        &[("/placementConstraints", json!([{"type": "memberOf"}]))],
        &["placementConstraints: Fargate does not take it"],
    );
}

#[test]
fn roles_are_needed_and_are_roles() {
    task(
        &[("/executionRoleArn", json!(null))],
        &[
            "`executionRoleArn` is missing, and container `backend-flask` needs it: its secrets are read with it",
        ],
    );
    task(
        &[
            ("/executionRoleArn", json!(null)),
            ("/containerDefinitions/0/secrets", json!(null)),
        ],
        &[
            "`executionRoleArn` is missing, and container `backend-flask` needs it: its image is pulled from ECR with it",
        ],
    );
    task(
        &[
            ("/executionRoleArn", json!(null)),
            ("/containerDefinitions/0/secrets", json!(null)),
            ("/containerDefinitions/0/image", json!("nginx:1")),
        ],
        &[
            "`executionRoleArn` is missing, and container `backend-flask` needs it: its logs are written with it",
        ],
    );
    task(
        &[("/executionRoleArn", json!(""))],
        &["executionRoleArn: it is empty: leave it out, or name a role"],
    );
    task(
        &[("/taskRoleArn", json!("CruddurTaskRole"))],
        &["taskRoleArn: it must be the ARN of a role"],
    );
    task(
        &[("/taskRoleArn", json!("arn:aws:iam::123456789012:policy/x"))],
        &["taskRoleArn: `arn:aws:iam::123456789012:policy/x` is not the ARN of a role"],
    );
    task(
        &[("/taskRoleArn", json!("arn:aws:iam:123456789012:role/x"))],
        &["taskRoleArn: `arn:aws:iam:123456789012:role/x`: it has 5 parts, and an ARN has 6"],
    );
}

#[test]
fn containers_are_named_and_one_is_essential() {
    task(
        &[("/containerDefinitions", json!([]))],
        &["containerDefinitions: there is no container"],
    );
    task(
        &[(
            "/containerDefinitions/-",
            good()["containerDefinitions"][0].clone(),
        )],
        &[
            "containerDefinitions[1].name: two containers have the name `backend-flask`",
            "containerDefinitions[1].portMappings[0].name: the port name `backend-flask` is there already, in container `backend-flask`",
            "containerDefinitions[1].portMappings[0].containerPort: container `backend-flask` has port 4567/tcp already",
        ],
    );
    task(
        &[("/containerDefinitions/0/essential", json!(false))],
        &["containerDefinitions: no container is essential"],
    );
    container(
        &[("/name", json!("a b"))],
        &["C.name: a container's name has 1 to 255 letters, digits, `_` and `-`"],
    );
    container(&[("/name", json!(null))], &["C: `name` is missing"]);
    container(
        &[("/essential", json!("true"))],
        &["C.essential: it must be true or false, not a string"],
    );
}

#[test]
fn images_have_a_form_and_better_a_digest() {
    container(
        &[("/image", json!("nginx"))],
        &["? C.image: `nginx` is whatever `latest` is when a task starts"],
    );
    container(
        &[("/image", json!("localhost:5000/nginx"))],
        &["? C.image: `localhost:5000/nginx` is whatever `latest` is when a task starts"],
    );
    container(
        &[("/image", json!("nginx:latest"))],
        &["? C.image: `nginx:latest` is whatever `latest` is when a task starts"],
    );
    container(&[("/image", json!("nginx:1.27"))], &[]);
    container(
        &[("/image", json!(""))],
        &["C.image: it is no image: 1 to 255 letters, digits and -_:./# before the digest"],
    );
    container(
        &[("/image", json!("https://x/nginx:1"))],
        &["C.image: an image has no scheme: leave https:// out"],
    );
    container(
        &[("/image", json!("nginx@sha256:abc"))],
        &["C.image: its digest is not sha256: and 64 hexadecimal digits"],
    );
}

#[test]
fn unknown_fields_and_other_kinds() {
    task(
        &[("/revision", json!(3)), ("/status", json!("ACTIVE"))],
        &[
            "revision: AWS has no field `revision` here",
            "status: AWS has no field `status` here",
        ],
    );
    container(
        &[("/enviroment", json!([]))],
        &["C.enviroment: AWS has no field `enviroment` here"],
    );
    container(
        &[("/command", json!("python app.py"))],
        &["C.command: it must be an array, not a string"],
    );
    container(
        &[("/cpu", json!("256"))],
        &["C.cpu: it must be a whole number, not a string"],
    );
    container(
        &[("/cpu", json!(0.5))],
        &["C.cpu: it must be a whole number, not a number"],
    );
    container(
        &[("/dockerLabels", json!({"a": 1}))],
        &["C.dockerLabels.a: it must be a string, not a number"],
    );
    container(
        &[("/command", json!([null]))],
        &["C.command[0]: null can't stand in an array"],
    );
    let wrapped = json!({"taskDefinition": good(), "tags": []});
    assert_eq!(faults(&wrapped), ["this is an answer of DescribeTaskDefinition"]);
    assert_eq!(faults(&json!([])), ["it must be an object, not an array"]);
    // null is absent.
    task(&[("/tags", json!([]))], &[]);
}

#[test]
fn ports() {
    let port = |mapping: Value| vec![("/portMappings", json!([mapping]))];
    container(&port(json!({"containerPort": 4567, "hostPort": 4567})), &[]);
    container(&port(json!({"containerPortRange": "8000-8010"})), &[]);
    container(
        &port(json!({"containerPort": 4567, "hostPort": 80})),
        &["C.portMappings[0].hostPort: in network mode awsvpc it is the container's port, 4567"],
    );
    container(
        &port(json!({"containerPort": 0})),
        &["C.portMappings[0].containerPort: a port is 1 to 65535"],
    );
    container(
        &port(json!({"containerPort": 65536})),
        &["C.portMappings[0].containerPort: a port is 1 to 65535"],
    );
    container(
        &port(json!({"containerPort": "4567"})),
        &["C.portMappings[0].containerPort: it must be a whole number, not a string"],
    );
    container(
        &port(json!({"name": "x"})),
        &["C.portMappings[0]: `containerPort` is missing"],
    );
    container(
        &port(json!({"containerPortRange": "9-8"})),
        &["C.portMappings[0].containerPortRange: a range of ports looks like 8000-8010"],
    );
    for name in ["Backend", "-a", "a.b", &"a".repeat(65)] {
        container(
            &port(json!({"containerPort": 1, "name": name})),
            &[
                "C.portMappings[0].name: a port's name has 1 to 64 small letters, digits, `_` and `-`, and no `-` first",
            ],
        );
    }
    container(
        &port(json!({"containerPort": 1, "appProtocol": "https"})),
        &["C.portMappings[0].appProtocol: `https` is none of http, http2, grpc"],
    );
    container(
        &port(json!({"containerPort": 1, "protocol": "udp", "appProtocol": "http"})),
        &["C.portMappings[0].appProtocol: it belongs to tcp, and the mapping is udp"],
    );
    container(
        &[(
            "/portMappings",
            json!([{"containerPort": 53}, {"containerPort": 53, "protocol": "udp"}]),
        )],
        &["C.portMappings[1]: ECS takes port 53 once, not for tcp and udp"],
    );
}

#[test]
fn health_checks() {
    let command = |command: Value| vec![("/healthCheck", json!({"command": command}))];
    for words in [
        json!(["CMD", "a", "b c"]),
        json!(["CMD-SHELL", "a && b"]),
        json!(["NONE"]),
    ] {
        container(&command(words), &[]);
    }
    let wrong = [
        (json!([]), "it is empty"),
        (
            json!(["curl", "-f", "http://localhost"]),
            "it must begin with CMD or CMD-SHELL",
        ),
        (json!(["CMD"]), "behind CMD stands the program"),
        (
            json!(["CMD", "python /backend-flask/bin/health-check"]),
            "CMD starts one program, and the words of its command line are strings of their own",
        ),
        (
            json!(["CMD-SHELL"]),
            "behind CMD-SHELL stands one string, the command line for the shell",
        ),
        (
            json!(["CMD-SHELL", "curl", "-f"]),
            "behind CMD-SHELL stands one string, the command line for the shell",
        ),
        (
            json!(["CMD-SHELL", " "]),
            "behind CMD-SHELL stands one string, the command line for the shell",
        ),
        (json!(["NONE", "x"]), "nothing stands behind NONE"),
    ];
    for (words, message) in wrong {
        container(&command(words), &[&format!("C.healthCheck.command: {message}")]);
    }
    container(
        &[(
            "/healthCheck",
            json!({"command": ["CMD", "x"], "interval": 4, "timeout": 61, "retries": 11, "startPeriod": 301}),
        )],
        &[
            "C.healthCheck.interval: it must be 5 to 300 s",
            "C.healthCheck.timeout: it must be 2 to 60 s",
            "C.healthCheck.retries: it must be 1 to 10",
            "C.healthCheck.startPeriod: it must be 0 to 300 s",
        ],
    );
}

#[test]
fn logging() {
    container(
        &[("/logConfiguration", json!(null))],
        &["? C: without `logConfiguration` nothing that it prints can be seen"],
    );
    container(
        &[("/logConfiguration/logDriver", json!("json-file"))],
        &["C.logConfiguration.logDriver: Fargate takes awslogs, splunk and awsfirelens"],
    );
    for key in ["awslogs-group", "awslogs-region", "awslogs-stream-prefix"] {
        container(
            &[(&format!("/logConfiguration/options/{key}"), json!(null))],
            &[&format!(
                "C.logConfiguration.options: `{key}` is missing: on Fargate awslogs needs it"
            )],
        );
    }
    container(
        &[("/logConfiguration/options/awslogs-group", json!(""))],
        &["C.logConfiguration.options.awslogs-group: it is empty"],
    );
    container(
        &[("/logConfiguration/options/awslog-region", json!("x"))],
        &[
            "C.logConfiguration.options.awslog-region: awslogs has no option `awslog-region`: the task would not start",
        ],
    );
    container(
        &[("/logConfiguration/options/awslogs-region", json!("us-west2"))],
        &["C.logConfiguration.options.awslogs-region: `us-west2` has not the form of a region"],
    );
    container(
        &[("/logConfiguration/options/mode", json!("async"))],
        &["C.logConfiguration.options.mode: it must be \"blocking\" or \"non-blocking\""],
    );
    container(
        &[("/logConfiguration/options/awslogs-create-group", json!("true"))],
        &[
            "? C.logConfiguration.options.awslogs-create-group: the execution role then needs logs:CreateLogGroup, which AWS's own policy does not give",
        ],
    );
    container(
        &[("/logConfiguration/logDriver", json!("awsfirelens"))],
        &["C.logConfiguration: awsfirelens needs a container with `firelensConfiguration`"],
    );
}

#[test]
fn variables_and_secrets() {
    let secret = |reference: &str| vec![("/secrets", json!([{"name": "X", "valueFrom": reference}]))];
    container(
        &secret("arn:aws:ssm:us-east-1::123456789012:parameter/x"),
        &[
            "C.secrets[0].valueFrom: `arn:aws:ssm:us-east-1::123456789012:parameter/x`: it has one colon too many between region \
         and account, so its account is empty and it never matches",
        ],
    );
    container(
        &secret("arn:aws:ssm:us-east-1:123456789012:document/x"),
        &[
            "C.secrets[0].valueFrom: `arn:aws:ssm:us-east-1:123456789012:document/x` is no parameter: it must end with parameter/NAME",
        ],
    );
    container(
        &secret("arn:aws:s3:::x"),
        &["C.secrets[0].valueFrom: secrets come from ssm and secretsmanager, not from s3"],
    );
    container(
        &secret("arn:aws:secretsmanager:us-east-1:123456789012:secret:x:key"),
        &[
            "C.secrets[0].valueFrom: `arn:aws:secretsmanager:us-east-1:123456789012:secret:x:key` has not the form of a secret",
        ],
    );
    container(
        &secret("/cruddur//x"),
        &["C.secrets[0].valueFrom: a parameter's name has no two slashes in a row"],
    );
    container(&secret(""), &["C.secrets[0].valueFrom: it is empty"]);
    container(
        &secret("postgres://u:p@h/d"),
        &["C.secrets[0].valueFrom: a parameter's name has no two slashes in a row"],
    );
    container(
        &secret("p@ssw0rd!"),
        &["C.secrets[0].valueFrom: it is neither an ARN nor the name of a parameter"],
    );
    container(
        &[(
            "/environment",
            json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "CONNECTION_URL", "value": "x"}, {"name": "", "value": ""}]),
        )],
        &[
            "C.environment[1].name: `A` stands twice in `environment`",
            "C.environment[3].name: a variable's name is not empty, and has no `=` and no white space",
            "C.secrets[0].name: `CONNECTION_URL` stands in `environment` and in `secrets`: ECS takes only one",
        ],
    );
    container(
        &[(
            "/environmentFiles",
            json!([{"type": "s3", "value": "arn:aws:s3:::bucket/x.txt"}]),
        )],
        &["C.environmentFiles[0].value: it must be the ARN of an object in S3 whose name ends with .env"],
    );
}

#[test]
fn keys_in_the_clear_are_faults_and_never_shown() {
    let key = format!("{}{}", "AKIA", "IOSFODNN7EXAMPLE");
    let clear = "an AWS key stands in the clear: everybody who may describe the task reads it";
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("OTHER", key.as_str()),
    ] {
        container(
            &[("/environment", json!([{"name": name, "value": value}]))],
            &[&format!("C.environment[0].name: {clear}")],
        );
    }
    for (name, value) in [
        ("ROLLBAR_ACCESS_TOKEN", "hunter22"),
        ("DB_PASSWORD", "hunter22"),
        ("DATABASE", "postgres://u:hunter22@h/d"),
    ] {
        let definition = with(&[(
            "/containerDefinitions/0/environment",
            json!([{"name": name, "value": value}]),
        )]);
        let found = faults(&definition).join("\n");
        assert!(
            found.starts_with("? ") && found.contains("looks like a secret"),
            "{found}"
        );
        assert!(!found.contains("hunter22"), "{found}");
    }
    for (name, value) in [
        ("TOKEN_URL_HOST", ""),
        ("MONKEY", "x"),
        ("PUBLIC_KEY", "x"),
        ("URL", "https://host/path@x:y"),
    ] {
        container(&[("/environment", json!([{"name": name, "value": value}]))], &[]);
    }
    container(
        &[(
            "/secrets",
            json!([{"name": "AWS_ACCESS_KEY_ID", "valueFrom": "/x"}]),
        )],
        &["? C.secrets[0].name: AWS_ACCESS_KEY_ID of a user hides the task role and never expires"],
    );
}

#[test]
fn what_fargate_does_not_take() {
    let cases = [
        (
            "/privileged",
            json!(true),
            "privileged: Fargate runs no privileged container",
        ),
        (
            "/links",
            json!(["x"]),
            "links: in network mode awsvpc containers reach each other at localhost",
        ),
        (
            "/extraHosts",
            json!([{"hostname": "x", "ipAddress": "1.2.3.4"}]),
            "extraHosts: network mode awsvpc does not take it",
        ),
        (
            "/hostname",
            json!("x"),
            "hostname: network mode awsvpc does not take it",
        ),
        (
            "/disableNetworking",
            json!(true),
            "disableNetworking: network mode awsvpc does not take it",
        ),
        (
            "/dockerSecurityOptions",
            json!(["no-new-privileges"]),
            "dockerSecurityOptions: Fargate does not take it",
        ),
        (
            "/resourceRequirements",
            json!([{"type": "GPU", "value": "1"}]),
            "resourceRequirements: Fargate has no devices",
        ),
        (
            "/linuxParameters",
            json!({"sharedMemorySize": 64}),
            "linuxParameters.sharedMemorySize: Fargate does not take it",
        ),
        (
            "/linuxParameters",
            json!({"capabilities": {"add": ["NET_ADMIN"]}}),
            "linuxParameters.capabilities.add[0]: Fargate adds no capability but SYS_PTRACE",
        ),
        (
            "/ulimits",
            json!([{"name": "core", "softLimit": 1, "hardLimit": 1}]),
            "ulimits[0].name: Fargate takes only `nofile`",
        ),
        (
            "/ulimits",
            json!([{"name": "nofile", "softLimit": 2, "hardLimit": 1}]),
            "ulimits[0]: its soft limit 2 is above its hard limit 1",
        ),
        ("/stopTimeout", json!(121), "stopTimeout: it must be 2 to 120 s"),
        ("/startTimeout", json!(1), "startTimeout: it must be 2 to 120 s"),
        (
            "/restartPolicy",
            json!({"enabled": true, "restartAttemptPeriod": 59}),
            "restartPolicy.restartAttemptPeriod: it must be 60 to 1800 s",
        ),
        ("/memory", json!(5), "memory: a container needs at least 6 MiB"),
        (
            "/workingDirectory",
            json!("app"),
            "workingDirectory: it must be an absolute path",
        ),
    ];
    for (pointer, value, expected) in cases {
        container(&[(pointer, value)], &[&format!("C.{expected}")]);
    }
    for (key, value) in [
        ("privileged", json!(false)),
        ("links", json!([])),
        ("disableNetworking", json!(false)),
    ] {
        container(&[(&format!("/{key}"), value)], &[]);
    }
    container(
        &[("/memory", json!(128)), ("/memoryReservation", json!(128))],
        &["C.memoryReservation: it must be less than `memory`, which is 128"],
    );
}

#[test]
fn containers_and_volumes_that_are_wanted_must_be_there() {
    let wait = |name: &str, condition: &str| {
        vec![(
            "/dependsOn",
            json!([{"containerName": name, "condition": condition}]),
        )]
    };
    container(
        &wait("backend-flask", "START"),
        &["C.dependsOn[0].containerName: a container can't wait for itself"],
    );
    container(
        &wait("xray", "START"),
        &["C.dependsOn[0].containerName: the task has no container `xray`"],
    );
    container(
        &[(
            "/mountPoints",
            json!([{"sourceVolume": "x", "containerPath": "data"}]),
        )],
        &[
            "C.mountPoints[0].sourceVolume: the task has no volume `x`",
            "C.mountPoints[0].containerPath: it must be an absolute path",
        ],
    );
    container(
        &[("/volumesFrom", json!([{"sourceContainer": "x"}]))],
        &["C.volumesFrom[0].sourceContainer: the task has no other container `x`"],
    );
    let second = |essential: bool, condition: &str| {
        let sidecar = json!({
            "name": "init", "image": "busybox:1", "essential": essential, "dependsOn": [],
            "logConfiguration": good()["containerDefinitions"][0]["logConfiguration"],
        });
        [
            ("/containerDefinitions/-", sidecar),
            (
                "/containerDefinitions/0/dependsOn",
                json!([{"containerName": "init", "condition": condition}]),
            ),
        ]
    };
    task(&second(false, "SUCCESS"), &[]);
    task(
        &second(true, "SUCCESS"),
        &[
            "containerDefinitions[0].dependsOn[0].condition: SUCCESS can't be waited for: container `init` is essential, and the task ends with it",
        ],
    );
    task(
        &second(true, "HEALTHY"),
        &["containerDefinitions[0].dependsOn[0].condition: container `init` has no `healthCheck`"],
    );
    let mut ring = second(false, "START").to_vec();
    ring.push((
        "/containerDefinitions/1/dependsOn",
        json!([{"containerName": "backend-flask", "condition": "START"}]),
    ));
    let waits = "it waits for containers that wait for it";
    task(
        &ring,
        &[
            &format!("containerDefinitions[0]: {waits}"),
            &format!("containerDefinitions[1]: {waits}"),
        ],
    );
    task(
        &[(
            "/volumes",
            json!([{"name": "a"}, {"name": "a"}, {"name": "h", "host": {"sourcePath": "/x"}}, {"name": "d", "dockerVolumeConfiguration": {}}, {}]),
        )],
        &[
            "volumes[1].name: two volumes have the name `a`",
            "volumes[2].host.sourcePath: Fargate has no host to mount a folder of",
            "volumes[3].dockerVolumeConfiguration: Fargate has no Docker volumes",
            "volumes[4]: `name` is missing",
        ],
    );
}

#[test]
fn all_faults_are_told_with_their_places() {
    let text = "{\n  \"family\": \"a b\",\n  \"networkMode\": \"host\",\n  \"requiresCompatibilities\": [\"FARGATE\"],\n  \"cpu\": \"256\",\n  \
                \"memory\": \"512\",\n  \"containerDefinitions\": [{\"name\": \"x\", \"image\": \"y:1\", \"ports\": []}]\n}\n";
    let document = Document::parse(Path::new("t.json"), text).unwrap();
    let lines: Vec<String> = check(&document).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "t.json:2:13: family: a family has 1 to 255 letters, digits, `_` and `-`",
            "t.json:3:18: networkMode: on Fargate it must be \"awsvpc\"",
            "t.json:7:28: containerDefinitions[0]: without `logConfiguration` nothing that it prints can be seen",
            "t.json:7:58: containerDefinitions[0].ports: AWS has no field `ports` here",
        ]
    );
}

// --- Comparing ----------------------------------------------------------------------------------------

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

fn shown(registered: &Value, wanted: &Value) -> Vec<String> {
    difference(registered, wanted)
        .iter()
        .map(ToString::to_string)
        .collect()
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
        [r#"containerDefinitions[backend-flask].command: ["flask","run"] -> ["run","flask"]"#]
    );
}

#[test]
fn what_differs_is_told_by_name() {
    let wanted = with(&[
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
        shown(&registered, &wanted),
        [
            "containerDefinitions[backend-flask].environment[AWS_DEFAULT_REGION].value: us-east-1 -> (none)",
            "containerDefinitions[backend-flask].environment[PORT].value: (none) -> 4567",
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

/// A definition with `value` in each field where a secret may stand.
fn exposing(value: &str) -> Value {
    let container = |pointer: &str| format!("/containerDefinitions/0{pointer}");
    let changes = [
        (
            container("/environment"),
            json!([
                {"name": "AWS_DEFAULT_REGION", "value": "us-east-1"},
                {"name": "DB_PASS", "value": value},
                {"name": "PLAIN", "value": value},
                {"name": "DATABASE", "value": format!("host=x password={value}")},
            ]),
        ),
        (
            container("/command"),
            json!(["gunicorn", format!("--password={value}"), value]),
        ),
        (
            container("/entryPoint"),
            json!(["/bin/sh", "-c", format!("echo {value}")]),
        ),
        (
            container("/healthCheck"),
            json!({"command": ["CMD-SHELL", format!("curl -u x:{value} http://localhost || exit 1")]}),
        ),
        (
            container("/logConfiguration"),
            json!({"logDriver": "splunk", "options": {"splunk-url": "https://x:8088", "splunk-token": value, "mode": "blocking"}}),
        ),
        (container("/dockerLabels"), json!({"team": value})),
        (
            container("/firelensConfiguration"),
            json!({"type": "fluentbit", "options": {"key": value}}),
        ),
        (
            container("/someNewField"),
            json!({"list": [value], "text": value, "environment": [{"name": "X", "value": value}]}),
        ),
        (
            "/volumes".to_owned(),
            json!([{"name": "v", "dockerVolumeConfiguration": {"driverOpts": {"o": value}, "labels": {"l": value}}}]),
        ),
        (
            "/proxyConfiguration".to_owned(),
            json!({"type": "APPMESH", "containerName": "x", "properties": [{"name": "p", "value": value}]}),
        ),
        (
            "/tags".to_owned(),
            json!([{"key": "t", "value": format!("https://u:{value}@h")}]),
        ),
    ];
    let changes: Vec<(&str, Value)> = changes
        .iter()
        .map(|(pointer, value)| (pointer.as_str(), value.clone()))
        .collect();
    with(&changes)
}

#[test]
fn values_that_may_be_secrets_are_not_shown() {
    let container = "containerDefinitions[backend-flask]";
    let other = "(hidden) -> (hidden), another one";
    assert_eq!(
        shown(&exposing("hunter1canary"), &exposing("hunter2canary")),
        [
            format!(
                r#"{container}.command: ["gunicorn","(hidden)","(hidden)"] -> ["gunicorn","(hidden), another one","(hidden), another one"]"#
            ),
            format!("{container}.dockerLabels.team: {other}"),
            format!(
                r#"{container}.entryPoint: ["/bin/sh","-c","(hidden)"] -> ["/bin/sh","-c","(hidden), another one"]"#
            ),
            format!("{container}.environment[DATABASE].value: {other}"),
            format!("{container}.environment[DB_PASS].value: {other}"),
            format!("{container}.environment[PLAIN].value: {other}"),
            format!("{container}.firelensConfiguration.options.key: {other}"),
            format!(
                r#"{container}.healthCheck.command: ["CMD-SHELL","(hidden)"] -> ["CMD-SHELL","(hidden), another one"]"#
            ),
            format!("{container}.logConfiguration.options.splunk-token: {other}"),
            format!("{container}.someNewField.environment[X].value: {other}"),
            format!(r#"{container}.someNewField.list: ["(hidden)"] -> ["(hidden), another one"]"#),
            format!("{container}.someNewField.text: {other}"),
            format!("proxyConfiguration.properties[p].value: {other}"),
            format!("tags[t].value: {other}"),
            format!("volumes[v].dockerVolumeConfiguration.driverOpts.o: {other}"),
            format!("volumes[v].dockerVolumeConfiguration.labels.l: {other}"),
        ]
    );
    // The same is no difference, and what comes and goes is hidden, too.
    assert_eq!(
        shown(&exposing("hunter2canary"), &exposing("hunter2canary")),
        [""; 0]
    );
    for lines in [
        shown(&good(), &exposing("hunter2canary")),
        shown(&exposing("hunter2canary"), &good()),
        shown(&Value::Null, &exposing("hunter2canary")),
    ] {
        let lines = lines.join("\n");
        assert!(lines.contains("environment[DB_PASS].value: "), "{lines}");
        assert!(
            lines.contains("splunk-url: ") && lines.contains("https://x:8088"),
            "{lines}"
        );
        assert!(!lines.contains("canary") && !lines.contains('\0'), "{lines}");
    }
    let whole = concealed(&exposing("hunter2canary")).to_string();
    assert!(!whole.contains("canary") && !whole.contains("\\u0000"), "{whole}");
    let expected = json!([
        {"name": "AWS_DEFAULT_REGION", "value": "us-east-1"}, {"name": "DB_PASS", "value": "(hidden)"},
        {"name": "PLAIN", "value": "(hidden)"}, {"name": "DATABASE", "value": "(hidden)"}
    ]);
    let whole = concealed(&exposing("hunter2canary"));
    assert_eq!(whole["containerDefinitions"][0]["environment"], expected);
    assert_eq!(concealed(&good()), good());
    let found = secrets(&exposing("hunter2canary"));
    for text in [
        "hunter2canary",
        "--password=hunter2canary",
        "host=x password=hunter2canary",
    ] {
        assert!(found.iter().any(|one| one == text), "{text}: {found:?}");
    }
    assert_eq!(secrets(&good()), [""; 0]);
}

#[test]
fn secrets_in_the_clear_are_warned_of_and_never_said() {
    let definition = exposing("hunter2canary");
    let found = faults(&definition);
    let warned: Vec<&str> = found
        .iter()
        .filter_map(|line| line.strip_prefix("? containerDefinitions[0]."))
        .filter(|line| line.contains("looks like a secret"))
        .filter_map(|line| line.split(": ").next())
        .collect();
    assert_eq!(
        warned,
        [
            "logConfiguration.options.splunk-token",
            "environment[1].name",
            "environment[3].name",
            "command[1]",
            "firelensConfiguration.options.key",
        ],
        "{found:#?}"
    );
    assert!(!found.join("\n").contains("canary"), "{found:#?}");
    let key = format!("{}{}", "AKIA", "IOSFODNN7EXAMPLE");
    let clear = "an AWS key stands in the clear: everybody who may describe the task reads it";
    container(
        &[
            ("/command", json!(["x", format!("--id={key}")])),
            ("/dockerLabels", json!({"l": key})),
        ],
        &[
            &format!("C.command[1]: {clear}"),
            &format!("C.dockerLabels.l: {clear}"),
        ],
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

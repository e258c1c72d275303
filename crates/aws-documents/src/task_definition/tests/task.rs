use super::*;

#[test]
fn a_valid_document_has_no_diagnostic() {
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
    table(
        task,
        r#"
/cpu 256 => cpu: it must be a string, not a number
/cpu null => `cpu` is missing: Fargate wants it for the task
"#,
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
    table(
        task,
        r#"
/requiresCompatibilities null => `requiresCompatibilities` is missing: it must hold "FARGATE"
/requiresCompatibilities ["EC2"] => requiresCompatibilities: it must hold "FARGATE"
/requiresCompatibilities ["fargate"] => requiresCompatibilities: it must hold "FARGATE"
  => requiresCompatibilities[0]: `fargate` is none of EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES
/networkMode "bridge" => networkMode: on Fargate it must be "awsvpc"
/networkMode null => `networkMode` is missing: on Fargate it must be "awsvpc"
/family "back end" => family: a family has 1 to 255 letters, digits, `_` and `-`
"#,
    );
    task(
        &[("/ipcMode", json!("task")), ("/pidMode", json!("host"))],
        &[
            "ipcMode: Fargate does not take it",
            "pidMode: on Fargate it must be \"task\"",
        ],
    );
    table(
        task,
        r#"
/ephemeralStorage {"sizeInGiB": 20} => ephemeralStorage.sizeInGiB: it must be 21 to 200 GiB
/placementConstraints [{"type": "memberOf"}] => placementConstraints: Fargate does not take it
"#,
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
    table(
        task,
        r#"
/executionRoleArn "" => executionRoleArn: it is empty: leave it out, or name a role
/taskRoleArn "CruddurTaskRole" => taskRoleArn: it must be the ARN of a role
/taskRoleArn "arn:aws:iam::123456789012:policy/x" => taskRoleArn: `arn:aws:iam::123456789012:policy/x` is not the ARN of a role
/taskRoleArn "arn:aws:iam:123456789012:role/x" => taskRoleArn: `arn:aws:iam:123456789012:role/x`: it has 5 parts, and an ARN has 6
"#,
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
    table(
        container,
        r#"
/enviroment [] => C.enviroment: AWS has no field `enviroment` here
/command "python app.py" => C.command: it must be an array, not a string
/cpu "256" => C.cpu: it must be a whole number, not a string
/cpu 0.5 => C.cpu: it must be a whole number, not a number
/dockerLabels {"a": 1} => C.dockerLabels.a: it must be a string, not a number
/command [null] => C.command[0]: null can't stand in an array
"#,
    );
    let wrapped = json!({"taskDefinition": good(), "tags": []});
    assert_eq!(
        diagnostics(&wrapped),
        ["this is an answer of DescribeTaskDefinition"]
    );
    assert_eq!(diagnostics(&json!([])), ["it must be an object, not an array"]);
    // null is absent.
    task(&[("/tags", json!([]))], &[]);
}

#[test]
fn all_diagnostics_have_their_positions() {
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

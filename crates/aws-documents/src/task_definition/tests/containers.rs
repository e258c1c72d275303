use super::*;

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
    table(
        container,
        r#"
/name "a b" => C.name: a container's name has 1 to 255 letters, digits, `_` and `-`
/name null => C: `name` is missing
/essential "true" => C.essential: it must be true or false, not a string
"#,
    );
}

#[test]
fn images_have_a_form_and_better_a_digest() {
    table(
        container,
        r#"
/image "nginx" => ? C.image: `nginx` is whatever `latest` is when a task starts
/image "localhost:5000/nginx" => ? C.image: `localhost:5000/nginx` is whatever `latest` is when a task starts
/image "nginx:latest" => ? C.image: `nginx:latest` is whatever `latest` is when a task starts
/image "nginx:1.27"
/image "" => C.image: it is no image: 1 to 255 letters, digits and -_:./# before the digest
/image "https://x/nginx:1" => C.image: an image has no scheme: leave https:// out
/image "nginx@sha256:abc" => C.image: its digest is not sha256: and 64 hexadecimal digits
"#,
    );
}

#[test]
fn ports() {
    table(
        container,
        r#"
/portMappings [{"containerPort": 4567, "hostPort": 4567}]
/portMappings [{"containerPortRange": "8000-8010"}]
/portMappings [{"containerPort": 4567, "hostPort": 80}] => C.portMappings[0].hostPort: in network mode awsvpc it is the container's port, 4567
/portMappings [{"containerPort": 0}] => C.portMappings[0].containerPort: a port is 1 to 65535
/portMappings [{"containerPort": 65536}] => C.portMappings[0].containerPort: a port is 1 to 65535
/portMappings [{"containerPort": "4567"}] => C.portMappings[0].containerPort: it must be a whole number, not a string
/portMappings [{"name": "x"}] => C.portMappings[0]: `containerPort` is missing
/portMappings [{"containerPortRange": "9-8"}] => C.portMappings[0].containerPortRange: a range of ports looks like 8000-8010
/portMappings [{"containerPort": 1, "appProtocol": "https"}] => C.portMappings[0].appProtocol: `https` is none of http, http2, grpc
/portMappings [{"containerPort": 1, "protocol": "udp", "appProtocol": "http"}] => C.portMappings[0].appProtocol: it belongs to tcp, and the mapping is udp
/portMappings [{"containerPort": 53}, {"containerPort": 53, "protocol": "udp"}] => C.portMappings[1]: ECS takes port 53 once, not for tcp and udp
"#,
    );
    for name in ["Backend", "-a", "a.b", &"a".repeat(65)] {
        container(
            &[("/portMappings", json!([{"containerPort": 1, "name": name}]))],
            &[
                "C.portMappings[0].name: a port's name has 1 to 64 small letters, digits, `_` and `-`, and no `-` first",
            ],
        );
    }
}

#[test]
fn health_checks() {
    table(
        container,
        r#"
/healthCheck {"command": ["CMD", "a", "b c"]}
/healthCheck {"command": ["CMD-SHELL", "a && b"]}
/healthCheck {"command": ["NONE"]}
/healthCheck {"command": []} => C.healthCheck.command: it is empty
/healthCheck {"command": ["curl", "-f", "http://localhost"]} => C.healthCheck.command: it must begin with CMD or CMD-SHELL
/healthCheck {"command": ["CMD"]} => C.healthCheck.command: CMD must be followed by the program
/healthCheck {"command": ["CMD", "python /backend-flask/bin/health-check"]} => C.healthCheck.command: CMD takes the program and each argument as separate strings
/healthCheck {"command": ["CMD-SHELL"]} => C.healthCheck.command: CMD-SHELL must be followed by one string, the command line for the shell
/healthCheck {"command": ["CMD-SHELL", "curl", "-f"]} => C.healthCheck.command: CMD-SHELL must be followed by one string, the command line for the shell
/healthCheck {"command": ["CMD-SHELL", " "]} => C.healthCheck.command: CMD-SHELL must be followed by one string, the command line for the shell
/healthCheck {"command": ["NONE", "x"]} => C.healthCheck.command: NONE takes no arguments
"#,
    );
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
    table(
        container,
        r#"
/logConfiguration null => ? C: without `logConfiguration` nothing that it prints can be seen
/logConfiguration/logDriver "json-file" => C.logConfiguration.logDriver: Fargate takes awslogs, splunk and awsfirelens
"#,
    );
    for key in ["awslogs-group", "awslogs-region", "awslogs-stream-prefix"] {
        container(
            &[(&format!("/logConfiguration/options/{key}"), json!(null))],
            &[&format!(
                "C.logConfiguration.options: `{key}` is missing: on Fargate awslogs needs it"
            )],
        );
    }
    table(
        container,
        r#"
/logConfiguration/options/awslogs-group "" => C.logConfiguration.options.awslogs-group: it is empty
/logConfiguration/options/awslog-region "x" => C.logConfiguration.options.awslog-region: awslogs has no option `awslog-region`: the task would not start
/logConfiguration/options/awslogs-region "us-west2" => C.logConfiguration.options.awslogs-region: `us-west2` has not the form of a region
/logConfiguration/options/mode "async" => C.logConfiguration.options.mode: it must be "blocking" or "non-blocking"
/logConfiguration/options/awslogs-create-group "true" => ? C.logConfiguration.options.awslogs-create-group: the execution role then needs logs:CreateLogGroup, which AWS's own policy does not give
/logConfiguration/logDriver "awsfirelens" => C.logConfiguration: awsfirelens needs a container with `firelensConfiguration`
"#,
    );
}

#[test]
fn what_fargate_does_not_take() {
    table(
        container,
        r#"
/privileged true => C.privileged: Fargate runs no privileged container
/links ["x"] => C.links: in network mode awsvpc containers reach each other at localhost
/extraHosts [{"hostname": "x", "ipAddress": "1.2.3.4"}] => C.extraHosts: network mode awsvpc does not take it
/hostname "x" => C.hostname: network mode awsvpc does not take it
/disableNetworking true => C.disableNetworking: network mode awsvpc does not take it
/dockerSecurityOptions ["no-new-privileges"] => C.dockerSecurityOptions: Fargate does not take it
/resourceRequirements [{"type": "GPU", "value": "1"}] => C.resourceRequirements: Fargate has no devices
/linuxParameters {"sharedMemorySize": 64} => C.linuxParameters.sharedMemorySize: Fargate does not take it
/linuxParameters {"capabilities": {"add": ["NET_ADMIN"]}} => C.linuxParameters.capabilities.add[0]: Fargate adds no capability but SYS_PTRACE
/ulimits [{"name": "core", "softLimit": 1, "hardLimit": 1}] => C.ulimits[0].name: Fargate takes only `nofile`
/ulimits [{"name": "nofile", "softLimit": 2, "hardLimit": 1}] => C.ulimits[0]: its soft limit 2 is above its hard limit 1
/stopTimeout 121 => C.stopTimeout: it must be 2 to 120 s
/startTimeout 1 => C.startTimeout: it must be 2 to 120 s
/restartPolicy {"enabled": true, "restartAttemptPeriod": 59} => C.restartPolicy.restartAttemptPeriod: it must be 60 to 1800 s
/memory 5 => C.memory: a container needs at least 6 MiB
/workingDirectory "app" => C.workingDirectory: it must be an absolute path
/privileged false
/links []
/disableNetworking false
"#,
    );
    container(
        &[("/memory", json!(128)), ("/memoryReservation", json!(128))],
        &["C.memoryReservation: it must be less than `memory`, which is 128"],
    );
}

#[test]
fn referenced_containers_and_volumes_must_exist() {
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
    table(
        container,
        r#"
/mountPoints [{"sourceVolume": "x", "containerPath": "data"}] => C.mountPoints[0].sourceVolume: the task has no volume `x`
  => C.mountPoints[0].containerPath: it must be an absolute path
/volumesFrom [{"sourceContainer": "x"}] => C.volumesFrom[0].sourceContainer: the task has no other container `x`
"#,
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

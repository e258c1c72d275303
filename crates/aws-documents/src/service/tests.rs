use super::*;
use crate::diagnostic::Diagnostic;
use crate::document::Document;
use serde_json::{Value, json};
use std::path::Path;

fn good() -> Value {
    json!({
        "serviceName": "backend-flask",
        "cluster": "cruddur",
        "launchType": "FARGATE",
        "desiredCount": 1,
        "enableECSManagedTags": true,
        "propagateTags": "SERVICE",
        "networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "ENABLED"}},
        "serviceConnectConfiguration": {
            "enabled": true,
            "namespace": "cruddur",
            "services": [{"portName": "backend-flask", "discoveryName": "backend-flask", "clientAliases": [{"port": 4567}]}],
        },
    })
}

fn definition() -> Value {
    json!({
        "cpu": "512", "memory": "1024", "taskRoleArn": "arn:aws:iam::123456789012:role/x",
        "containerDefinitions": [{"name": "backend-flask", "portMappings": [
            {"name": "backend-flask", "containerPort": 4567, "appProtocol": "http"},
            {"name": "plain", "containerPort": 5000},
            {"containerPort": 6000},
        ]}],
    })
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut service = good();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let members = service.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            members.remove(key);
        } else {
            members.insert(key.to_owned(), value.clone());
        }
    }
    service
}

fn lines(diagnostics: Vec<Diagnostic>) -> Vec<String> {
    let line = |diagnostic: Diagnostic| {
        let mark = if diagnostic.is_error() { "" } else { "? " };
        let text = diagnostic.to_string();
        let text = text.splitn(4, ':').last().unwrap_or_default().trim();
        format!("{mark}{text}")
    };
    diagnostics.into_iter().map(line).collect()
}

fn diagnostics_of(service: &Value, definition: &Value) -> Vec<String> {
    let document = Document::parse(Path::new("s.json"), &service.to_string()).unwrap();
    let (subnets, groups) = (names(&["subnet-1", "subnet-2"]), names(&["sg-1"]));
    let setting = Setting {
        task_definition: Some(definition),
        subnets: Some(&subnets),
        security_groups: Some(&groups),
        default_namespace: Some(false),
    };
    lines(check(&document, &setting))
}

#[track_caller]
fn diagnostics(changes: &[(&str, Value)], expected: &[&str]) {
    assert_eq!(
        diagnostics_of(&with(changes), &definition()),
        expected,
        "{changes:?}"
    );
}

#[test]
fn a_valid_document_has_no_diagnostic() {
    diagnostics(&[], &[]);
    diagnostics(&[("/serviceConnectConfiguration", json!(null))], &[]);
    diagnostics(&[("/serviceConnectConfiguration/services", json!(null))], &[]);
    diagnostics(
        &[
            ("/launchType", json!(null)),
            (
                "/capacityProviderStrategy",
                json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}]),
            ),
            ("/platformVersion", json!("1.4.0")),
            ("/enableExecuteCommand", json!(true)),
            (
                "/loadBalancers",
                json!([{"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1", "containerName": "backend-flask", "containerPort": 4567}]),
            ),
            (
                "/deploymentConfiguration",
                json!({"maximumPercent": 200, "minimumHealthyPercent": 50, "deploymentCircuitBreaker": {"enable": true, "rollback": false}}),
            ),
        ],
        &[],
    );
}

#[test]
fn service_connect_fits_the_task_definition() {
    let connect = "serviceConnectConfiguration";
    let service = |one: Value| vec![("/serviceConnectConfiguration/services", json!([one]))];
    let alias = json!([{"port": 4567}]);
    diagnostics(
        &service(json!({"portName": "backend", "clientAliases": alias})),
        &[&format!(
            "{connect}.services[0].portName: no port of the task definition has the name `backend`"
        )],
    );
    diagnostics(
        &service(json!({"portName": "backend-flask", "discoveryName": "Backend", "clientAliases": alias})),
        &[&format!(
            "{connect}.services[0].discoveryName: it has 1 to 64 small letters, digits, `_` and `-`, and no `-` first"
        )],
    );
    diagnostics(
        &service(json!({"portName": "backend-flask"})),
        &[&format!(
            "{connect}.services[0]: `clientAliases` is missing: clients need one, with a `port`"
        )],
    );
    diagnostics(
        &service(json!({"portName": "backend-flask", "clientAliases": [{"port": 1}, {"port": 2}]})),
        &[&format!(
            "{connect}.services[0].clientAliases: there are 2, and one is allowed"
        )],
    );
    diagnostics(
        &service(json!({"portName": "backend-flask", "clientAliases": [{"dnsName": "a b"}]})),
        &[
            &format!("{connect}.services[0].clientAliases[0]: `port` is missing"),
            &format!(
                "{connect}.services[0].clientAliases[0].dnsName: it has 1 to 127 small letters, digits, `_`, `-` and `.`, and no `-` first"
            ),
        ],
    );
    diagnostics(
        &service(json!({"portName": "backend-flask", "clientAliases": [{"port": 0}]})),
        &[&format!(
            "{connect}.services[0].clientAliases[0].port: a port is 1 to 65535"
        )],
    );
    diagnostics(
        &service(
            json!({"portName": "plain", "clientAliases": alias, "timeout": {"perRequestTimeoutSeconds": 5}}),
        ),
        &[&format!(
            "{connect}.services[0].timeout.perRequestTimeoutSeconds: the port has no `appProtocol`, and plain TCP has no requests"
        )],
    );
    diagnostics(
        &[(
            "/serviceConnectConfiguration/services",
            json!([
                {"portName": "backend-flask", "discoveryName": "x", "clientAliases": [{"port": 1, "dnsName": "d"}]},
                {"portName": "plain", "discoveryName": "x", "clientAliases": [{"port": 1, "dnsName": "d"}]},
            ]),
        )],
        &[
            &format!("{connect}.services[1].discoveryName: two services are discovered as `x`"),
            &format!("{connect}.services[1].clientAliases[0]: two aliases are `d:1`"),
        ],
    );
    diagnostics(
        &[("/serviceConnectConfiguration/namespace", json!(null))],
        &[&format!(
            "{connect}: `namespace` is missing, and the cluster has no default one"
        )],
    );
    diagnostics(
        &[("/serviceConnectConfiguration/namespace", json!("a/b"))],
        &[&format!(
            "{connect}.namespace: a namespace has 1 to 1024 characters, none of them < > \" or white space"
        )],
    );
    diagnostics(
        &[("/serviceConnectConfiguration/enabled", json!(false))],
        &[&format!(
            "? {connect}: it is not enabled, so its services are not published"
        )],
    );
    diagnostics(
        &[(
            "/serviceConnectConfiguration/accessLogConfiguration",
            json!({"format": "JSON"}),
        )],
        &[&format!(
            "{connect}.accessLogConfiguration: it needs `logConfiguration` beside it"
        )],
    );
    diagnostics(
        &[(
            "/serviceConnectConfiguration/logConfiguration",
            json!({"logDriver": "awslogs", "options": {"awslogs-group": "x"}}),
        )],
        &[
            &format!(
                "{connect}.logConfiguration.options: `awslogs-region` is missing: on Fargate awslogs needs it"
            ),
            &format!(
                "{connect}.logConfiguration.options: `awslogs-stream-prefix` is missing: on Fargate awslogs needs it"
            ),
        ],
    );
}

#[test]
fn a_small_task_with_a_proxy_is_a_warning() {
    let mut small = definition();
    small["cpu"] = json!("0.25 vCPU");
    small["memory"] = json!("512");
    let found = diagnostics_of(&good(), &small);
    assert_eq!(
        found,
        [
            "? serviceConnectConfiguration: the proxy shares the task's 256 CPU units and 512 MiB; AWS recommends 256 units and \
          64 MiB for it alone"
        ]
    );
    assert_eq!(
        diagnostics_of(&with(&[("/serviceConnectConfiguration", json!(null))]), &small),
        [""; 0]
    );
}

#[test]
fn the_network_is_named_once() {
    diagnostics(
        &[(
            "/networkConfiguration/awsvpcConfiguration/subnets",
            json!(["subnet-9"]),
        )],
        &[
            "networkConfiguration.awsvpcConfiguration.subnets: it stands here and as `subnets` in [service] of ops.toml",
        ],
    );
    let check_network = |service: &Value, subnets: Option<&[String]>, groups: Option<&[String]>| {
        let document = Document::parse(Path::new("s.json"), &service.to_string()).unwrap();
        lines(check(
            &document,
            &Setting {
                subnets,
                security_groups: groups,
                ..Setting::default()
            },
        ))
    };
    assert_eq!(
        check_network(&good(), None, None),
        ["there is no subnet, and a Fargate task needs one"]
    );
    assert_eq!(
        check_network(&good(), Some(&names(&["vpc-1", "subnet-1", "subnet-1"])), None),
        [
            "`subnets` of ops.toml: `vpc-1` does not look like subnet-…",
            "`subnets` of ops.toml: `subnet-1` stands twice",
        ]
    );
    let many: Vec<String> = (0..17).map(|number| format!("subnet-{number}")).collect();
    assert_eq!(
        check_network(&good(), Some(&many), None),
        ["there are 17 in `subnets`, and 16 are allowed"]
    );
    let own = with(&[(
        "/networkConfiguration/awsvpcConfiguration",
        json!({"subnets": ["subnet-1", "x"], "securityGroups": ["sg-1"]}),
    )]);
    assert_eq!(
        check_network(&own, None, None),
        ["networkConfiguration.awsvpcConfiguration.subnets[1]: `x` does not look like subnet-…"]
    );
}

#[test]
fn the_network_is_filled_in() {
    let (subnets, groups) = (names(&["subnet-1"]), names(&["sg-1"]));
    let setting = Setting {
        subnets: Some(&subnets),
        security_groups: Some(&groups),
        ..Setting::default()
    };
    let expected = json!({"awsvpcConfiguration": {"assignPublicIp": "ENABLED", "subnets": ["subnet-1"], "securityGroups": ["sg-1"]}});
    assert_eq!(fill(&good(), &setting)["networkConfiguration"], expected);
    let nothing = json!({"serviceName": "x"});
    assert_eq!(
        fill(
            &nothing,
            &Setting {
                subnets: Some(&subnets),
                ..Setting::default()
            }
        )["networkConfiguration"],
        json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}})
    );
    assert_eq!(fill(&nothing, &Setting::default()), nothing);
}

#[test]
fn other_diagnostics() {
    diagnostics(
        &[("/serviceName", json!("a b"))],
        &["serviceName: a service's name has 1 to 255 letters, digits, `_` and `-`"],
    );
    diagnostics(&[("/serviceName", json!(null))], &["`serviceName` is missing"]);
    diagnostics(
        &[("/service", json!("x"))],
        &["service: AWS has no field `service` here"],
    );
    diagnostics(
        &[("/runningCount", json!(1))],
        &["runningCount: AWS has no field `runningCount` here"],
    );
    diagnostics(
        &[("/launchType", json!(null))],
        &["`launchType` is missing: without it ECS may look for instances of EC2"],
    );
    diagnostics(
        &[("/launchType", json!("EC2"))],
        &["launchType: it must be \"FARGATE\""],
    );
    diagnostics(
        &[(
            "/capacityProviderStrategy",
            json!([{"capacityProvider": "FARGATE"}]),
        )],
        &["launchType: it can't stand beside `capacityProviderStrategy`"],
    );
    diagnostics(
        &[("/schedulingStrategy", json!("DAEMON"))],
        &["schedulingStrategy: Fargate has no daemons: it must be \"REPLICA\""],
    );
    diagnostics(
        &[("/deploymentController", json!({"type": "CODE_DEPLOY"}))],
        &["deploymentController: deploy-service works with the deployment controller \"ECS\""],
    );
    diagnostics(
        &[("/desiredCount", json!(-1))],
        &["desiredCount: it can't be negative"],
    );
    diagnostics(
        &[("/clientToken", json!("x"))],
        &["clientToken: it belongs to one call, not to a file"],
    );
    diagnostics(
        &[("/platformVersion", json!("latest"))],
        &["platformVersion: it must be \"LATEST\" or look like \"1.4.0\""],
    );
    diagnostics(
        &[("/propagateTags", json!(null))],
        &["enableECSManagedTags: it needs `propagateTags` beside it"],
    );
    diagnostics(
        &[(
            "/deploymentConfiguration",
            json!({"maximumPercent": 100, "minimumHealthyPercent": 100}),
        )],
        &[
            "deploymentConfiguration.maximumPercent: with 1 wanted, 100 % at least and 100 % at most, no task can be replaced",
        ],
    );
    diagnostics(
        &[(
            "/deploymentConfiguration",
            json!({"maximumPercent": 100, "minimumHealthyPercent": 0}),
        )],
        &[],
    );
    diagnostics(
        &[(
            "/deploymentConfiguration",
            json!({"maximumPercent": 150, "minimumHealthyPercent": 100}),
        )],
        &[
            "deploymentConfiguration.maximumPercent: with 1 wanted, 100 % at least and 150 % at most, no task can be replaced",
        ],
    );
    diagnostics(
        &[
            ("/desiredCount", json!(2)),
            (
                "/deploymentConfiguration",
                json!({"maximumPercent": 150, "minimumHealthyPercent": 100}),
            ),
        ],
        &[],
    );
    diagnostics(
        &[(
            "/deploymentConfiguration",
            json!({"deploymentCircuitBreaker": {"enable": true}}),
        )],
        &["deploymentConfiguration.deploymentCircuitBreaker: `rollback` is missing"],
    );
    diagnostics(
        &[(
            "/loadBalancers",
            json!([{"containerName": "x", "containerPort": 1}]),
        )],
        &["loadBalancers[0].containerName: the task definition has no container `x`"],
    );
    diagnostics(
        &[(
            "/loadBalancers",
            json!([{"containerName": "backend-flask", "containerPort": 1}]),
        )],
        &["loadBalancers[0].containerPort: container `backend-flask` has no port 1"],
    );
    assert_eq!(
        diagnostics_of(&json!({"services": []}), &definition()),
        ["this is an answer of DescribeServices"]
    );
}

#[test]
fn exec_needs_a_role_and_no_keys() {
    let exec = with(&[("/enableExecuteCommand", json!(true))]);
    let mut without = definition();
    without.as_object_mut().unwrap().remove("taskRoleArn");
    assert_eq!(
        diagnostics_of(&exec, &without),
        ["enableExecuteCommand: ECS Exec needs a `taskRoleArn` in the task definition"]
    );
    let mut keys = definition();
    keys["containerDefinitions"][0]["secrets"] = json!([{"name": "AWS_ACCESS_KEY_ID", "valueFrom": "/x"}]);
    assert_eq!(
        diagnostics_of(&exec, &keys),
        [
            "? enableExecuteCommand: container `backend-flask` gets AWS_ACCESS_KEY_ID, with which ECS Exec often fails"
        ]
    );
}

// --- Comparing ----------------------------------------------------------------------------------------

const NAMESPACE: &str = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1";

/// What the file says, filled in.
fn desired() -> Value {
    let subnets = names(&["subnet-2", "subnet-1"]);
    let groups = names(&["sg-1"]);
    let mut desired = fill(
        &good(),
        &Setting {
            subnets: Some(&subnets),
            security_groups: Some(&groups),
            ..Setting::default()
        },
    );
    desired["taskDefinition"] = json!("arn:aws:ecs:us-east-1:123456789012:task-definition/backend-flask:3");
    desired
}

/// The same as DescribeServices shows it.
fn observed() -> Value {
    let task_definition = "arn:aws:ecs:us-east-1:123456789012:task-definition/backend-flask:3";
    json!({
        "serviceArn": "arn:aws:ecs:us-east-1:123456789012:service/cruddur/backend-flask",
        "serviceName": "backend-flask",
        "clusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/cruddur",
        "status": "ACTIVE",
        "desiredCount": 1, "runningCount": 1, "pendingCount": 0,
        "launchType": "FARGATE",
        "platformVersion": "LATEST", "platformFamily": "Linux",
        "loadBalancers": [], "serviceRegistries": [],
        "taskDefinition": task_definition,
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": true, "rollback": true, "resetOnHealthyTask": true, "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}},
            "maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING", "bakeTimeInMinutes": 0,
            "alarms": {"alarmNames": [], "rollback": false, "enable": false},
        },
        "deployments": [
            {"id": "ecs-svc/2", "status": "ACTIVE", "serviceConnectConfiguration": {"enabled": false}},
            {"id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": task_definition, "serviceConnectConfiguration": {
                "enabled": true, "namespace": NAMESPACE,
                "services": [{"portName": "backend-flask", "discoveryName": "backend-flask", "clientAliases": [{"port": 4567, "dnsName": "backend-flask.cruddur"}]}],
            }},
        ],
        "roleArn": "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "events": [], "createdAt": 1, "placementConstraints": [], "placementStrategy": [],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"}},
        "healthCheckGracePeriodSeconds": 0,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "createdBy": "arn:aws:iam::123456789012:user/ci",
        "enableECSManagedTags": true,
        "propagateTags": "SERVICE",
        "enableExecuteCommand": false,
        "availabilityZoneRebalancing": "ENABLED",
        "tags": [{"key": "owner", "value": "another"}],
    })
}

fn compare(observed: &Value, desired: &Value) -> (Vec<String>, Difference) {
    let namespaces = Namespaces::from([(NAMESPACE.to_owned(), "cruddur".to_owned())]);
    let found = difference(observed, desired, &namespaces);
    (found.changes.iter().map(ToString::to_string).collect(), found)
}

#[test]
fn what_ecs_fills_in_is_no_difference() {
    assert_eq!(compare(&observed(), &desired()).0, [""; 0]);
    // What the file leaves out stays.
    let mut less = desired();
    less.as_object_mut().unwrap().remove("desiredCount");
    less["serviceConnectConfiguration"]
        .as_object_mut()
        .unwrap()
        .remove("namespace");
    less["taskDefinition"] = json!("backend-flask:3");
    let mut scaled = observed();
    scaled["desiredCount"] = json!(5);
    scaled["healthCheckGracePeriodSeconds"] = json!(60);
    scaled["loadBalancers"] = json!([{"targetGroupArn": "x"}]);
    let (lines, found) = compare(&scaled, &less);
    assert_eq!(lines, [""; 0]);
    assert!(found.is_empty());
    assert_eq!(update(&less, &found), json!({}));
}

#[test]
fn a_document_that_is_no_object_has_one_diagnostic() {
    let document = Document::parse(Path::new("s.json"), "[]").unwrap();
    let diagnostics = check(&document, &Setting::default());
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["s.json:1:1: it must be an object, not an array"]);
}

#[test]
fn values_that_may_be_secrets_are_not_shown_and_sent_as_they_are() {
    let logging = |token: &str| {
        let mut service = desired();
        service["serviceConnectConfiguration"]["logConfiguration"] = json!({
            "logDriver": "splunk", "options": {"splunk-url": "https://x:8088", "splunk-token": token}
        });
        service["deploymentConfiguration"]["lifecycleHooks"] = json!([{"hookDetails": {"pass": token}}]);
        service
    };
    let (lines, found) = compare(&complete(&logging("hunter1")), &logging("hunter2"));
    assert_eq!(
        lines,
        [
            "serviceConnectConfiguration.logConfiguration.options.splunk-token: (hidden) -> (hidden)",
            r#"deploymentConfiguration.lifecycleHooks: [{"hookDetails":"(hidden)"}] -> [{"hookDetails":"(hidden)"}]"#,
        ]
    );
    let sent = update(&logging("hunter2"), &found);
    let options = &sent["serviceConnectConfiguration"]["logConfiguration"]["options"];
    assert_eq!(options["splunk-token"], "hunter2");
    let document = Document::parse(Path::new("s.json"), &logging("hunter2").to_string()).unwrap();
    let diagnostics = check(&document, &Setting::default());
    let warned: Vec<&Diagnostic> = diagnostics
        .iter()
        .filter(|diagnostic| !diagnostic.is_error())
        .collect();
    assert_eq!(warned.len(), 1, "{diagnostics:?}");
    assert!(
        warned[0]
            .message
            .starts_with("`splunk-token` looks like a secret"),
        "{diagnostics:?}"
    );
}

#[test]
fn differences_are_listed_and_sent() {
    let mut other = desired();
    other["taskDefinition"] = json!("arn:aws:ecs:us-east-1:123456789012:task-definition/backend-flask:4");
    other["desiredCount"] = json!(2);
    other["enableExecuteCommand"] = json!(true);
    other["networkConfiguration"]["awsvpcConfiguration"]["subnets"] = json!(["subnet-1", "subnet-3"]);
    other["serviceConnectConfiguration"]["services"][0]["clientAliases"][0]["port"] = json!(80);
    other["tags"] = json!([{"key": "app", "value": "cruddur"}]);
    let (lines, found) = compare(&observed(), &other);
    assert_eq!(
        lines,
        [
            "desiredCount: 1 -> 2",
            "taskDefinition: backend-flask:3 -> backend-flask:4",
            "networkConfiguration.awsvpcConfiguration.subnets: subnet-2 -> subnet-3",
            "enableExecuteCommand: false -> true",
            "tags[app].value: (none) -> cruddur",
            r#"serviceConnectConfiguration.services[backend-flask].clientAliases[4567]: {"port":4567} -> (none)"#,
            r#"serviceConnectConfiguration.services[backend-flask].clientAliases[80]: (none) -> {"port":80}"#,
        ]
    );
    assert!(
        found.touches(&NEEDS_DEPLOYMENT) && found.touches(&ONLY_NEW_TASKS) && !found.touches(&UNCHANGEABLE)
    );
    let sent = update(&other, &found);
    let fields: Vec<&String> = sent.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "desiredCount",
            "enableExecuteCommand",
            "networkConfiguration",
            "serviceConnectConfiguration",
            "taskDefinition"
        ]
    );
    assert_eq!(sent["networkConfiguration"], other["networkConfiguration"]);
    assert_eq!(
        sent["serviceConnectConfiguration"],
        other["serviceConnectConfiguration"]
    );
}

#[test]
fn service_connect_is_removed_only_with_an_explicit_setting() {
    let mut without = desired();
    without
        .as_object_mut()
        .unwrap()
        .remove("serviceConnectConfiguration");
    let (lines, found) = compare(&observed(), &without);
    assert_eq!(lines[0], "serviceConnectConfiguration.enabled: true -> false");
    assert_eq!(
        update(&without, &found),
        json!({"serviceConnectConfiguration": {"enabled": false}})
    );
    let mut off = observed();
    off["deployments"][1]
        .as_object_mut()
        .unwrap()
        .remove("serviceConnectConfiguration");
    assert_eq!(compare(&off, &without).0, [""; 0]);
}

#[test]
fn the_circuit_breaker_is_on_unless_the_file_says_otherwise() {
    assert_eq!(
        complete(&good())["deploymentConfiguration"],
        json!({"deploymentCircuitBreaker": {"enable": true, "rollback": true}})
    );
    let own = with(&[(
        "/deploymentConfiguration",
        json!({"deploymentCircuitBreaker": {"enable": false, "rollback": false}}),
    )]);
    assert_eq!(complete(&own), own);
    let blue_green = with(&[("/deploymentConfiguration", json!({"strategy": "BLUE_GREEN"}))]);
    assert_eq!(complete(&blue_green), blue_green);
    let mut old = observed();
    old["deploymentConfiguration"] = json!({"maximumPercent": 200, "minimumHealthyPercent": 100});
    let (lines, found) = compare(&old, &desired());
    assert_eq!(
        lines[0],
        "deploymentConfiguration.deploymentCircuitBreaker.enable: false -> true"
    );
    assert_eq!(
        found.fields.iter().collect::<Vec<_>>(),
        ["deploymentConfiguration"]
    );
    assert!(!found.touches(&NEEDS_DEPLOYMENT));
}

#[test]
fn a_namespace_is_its_name_or_its_arn() {
    let mut by_arn = desired();
    by_arn["serviceConnectConfiguration"]["namespace"] = json!(NAMESPACE);
    assert_eq!(compare(&observed(), &by_arn).0, [""; 0]);
    by_arn["serviceConnectConfiguration"]["namespace"] = json!("other");
    let lines = compare(&observed(), &by_arn).0;
    assert_eq!(
        lines[0],
        "serviceConnectConfiguration.namespace: cruddur -> other"
    );
}

#[test]
fn an_empty_list_in_the_file_means_none() {
    let mut balanced = observed();
    balanced["loadBalancers"] = json!([{"targetGroupArn": "x", "containerName": "a", "containerPort": 1}]);
    let mut none = desired();
    none["loadBalancers"] = json!([]);
    let (lines, found) = compare(&balanced, &none);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(update(&none, &found), json!({"loadBalancers": []}));
    assert_eq!(compare(&observed(), &none).0, [""; 0]);
}

#[test]
fn what_cannot_be_changed_is_known() {
    let mut spot = desired();
    spot.as_object_mut().unwrap().remove("launchType");
    spot["capacityProviderStrategy"] = json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}]);
    assert!(
        compare(&observed(), &spot)
            .1
            .touches(&["capacityProviderStrategy"])
    );
    let mut daemon = desired();
    daemon["schedulingStrategy"] = json!("DAEMON");
    let found = compare(&observed(), &daemon).1;
    assert!(found.touches(&UNCHANGEABLE));
    assert_eq!(update(&daemon, &found), json!({}));
}

#[test]
fn a_changed_protocol_is_found() {
    let mut after = definition();
    assert_eq!(changed_protocols(&definition(), &after, &good()), [""; 0]);
    after["containerDefinitions"][0]["portMappings"][1]["appProtocol"] = json!("http");
    assert_eq!(changed_protocols(&definition(), &after, &good()), [""; 0]);
    after["containerDefinitions"][0]["portMappings"][0]
        .as_object_mut()
        .unwrap()
        .remove("appProtocol");
    assert_eq!(
        changed_protocols(&definition(), &after, &good()),
        ["port `backend-flask` is http, and becomes tcp"]
    );
}

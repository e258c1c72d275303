use super::*;
use clap::Parser;

const ARN: &str = "arn:aws:ecs:us-east-1:123456789012:task-definition/web";

fn desired() -> Value {
    json!({
        "cluster": "c", "serviceName": "web", "taskDefinition": format!("{ARN}:2"), "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"]}},
    })
}

/// What DescribeServices makes of it.
fn described(state: &str) -> Value {
    json!({
        "serviceName": "web", "status": "ACTIVE", "taskDefinition": format!("{ARN}:2"), "desiredCount": 1,
        "launchType": "FARGATE", "platformVersion": "LATEST", "schedulingStrategy": "REPLICA",
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": true, "rollback": true},
            "maximumPercent": 200, "minimumHealthyPercent": 100,
        },
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-2", "subnet-1"], "securityGroups": ["sg-default"], "assignPublicIp": "DISABLED",
        }},
        "deployments": [{
            "id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": state, "taskDefinition": format!("{ARN}:2"),
        }],
        "tags": [{"key": "app", "value": "web"}, {"key": "owner", "value": "me"}],
    })
}

fn manual() -> ManualCommands {
    let args = crate::args::Args::parse_from(["deploy-service"]);
    let names = crate::desired::Names {
        cluster: "c".into(),
        service: "web".into(),
        task_definition: "web".into(),
    };
    ManualCommands::new(args.service(), "us-east-1", &names, false)
}

fn plan(service: Option<Value>, desired: &Value, force: bool) -> Plan {
    let tags = Tags::from([("app".to_owned(), "web".to_owned())]);
    let service = service.map(Service::of);
    Plan::new(
        service.as_ref(),
        desired,
        &tags,
        &Namespaces::new(),
        force,
        &manual(),
    )
    .unwrap()
}

fn changed(pointer: &str, value: Value) -> Value {
    let mut desired = desired();
    *desired.pointer_mut(pointer).unwrap() = value;
    desired
}

fn fields(plan: Plan) -> Value {
    match plan {
        Plan::Update { fields, .. } => fields,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_service_that_is_as_desired_is_left_alone() {
    assert_eq!(
        plan(Some(described("COMPLETED")), &desired(), false),
        Plan::Nothing
    );
    // All tasks run, but the deployment is still in progress.
    assert_eq!(
        plan(Some(described("IN_PROGRESS")), &desired(), false),
        Plan::Await
    );
}

#[test]
fn what_is_not_there_is_made() {
    let mut gone = described("COMPLETED");
    gone["status"] = "INACTIVE".into();
    for service in [None, Some(gone)] {
        assert_eq!(plan(service, &desired(), false).verb(), "create");
    }
    let mut draining = described("COMPLETED");
    draining["status"] = "DRAINING".into();
    assert_eq!(plan(Some(draining), &desired(), false), Plan::Drain);
}

#[test]
fn only_what_differs_is_sent() {
    let other = changed("/taskDefinition", format!("{ARN}:3").into());
    assert_eq!(
        fields(plan(Some(described("COMPLETED")), &other, false)),
        json!({"taskDefinition": format!("{ARN}:3")})
    );
    // The change starts a new deployment, and the user's options are passed on.
    assert_eq!(
        fields(plan(Some(described("COMPLETED")), &other, true)),
        json!({"taskDefinition": format!("{ARN}:3"), "forceNewDeployment": true})
    );
    assert_eq!(
        fields(plan(
            Some(described("COMPLETED")),
            &changed("/desiredCount", 2.into()),
            false
        )),
        json!({"desiredCount": 2})
    );
}

#[test]
fn a_new_deployment_is_forced_when_asked_or_when_the_last_one_failed() {
    for (state, force) in [("COMPLETED", true), ("FAILED", false)] {
        assert_eq!(
            fields(plan(Some(described(state)), &desired(), force)),
            json!({"forceNewDeployment": true})
        );
    }
}

#[test]
fn a_capacity_provider_strategy_changes_only_with_a_new_deployment() {
    let strategy = |name: &str| json!([{"capacityProvider": name, "weight": 1, "base": 0}]);
    let mut service = described("COMPLETED");
    let mut desired = desired();
    for value in [&mut service, &mut desired] {
        value.as_object_mut().unwrap().remove("launchType");
    }
    service["capacityProviderStrategy"] = strategy("FARGATE");
    desired["capacityProviderStrategy"] = strategy("FARGATE_SPOT");
    let Plan::Update { fields, changes, .. } = plan(Some(service.clone()), &desired, false) else {
        panic!("nothing to do")
    };
    assert_eq!(
        fields,
        json!({"capacityProviderStrategy": strategy("FARGATE_SPOT"), "forceNewDeployment": true})
    );
    assert!(
        changes.iter().all(|change| change.path != "deployment"),
        "{changes:?}"
    );
    desired["capacityProviderStrategy"] = strategy("FARGATE");
    assert_eq!(plan(Some(service), &desired, false), Plan::Nothing);
}

#[test]
fn missing_tasks_are_waited_for() {
    for (running, expected) in [(0, Plan::Await), (1, Plan::Nothing), (2, Plan::Nothing)] {
        let mut service = described("COMPLETED");
        service["deployments"][0]["desiredCount"] = 1.into();
        service["deployments"][0]["runningCount"] = running.into();
        assert_eq!(plan(Some(service), &desired(), false), expected, "{running}");
    }
}

#[test]
fn tags_alone_need_no_update() {
    let mut untagged = described("COMPLETED");
    untagged["tags"] = json!([]);
    let Plan::Update { fields, tags, .. } = plan(Some(untagged), &desired(), false) else {
        panic!("nothing to do")
    };
    assert_eq!(fields, json!({}));
    assert_eq!(tags.len(), 1);
}

#[test]
fn what_can_not_be_changed_is_an_error() {
    let service = Service::of(described("COMPLETED"));
    let other = changed("/launchType", "EC2".into());
    let error = Plan::new(
        Some(&service),
        &other,
        &Tags::new(),
        &Namespaces::new(),
        false,
        &manual(),
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("launchType: FARGATE -> EC2"),
        "{error}"
    );
}

#[test]
fn a_service_is_made_with_a_circuit_breaker_and_one_task() {
    let mut desired = desired();
    desired.as_object_mut().unwrap().remove("desiredCount");
    let body = create_body(&desired, &Tags::new(), "0123");
    assert_eq!(body["clientToken"], "0123");
    assert_eq!(body["desiredCount"], 1);
    // The plan shows it as well.
    let planned = plan(None, &desired, false);
    let count = Change::new("desiredCount", Value::Null, 1);
    assert!(planned.changes().contains(&count), "{planned:?}");
    assert_eq!(
        body["deploymentConfiguration"]["deploymentCircuitBreaker"],
        json!({"enable": true, "rollback": true})
    );
    assert_eq!(body.get("tags"), None);
}

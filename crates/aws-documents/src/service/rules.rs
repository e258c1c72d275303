//! The rules of a service's document.

use super::setting::Setting;
use super::{connect, fields, network};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Document;
use crate::json::list;
use crate::node::{Content, Field};
use crate::task_definition::is_name;
use crate::{shape, tags};
use serde_json::Value;

/// All diagnostics of a service's document, in the order of the file. It must be expanded.
pub fn check(document: &Document, setting: &Setting) -> Vec<Diagnostic> {
    let mut diagnostics = Diagnostics::new(&document.file);
    let service = document.field();
    if matches!(service.node.content, Content::Object(_)) && service.get("services").is_some() {
        diagnostics.error(&service, "this is an answer of DescribeServices");
        diagnostics.hint("keep one of its services, in the shape that CreateService takes");
        return diagnostics.into_vec();
    }
    shape::check(&service, &fields::REQUEST, unknown_key_hint, &mut diagnostics);
    if !matches!(service.node.content, Content::Object(_)) {
        return diagnostics.into_vec();
    }
    names(&service, &mut diagnostics);
    placing(&service, &mut diagnostics);
    deployment(&service, &mut diagnostics);
    network::check(&service, setting, &mut diagnostics);
    connect::check(&service, setting, &mut diagnostics);
    load_balancers(&service, setting.task_definition, &mut diagnostics);
    exec(&service, setting.task_definition, &mut diagnostics);
    tags::check(&service, &mut diagnostics);
    diagnostics.into_vec()
}

/// The hint for a field of DescribeServices or of another call.
fn unknown_key_hint(key: &str) -> Option<&'static str> {
    let described = [
        "clusterArn",
        "createdAt",
        "createdBy",
        "currentServiceDeployment",
        "currentServiceRevisions",
        "deployments",
        "events",
        "pendingCount",
        "platformFamily",
        "resourceManagementType",
        "roleArn",
        "runningCount",
        "serviceArn",
        "status",
        "taskSets",
    ];
    match key {
        "service" => Some("CreateService calls it `serviceName`"),
        "forceNewDeployment" => Some("take it out, and run deploy-service with --force-new-deployment"),
        key if described.contains(&key) => Some("take it out: AWS fills it in"),
        _ => None,
    }
}

fn names(service: &Field, diagnostics: &mut Diagnostics) {
    if let Some(name) = service
        .get("serviceName")
        .filter(|name| name.text().is_some_and(|text| !is_name(text)))
    {
        diagnostics.error(
            &name,
            "a service's name has 1 to 255 letters, digits, `_` and `-`",
        );
    }
    for key in ["cluster", "taskDefinition"] {
        if let Some(field) = service.get(key).filter(|field| field.text() == Some("")) {
            diagnostics.error(&field, "it is empty: leave it out");
        }
    }
    if let Some(count) = service
        .get("desiredCount")
        .filter(|count| count.number().is_some_and(|count| count < 0))
    {
        diagnostics.error(&count, "it can't be negative");
    }
    if let Some(token) = service.get("clientToken") {
        diagnostics.error(&token, "it belongs to one call, not to a file");
        diagnostics.hint("take it out");
    }
}

fn placing(service: &Field, diagnostics: &mut Diagnostics) {
    let launch = service.get("launchType");
    let strategy = service
        .get("capacityProviderStrategy")
        .filter(|strategy| !strategy.elements().is_empty());
    match (&launch, &strategy) {
        (None, None) => {
            diagnostics.error(
                service,
                "`launchType` is missing: without it ECS may look for instances of EC2",
            );
            diagnostics.hint("add \"launchType\": \"FARGATE\", or a capacityProviderStrategy");
        }
        (Some(launch), Some(_)) => {
            diagnostics.error(launch, "it can't stand beside `capacityProviderStrategy`")
        }
        (Some(launch), None) if launch.text().is_some_and(|text| text != "FARGATE") => {
            diagnostics.error(launch, "it must be \"FARGATE\"");
        }
        _ => {}
    }
    if let Some(strategy) = service
        .get("schedulingStrategy")
        .filter(|field| field.text() == Some("DAEMON"))
    {
        diagnostics.error(&strategy, "Fargate has no daemons: it must be \"REPLICA\"");
    }
    for key in ["placementConstraints", "placementStrategy"] {
        if let Some(field) = service.get(key).filter(|field| !field.elements().is_empty()) {
            diagnostics.error(&field, "Fargate does not take it");
        }
    }
    if let Some(version) = service.get("platformVersion") {
        let plain = |text: &str| text == "LATEST" || text.split('.').all(|part| part.parse::<u8>().is_ok());
        if version.text().is_some_and(|text| !plain(text)) {
            diagnostics.error(&version, "it must be \"LATEST\" or look like \"1.4.0\"");
        }
    }
    let managed = service
        .get("enableECSManagedTags")
        .filter(|field| field.flag() == Some(true));
    if let Some(managed) = managed.filter(|_| service.get("propagateTags").is_none()) {
        diagnostics.error(&managed, "it needs `propagateTags` beside it");
    }
}

fn deployment(service: &Field, diagnostics: &mut Diagnostics) {
    if let Some(controller) = service.get("deploymentController")
        && controller.text_of("type").is_some_and(|text| text != "ECS")
    {
        diagnostics.error(
            &controller,
            "deploy-service works with the deployment controller \"ECS\"",
        );
    }
    let Some(configuration) = service.get("deploymentConfiguration") else {
        return;
    };
    let (least, most) = (
        configuration.get("minimumHealthyPercent"),
        configuration.get("maximumPercent"),
    );
    if let Some(field) = least
        .as_ref()
        .filter(|field| field.number().is_some_and(|number| !(0..=100).contains(&number)))
    {
        diagnostics.error(field, "it must be 0 to 100");
    }
    if let Some(field) = most
        .as_ref()
        .filter(|field| field.number().is_some_and(|number| number < 100))
    {
        diagnostics.error(field, "it must be at least 100");
    }
    let numbers = (
        least.as_ref().map_or(Some(100), Field::number),
        most.as_ref().and_then(Field::number),
    );
    let count = service.number_of("desiredCount").unwrap_or(1).max(1);
    if let (Some(least), Some(most)) = numbers
        && count.saturating_mul(least).saturating_add(99) / 100 >= count.saturating_mul(most) / 100
        && let Some(field) = &most_of(&configuration)
    {
        diagnostics.error(
            field,
            format!("with {count} wanted, {least} % at least and {most} % at most, no task can be replaced"),
        );
        diagnostics.hint("lower minimumHealthyPercent, or raise maximumPercent");
    }
}

fn most_of<'a>(configuration: &Field<'a>) -> Option<Field<'a>> {
    configuration.get("maximumPercent")
}

fn load_balancers(service: &Field, definition: Option<&Value>, diagnostics: &mut Diagnostics) {
    let balancers = service.list("loadBalancers");
    for balancer in &balancers {
        if let Some(group) = balancer.get("targetGroupArn") {
            let text = group.text().unwrap_or_default();
            for diagnostic in arn::problems(text, None) {
                diagnostics.error(&group, format!("`{text}`: {}", diagnostic.message));
                diagnostic
                    .hint
                    .into_iter()
                    .for_each(|hint| diagnostics.hint(hint));
            }
        }
        let Some(name) = balancer.get("containerName") else {
            continue;
        };
        let (Some(definition), Some(text)) = (definition, name.text()) else {
            continue;
        };
        let containers = list(definition, "containerDefinitions");
        let Some(container) = containers
            .iter()
            .find(|one| one.get("name").and_then(Value::as_str) == Some(text))
        else {
            diagnostics.error(&name, format!("the task definition has no container `{text}`"));
            continue;
        };
        if let Some(port) = balancer.get("containerPort")
            && let Some(number) = port.number()
            && !list(container, "portMappings")
                .iter()
                .any(|one| one.get("containerPort").and_then(Value::as_i64) == Some(number))
        {
            diagnostics.error(&port, format!("container `{text}` has no port {number}"));
        }
    }
}

fn exec(service: &Field, definition: Option<&Value>, diagnostics: &mut Diagnostics) {
    let Some(enabled) = service
        .get("enableExecuteCommand")
        .filter(|field| field.flag() == Some(true))
    else {
        return;
    };
    let Some(definition) = definition else { return };
    if definition.get("taskRoleArn").is_none_or(Value::is_null) {
        diagnostics.error(&enabled, "ECS Exec needs a `taskRoleArn` in the task definition");
    }
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    for container in list(definition, "containerDefinitions") {
        let entries = list(container, "environment")
            .iter()
            .chain(list(container, "secrets"));
        let mut names = entries.filter_map(|entry| entry.get("name").and_then(Value::as_str));
        if let Some(key) = names.find(|name| keys.contains(name)) {
            let container = container.get("name").and_then(Value::as_str).unwrap_or_default();
            diagnostics.warning(
                &enabled,
                format!("container `{container}` gets {key}, with which ECS Exec often fails"),
            );
            diagnostics.hint("give the task a role instead of a user's keys");
        }
    }
}

"""ECS refuses what AWS refuses when a service or a task is started, and describes services as AWS does."""

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import ec2, ecs

from . import deployments, service_connect, service_deployments
from .clusters import find_cluster, find_namespace
from .replacing import Answer, replace, went_well
from .task_definitions import resolve

# Members whose change starts a new deployment, beside the task definition.
_DEPLOYED = ("networkConfiguration", "platformVersion", "loadBalancers", "serviceRegistries")
_DEPLOYMENT_DEFAULTS = {
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
}


def _invalid(message: str) -> Answer:
    return error_response_json("InvalidParameterException", message, 400)


def _network_fault(definition: dict[str, Any], network: dict[str, Any] | None) -> Answer | None:
    if definition.get("networkMode") != "awsvpc":
        if network:
            return _invalid("Network Configuration is not valid for the given networkMode of this task definition.")
        return None
    configuration = (network or {}).get("awsvpcConfiguration")
    if not configuration:
        return _invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if not configuration.get("subnets"):
        return _invalid("subnets cannot be empty.")
    for subnet in configuration["subnets"]:
        if subnet not in ec2._subnets:
            return _invalid(f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not "
                            "exist (ErrorCode: InvalidSubnetID.NotFound)")
    for group in configuration.get("securityGroups") or []:
        if group not in ec2._security_groups:
            return _invalid(f"Error retrieving security group information for [{group}]: The security group '{group}' "
                            "does not exist (ErrorCode: InvalidGroup.NotFound)")
    return None


def _definition(reference: str) -> tuple[dict[str, Any] | None, Answer | None]:
    definition = resolve(reference)
    if definition is None:
        return None, error_response_json("ClientException", "TaskDefinition not found.", 400)
    if definition["status"] != "ACTIVE":
        return None, error_response_json("ClientException", "TaskDefinition is inactive", 400)
    return definition, None


def _start_fault(data: dict[str, Any], definition: dict[str, Any]) -> Answer | None:
    """What holds for services and tasks alike."""
    fargate = "FARGATE" in (definition.get("requiresCompatibilities") or [])
    if data.get("launchType") == "FARGATE" and not fargate:
        return _invalid("Task definition does not support launch_type FARGATE.")
    if data.get("enableExecuteCommand") and not definition.get("taskRoleArn"):
        return _invalid("The service couldn't be created because a valid taskRoleArn is not being used. Specify a valid "
                        "task role in your task definition and try again.")
    return _network_fault(definition, data.get("networkConfiguration"))


def _create(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    cluster = find_cluster(data.get("cluster", "default"))
    if cluster is None or cluster["status"] == "INACTIVE":
        return error_response_json("ClusterNotFoundException", "Cluster not found.", 400)
    name = data.get("serviceName", "")
    key = f"{cluster['clusterName']}/{name}"
    if (ecs._services.get(key) or {}).get("status") in ("ACTIVE", "DRAINING"):
        return _invalid("Creation of service was not idempotent.")
    definition, refused = _definition(data.get("taskDefinition", ""))
    refused = refused or _start_fault(data, definition) or service_connect.check(data, definition, cluster, name)
    if refused:
        return refused
    data["taskDefinition"] = definition["taskDefinitionArn"]
    if "FARGATE" in definition.get("requiresCompatibilities", []):
        data.setdefault("platformVersion", "LATEST")
    data["deploymentConfiguration"] = _DEPLOYMENT_DEFAULTS | (data.get("deploymentConfiguration") or {})
    answer = original(data)
    if not went_well(answer):
        return answer
    _connect(key, data, cluster)
    return _described(key)


def _update(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    cluster = find_cluster(data.get("cluster", "default"))
    reference = ecs._resolve_service_ref(data.get("service", ""))
    key = f"{cluster['clusterName']}/{reference[0]}" if cluster and reference else ""
    service = ecs._services.get(key)
    if cluster is None:
        return error_response_json("ClusterNotFoundException", "Cluster not found.", 400)
    if service is None:
        return error_response_json("ServiceNotFoundException", "Service not found.", 400)
    if service["status"] != "ACTIVE":
        return error_response_json("ServiceNotActiveException", "Service was not ACTIVE.", 400)
    definition, refused = _definition(data.get("taskDefinition") or service["taskDefinition"])
    if refused and data.get("taskDefinition"):
        return refused
    if definition:
        merged = service | data
        refused = _start_fault(merged, definition) or service_connect.check(data, definition, cluster, reference[0])
        if refused:
            return refused
        data |= {"taskDefinition": definition["taskDefinitionArn"]} if data.get("taskDefinition") else {}
    if data.get("deploymentConfiguration"):
        data["deploymentConfiguration"] = service["deploymentConfiguration"] | data["deploymentConfiguration"]
    before = ecs._primary_deployment(service) or {}
    if any(name in data and data[name] != service.get(name) for name in _DEPLOYED) or _reconnects(data, before, cluster):
        data["forceNewDeployment"] = True
    known = {event["id"] for event in service["events"]}
    answer = original(data)
    if not went_well(answer):
        return answer
    for event in list(service["events"]):
        # Ministack says so at every update, and before any task is stopped.
        if event["id"] not in known and "has begun draining" in event["message"]:
            service["events"].remove(event)
    _connect(key, data, cluster, before)
    return _described(key)


def _reconnects(data: dict[str, Any], before: dict[str, Any], cluster: dict[str, Any]) -> bool:
    if service_connect.CONFIGURATION not in data:
        return False
    wanted, _resources = service_connect.as_described(data, cluster)
    return wanted != (before.get(service_connect.CONFIGURATION) or {"enabled": False})


def _connect(key: str, data: dict[str, Any], cluster: dict[str, Any], before: dict[str, Any] | None = None) -> None:
    """Puts the configuration on the deployment; what the request does not mention stays as it was."""
    primary = ecs._primary_deployment(ecs._services[key])
    if primary is None:
        return
    if data.get(service_connect.CONFIGURATION):
        configuration, resources = service_connect.as_described(data, cluster)
    else:
        configuration = (before or {}).get(service_connect.CONFIGURATION)
        resources = (before or {}).get(service_connect.RESOURCES)
    if configuration:
        primary[service_connect.CONFIGURATION] = configuration
        primary[service_connect.RESOURCES] = resources or []


def _described(key: str) -> Answer:
    deployments.observe(key)
    return json_response({"service": _shape(key, ecs._services[key])})


def _shape(key: str, service: dict[str, Any]) -> dict[str, Any]:
    """A service as AWS describes it: without empty texts, and with its current service deployment."""
    shape = {name: value for name, value in ecs._sanitize(service).items() if value != ""}
    current = service_deployments.current(key)
    return shape | ({"currentServiceDeployment": current} if current else {})


def _task_shape(task: dict[str, Any]) -> dict[str, Any]:
    """A task as AWS describes it: without empty texts, and on Fargate without an instance."""
    absent = ("containerInstanceArn",) if task.get("launchType") == "FARGATE" else ()
    return {name: value for name, value in task.items() if value != "" and name not in absent}


def _run(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    deployment = data.get("_deploymentId")
    cluster = find_cluster(data.get("cluster", "default"))
    if cluster is None:
        return error_response_json("ClusterNotFoundException", "Cluster not found.", 400)
    key = f"{cluster['clusterName']}/{data.get('group', '').removeprefix('service:')}"
    launch_type, strategy, refused = ecs._launch_choice(data, cluster)
    on_instances = not refused and ecs._task_capacity(launch_type, strategy)[0] == "EC2"
    if deployment:
        # On AWS a task is known to be a service's by this.
        data["startedBy"] = deployment
        if on_instances:
            deployments.say(key, "was unable to place a task because no container instance met all of its requirements. "
                                 "Reason: No Container Instances were found in your cluster.")
            return json_response({"tasks": [], "failures": []})
    else:
        definition, refused_too = _definition(data.get("taskDefinition", ""))
        refused = refused or refused_too or _start_fault(data, definition)
        if refused:
            return refused
        if on_instances:
            return _invalid("No Container Instances were found in your cluster.")
        data["taskDefinition"] = definition["taskDefinitionArn"]
        data.setdefault("group", f"family:{definition['family']}")
    answer = original(data)
    if deployment and went_well(answer):
        started = [task["taskArn"].rsplit("/", 1)[-1] for task in json.loads(answer[2])["tasks"]]
        deployments.say(key, f"has started {len(started)} tasks: {' '.join(f'(task {name})' for name in started)}.")
    return answer


def install(keep_failed: float) -> None:
    """Puts the corrections in place."""
    replace(ecs, "_create_service")(_create)
    replace(ecs, "_update_service")(_update)
    replace(ecs, "_run_task")(_run)

    @replace(ecs, "_describe_services")
    def describe(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        cluster = find_cluster(data.get("cluster", "default"))
        for reference in data.get("services", []) if cluster else []:
            name = ecs._resolve_service_ref(reference)
            key = f"{cluster['clusterName']}/{name[0]}" if name else ""
            if key in ecs._services:
                deployments.drop_failed(key, keep_failed)
                deployments.observe(key)
        answer = original(data)
        if not went_well(answer):
            return answer
        document = json.loads(answer[2])
        document["services"] = [_shape(f"{cluster['clusterName']}/{service['serviceName']}", service)
                                for service in document["services"]]
        return json_response(document)

    @replace(ecs, "_describe_tasks")
    def describe_tasks(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        answer = original(data)
        if not went_well(answer):
            return answer
        document = json.loads(answer[2])
        document["tasks"] = [_task_shape(task) for task in document["tasks"]]
        return json_response(document)

    @replace(ecs, "_list_services_by_namespace")
    def by_namespace(_original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        namespace = find_namespace(data.get("namespace", ""))
        if namespace is None:
            message = f"Failed to retrieve namespace for {data.get('namespace', '')}."
            return error_response_json("NamespaceNotFoundException", message, 400)
        found = []
        for service in ecs._services.values():
            primary = ecs._primary_deployment(service) or {}
            configuration = primary.get(service_connect.CONFIGURATION) or {}
            if service["status"] == "ACTIVE" and configuration.get("namespace") == namespace["Arn"]:
                found.append(service["serviceArn"])
        return json_response({"serviceArns": found})

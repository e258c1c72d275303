"""ECS refuses what AWS refuses when a service or a task is started, and describes services as AWS does."""

from collections.abc import Callable

from ministack.services import ec2, ecs

from . import deployments, service_connect, service_deployments
from .clusters import existing_cluster, existing_namespace
from .replacing import Answer, Record, content, invalid, refuse, replace, reply, went_well
from .task_definitions import resolve

# Members whose change starts a new deployment, beside the task definition.
_DEPLOYED = ("networkConfiguration", "platformVersion", "loadBalancers", "serviceRegistries")
_DEPLOYMENT_DEFAULTS = {
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
}


def _check_network(definition: Record, network: Record | None) -> None:
    if definition.get("networkMode") != "awsvpc":
        if network:
            invalid("Network Configuration is not valid for the given networkMode of this task definition.")
        return
    configuration = (network or {}).get("awsvpcConfiguration")
    if not configuration:
        invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if not configuration.get("subnets"):
        invalid("subnets cannot be empty.")
    for subnet in configuration["subnets"]:
        if subnet not in ec2._subnets:
            invalid(f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not exist "
                    "(ErrorCode: InvalidSubnetID.NotFound)")
    for group in configuration.get("securityGroups") or []:
        if group not in ec2._security_groups:
            invalid(f"Error retrieving security group information for [{group}]: The security group '{group}' does not "
                    "exist (ErrorCode: InvalidGroup.NotFound)")


def _check_start(request: Record, definition: Record) -> None:
    """What holds for services and tasks alike."""
    if request.get("launchType") == "FARGATE" and "FARGATE" not in (definition.get("requiresCompatibilities") or []):
        invalid("Task definition does not support launch_type FARGATE.")
    if request.get("enableExecuteCommand") and not definition.get("taskRoleArn"):
        invalid("The service couldn't be created because a valid taskRoleArn is not being used. Specify a valid task "
                "role in your task definition and try again.")
    _check_network(definition, request.get("networkConfiguration"))


def _active_definition(reference: str) -> Record:
    definition = resolve(reference)
    if definition is None:
        refuse("ClientException", "TaskDefinition not found.")
    if definition["status"] != "ACTIVE":
        refuse("ClientException", "TaskDefinition is inactive")
    return definition


def _create(original: Callable[..., Answer], data: Record) -> Answer:
    cluster = existing_cluster(data)
    name = data.get("serviceName", "")
    key = f"{cluster['clusterName']}/{name}"
    if (ecs._services.get(key) or {}).get("status") in ("ACTIVE", "DRAINING"):
        invalid("Creation of service was not idempotent.")
    definition = _active_definition(data.get("taskDefinition", ""))
    _check_start(data, definition)
    service_connect.check(data, definition, cluster, name)
    data["taskDefinition"] = definition["taskDefinitionArn"]
    if "FARGATE" in definition.get("requiresCompatibilities", []):
        data.setdefault("platformVersion", "LATEST")
    data["deploymentConfiguration"] = _DEPLOYMENT_DEFAULTS | (data.get("deploymentConfiguration") or {})
    answer = original(data)
    if not went_well(answer):
        return answer
    _connect(key, data, cluster, {})
    return _described(key)


def _update(original: Callable[..., Answer], data: Record) -> Answer:
    cluster = existing_cluster(data)
    key = service_key(cluster, data.get("service", ""))
    service = ecs._services.get(key)
    if service is None:
        refuse("ServiceNotFoundException", "Service not found.")
    if service["status"] != "ACTIVE":
        refuse("ServiceNotActiveException", "Service was not ACTIVE.")
    if data.get("taskDefinition"):
        data["taskDefinition"] = _active_definition(data["taskDefinition"])["taskDefinitionArn"]
    # The one that is there may be deregistered by now, and is still good for what runs.
    definition = resolve(data.get("taskDefinition") or service["taskDefinition"])
    if definition:
        _check_start(service | data, definition)
        service_connect.check(data, definition, cluster, service["serviceName"])
    if data.get("deploymentConfiguration"):
        data["deploymentConfiguration"] = service["deploymentConfiguration"] | data["deploymentConfiguration"]
    before = ecs._primary_deployment(service) or {}
    changed = any(name in data and data[name] != service.get(name) for name in _DEPLOYED)
    if changed or _reconnects(data, before, cluster):
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


def service_key(cluster: Record, reference: str) -> str:
    """Under which key ministack has a service; empty when the reference is none."""
    name = ecs._resolve_service_ref(reference)
    return f"{cluster['clusterName']}/{name[0]}" if name else ""


def _reconnects(data: Record, before: Record, cluster: Record) -> bool:
    if service_connect.CONFIGURATION not in data:
        return False
    wanted, _resources = service_connect.as_described(data, cluster)
    return bool(wanted != (before.get(service_connect.CONFIGURATION) or {"enabled": False}))


def _connect(key: str, data: Record, cluster: Record, before: Record) -> None:
    """Puts the configuration on the deployment; what the request does not mention stays as it was."""
    primary = ecs._primary_deployment(ecs._services[key])
    if primary is None:
        return
    configuration = before.get(service_connect.CONFIGURATION)
    resources = before.get(service_connect.RESOURCES) or []
    if data.get(service_connect.CONFIGURATION):
        configuration, resources = service_connect.as_described(data, cluster)
    if configuration:
        primary[service_connect.CONFIGURATION] = configuration
        primary[service_connect.RESOURCES] = resources


def _described(key: str) -> Answer:
    deployments.observe(key)
    return reply({"service": _shape(key, ecs._services[key])})


def _shape(key: str, service: Record) -> Record:
    """A service as AWS describes it: without empty texts, and with its current service deployment."""
    shape = {name: value for name, value in ecs._sanitize(service).items() if value != ""}
    current = service_deployments.current(key)
    return shape | ({"currentServiceDeployment": current} if current else {})


def _task_shape(task: Record) -> Record:
    """A task as AWS describes it: without empty texts, and on Fargate without an instance."""
    absent = ("containerInstanceArn",) if task.get("launchType") == "FARGATE" else ()
    return {name: value for name, value in task.items() if value != "" and name not in absent}


def _run(original: Callable[..., Answer], data: Record) -> Answer:
    cluster = existing_cluster(data)
    launch_type, strategy, refused = ecs._launch_choice(data, cluster)
    if refused:
        return original(data)
    on_instances = ecs._task_capacity(launch_type, strategy)[0] == "EC2"
    if data.get("_deploymentId"):
        return _run_for_service(original, data, cluster, on_instances)
    definition = _active_definition(data.get("taskDefinition", ""))
    _check_start(data, definition)
    if on_instances:
        invalid("No Container Instances were found in your cluster.")
    data["taskDefinition"] = definition["taskDefinitionArn"]
    data.setdefault("group", f"family:{definition['family']}")
    return original(data)


def _run_for_service(original: Callable[..., Answer], data: Record, cluster: Record, on_instances: bool) -> Answer:
    # On AWS a task is known to be a service's by this.
    data["startedBy"] = data["_deploymentId"]
    key = f"{cluster['clusterName']}/{data['group'].removeprefix('service:')}"
    if on_instances:
        deployments.say(key, "was unable to place a task because no container instance met all of its requirements. "
                             "Reason: No Container Instances were found in your cluster.")
        return reply({"tasks": [], "failures": []})
    answer = original(data)
    if went_well(answer):
        started = [task["taskArn"].rsplit("/", 1)[-1] for task in content(answer)["tasks"]]
        deployments.say(key, f"has started {len(started)} tasks: {' '.join(f'(task {name})' for name in started)}.")
    return answer


def _install_descriptions(keep_failed: float) -> None:
    @replace(ecs, "_describe_services")
    def describe(original: Callable[..., Answer], data: Record) -> Answer:
        cluster = existing_cluster(data)
        keys = [service_key(cluster, reference) for reference in data.get("services", [])]
        for key in keys:
            if key in ecs._services:
                deployments.drop_failed(key, keep_failed)
                deployments.observe(key)
        answer = original(data)
        if not went_well(answer):
            return answer
        document = content(answer)
        document["services"] = [_shape(service_key(cluster, service["serviceName"]), service)
                                for service in document["services"]]
        return reply(document)

    @replace(ecs, "_describe_tasks")
    def describe_tasks(original: Callable[..., Answer], data: Record) -> Answer:
        answer = original(data)
        if not went_well(answer):
            return answer
        document = content(answer)
        document["tasks"] = [_task_shape(task) for task in document["tasks"]]
        return reply(document)

    @replace(ecs, "_list_services_by_namespace")
    def by_namespace(_original: Callable[..., Answer], data: Record) -> Answer:
        namespace, found = existing_namespace(data.get("namespace", "")), []
        for service in ecs._services.values():
            primary = ecs._primary_deployment(service) or {}
            configuration = primary.get(service_connect.CONFIGURATION) or {}
            if service["status"] == "ACTIVE" and configuration.get("namespace") == namespace["Arn"]:
                found.append(service["serviceArn"])
        return reply({"serviceArns": found})


def install(keep_failed: float) -> None:
    """Puts the corrections in place."""
    replace(ecs, "_create_service")(_create)
    replace(ecs, "_update_service")(_update)
    replace(ecs, "_run_task")(_run)
    _install_descriptions(keep_failed)

"""ECS describes services and tasks as AWS does, and replaces tasks when the configuration of a service changes."""

from collections.abc import Callable

from ministack.services import ecs

from . import deployments, service_connect, service_deployments
from .clusters import existing_cluster
from .replacing import Answer, Record, content, refuse, replace, reply, went_well
from .task_definitions import resolve

# Members whose change starts a new deployment, beside the task definition.
_DEPLOYED = ("networkConfiguration", "platformVersion", "loadBalancers", "serviceRegistries")
_DEPLOYMENT_DEFAULTS = {
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
}


def _resolve_definition(data: Record) -> Record:
    """Replaces the reference to a task definition by its ARN; a family alone is its latest revision."""
    definition = resolve(data.get("taskDefinition", ""))
    if definition is None:
        refuse("ClientException", "TaskDefinition not found.")
    data["taskDefinition"] = definition["taskDefinitionArn"]
    return definition


def _create(original: Callable[..., Answer], data: Record) -> Answer:
    cluster = existing_cluster(data)
    definition = _resolve_definition(data)
    if "FARGATE" in definition.get("requiresCompatibilities", []):
        data.setdefault("platformVersion", "LATEST")
    data["deploymentConfiguration"] = _DEPLOYMENT_DEFAULTS | (data.get("deploymentConfiguration") or {})
    answer = original(data)
    if not went_well(answer):
        return answer
    key = f"{cluster['clusterName']}/{data.get('serviceName', '')}"
    _connect(key, data, cluster, {})
    return _described(key)


def _update(original: Callable[..., Answer], data: Record) -> Answer:
    cluster = existing_cluster(data)
    key = service_key(cluster, data.get("service", ""))
    service = ecs._services.get(key)
    if service is None:
        refuse("ServiceNotFoundException", "Service not found.")
    if data.get("taskDefinition"):
        _resolve_definition(data)
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
    # Ministack adds this event at every update, before any task is stopped.
    service["events"] = [event for event in service["events"]
                         if event["id"] in known or "has begun draining" not in event["message"]]
    _connect(key, data, cluster, before)
    return _described(key)


def service_key(cluster: Record, reference: str) -> str:
    """Ministack's key of a service; empty when the reference is not valid."""
    name = ecs._resolve_service_ref(reference)
    return f"{cluster['clusterName']}/{name[0]}" if name else ""


def _reconnects(data: Record, before: Record, cluster: Record) -> bool:
    """Whether a request changes the Service Connect configuration."""
    if service_connect.CONFIGURATION not in data:
        return False
    desired, _resources = service_connect.as_described(data, cluster)
    return bool(desired != (before.get(service_connect.CONFIGURATION) or {"enabled": False}))


def _connect(key: str, data: Record, cluster: Record, before: Record) -> None:
    """Puts the configuration on the deployment; a configuration that the request omits stays as it was."""
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


def _run(original: Callable[..., Answer], data: Record) -> Answer:
    cluster = existing_cluster(data)
    if not data.get("_deploymentId"):
        definition = _resolve_definition(data)
        data.setdefault("group", f"family:{definition['family']}")
        return original(data)
    # The id of the deployment marks the tasks of a service.
    data["startedBy"] = data["_deploymentId"]
    answer = original(data)
    if went_well(answer):
        started = [task["taskArn"].rsplit("/", 1)[-1] for task in content(answer)["tasks"]]
        key = f"{cluster['clusterName']}/{data['group'].removeprefix('service:')}"
        deployments.add_event(
            key, f"has started {len(started)} tasks: {' '.join(f'(task {name})' for name in started)}.")
    return answer


def install() -> None:
    """Puts the corrections in place."""
    replace(ecs, "_create_service")(_create)
    replace(ecs, "_update_service")(_update)
    replace(ecs, "_run_task")(_run)

    @replace(ecs, "_describe_services")
    def describe(original: Callable[..., Answer], data: Record) -> Answer:
        cluster = existing_cluster(data)
        for key in [service_key(cluster, reference) for reference in data.get("services", [])]:
            if key in ecs._services:
                deployments.drop_failed(key)
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
        document["tasks"] = [{name: value for name, value in task.items() if value != ""} for task in document["tasks"]]
        return reply(document)

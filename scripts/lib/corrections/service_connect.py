"""Service Connect's configuration: checked, and described where AWS has it. There is no data plane behind it."""

import copy
import re

from ministack.services import ecs, servicediscovery

from .clusters import existing_namespace
from .replacing import Record, content, invalid

_DISCOVERY_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")
CONFIGURATION = "serviceConnectConfiguration"
RESOURCES = "serviceConnectResources"


def discovery_name(service: Record) -> str:
    """Under which name others find a service of the configuration."""
    return service.get("discoveryName") or service.get("portName") or ""


def _namespace_of(configuration: Record, cluster: Record) -> Record:
    """The namespace of the configuration, else the cluster's default."""
    reference = configuration.get("namespace") or (cluster.get("serviceConnectDefaults") or {}).get("namespace")
    if not reference:
        invalid("Service Connect needs a namespace: give one, or set a default for the cluster.")
    return existing_namespace(reference)


def check(data: Record, definition: Record, cluster: Record, own: str) -> None:
    """Refuses a configuration as ECS does. `own` is the service it is for, which may keep its names."""
    wanted = data.get(CONFIGURATION)
    if not wanted or not wanted.get("enabled"):
        return
    namespace = _namespace_of(wanted, cluster)["Arn"]
    ports = {mapping.get("name") for container in definition["containerDefinitions"]
             for mapping in container.get("portMappings", [])}
    for service in wanted.get("services") or []:
        port, name = service.get("portName"), discovery_name(service)
        if port not in ports:
            invalid(f"portName({port}) does not refer to any named PortMapping in the Task Definition.")
        if not _DISCOVERY_NAME.fullmatch(name):
            invalid(f"Service Connect discoveryName '{name}' is not valid.")
        if len(service.get("clientAliases") or []) > 1:
            invalid("At most one client alias is supported for a Service Connect service.")
        if _is_taken(namespace, name, own):
            invalid(f"SC service is already used by {namespace}.")


def _is_taken(namespace: str, name: str, own: str) -> bool:
    for service in ecs._services.values():
        deployment = ecs._primary_deployment(service) if service["status"] == "ACTIVE" else None
        configuration = (deployment or {}).get(CONFIGURATION) or {}
        if service["serviceName"] == own or configuration.get("namespace") != namespace:
            continue
        if name in (discovery_name(one) for one in configuration.get("services", [])):
            return True
    return False


def as_described(data: Record, cluster: Record) -> tuple[Record, list[Record]]:
    """The checked configuration as a deployment has it, and the Cloud Map services of it, made when missing."""
    configuration = copy.deepcopy(data[CONFIGURATION])
    if not configuration.get("enabled"):
        return configuration, []
    namespace = _namespace_of(configuration, cluster)
    configuration["namespace"] = namespace["Arn"]
    names = [discovery_name(service) for service in configuration.get("services") or []]
    return configuration, [{"discoveryName": name, "discoveryArn": _cloud_map_service(namespace, name)}
                           for name in names]


def _cloud_map_service(namespace: Record, name: str) -> str:
    for service in servicediscovery._services.values():
        if (service["NamespaceId"], service["Name"]) == (namespace["Id"], name):
            return str(service["Arn"])
    made = servicediscovery._create_service({"NamespaceId": namespace["Id"], "Name": name})
    return str(content(made)["Service"]["Arn"])

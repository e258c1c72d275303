"""Service Connect's configuration: checked, and described where AWS has it. There is no data plane behind it."""

import copy
import re
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import ecs, servicediscovery

from .clusters import find_namespace, namespace_not_found
from .replacing import Answer, content

_DISCOVERY_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")
CONFIGURATION = "serviceConnectConfiguration"
RESOURCES = "serviceConnectResources"


def _invalid(message: str) -> Answer:
    return error_response_json("InvalidParameterException", message, 400)


def discovery_name(service: dict[str, Any]) -> str:
    """Under which name others find a service of the configuration."""
    return service.get("discoveryName") or service.get("portName") or ""


def check(data: dict[str, Any], definition: dict[str, Any], cluster: dict[str, Any], own: str) -> Answer | None:
    """ECS's refusal of a configuration. `own` is the service it is for, which may keep its names."""
    wanted = data.get(CONFIGURATION)
    if not wanted or not wanted.get("enabled"):
        return None
    reference = wanted.get("namespace") or (cluster.get("serviceConnectDefaults") or {}).get("namespace")
    if not reference:
        return _invalid("Service Connect needs a namespace: give one, or set a default for the cluster.")
    namespace = find_namespace(reference)
    if namespace is None:
        return namespace_not_found(reference)
    ports = {mapping.get("name") for container in definition["containerDefinitions"]
             for mapping in container.get("portMappings", [])}
    for service in wanted.get("services") or []:
        port, name = service.get("portName"), discovery_name(service)
        if port not in ports:
            return _invalid(f"portName({port}) does not refer to any named PortMapping in the Task Definition.")
        if not _DISCOVERY_NAME.fullmatch(name):
            return _invalid(f"Service Connect discoveryName '{name}' is not valid.")
        if len(service.get("clientAliases") or []) > 1:
            return _invalid("At most one client alias is supported for a Service Connect service.")
        if _is_taken(namespace["Arn"], name, own):
            return _invalid(f"SC service is already used by {namespace['Arn']}.")
    return None


def _is_taken(namespace: str, name: str, own: str) -> bool:
    for service in ecs._services.values():
        deployment = ecs._primary_deployment(service) if service["status"] == "ACTIVE" else None
        configuration = (deployment or {}).get(CONFIGURATION) or {}
        if service["serviceName"] == own or configuration.get("namespace") != namespace:
            continue
        if name in (discovery_name(one) for one in configuration.get("services", [])):
            return True
    return False


def as_described(data: dict[str, Any], cluster: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The checked configuration as a deployment has it, and the Cloud Map services of it, made when missing."""
    configuration = copy.deepcopy(data[CONFIGURATION])
    if not configuration.get("enabled"):
        return configuration, []
    reference = configuration.get("namespace") or cluster["serviceConnectDefaults"]["namespace"]
    namespace = find_namespace(reference) or {}
    configuration["namespace"] = namespace["Arn"]
    names = [discovery_name(service) for service in configuration.get("services") or []]
    return configuration, [{"discoveryName": name, "discoveryArn": _cloud_map_service(namespace, name)} for name in names]


def _cloud_map_service(namespace: dict[str, Any], name: str) -> str:
    for service in servicediscovery._services.values():
        if (service["NamespaceId"], service["Name"]) == (namespace["Id"], name):
            return service["Arn"]
    made = servicediscovery._create_service({"NamespaceId": namespace["Id"], "Name": name})
    return content(made)["Service"]["Arn"]

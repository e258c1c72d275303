"""Service Connect's configuration, described where AWS describes it. There is no data plane."""

import copy

from ministack.services import servicediscovery

from .clusters import existing_namespace
from .replacing import Record, content, refuse

CONFIGURATION = "serviceConnectConfiguration"
RESOURCES = "serviceConnectResources"


def as_described(data: Record, cluster: Record) -> tuple[Record, list[Record]]:
    """The configuration of a request as a deployment has it, and its Cloud Map services; creates missing ones."""
    configuration = copy.deepcopy(data[CONFIGURATION])
    if not configuration.get("enabled"):
        return configuration, []
    default = (cluster.get("serviceConnectDefaults") or {}).get("namespace")
    reference = configuration.get("namespace") or default
    if not reference:
        refuse("InvalidParameterException",
               "Service Connect needs a namespace: give one, or set a default for the cluster.")
    namespace = existing_namespace(reference)
    configuration["namespace"] = namespace["Arn"]
    names = [service.get("discoveryName") or service.get("portName") or ""
             for service in configuration.get("services") or []]
    return configuration, [{"discoveryName": name, "discoveryArn": _cloud_map_service(namespace, name)}
                           for name in names]


def _cloud_map_service(namespace: Record, name: str) -> str:
    for service in servicediscovery._services.values():
        if (service["NamespaceId"], service["Name"]) == (namespace["Id"], name):
            return str(service["Arn"])
    made = servicediscovery._create_service({"NamespaceId": namespace["Id"], "Name": name})
    return str(content(made)["Service"]["Arn"])

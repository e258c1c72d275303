"""ECS's clusters: provisioned in a moment, with a Service Connect default namespace in Cloud Map."""

import time
from collections.abc import Callable

from ministack.core.concurrency import spawn_background
from ministack.core.responses import new_uuid
from ministack.services import ecs, servicediscovery

from .replacing import Answer, Record, refuse, replace, reply, went_well

# How long a cluster is PROVISIONING; on AWS it takes longer.
_PROVISIONING_SECONDS = 1


def _find_namespace(reference: str) -> Record | None:
    for namespace in servicediscovery._namespaces.values():
        if reference in (namespace["Name"], namespace["Arn"]):
            found: Record = namespace
            return found
    return None


def existing_namespace(reference: str) -> Record:
    """A Cloud Map namespace by its name or ARN, or ECS's error."""
    found = _find_namespace(reference)
    if found is None:
        refuse("NamespaceNotFoundException", f"Failed to retrieve namespace for {reference}.")
    return found


def existing_cluster(data: Record) -> Record:
    """The cluster that a request names, or ECS's error."""
    name = ecs._resolve_cluster_name(data.get("cluster", "default"))
    cluster: Record | None = ecs._clusters.get(name) if name else None
    if cluster is None:
        refuse("ClusterNotFoundException", "Cluster not found.")
    return cluster


def _make_namespace(data: Record) -> str | None:
    """The ARN of the default namespace of a request. ECS creates a namespace that does not exist."""
    reference = (data.get("serviceConnectDefaults") or {}).get("namespace")
    if not reference:
        return None
    if _find_namespace(reference) is None and not reference.startswith("arn:"):
        tags = [{"Key": "AmazonECSManaged", "Value": "true"}]
        servicediscovery._create_namespace_record(reference, "HTTP", tags=tags)
    return str(existing_namespace(reference)["Arn"])


def _provision(cluster: Record) -> None:
    time.sleep(_PROVISIONING_SECONDS)
    for attachment in cluster["attachments"]:
        attachment["status"] = "ATTACHED"
    cluster["attachmentsStatus"] = "UPDATE_COMPLETE"
    cluster["status"] = "ACTIVE"


def install() -> None:
    """Puts the corrections in place."""

    @replace(ecs, "_create_cluster")
    def create(original: Callable[..., Answer], data: Record) -> Answer:
        name = data.get("clusterName", "default")
        if name in ecs._clusters:
            return reply({"cluster": ecs._clusters[name]})
        namespace = _make_namespace(data)
        answer = original(data)
        if namespace and went_well(answer):
            ecs._clusters[name] |= {
                "serviceConnectDefaults": {"namespace": namespace},
                "status": "PROVISIONING",
                "attachmentsStatus": "UPDATE_IN_PROGRESS",
                "attachments": [{"id": new_uuid(), "type": "sc", "status": "ATTACHING", "details": []}],
            }
            spawn_background(_provision, ecs._clusters[name], thread_name="emulator-cluster")
            return reply({"cluster": ecs._clusters[name]})
        return answer

    @replace(ecs, "_update_cluster")
    def update(original: Callable[..., Answer], data: Record) -> Answer:
        existing_cluster(data)
        namespace = _make_namespace(data)
        if namespace:
            data["serviceConnectDefaults"] = {"namespace": namespace}
        return original(data)

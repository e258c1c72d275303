"""ECS's clusters: provisioned in a moment, with a Service Connect default namespace that Cloud Map knows."""

import time
from collections.abc import Callable

from ministack.core.concurrency import spawn_background
from ministack.core.responses import new_uuid
from ministack.services import ecs, servicediscovery

from .replacing import Answer, Record, invalid, refuse, replace, reply, went_well

# How long a cluster is PROVISIONING; on AWS it takes longer.
_PROVISIONING_SECONDS = 1
_INCONSISTENT = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."


def find_namespace(reference: str) -> Record | None:
    """A Cloud Map namespace by its name or ARN."""
    for namespace in servicediscovery._namespaces.values():
        if reference in (namespace["Name"], namespace["Arn"]):
            found: Record = namespace
            return found
    return None


def existing_namespace(reference: str) -> Record:
    """A Cloud Map namespace, or ECS's refusal."""
    found = find_namespace(reference)
    if found is None:
        refuse("NamespaceNotFoundException", f"Failed to retrieve namespace for {reference}.")
    return found


def find_cluster(reference: str) -> Record | None:
    """A cluster by its name or ARN."""
    name = ecs._resolve_cluster_name(reference)
    cluster: Record | None = ecs._clusters.get(name) if name else None
    return cluster


def existing_cluster(data: Record) -> Record:
    """The cluster that a request names, or ECS's refusal."""
    cluster = find_cluster(data.get("cluster", "default"))
    if cluster is None:
        refuse("ClusterNotFoundException", "Cluster not found.")
    return cluster


def _make_namespace(reference: str) -> str:
    """The namespace's ARN: of the one that is there, else of a new one, as ECS makes it for a cluster."""
    if find_namespace(reference) is None and not reference.startswith("arn:"):
        tags = [{"Key": "AmazonECSManaged", "Value": "true"}]
        servicediscovery._create_namespace_record(reference, "HTTP", tags=tags)
    return str(existing_namespace(reference)["Arn"])


def _default_namespace(data: Record) -> str | None:
    return (data.get("serviceConnectDefaults") or {}).get("namespace")


def _asked_for(data: Record) -> Record:
    """What two requests for the same cluster have to agree on."""
    names = ("settings", "configuration", "capacityProviders", "defaultCapacityProviderStrategy")
    asked = {name: data[name] for name in names if data.get(name)}
    namespace = _default_namespace(data)
    if namespace:
        asked["namespace"] = (find_namespace(namespace) or {}).get("Arn", namespace)
    return asked


def _settle(cluster: Record) -> None:
    time.sleep(_PROVISIONING_SECONDS)
    for attachment in cluster["attachments"]:
        attachment["status"] = "ATTACHED"
    cluster["attachmentsStatus"] = "UPDATE_COMPLETE"
    cluster["status"] = "ACTIVE"


def _described(cluster: Record) -> Answer:
    return reply({"cluster": ecs._sanitize(cluster)})


def _create(original: Callable[..., Answer], data: Record) -> Answer:
    name = data.get("clusterName", "default")
    if name in ecs._clusters:
        if ecs._clusters[name].get("_asked", {}) != _asked_for(data):
            invalid(_INCONSISTENT)
        return _described(ecs._clusters[name])
    namespace = _default_namespace(data)
    arn = _make_namespace(namespace) if namespace else None
    answer = original(data)
    if not went_well(answer):
        return answer
    cluster = ecs._clusters[name]
    cluster["_asked"] = _asked_for(data)
    if arn:
        cluster |= {
            "serviceConnectDefaults": {"namespace": arn},
            "status": "PROVISIONING",
            "attachmentsStatus": "UPDATE_IN_PROGRESS",
            "attachments": [{"id": new_uuid(), "type": "sc", "status": "ATTACHING", "details": []}],
        }
        spawn_background(_settle, cluster, thread_name="emulator-cluster")
    return _described(cluster)


def install() -> None:
    """Puts the corrections in place."""
    replace(ecs, "_create_cluster")(_create)

    @replace(ecs, "_cluster_view")
    def view(original: Callable[..., Record], cluster: Record, include: set[str]) -> Record:
        shape: Record = ecs._sanitize(original(cluster, include))
        return shape

    @replace(ecs, "_update_cluster")
    def update(original: Callable[..., Answer], data: Record) -> Answer:
        cluster, namespace = existing_cluster(data), _default_namespace(data)
        if namespace:
            data["serviceConnectDefaults"] = {"namespace": _make_namespace(namespace)}
        answer = original(data)
        if not went_well(answer):
            return answer
        # The next CreateCluster is compared with the cluster as it is now.
        cluster["_asked"] = cluster.get("_asked", {}) | _asked_for(data)
        return _described(cluster)

    @replace(ecs, "_delete_cluster")
    def delete(original: Callable[..., Answer], data: Record) -> Answer:
        cluster = existing_cluster(data)
        ecs._recount_cluster(cluster["clusterName"])
        if cluster["activeServicesCount"]:
            refuse("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
        if cluster["runningTasksCount"] or cluster["pendingTasksCount"]:
            refuse("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        answer = original(data)
        return _described(cluster) if went_well(answer) else answer

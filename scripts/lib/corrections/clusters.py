"""ECS's clusters: provisioned in a moment, with a Service Connect default namespace that Cloud Map knows."""

import time
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.core.responses import error_response_json, json_response, new_uuid
from ministack.services import ecs, servicediscovery

from .replacing import Answer, replace, went_well

# How long a cluster is PROVISIONING; on AWS it takes longer.
_PROVISIONING_SECONDS = 1
_INCONSISTENT = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."


def find_namespace(reference: str) -> dict[str, Any] | None:
    """A Cloud Map namespace by its name or ARN."""
    for namespace in servicediscovery._namespaces.values():
        if reference in (namespace["Name"], namespace["Arn"]):
            return namespace
    return None


def namespace_not_found(reference: str) -> Answer:
    """ECS's refusal of a namespace that does not exist."""
    return error_response_json("NamespaceNotFoundException", f"Failed to retrieve namespace for {reference}.", 400)


def find_cluster(reference: str) -> dict[str, Any] | None:
    """A cluster by its name or ARN."""
    name = ecs._resolve_cluster_name(reference)
    return ecs._clusters.get(name) if name else None


def _make_namespace(reference: str) -> tuple[str | None, Answer | None]:
    """The namespace's ARN: of the one that is there, else of a new one, as ECS makes it for a cluster."""
    found = find_namespace(reference)
    if found is None and not reference.startswith("arn:"):
        tags = [{"Key": "AmazonECSManaged", "Value": "true"}]
        found, _error = servicediscovery._create_namespace_record(reference, "HTTP", tags=tags)
    return (found["Arn"], None) if found else (None, namespace_not_found(reference))


def _asked_for(data: dict[str, Any]) -> dict[str, Any]:
    """What two requests for the same cluster have to agree on."""
    names = ("settings", "configuration", "capacityProviders", "defaultCapacityProviderStrategy")
    asked = {name: data[name] for name in names if data.get(name)}
    namespace = (data.get("serviceConnectDefaults") or {}).get("namespace")
    if namespace:
        found = find_namespace(namespace)
        asked["namespace"] = found["Arn"] if found else namespace
    return asked


def _settle(cluster: dict[str, Any]) -> None:
    time.sleep(_PROVISIONING_SECONDS)
    for attachment in cluster["attachments"]:
        attachment["status"] = "ATTACHED"
    cluster["attachmentsStatus"] = "UPDATE_COMPLETE"
    cluster["status"] = "ACTIVE"


def _create(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    cluster = ecs._clusters.get(data.get("clusterName", "default"))
    if cluster:
        if cluster.get("_asked", {}) != _asked_for(data):
            return error_response_json("InvalidParameterException", _INCONSISTENT, 400)
        return json_response({"cluster": ecs._sanitize(cluster)})
    namespace = (data.get("serviceConnectDefaults") or {}).get("namespace")
    arn, refused = _make_namespace(namespace) if namespace else (None, None)
    if refused:
        return refused
    answer = original(data)
    if not went_well(answer):
        return answer
    cluster = ecs._clusters[data.get("clusterName", "default")]
    cluster["_asked"] = _asked_for(data)
    if arn:
        cluster["serviceConnectDefaults"] = {"namespace": arn}
        cluster["status"] = "PROVISIONING"
        cluster["attachmentsStatus"] = "UPDATE_IN_PROGRESS"
        cluster["attachments"] = [{"id": new_uuid(), "type": "sc", "status": "ATTACHING", "details": []}]
        spawn_background(_settle, cluster, thread_name="emulator-cluster")
    return json_response({"cluster": ecs._sanitize(cluster)})


def install() -> None:
    """Puts the corrections in place."""
    replace(ecs, "_create_cluster")(_create)

    @replace(ecs, "_cluster_view")
    def view(original: Callable[..., dict[str, Any]], cluster: dict[str, Any], include: set[str]) -> dict[str, Any]:
        return ecs._sanitize(original(cluster, include))

    @replace(ecs, "_update_cluster")
    def update(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        cluster = find_cluster(data.get("cluster", "default"))
        namespace = (data.get("serviceConnectDefaults") or {}).get("namespace")
        if cluster and namespace:
            arn, refused = _make_namespace(namespace)
            if refused:
                return refused
            data["serviceConnectDefaults"] = {"namespace": arn}
        answer = original(data)
        if cluster and went_well(answer):
            # The next CreateCluster is compared with the cluster as it is now.
            cluster["_asked"] = cluster.get("_asked", {}) | _asked_for(data)
            return json_response({"cluster": ecs._sanitize(cluster)})
        return answer

    @replace(ecs, "_delete_cluster")
    def delete(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        cluster = find_cluster(data.get("cluster", "default"))
        if cluster:
            ecs._recount_cluster(cluster["clusterName"])
            if cluster["activeServicesCount"]:
                return error_response_json("ClusterContainsServicesException",
                                           "The Cluster cannot be deleted while Services are active.", 400)
            if cluster["runningTasksCount"] or cluster["pendingTasksCount"]:
                return error_response_json("ClusterContainsTasksException",
                                           "The Cluster cannot be deleted while Tasks are active.", 400)
        answer = original(data)
        return json_response({"cluster": ecs._sanitize(cluster)}) if cluster and went_well(answer) else answer

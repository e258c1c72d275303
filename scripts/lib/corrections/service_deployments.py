"""The API of service deployments and revisions; ministack's answers are always empty."""

from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import resource_lock
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from . import deployments
from .clusters import existing_cluster
from .replacing import Answer, Record, answering, invalid, refuse, replace, reply
from .service_connect import CONFIGURATION

# What AWS gives when nobody asks for another number, and the most it gives.
_PAGE = 20
_LARGEST_PAGE = 100
# So many revisions are described in one call.
_DESCRIBED = 20
_BREAKER = {"SUCCESSFUL": "MONITORING_COMPLETE", "IN_PROGRESS": "MONITORING", "STOPPED": "MONITORING_COMPLETE"}


def _arn(kind: str, key: str, deployment: str) -> str:
    return f"arn:aws:ecs:{get_region()}:{get_account_id()}:{kind}/{key}/{deployment.rsplit('/', 1)[-1]}"


def current(key: str) -> str | None:
    """The service deployment that is under way, or was the last to end."""
    history = (ecs._services.get(key) or {}).get("_history") or []
    return _arn("service-deployment", key, history[0]["id"]) if history else None


def _brief(key: str, service: Record, entry: Record) -> Record:
    brief = {
        "serviceDeploymentArn": _arn("service-deployment", key, entry["id"]),
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "createdAt": entry["createdAt"],
        "startedAt": entry["createdAt"],
        "finishedAt": entry.get("finishedAt"),
        "targetServiceRevisionArn": _arn("service-revision", key, entry["id"]),
        "status": entry["status"],
        "statusReason": entry.get("statusReason") or None,
    }
    return {name: value for name, value in brief.items() if value is not None}


def _revision(key: str, service: Record, deployment: str) -> Record:
    """How many tasks of a revision there are."""
    found = deployments.find(service, deployment)
    return {
        "arn": _arn("service-revision", key, deployment),
        "requestedTaskCount": found.get("desiredCount", 0),
        "runningTaskCount": found.get("runningCount", 0),
        "pendingTaskCount": found.get("pendingCount", 0),
    }


def _detail(key: str, service: Record, entry: Record) -> Record:
    found = deployments.find(service, entry["id"])
    breaker = (service["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}).get("enable")
    detail = _brief(key, service, entry)
    del detail["targetServiceRevisionArn"]
    detail |= {
        "updatedAt": entry.get("finishedAt", entry["createdAt"]),
        "sourceServiceRevisions": [_revision(key, service, entry["source"])] if entry["source"] else [],
        "targetServiceRevision": _revision(key, service, entry["id"]),
        "deploymentConfiguration": service["deploymentConfiguration"],
        "deploymentCircuitBreaker": {
            "status": _BREAKER.get(entry["status"], "TRIGGERED") if breaker else "DISABLED",
            "failureCount": entry.get("failedTasks", found.get("failedTasks", 0)),
            "threshold": ecs._circuit_breaker_threshold(service),
        },
    }
    rollback = entry.get("rollback")
    if rollback:
        detail["rollback"] = {"reason": rollback["reason"], "startedAt": rollback["startedAt"],
                              "serviceRevisionArn": _arn("service-revision", key, rollback["to"])}
    return detail


def _entries() -> list[tuple[str, Record, Record]]:
    """All entries of all services, as key, service and entry."""
    for key in ecs._services:
        deployments.observe(key)
    return [(key, service, entry) for key, service in ecs._services.items() for entry in service.get("_history", [])]


def _page(data: Record, found: list[Record]) -> Answer:
    """As many as were asked for, from where the page before ended."""
    size = data.get("maxResults", _PAGE)
    if not 1 <= size <= _LARGEST_PAGE:
        invalid(f"maxResults must be between 1 and {_LARGEST_PAGE}.")
    token = data.get("nextToken") or "0"
    if not token.isdecimal():
        invalid("Invalid token.")
    end = int(token) + size
    more = {"nextToken": str(end)} if end < len(found) else {}
    return reply({"serviceDeployments": found[int(token):end]} | more)


def _described(arns: list[str], kind: str, describe: Callable[..., Record]) -> tuple[list[Any], list[Any]]:
    known = {_arn(kind, key, entry["id"]): (key, service, entry) for key, service, entry in _entries()}
    found = [describe(*known[arn]) for arn in arns if arn in known]
    return found, [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]


def _revision_detail(key: str, service: Record, entry: Record) -> Record:
    found = deployments.find(service, entry["id"])
    definition = ecs._task_defs.get(entry["taskDefinition"].rsplit("/", 1)[-1]) or {"containerDefinitions": []}
    digests = found.get("_image_digests", {})
    detail = {
        "serviceRevisionArn": _arn("service-revision", key, entry["id"]),
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "taskDefinition": entry["taskDefinition"],
        "launchType": service.get("launchType"),
        "platformVersion": service.get("platformVersion") or None,
        "networkConfiguration": found.get("networkConfiguration") or service.get("networkConfiguration") or None,
        "containerImages": [{
            "containerName": container["name"],
            "image": container["image"],
        } | ({"imageDigest": digests[container["name"]]} if container["name"] in digests else {})
            for container in definition["containerDefinitions"]],
        CONFIGURATION: found.get(CONFIGURATION),
        "createdAt": entry["createdAt"],
    }
    return {name: value for name, value in detail.items() if value is not None}


def _roll_back(service: Record, primary: Record) -> None:
    """Fails the deployment, and makes the last one that completed the primary again."""
    back = next((one for one in service["deployments"] if one["rolloutState"] == "COMPLETED"), None)
    if back is None:
        invalid("There is no completed service deployment to roll back to.")
    primary |= {"status": "ACTIVE", "rolloutState": "FAILED", "desiredCount": 0, "_stopped": True}
    back |= {"status": "PRIMARY", "rolloutState": "IN_PROGRESS", "desiredCount": service["desiredCount"]}
    service["taskDefinition"] = back["taskDefinition"]


def _stop(data: Record) -> Answer:
    """StopServiceDeployment."""
    arn = data.get("serviceDeploymentArn", "")
    named = [(key, service, entry) for key, service, entry in _entries()
             if _arn("service-deployment", key, entry["id"]) == arn]
    if not named:
        refuse("ServiceDeploymentNotFoundException", "Service deployment not found.")
    key, service, entry = named[0]
    with resource_lock("ecs-service", key):
        primary = ecs._primary_deployment(service) or {}
        if entry["status"] != "IN_PROGRESS" or primary.get("id") != entry["id"]:
            refuse("ConflictException", "The service deployment is not in progress.")
        if data.get("stopType", "ROLLBACK") == "ROLLBACK":
            _roll_back(service, primary)
        else:
            primary |= {"rolloutState": "FAILED", "desiredCount": 0, "_stopped": True}
    deployments.observe(key)
    cluster = key.split("/", 1)[0]
    ecs._reconcile_service_tasks(cluster, key)
    ecs._schedule_service_deployment_completion(cluster, key, get_account_id(), get_region())
    return reply({"serviceDeploymentArn": arn})


def install() -> None:
    """Puts the corrections in place."""
    # Ministack does not have it.
    ecs._ACTION_MAP["StopServiceDeployment"] = answering(_stop)

    @replace(ecs, "_list_service_deployments")
    def list_deployments(_original: Callable[..., Answer], data: Record) -> Answer:
        cluster, name = existing_cluster(data), ecs._resolve_service_ref(data.get("service", ""))
        key = f"{cluster['clusterName']}/{name[0]}" if name else ""
        service = ecs._services.get(key)
        if service is None:
            refuse("ServiceNotFoundException", "Service not found.")
        deployments.observe(key)
        span = data.get("createdAt") or {}
        return _page(data, [
            _brief(key, service, entry) for entry in service.get("_history", [])
            if (not data.get("status") or entry["status"] in data["status"])
            and float(span.get("after", 0)) <= entry["createdAt"] <= float(span.get("before", "inf"))
        ])

    @replace(ecs, "_describe_service_deployments")
    def describe_deployments(_original: Callable[..., Answer], data: Record) -> Answer:
        found, failures = _described(data.get("serviceDeploymentArns", []), "service-deployment", _detail)
        return reply({"serviceDeployments": found, "failures": failures})

    @replace(ecs, "_describe_service_revisions")
    def describe_revisions(_original: Callable[..., Answer], data: Record) -> Answer:
        arns = data.get("serviceRevisionArns", [])
        if len(arns) > _DESCRIBED:
            invalid(f"serviceRevisionArns can have at most {_DESCRIBED} elements.")
        found, failures = _described(arns, "service-revision", _revision_detail)
        return reply({"serviceRevisions": found, "failures": failures})

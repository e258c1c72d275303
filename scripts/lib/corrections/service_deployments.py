"""The API of service deployments and revisions; ministack's answers are always empty."""

from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import resource_lock
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import ecs

from . import deployments
from .clusters import find_cluster
from .replacing import Answer, replace
from .service_connect import CONFIGURATION

_BREAKER = {"SUCCESSFUL": "MONITORING_COMPLETE", "IN_PROGRESS": "MONITORING", "STOPPED": "MONITORING_COMPLETE"}


def _arn(kind: str, key: str, deployment: str) -> str:
    return f"arn:aws:ecs:{get_region()}:{get_account_id()}:{kind}/{key}/{deployment.rsplit('/', 1)[-1]}"


def current(key: str) -> str | None:
    """The service deployment that is under way, or was the last to end."""
    history = (ecs._services.get(key) or {}).get("_history") or []
    return _arn("service-deployment", key, history[0]["id"]) if history else None


def _brief(key: str, service: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
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


def _revision(key: str, service: dict[str, Any], deployment: str) -> dict[str, Any]:
    """How many tasks of a revision there are."""
    found = next((one for one in service["deployments"] if one["id"] == deployment), {})
    return {
        "arn": _arn("service-revision", key, deployment),
        "requestedTaskCount": found.get("desiredCount", 0),
        "runningTaskCount": found.get("runningCount", 0),
        "pendingTaskCount": found.get("pendingCount", 0),
    }


def _detail(key: str, service: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    found = next((one for one in service["deployments"] if one["id"] == entry["id"]), {})
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


def _entries() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """All entries of all services, as key, service and entry."""
    for key in ecs._services.keys():
        deployments.observe(key)
    return [(key, service, entry) for key, service in ecs._services.items() for entry in service.get("_history", [])]


def _described(arns: list[str], kind: str, describe: Callable[..., dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    known = {_arn(kind, key, entry["id"]): (key, service, entry) for key, service, entry in _entries()}
    found = [describe(*known[arn]) for arn in arns if arn in known]
    return found, [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]


def _revision_detail(key: str, service: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    found = next((one for one in service["deployments"] if one["id"] == entry["id"]), {})
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


def _stop(data: dict[str, Any]) -> Answer:
    """StopServiceDeployment, which ministack does not have: back to the last deployment that completed."""
    arn = data.get("serviceDeploymentArn", "")
    named = [(key, service, entry) for key, service, entry in _entries()
             if _arn("service-deployment", key, entry["id"]) == arn]
    if not named:
        return error_response_json("ServiceDeploymentNotFoundException", "Service deployment not found.", 400)
    key, service, entry = named[0]
    with resource_lock("ecs-service", key):
        primary = ecs._primary_deployment(service)
        back = next((one for one in service["deployments"] if one["rolloutState"] == "COMPLETED"), None)
        if entry["status"] != "IN_PROGRESS" or primary is None or primary["id"] != entry["id"]:
            return error_response_json("ConflictException", "The service deployment is not in progress.", 400)
        if data.get("stopType", "ROLLBACK") == "ROLLBACK" and back is None:
            return error_response_json("InvalidParameterException",
                                       "There is no completed service deployment to roll back to.", 400)
        primary |= {"rolloutState": "FAILED", "desiredCount": 0, "_stopped": True}
        if data.get("stopType", "ROLLBACK") == "ROLLBACK":
            primary["status"] = "ACTIVE"
            back |= {"status": "PRIMARY", "rolloutState": "IN_PROGRESS", "desiredCount": service["desiredCount"]}
            service["taskDefinition"] = back["taskDefinition"]
    deployments.observe(key)
    cluster = key.split("/", 1)[0]
    ecs._reconcile_service_tasks(cluster, key)
    ecs._schedule_service_deployment_completion(cluster, key, get_account_id(), get_region())
    return json_response({"serviceDeploymentArn": arn})


def install() -> None:
    """Puts the corrections in place."""
    ecs._ACTION_MAP["StopServiceDeployment"] = _stop

    @replace(ecs, "_list_service_deployments")
    def list_deployments(_original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        cluster = find_cluster(data.get("cluster", "default"))
        name = ecs._resolve_service_ref(data.get("service", ""))
        key = f"{cluster['clusterName']}/{name[0]}" if cluster and name else ""
        if key not in ecs._services:
            return error_response_json("ServiceNotFoundException", "Service not found.", 400)
        deployments.observe(key)
        service, span = ecs._services[key], data.get("createdAt") or {}
        briefs = [
            _brief(key, service, entry) for entry in service.get("_history", [])
            if (not data.get("status") or entry["status"] in data["status"])
            and float(span.get("after", 0)) <= entry["createdAt"] <= float(span.get("before", "inf"))
        ]
        return json_response({"serviceDeployments": briefs})

    @replace(ecs, "_describe_service_deployments")
    def describe_deployments(_original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        found, failures = _described(data.get("serviceDeploymentArns", []), "service-deployment", _detail)
        return json_response({"serviceDeployments": found, "failures": failures})

    @replace(ecs, "_describe_service_revisions")
    def describe_revisions(_original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        found, failures = _described(data.get("serviceRevisionArns", []), "service-revision", _revision_detail)
        return json_response({"serviceRevisions": found, "failures": failures})

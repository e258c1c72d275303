"""The history of a service's deployments, which leads a rollback; ministack's is always empty."""

from collections.abc import Callable

from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from . import deployments
from .clusters import existing_cluster
from .replacing import Answer, Record, refuse, replace, reply


def _arn(kind: str, key: str, deployment: str) -> str:
    return f"arn:aws:ecs:{get_region()}:{get_account_id()}:{kind}/{key}/{deployment.rsplit('/', 1)[-1]}"


def current(key: str) -> str | None:
    """The ARN of the latest service deployment."""
    history = (ecs._services.get(key) or {}).get("_history") or []
    return _arn("service-deployment", key, history[0]["id"]) if history else None


def install() -> None:
    """Puts the corrections in place."""

    @replace(ecs, "_list_service_deployments")
    def list_deployments(_original: Callable[..., Answer], data: Record) -> Answer:
        cluster, name = existing_cluster(data), ecs._resolve_service_ref(data.get("service", ""))
        key = f"{cluster['clusterName']}/{name[0]}" if name else ""
        service = ecs._services.get(key)
        if service is None:
            refuse("ServiceNotFoundException", "Service not found.")
        deployments.observe(key)
        return reply({"serviceDeployments": [{
            "serviceDeploymentArn": _arn("service-deployment", key, entry["id"]),
            "serviceArn": service["serviceArn"],
            "clusterArn": service["clusterArn"],
            "createdAt": entry["createdAt"],
            "targetServiceRevisionArn": _arn("service-revision", key, entry["id"]),
            "status": entry["status"],
        } for entry in service["_history"] if not data.get("status") or entry["status"] in data["status"]]})

    @replace(ecs, "_describe_service_revisions")
    def describe_revisions(_original: Callable[..., Answer], data: Record) -> Answer:
        known = {_arn("service-revision", key, entry["id"]): (service, entry)
                 for key, service in ecs._services.items() for entry in service.get("_history", [])}
        asked = data.get("serviceRevisionArns", [])
        revisions = [(arn, *known[arn]) for arn in asked if arn in known]
        return reply({
            "serviceRevisions": [{
                "serviceRevisionArn": arn,
                "serviceArn": service["serviceArn"],
                "clusterArn": service["clusterArn"],
                "taskDefinition": entry["taskDefinition"],
                "createdAt": entry["createdAt"],
            } for arn, service, entry in revisions],
            "failures": [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in known],
        })

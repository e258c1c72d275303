"""The states of a service's deployments, the service's events, and the history of its deployments.

Ministack moves the deployments along; `observe` finds what changed since the last call and records it as AWS does.
"""

import time
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import resource_lock
from ministack.core.responses import new_uuid
from ministack.services import ecs

from .replacing import Record, replace

# AWS keeps 100 events of a service.
_EVENTS = 100
_HISTORY = 50
# How long a FAILED deployment stays listed beside a completed one, in seconds; longer than a tool polls.
_KEEP_FAILED = 60
# How the events end that ministack itself writes about a failure.
_REPLACED = ("deployment circuit breaker was triggered.", "rolled back to the last completed deployment.")
# AWS restarts failing tasks of a service at growing intervals, in seconds.
_LONGEST_PAUSE = 30.0
_MANY_FAILURES = 5


def add_event(key: str, what: str) -> None:
    """Adds an event to a service."""
    service = ecs._services.get(key)
    if service:
        with resource_lock("ecs-service", key):
            _add_event(service, what)


def _add_event(service: Record, what: str) -> None:
    message = f"(service {service['serviceName']}) {what}"
    service["events"].insert(0, {"id": new_uuid(), "createdAt": ecs._iso(), "message": message})
    del service["events"][_EVENTS:]


def observe(key: str) -> None:
    """Brings events, reasons and history up to date with the deployments."""
    service = ecs._services.get(key)
    if service is None:
        return
    with resource_lock("ecs-service", key):
        primary = ecs._primary_deployment(service)
        if primary is None:
            return
        history = service.setdefault("_history", [])
        if all(entry["id"] != primary["id"] for entry in history):
            _begin(service, primary, history)
        states = {deployment["id"]: deployment for deployment in service["deployments"]}
        for entry in history:
            deployment = states.get(entry["id"])
            if deployment and entry["status"] == "IN_PROGRESS" and deployment["rolloutState"] == "FAILED":
                _fail(service, primary, deployment, entry)
        if primary["rolloutState"] == "COMPLETED":
            _complete(service, primary, history)
        # After a rollback ministack lists the failed deployment first; AWS lists the primary first.
        service["deployments"].sort(key=lambda one: one["status"] != "PRIMARY")


def _begin(service: Record, primary: Record, history: list[Record]) -> None:
    for entry in history:
        if entry["status"] in ("IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
            entry["status"] = "STOPPED"
    history.insert(0, {"id": primary["id"], "status": "IN_PROGRESS", "createdAt": time.time(),
                       "taskDefinition": primary["taskDefinition"]})
    del history[_HISTORY:]
    # The new deployment may have corrected the cause of earlier failures.
    service["_failures"] = 0
    primary["networkConfiguration"] = service.get("networkConfiguration") or None
    primary["platformVersion"] = service.get("platformVersion") or None
    if primary["rolloutState"] == "IN_PROGRESS":
        primary["rolloutStateReason"] = f"ECS deployment {primary['id']} in progress."


def _fail(service: Record, primary: Record, deployment: Record, entry: Record) -> None:
    service["events"] = [event for event in service["events"] if not event["message"].endswith(_REPLACED)]
    _add_event(service, f"(deployment {deployment['id']}) deployment failed: tasks failed to start.")
    deployment["rolloutStateReason"] = "ECS deployment circuit breaker: tasks failed to start."
    deployment["_failed_at"] = time.time()
    if primary is deployment:
        entry["status"] = "STOPPED"
        return
    entry["status"] = "ROLLBACK_IN_PROGRESS"
    primary["rolloutStateReason"] = f"ECS deployment circuit breaker: rolling back to deploymentId {primary['id']}."
    _add_event(service, f"rolling back to deployment {primary['id']}.")


def _complete(service: Record, primary: Record, history: list[Record]) -> None:
    ended = False
    for entry in history:
        if entry["status"] == "IN_PROGRESS" and entry["id"] == primary["id"]:
            entry["status"] = "SUCCESSFUL"
        elif entry["status"] == "ROLLBACK_IN_PROGRESS":
            entry["status"] = "ROLLBACK_SUCCESSFUL"
        else:
            continue
        ended = True
    if ended:
        primary["rolloutStateReason"] = f"ECS deployment {primary['id']} completed."
        _add_event(service, f"(deployment {primary['id']}) deployment completed.")
        _add_event(service, "has reached a steady state.")


def drop_failed(key: str) -> None:
    """Removes failed deployments from the list some time after another deployment completed, as AWS does."""
    service = ecs._services[key]
    with resource_lock("ecs-service", key):
        primary = ecs._primary_deployment(service)
        if primary and primary["rolloutState"] == "COMPLETED":
            now = time.time()
            service["deployments"] = [
                one for one in service["deployments"]
                if one is primary or one["rolloutState"] != "FAILED" or now - one.get("_failed_at", now) < _KEEP_FAILED
            ]


def service_of(task: Record) -> str | None:
    """The key of the service that a task belongs to."""
    cluster, group = ecs._cluster_name_from_arn(task.get("clusterArn", "")), task.get("group", "")
    return f"{cluster}/{group.split(':', 1)[1]}" if cluster and group.startswith("service:") else None


def pause_before(task: Record) -> float:
    """The seconds until the next task of a service with failing tasks may start."""
    service = ecs._services.get(service_of(task) or "") or {}
    failures = service.get("_failures", 0)
    if not failures:
        return 0
    pause: float = min(_LONGEST_PAUSE, 2.0 ** max(0, failures - 3))
    return max(0.0, float(service["_last_failure"]) + pause - time.time())


def _count_failure(key: str, service: Record) -> None:
    service["_failures"] = service.get("_failures", 0) + 1
    service["_last_failure"] = time.time()
    # Before the circuit breaker changes the state of the deployment.
    observe(key)
    if service["_failures"] == _MANY_FAILURES:
        add_event(key, "is unable to consistently start tasks successfully. For more information, see the "
                       "Troubleshooting section of the Amazon ECS Developer Guide.")


def install() -> None:
    """Puts the corrections in place."""

    @replace(ecs, "_make_deployment")
    def make(original: Callable[..., Record], *arguments: Any, **more: Any) -> Record:
        """The first deployment of a service completes when its tasks are healthy, as any other."""
        return original(*arguments, **more) | {"rolloutState": "IN_PROGRESS", "rolloutStateReason": ""}

    @replace(ecs, "_complete_service_deployment")
    def complete(original: Callable[..., None], cluster: str, key: str, *arguments: Any, **more: Any) -> None:
        observe(key)
        original(cluster, key, *arguments, **more)
        observe(key)

    @replace(ecs, "_record_service_task_healthy")
    def healthy(original: Callable[..., None], key: str, task: Record) -> None:
        original(key, task)
        service = ecs._services.get(key)
        if service and task.get("_startup_stable"):
            service["_failures"] = 0

    @replace(ecs, "_record_service_task_failure")
    def failure(original: Callable[..., None], task: Record, digest_resolution_failed: bool = False) -> None:
        if digest_resolution_failed:
            # The pull that follows fails as well, and is counted.
            return
        key = service_of(task)
        if key and key in ecs._services:
            _count_failure(key, ecs._services[key])
        original(task)
        if key:
            observe(key)

"""What becomes of a service's deployments: their states, the service's events, and the history that AWS keeps.

Ministack moves its deployments along; `observe` sees what changed since it last looked, and says it as AWS does.
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
_OPEN = ("IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
# What ministack itself says about a failure.
_REPLACED = ("deployment circuit breaker was triggered.", "rolled back to the last completed deployment.")
# A service that can't keep its tasks is restarted more and more slowly, as on AWS.
_LONGEST_PAUSE = 30.0
_MANY_FAILURES = 5


def say(key: str, what: str) -> None:
    """Adds an event to a service: what it did, or what was done to it."""
    service = ecs._services.get(key)
    if service:
        with resource_lock("ecs-service", key):
            _add_event(service, what)


def _add_event(service: Record, what: str) -> None:
    message = f"(service {service['serviceName']}) {what}"
    service["events"].insert(0, {"id": new_uuid(), "createdAt": ecs._iso(), "message": message})
    del service["events"][_EVENTS:]


def observe(key: str) -> None:
    """Brings events, reasons and history to where the deployments are by now."""
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
        # After a rollback ministack has the failed one first, and gives it what it means for the first.
        service["deployments"].sort(key=lambda one: one["status"] != "PRIMARY")


def _begin(service: Record, primary: Record, history: list[Record]) -> None:
    for entry in history:
        if entry["status"] in _OPEN:
            _finish(entry, "STOPPED", "Service deployment stopped: another one was started.")
    done = [entry["id"] for entry in history if entry["status"] == "SUCCESSFUL"]
    history.insert(0, {
        "id": primary["id"],
        "status": "IN_PROGRESS",
        "createdAt": time.time(),
        "taskDefinition": primary["taskDefinition"],
        "source": done[0] if done else None,
    })
    del history[_HISTORY:]
    # What was wrong with the one before may be right now.
    service["_failures"] = 0
    primary["networkConfiguration"] = service.get("networkConfiguration") or None
    primary["platformVersion"] = service.get("platformVersion") or None
    if primary["rolloutState"] == "IN_PROGRESS":
        primary["rolloutStateReason"] = f"ECS deployment {primary['id']} in progress."


def _fail(service: Record, primary: Record, deployment: Record, entry: Record) -> None:
    if deployment.get("_stopped"):
        why, reason = "by the user.", "Service deployment stopped by the user."
    else:
        why = "because the circuit breaker threshold was exceeded."
        reason = "ECS deployment circuit breaker: tasks failed to start."
        _add_event(service, f"(deployment {deployment['id']}) deployment failed: tasks failed to start.")
    service["events"] = [event for event in service["events"] if not event["message"].endswith(_REPLACED)]
    deployment["rolloutStateReason"] = reason
    deployment["_failed_at"] = time.time()
    entry["failedTasks"] = deployment.get("failedTasks", 0)
    if primary is deployment:
        _finish(entry, "STOPPED", f"Service deployment stopped {why}")
        return
    entry["status"] = "ROLLBACK_IN_PROGRESS"
    entry["statusReason"] = f"Service deployment rolled back {why}"
    entry["rollback"] = {"startedAt": time.time(), "to": primary["id"], "reason": entry["statusReason"]}
    primary["rolloutStateReason"] = f"ECS deployment circuit breaker: rolling back to deploymentId {primary['id']}."
    _add_event(service, f"rolling back to deployment {primary['id']}.")


def _complete(service: Record, primary: Record, history: list[Record]) -> None:
    ended = False
    for entry in history:
        if entry["status"] == "IN_PROGRESS" and entry["id"] == primary["id"]:
            _finish(entry, "SUCCESSFUL", "")
        elif entry["status"] == "ROLLBACK_IN_PROGRESS":
            _finish(entry, "ROLLBACK_SUCCESSFUL", entry["statusReason"])
        else:
            continue
        ended = True
    if ended:
        primary["rolloutStateReason"] = f"ECS deployment {primary['id']} completed."
        _add_event(service, f"(deployment {primary['id']}) deployment completed.")
        _add_event(service, "has reached a steady state.")


def _finish(entry: Record, status: str, reason: str) -> None:
    entry["status"] = status
    entry["statusReason"] = reason
    entry["finishedAt"] = time.time()


def find(service: Record, identifier: str) -> Record:
    """A deployment that is still listed; empty when it is not."""
    found: Record = next((one for one in service["deployments"] if one["id"] == identifier), {})
    return found


def drop_failed(key: str, seconds: float) -> None:
    """Takes failed deployments out of the list some time after another one completed, as AWS does."""
    service = ecs._services[key]
    with resource_lock("ecs-service", key):
        primary = ecs._primary_deployment(service)
        if primary and primary["rolloutState"] == "COMPLETED":
            now = time.time()
            service["deployments"] = [
                one for one in service["deployments"]
                if one is primary or one["rolloutState"] != "FAILED" or now - one.get("_failed_at", now) < seconds
            ]


def service_of(task: Record) -> str | None:
    """The key of the service that a task belongs to."""
    cluster, group = ecs._cluster_name_from_arn(task.get("clusterArn", "")), task.get("group", "")
    return f"{cluster}/{group.split(':', 1)[1]}" if cluster and group.startswith("service:") else None


def pause_before(task: Record) -> float:
    """How long to wait before the next task of a service whose tasks fail one after the other."""
    service = ecs._services.get(service_of(task) or "") or {}
    failures = service.get("_failures", 0)
    if not failures:
        return 0
    pause: float = min(_LONGEST_PAUSE, 2.0 ** max(0, failures - 3))
    return max(0.0, float(service["_last_failure"]) + pause - time.time())


def _count_failure(key: str, service: Record) -> None:
    service["_failures"] = service.get("_failures", 0) + 1
    service["_last_failure"] = time.time()
    # Before the breaker moves the deployment along.
    observe(key)
    if service["_failures"] == _MANY_FAILURES:
        say(key, "is unable to consistently start tasks successfully. For more information, see the Troubleshooting "
                 "section of the Amazon ECS Developer Guide.")


def install() -> None:
    """Puts the corrections in place."""

    @replace(ecs, "_make_deployment")
    def make(original: Callable[..., Record], *arguments: Any, **more: Any) -> Record:
        """The first deployment of a service has to prove itself like any other."""
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
            # The pull that follows fails too, and is counted as what it is.
            return
        key = service_of(task)
        if key and key in ecs._services:
            _count_failure(key, ecs._services[key])
        original(task)
        if key:
            observe(key)

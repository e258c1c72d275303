"""Container health checks, read from the engine, decide over deployments; ministack ignores them."""

import time
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import resource_lock
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from . import STOPPING, deployments
from .replacing import Record, replace

# Ministack polls ten times a second, which is more often than the engine has to be asked.
_INTERVAL_SECONDS = 0.3
_STATES = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}


def _checked(task: Record) -> list[tuple[int, bool]]:
    """The containers of a task that have a health check: their index, and whether they are essential."""
    definition = ecs._task_defs.get(task["taskDefinitionArn"].rsplit("/", 1)[-1]) or {"containerDefinitions": []}
    return [(index, container.get("essential", True))
            for index, container in enumerate(definition["containerDefinitions"])
            if (container.get("healthCheck") or {}).get("command", ["NONE"])[0] != "NONE"]


def _refresh(task: Record, client: Any) -> None:
    """Updates the health of the containers and of the task."""
    from docker.errors import DockerException

    ids, essentials = list(task.get("_docker_ids") or []), []
    for index, essential in _checked(task):
        if index >= len(ids):
            return
        try:
            state = client.api.inspect_container(ids[index])["State"]
        except (DockerException, OSError):
            # Without an answer the health stays as it was.
            return
        word = _STATES.get((state.get("Health") or {}).get("Status", ""), "UNKNOWN")
        with resource_lock("ecs-task", task["taskArn"]):
            task["containers"][index]["healthStatus"] = word
        if essential:
            essentials.append(word)
    if "UNHEALTHY" in essentials:
        health = "UNHEALTHY"
    else:
        health = "HEALTHY" if essentials and set(essentials) == {"HEALTHY"} else "UNKNOWN"
    with resource_lock("ecs-task", task["taskArn"]):
        task["healthStatus"] = health


def _in_grace(task: Record, key: str, divisor: float) -> bool:
    grace = (ecs._services.get(key) or {}).get("healthCheckGracePeriodSeconds") or 0
    return time.time() < (ecs._ts_to_epoch(task.get("startedAt")) or 0) + grace / divisor


def _react(task: Record, before: str, client: Any, divisor: float) -> None:
    """Completes or fails the deployment of a service's task by its health. Other tasks keep running."""
    key, health = deployments.service_of(task), task["healthStatus"]
    if key is None:
        return
    if health == "HEALTHY" and before != "HEALTHY":
        ecs._schedule_service_deployment_completion(
            key.split("/", 1)[0], key, get_account_id(), get_region(), healthy_task=task)
    if health == "UNHEALTHY" and not _in_grace(task, key, divisor):
        arn = task["taskArn"]
        if ecs._mark_task_stopped(arn, task, "Task failed container health checks", "ServiceSchedulerInitiated"):
            deployments.add_event(key, f"(task {arn.rsplit('/', 1)[-1]}) failed container health checks.")
            ecs._record_service_task_failure(task)
            ecs._cleanup_task_resources(task, client)


def install(divisor: float) -> None:
    """Puts the corrections in place."""

    @replace(ecs, "_maybe_mark_stopped")
    def maybe_stopped(original: Callable[..., None], task: Record, docker_client: Any = None) -> None:
        # Containers that end with the emulator do not count as failed.
        if STOPPING.is_set():
            return
        original(task, docker_client)
        now = time.time()
        if task.get("lastStatus") != "RUNNING" or now - task.get("_checked_at", 0) < _INTERVAL_SECONDS:
            return
        if not _checked(task):
            return
        task["_checked_at"] = now
        client, before = docker_client or ecs._get_docker(), task["healthStatus"]
        _refresh(task, client)
        _react(task, before, client, divisor)

    @replace(ecs, "_record_service_task_healthy")
    def healthy(original: Callable[..., None], key: str, task: Record) -> None:
        """A running container with a health check is healthy only when the check passes."""
        if not any(essential for _, essential in _checked(task)) or task.get("healthStatus") == "HEALTHY":
            original(key, task)

"""A task that AWS could not start fails here as well, with AWS's reason."""

import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch_logs, ecs

from . import STOPPING, deployments, execution_role
from .replacing import Record, replace

# The reasons with which ministack stops the tasks of a service.
_SCALING = ("Deployment completed", "Deployment capacity limit", "Service deleted", "Service scaling down",
            "Task definition updated")


def _log_error(container: Record) -> str | None:
    logs = ecs._awslogs_config(container, "", "")
    if logs is None or logs["create_group"]:
        return None
    with request_scope(get_account_id(), logs["region"] or get_region()):
        if logs["group"] in cloudwatch_logs._log_groups:
            return None
    return ("ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
            "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not "
            "exist. : exit status 1")


def _start_error(task: Record, definition: Record) -> str | None:
    role_error = execution_role.start_error(definition, task["taskArn"].rsplit("/", 1)[-1])
    errors = [role_error, *map(_log_error, definition["containerDefinitions"])]
    return next((error for error in errors if error), None)


def _is_superseded(task: Record) -> bool:
    """Whether the service of the task has a newer deployment."""
    service = ecs._services.get(deployments.service_of(task) or "")
    primary = (ecs._primary_deployment(service) if service else None) or {}
    return bool(primary) and task.get("_deployment_id") != primary["id"]


def _wait_for_turn(task: Record) -> bool:
    """Delays the tasks of a service whose tasks fail at once. False: the task is no longer needed."""
    while deployments.pause_before(task) > 0:
        if STOPPING.is_set() or not ecs._task_is_active(task["taskArn"], task):
            return False
        if _is_superseded(task):
            # It would count as the task of the new deployment.
            key = deployments.service_of(task) or ""
            ecs._mark_task_stopped(task["taskArn"], task, "Task definition updated", "ServiceSchedulerInitiated")
            ecs._reconcile_service_tasks(key.split("/", 1)[0], key)
            return False
        time.sleep(0.1)
    return not STOPPING.is_set()


def install() -> None:
    """Puts the corrections in place."""

    @replace(ecs, "_start_task_worker")
    def start(original: Callable[..., None], task: Record, definition: Record, overrides: Any,
              client: Any) -> None:
        if not _wait_for_turn(task):
            return
        error = _start_error(task, definition)
        if error is None:
            original(task, definition, overrides, client)
        elif ecs._mark_task_pending(task["taskArn"], task) and ecs._mark_task_activating(task["taskArn"], task):
            ecs._fail_task_start(task, client, error)

    @replace(ecs, "_resolve_container_secrets")
    def secrets(original: Callable[..., dict[str, str]], container: Record) -> dict[str, str]:
        try:
            return original(container)
        except ecs._SecretResolutionError as error:
            absent = [secret["valueFrom"] for secret in container["secrets"]
                      if "secretsmanager" not in secret["valueFrom"] and secret["valueFrom"] in str(error)]
            if not absent:
                raise
            name = absent[0].split(":parameter", 1)[-1]
            raise ecs._SecretResolutionError(
                "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: "
                f"{name}") from None

    @replace(ecs, "_mark_task_stopped")
    def mark_stopped(original: Callable[..., bool], arn: str, task: Record, reason: str, code: str,
                     **more: Any) -> bool:
        if reason in _SCALING:
            key = deployments.service_of(task)
            primary = ecs._primary_deployment(ecs._services.get(key or "") or {}) or {}
            reason = f"Scaling activity initiated by (deployment {primary.get('id', '')})"
            code = "ServiceSchedulerInitiated"
            stopped = original(arn, task, reason, code, **more)
            if stopped and key:
                deployments.add_event(key, f"has stopped 1 running tasks: (task {arn.rsplit('/', 1)[-1]}).")
            return stopped
        return original(arn, task, reason, code, **more)

    @replace(ecs, "_stop_task")
    def stop_task(original: Callable[..., Any], data: Record) -> Any:
        """A service replaces a task that a caller stops."""
        answer = original(data)
        if data.get("reason") not in _SCALING:
            task = ecs._resolve_task(data.get("task", ""), ecs._resolve_cluster_name(data.get("cluster", "default")))
            key = deployments.service_of(task) if task else None
            if key:
                ecs._reconcile_service_tasks(key.split("/", 1)[0], key)
        return answer

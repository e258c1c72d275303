"""How a task's container runs: as defined, with an image from the registry, with the label of the sandbox."""

import re
import time
from collections.abc import Callable
from typing import Any

from ministack import app as ministack_app
from ministack.core import container_reaper
from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_region
from ministack.services import ecs

from . import STOPPING
from .registry_login import Passwords, registry_scope
from .replacing import Record, replace

_SECOND = 1_000_000_000
# How long the last lines of a container's output have to reach the log group.
_LINGER_SECONDS = 2


def _health_check(container: Record, divisor: float) -> Record:
    """The health check for the engine. ECS ignores that of the image."""
    check = container.get("healthCheck")
    if not check:
        return {"test": ["NONE"]}
    return {
        "test": check["command"],
        "interval": int(check.get("interval", 30) * _SECOND / divisor),
        "timeout": int(check.get("timeout", 5) * _SECOND),
        "retries": check.get("retries", 3),
        "start_period": int((check.get("startPeriod") or 0) * _SECOND / divisor),
    }


def _scratch_folders(definition: Record, container: Record) -> dict[str, str]:
    """The mount points of volumes without a host path. Each container gets its own folder."""
    kept = {volume["name"] for volume in definition.get("volumes") or []
            if not (volume.get("host") or {}).get("sourcePath")}
    return {mount["containerPath"]: "ro" if mount.get("readOnly") else ""
            for mount in container.get("mountPoints") or [] if mount.get("sourceVolume") in kept}


def _adjust(kwargs: Record, container: Record, definition: Record, divisor: float) -> None:
    kwargs["healthcheck"] = _health_check(container, divisor)
    # Python as process 1 ignores SIGTERM: without `init` every stop takes its whole timeout.
    kwargs["init"] = True
    # The emulator listens on loopback only, so a container cannot reach it under this name.
    kwargs.pop("extra_hosts", None)
    for member, argument in (("entryPoint", "entrypoint"), ("user", "user"), ("workingDirectory", "working_dir"),
                             ("readonlyRootFilesystem", "read_only")):
        if container.get(member):
            kwargs[argument] = container[member]
    dropped = ((container.get("linuxParameters") or {}).get("capabilities") or {}).get("drop")
    if dropped:
        kwargs["cap_drop"] = dropped
    folders = _scratch_folders(definition, container)
    if folders:
        kwargs["tmpfs"] = folders
    environment = kwargs["environment"]
    environment.setdefault("AWS_REGION", get_region())
    environment.setdefault("AWS_DEFAULT_REGION", get_region())
    if "FARGATE" in (definition.get("requiresCompatibilities") or []):
        environment.setdefault("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE")


def _pull_error(image: str, cause: BaseException | None) -> str:
    """Why an image could not be pulled, as ECS writes it."""
    why = getattr(cause, "explanation", None) or str(cause)
    if "manifest unknown" in why or "name unknown" in why:
        why = f"{image}: not found"
    return f"pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {why}"


def _remove_later(ids: list[str]) -> None:
    time.sleep(_LINGER_SECONDS)
    for identifier in ids:
        ecs._remove_docker_container(ecs._get_docker(), identifier)


def _install_labels(label: tuple[str, str]) -> None:
    # Ministack identifies itself by its address, which changes with the port.
    @replace(container_reaper, "instance_id")
    def instance(_original: Callable[[], str]) -> str:
        return f"cruddur-ops-{label[1]}"

    @replace(container_reaper, "own_labels")
    def labels(original: Callable[..., dict[str, str]], *arguments: Any, **more: Any) -> dict[str, str]:
        return original(*arguments, **more) | {label[0]: label[1]}

    @replace(ministack_app, "_stop_docker_containers")
    def stop_containers(original: Callable[..., None], *_arguments: Any, **_more: Any) -> None:
        """Containers of another ministack on this machine stay."""
        original(include_unlabelled=False)


def _install_pulls(passwords: Passwords) -> None:
    def own_credentials(image: str) -> dict[str, str] | None:
        scope = registry_scope(re.sub(r"^https?://", "", image))
        return {"username": "AWS", "password": passwords.issue(scope)[0]} if scope else None

    @replace(ecs, "_resolve_repository_credentials")
    def credentials(original: Callable[..., Any], container: Record) -> dict[str, str] | None:
        return original(container) or own_credentials(container["image"])

    @replace(ecs, "_run_docker_container")
    def run(original: Callable[..., Any], client: Any, container: Record, kwargs: Record,
            **more: Any) -> Any:
        """Always pulls from the registry: an image that was not pushed must not run."""
        if STOPPING.is_set():
            raise RuntimeError("the emulator is ending")
        pulled = {"refresh_image": True, "allow_cached": False}
        pulled["auth_config"] = more.get("auth_config") or ecs._resolve_repository_credentials(container)
        try:
            return original(client, container, kwargs, **(more | pulled))
        except ecs._ImagePullError as error:
            raise ecs._ImagePullError(_pull_error(container["image"], error.__cause__)) from error


def install(divisor: float, label: tuple[str, str], passwords: Passwords) -> None:
    """Puts the corrections in place."""
    _install_labels(label)
    _install_pulls(passwords)

    @replace(ecs, "_register_metadata")
    def register_metadata(original: Callable[..., str], task: str, cluster: str, definition: Record,
                          container: Record, launch_type: str, environment: dict[str, str],
                          *more: Any) -> str:
        """Keeps addresses of the emulator out of the environment: a container can't reach them."""
        return original(task, cluster, definition, container, launch_type, dict(environment), *more)

    @replace(ecs, "_build_run_kwargs")
    def build(original: Callable[..., Record], container: Record, definition: Record,
              *more: Any) -> Record:
        kwargs = original(container, definition, *more)
        _adjust(kwargs, container, definition, divisor)
        return kwargs

    @replace(ecs, "_cleanup_task_resources")
    def cleanup(original: Callable[..., None], task: Record, client: Any, *more: Any) -> None:
        """Removes a container that exited; ministack keeps it for minutes."""
        ended = [] if client else list(task.get("_docker_ids") or [])
        original(task, client, *more)
        if ended and not STOPPING.is_set():
            spawn_background(_remove_later, ended, thread_name="emulator-remove")

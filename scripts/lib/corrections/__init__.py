"""Corrections of ministack, one subject a module. docs/sandbox.md describes them for users."""

import threading
from pathlib import Path
from typing import NamedTuple

from .asgi import App

# Set when the emulator begins to end: from then on no task starts, and none counts as failed.
STOPPING = threading.Event()


class Settings(NamedTuple):
    """What the corrections depend on."""

    account: str
    region: str
    # The URL of the AWS API.
    endpoint: str
    # The state folder.
    state: Path
    # The key that registry passwords are signed with.
    registry_key: bytes
    # Divides interval and start period of health checks.
    health_divisor: float
    # Name and value of the label on the containers.
    label: tuple[str, str]


def install(settings: Settings) -> App:
    """Imports ministack, corrects it, and returns its application. The environment must hold ministack's settings."""
    # Not earlier: ministack reads the environment while it is imported.
    from ministack.app import app

    from . import (
        browsers,
        clusters,
        containers,
        deployments,
        images,
        layer_downloads,
        parameters,
        persistence,
        registry_blobs,
        registry_login,
        repositories,
        roles,
        service_deployments,
        services,
        task_definitions,
        task_health,
        task_start,
    )

    default = (settings.account, settings.region)
    passwords = registry_login.Passwords(settings.registry_key)
    blobs = registry_blobs.Blobs(settings.state / "blobs", default)
    registry_login.install(passwords)
    repositories.install()
    images.install()
    layer_downloads.install(settings.endpoint)
    parameters.install()
    roles.install()
    clusters.install()
    task_definitions.install()
    services.install()
    deployments.install()
    service_deployments.install()
    containers.install(settings.health_divisor, settings.label, passwords)
    task_start.install()
    # After `deployments`: a task's health is determined before it is counted.
    task_health.install(settings.health_divisor)
    persistence.install(blobs)
    registry = registry_login.guarded(registry_blobs.with_files(app, blobs), passwords, default)
    return browsers.refused(layer_downloads.with_downloads(registry, blobs))

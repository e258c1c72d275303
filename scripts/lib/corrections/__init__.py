"""What we put right in ministack, each module one subject. The README says what and why in words."""

import threading
from pathlib import Path
from typing import NamedTuple

from .asgi import App

# Set when the emulator begins to end: from then on no task starts, and none fails.
STOPPING = threading.Event()


class Settings(NamedTuple):
    """What the corrections have to know."""

    account: str
    region: str
    # Where the AWS API answers, as a URL.
    endpoint: str
    # The folder of the state.
    state: Path
    registry_key: bytes
    # How long a registry password is valid, in seconds.
    token_lifetime: float
    # Divides interval and start period of health checks.
    health_divisor: float
    # How long a FAILED deployment stays listed beside a completed one, in seconds.
    keep_failed: float
    # Name and value of the label on our containers.
    label: tuple[str, str]


def install(settings: Settings) -> App:
    """Imports ministack, whose settings the environment holds by now, corrects it, and gives its application."""
    # Not before: ministack reads the environment while it is imported.
    from ministack.app import app

    from . import (
        browsers,
        clusters,
        containers,
        deployments,
        images,
        layer_downloads,
        lifecycle_previews,
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
    passwords = registry_login.Passwords(settings.registry_key, settings.token_lifetime)
    blobs = registry_blobs.Blobs(settings.state / "blobs", default)
    registry_login.install(passwords)
    repositories.install()
    images.install()
    downloads = layer_downloads.Downloads(
        settings.endpoint, settings.registry_key, min(layer_downloads.LIFETIME, settings.token_lifetime))
    layer_downloads.install(downloads)
    lifecycle_previews.install()
    parameters.install()
    roles.install()
    clusters.install()
    task_definitions.install()
    services.install(settings.keep_failed)
    deployments.install()
    service_deployments.install()
    containers.install(settings.health_divisor, settings.label, passwords)
    task_start.install()
    # After the deployments: whether a task counts as healthy is decided before it is counted.
    task_health.install(settings.health_divisor)
    persistence.install(blobs)
    registry = registry_login.guarded(registry_blobs.with_files(app, blobs), passwords, default)
    return browsers.refused(layer_downloads.with_downloads(registry, downloads, blobs))

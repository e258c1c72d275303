"""The restored state is consistent with what still exists after a restart."""

from collections.abc import Callable

from ministack import app as ministack_app
from ministack.services import ecs

from .registry_blobs import Blobs
from .replacing import replace


def _end_tasks() -> None:
    """Marks the tasks of the previous process as stopped; services start new ones."""
    for _scope, task in ecs._tasks.all_items():
        if task.get("desiredStatus") != "STOPPED":
            task.update(desiredStatus="STOPPED", stopCode="UserInitiated", stoppedReason="The emulator was restarted",
                        stoppedAt=ecs._iso())
            for container in task.get("containers", []):
                container["lastStatus"] = "STOPPED"


def install(blobs: Blobs) -> None:
    """Puts the corrections in place."""

    @replace(ministack_app, "_load_persisted_state")
    def load(original: Callable[[], None]) -> None:
        original()
        _end_tasks()
        blobs.forget_lost()

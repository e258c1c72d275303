"""The state outlives a restart; the layers of images are files anyway."""

from collections.abc import Callable

from ministack import app as ministack_app

from .registry_blobs import Blobs
from .replacing import replace


def install(blobs: Blobs) -> None:
    """Puts the corrections in place."""

    @replace(ministack_app, "_load_persisted_state")
    def load(original: Callable[[], None]) -> None:
        original()
        blobs.forget_lost()

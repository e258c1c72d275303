"""Addresses from which the layers of images can be fetched.

Ministack answers an HTTPS address at which nothing listens. This one is below the endpoint of the AWS API, over plain
HTTP. It needs no signature: the emulator checks no credentials of API calls either.
"""

import re
from collections.abc import Callable

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import ecr

from .asgi import App, Message, Receive, Send
from .registry_blobs import Blobs, send_answer
from .replacing import Answer, Record, content, replace, reply, went_well

# No bucket's name begins with an underscore.
_PREFIX = "/_ecr-layers/"
_PATH = re.compile(re.escape(_PREFIX) + r"(\d{12})/([a-z0-9-]+)/([a-z0-9._/-]+)/(sha256:[0-9a-f]{64})")


def install(endpoint: str) -> None:
    """Puts the correction in place. `endpoint` is the URL of the AWS API."""

    @replace(ecr, "_get_download_url_for_layer")
    def get_download_url(original: Callable[..., Answer], data: Record) -> Answer:
        answer = original(data)
        if not went_well(answer):
            return answer
        path = "/".join((get_account_id(), get_region(), data["repositoryName"], data["layerDigest"]))
        return reply(content(answer) | {"downloadUrl": f"{endpoint}{_PREFIX}{path}"})


def with_downloads(app: App, blobs: Blobs) -> App:
    """The application with these addresses answered."""

    async def served(scope: Message, receive: Receive, send: Send) -> None:
        match = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if match is None:
            await app(scope, receive, send)
            return
        account, region, repository, digest = match.groups()
        with request_scope(account, region):
            answer = blobs.read(repository, digest)
        await send_answer(answer, scope["method"], send)

    return served

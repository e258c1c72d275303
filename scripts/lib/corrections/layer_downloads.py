"""Addresses that layers can be fetched from without credentials, as ECR hands them out.

Ministack answers an HTTPS address at which nothing listens. Ours is on the endpoint of the AWS API, over plain HTTP;
its query proves that it is ours, as that of a presigned URL of S3 does, so a client needs nothing but the address.
"""

import calendar
import hashlib
import hmac
import math
import re
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id, get_region, new_uuid, request_scope
from ministack.services import ecr

from .asgi import App, Message, Receive, Send, headers_of
from .images import named_by_an_image
from .registry_blobs import Answer as FileAnswer
from .registry_blobs import Blobs, send_answer
from .replacing import Answer, Record, refuse, replace, reply
from .repositories import existing_repository, in_registry

# How long an address of ECR's is valid, in seconds.
LIFETIME = 3600

# No bucket's name begins with an underscore.
_PREFIX = "/_ecr-layers/"
_PATH = re.compile(re.escape(_PREFIX) + r"(\d{12})/([a-z0-9-]+)/([a-z0-9._/-]+)/(sha256:[0-9a-f]{64})")
_ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNATURE = "X-Amz-Signature"
_DATE = "%Y%m%dT%H%M%SZ"


class Layer(NamedTuple):
    """Which layer an address is about."""

    account: str
    region: str
    repository: str
    digest: str


class Downloads:
    """Addresses that prove themselves: nothing has to be remembered."""

    def __init__(self, endpoint: str, key: bytes, lifetime: float) -> None:
        """With the URL of the AWS API, the key that seals them, and the seconds that they are valid."""
        self._endpoint = endpoint
        self._key = key
        self._lifetime = math.ceil(lifetime)

    def address(self, layer: Layer) -> str:
        """A new address of a layer."""
        query = {"X-Amz-Algorithm": _ALGORITHM, "X-Amz-Date": time.strftime(_DATE, time.gmtime()),
                 "X-Amz-Expires": str(self._lifetime), "X-Amz-SignedHeaders": "host"}
        query[_SIGNATURE] = self._seal(layer, query)
        return f"{self._endpoint}{_PREFIX}{'/'.join(layer)}?{urlencode(query)}"

    def fault(self, method: str, layer: Layer, query: dict[str, str]) -> tuple[str, str] | None:
        """Code and message of S3's refusal of a request; None when the address is one of ours and still valid."""
        seal = query.get(_SIGNATURE)
        if seal is None:
            return "AccessDenied", "Access Denied"
        # The method is a part of what S3 seals.
        if method != "GET" or not hmac.compare_digest(seal.encode(), self._seal(layer, query).encode()):
            return ("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you "
                    "provided. Check your key and signing method.")
        # Sealed, so it is a date, and that a number.
        age = time.time() - calendar.timegm(time.strptime(query["X-Amz-Date"], _DATE))
        return ("AccessDenied", "Request has expired") if age > int(query["X-Amz-Expires"]) else None

    def _seal(self, layer: Layer, query: dict[str, str]) -> str:
        rest = sorted(pair for pair in query.items() if pair[0] != _SIGNATURE)
        # The first line tells it from the seal of a password, which begins with an account.
        text = "\n".join(["GET", *layer, urlencode(rest)])
        return hmac.digest(self._key, text.encode(), hashlib.sha256).hex()


def _refusal(status: int, code: str, message: str) -> FileAnswer:
    """An error as S3 has them."""
    body = ('<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>"
            f"<RequestId>{new_uuid()}</RequestId></Error>").encode()
    return FileAnswer(status, {"content-type": "application/xml", "content-length": str(len(body))}, body)


def install(downloads: Downloads) -> None:
    """`ecr:GetDownloadUrlForLayer` hands out addresses that answer."""

    @replace(ecr, "_get_download_url_for_layer")
    def get_download_url(_original: Callable[..., Answer], data: Record) -> Answer:
        name, digest = existing_repository(data), str(data.get("layerDigest", ""))
        if digest not in ecr._layer_blobs.get(name, {}):
            refuse("LayersNotFoundException", in_registry(
                f"The layer with digest '{digest}' does not exist within the repository with name '{name}'"))
        if not named_by_an_image(name, digest):
            refuse("LayerInaccessibleException", in_registry(
                f"The layer with digest '{digest}' is not associated with an image within the repository with name "
                f"'{name}'"))
        layer = Layer(get_account_id(), get_region(), name, digest)
        return reply({"downloadUrl": downloads.address(layer), "layerDigest": digest})


def with_downloads(app: App, downloads: Downloads, blobs: Blobs) -> App:
    """The application with these addresses answered."""

    def answer(scope: Message) -> FileAnswer:
        match = _PATH.fullmatch(scope["path"])
        if match is None:
            return _refusal(403, "AccessDenied", "Access Denied")
        layer = Layer(*match.groups())
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
        fault = downloads.fault(scope["method"], layer, query)
        if fault is not None:
            return _refusal(403, *fault)
        with request_scope(layer.account, layer.region):
            found = blobs.read(layer.repository, layer.digest, headers_of(scope).get("range", ""))
        if found is None:
            return _refusal(404, "NoSuchKey", "The specified key does not exist.")
        if found.status == 416:
            return _refusal(416, "InvalidRange", "The requested range is not satisfiable")
        return found

    async def served(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_PREFIX):
            await send_answer(answer(scope), scope["method"], send)
        else:
            await app(scope, receive, send)

    return served

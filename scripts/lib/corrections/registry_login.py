"""The registry requires ECR's password; ministack's requires none."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from ministack import app as ministack_app
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecr

from .asgi import App, Message, Receive, Send, answer, headers_of
from .replacing import Answer, Record, replace, reply

# With this many random bytes a password has about 1,800 characters, as ECR's have.
_PAYLOAD_BYTES = 870
_LIFETIME_SECONDS = 12 * 3600

Scope = tuple[str, str]


class ErrorResponse(NamedTuple):
    """How a request without the right password is answered."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


_NO_CREDENTIALS = ErrorResponse(401, b"Not Authorized\n")
_WRONG = ErrorResponse(400, b"Bad Request\n")
_EXPIRED = ErrorResponse(403, json.dumps({"errors": [{
    "code": "DENIED", "message": "Your authorization token has expired. Reauthenticate and try again.",
}]}).encode(), "application/json; charset=utf-8")


class Passwords:
    """Signed passwords: none has to be stored, and they stay valid after a restart."""

    def __init__(self, key: bytes) -> None:
        """With the key that signs them."""
        self._key = key

    def issue(self, scope: Scope) -> tuple[str, float]:
        """A password for the registry of an account and region, and when it expires."""
        expires = int(time.time()) + _LIFETIME_SECONDS
        payload = base64.b64encode(secrets.token_bytes(_PAYLOAD_BYTES)).decode()
        # The fields of ECR's passwords.
        fields = {"payload": payload, "datakey": self._signature(scope, payload, expires), "version": "2",
                  "type": "DATA_KEY", "expiration": expires}
        return base64.b64encode(json.dumps(fields).encode()).decode(), expires

    def error(self, scope: Scope, password: str) -> ErrorResponse | None:
        """None when the password was issued here for this registry and has not expired."""
        try:
            fields = json.loads(base64.b64decode(password, validate=True))
            payload, signature, expires = fields["payload"], fields["datakey"], fields["expiration"]
            genuine = hmac.compare_digest(signature, self._signature(scope, payload, expires))
        except (ValueError, TypeError, LookupError):
            return _WRONG
        if not genuine:
            return _WRONG
        return _EXPIRED if expires <= time.time() else None

    def _signature(self, scope: Scope, payload: str, expires: int) -> str:
        text = "\n".join([*scope, payload, str(expires)])
        return base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()


def registry_scope(host: str) -> Scope | None:
    """Account and region of an ECR host name, or of an image reference that begins with one."""
    scope: Scope | None = ecr._registry_scope_hint(host)
    return scope


def credentials(authorization: str) -> tuple[str, str] | None:
    """User and password of a Basic header; None for anything else, and for the empty pair that skopeo sends."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon and (user or password) else None


def install(passwords: Passwords) -> None:
    """`ecr:GetAuthorizationToken` returns real passwords."""

    @replace(ecr, "_get_authorization_token")
    def get_authorization_token(_original: Callable[..., Answer], data: Record) -> Answer:
        entries = []
        for account in data.get("registryIds") or [get_account_id()]:
            password, expires = passwords.issue((account, get_region()))
            entries.append({
                "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
                "expiresAt": expires,
                "proxyEndpoint": f"https://{account}.dkr.ecr.{get_region()}.amazonaws.com",
            })
        return reply({"authorizationData": entries})


def guarded(app: App, passwords: Passwords, default: Scope) -> App:
    """The application, with credentials required for requests of the registry protocol."""

    def login_error(headers: dict[str, str]) -> ErrorResponse | None:
        pair = credentials(headers.get("authorization", ""))
        if pair is None:
            return _NO_CREDENTIALS
        user, password = pair
        scope = registry_scope(headers.get("host", "")) or default
        return passwords.error(scope, password) if user == "AWS" else _WRONG

    async def guard(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not ministack_app._is_ecr_registry_path(scope["path"]):
            await app(scope, receive, send)
            return
        headers = headers_of(scope)
        error = login_error(headers)
        if error is None:
            await app(scope, receive, send)
            return
        answered = {"content-type": error.content_type, "content-length": str(len(error.body)),
                    "docker-distribution-api-version": "registry/2.0"}
        if error is _NO_CREDENTIALS:
            realm = f"https://{headers.get('host', '')}/"
            answered["www-authenticate"] = f'Basic realm="{realm}",service="ecr.amazonaws.com"'
        await answer(send, error.status, answered, b"" if scope["method"] == "HEAD" else error.body)

    return guard

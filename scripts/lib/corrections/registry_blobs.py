"""The registry's layers, as files. Ministack holds them in memory, once per repository, and never frees them."""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs

from ministack.core.responses import new_uuid, request_scope
from ministack.services import ecr

from .asgi import App, Message, Receive, Send, headers_of
from .registry_login import Scope, registry_scope

_CHUNK = 1 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CHUNK_RANGE = re.compile(r"(?:bytes[ =])?(\d+)-\d+(?:/.*)?")


class Answer(NamedTuple):
    """An answer; its body is a text or a file."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    file: Path | None = None


class Gone(Exception):
    """The client closed the connection in the middle of its request."""


def error(status: int, code: str, message: str) -> Answer:
    """An error as the registry protocol has them."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Answer(status, {"content-type": "application/json; charset=utf-8", "content-length": str(len(body))}, body)


class Upload:
    """An upload in progress: a file that grows, and its hash."""

    def __init__(self, repository: str, path: Path) -> None:
        """Starts it."""
        self.repository = repository
        self.path = path
        self.size = 0
        self.hash = hashlib.sha256()
        self._file = path.open("wb")

    def add(self, data: bytes) -> None:
        """Appends a part."""
        self._file.write(data)
        self.hash.update(data)
        self.size += len(data)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def discard(self) -> None:
        """Removes the file, unless it was moved to its place."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class Blobs:
    """The files of all layers. `ecr._layer_blobs` holds the digests of each repository, with their sizes."""

    def __init__(self, folder: Path, default: Scope) -> None:
        """With the folder, and the account and region of requests whose host is not one of ECR's."""
        self._folder = folder
        self._default = default
        self._uploads: dict[str, Upload] = {}
        folder.mkdir(exist_ok=True)
        for left in folder.glob("upload-*"):
            left.unlink()

    def forget_lost(self) -> None:
        """After a restart: forgets layers without a file, and removes files that no repository has."""
        named = set()
        for _scope, digests in ecr._layer_blobs.all_items():
            for digest in [digest for digest, size in digests.items() if not self._is_whole(digest, size)]:
                del digests[digest]
            named.update(digests)
        for path in self._folder.iterdir():
            if path.name.replace("-", ":", 1) not in named:
                path.unlink()

    def handles(self, path: str) -> bool:
        """Whether the path is a layer's in the registry protocol."""
        parsed = ecr._parse_v2_path(path)
        return parsed is not None and parsed[0] in ("blob_uploads", "blob_upload_session", "blob")

    async def answer(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one request about a layer."""
        headers = headers_of(scope)
        query = {name: values[0] for name, values in parse_qs(scope.get("query_string", b"").decode("latin-1")).items()}
        verb, repository, reference = ecr._parse_v2_path(scope["path"])
        method = scope["method"]
        with request_scope(*(registry_scope(headers.get("host", "")) or self._default)):
            unknown = ecr._ensure_repo_exists(repository)
            if unknown is not None:
                result = Answer(unknown[0], unknown[1], unknown[2])
            elif verb == "blob" and method in ("GET", "HEAD"):
                result = self.read(repository, reference)
            elif verb == "blob_uploads" and method == "POST":
                result = await self._start(repository, query, receive)
            elif verb == "blob_upload_session" and method in ("GET", "PATCH", "PUT", "DELETE"):
                result = await self._continue(method, repository, reference, query, headers, receive)
            else:
                result = error(405, "UNSUPPORTED", "The operation is unsupported.")
        headers = {"docker-distribution-api-version": "registry/2.0"} | result.headers
        await send_answer(result._replace(headers=headers), method, send)

    def read(self, repository: str, digest: str) -> Answer:
        """A layer of a repository."""
        size = ecr._layer_blobs.get(repository, {}).get(digest)
        if size is None:
            return error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        headers = {"content-type": "application/octet-stream", "content-length": str(size),
                   "docker-content-digest": digest}
        return Answer(200, headers, file=self._path(digest))

    def _is_whole(self, digest: str, size: int) -> bool:
        path = self._path(digest)
        return path.is_file() and path.stat().st_size == size

    def _path(self, digest: str) -> Path:
        return self._folder / digest.replace(":", "-", 1)

    async def _start(self, repository: str, query: dict[str, str], receive: Receive) -> Answer:
        mount, source = query.get("mount", ""), query.get("from", "")
        size = ecr._layer_blobs.get(source, {}).get(mount)
        if size is not None:
            return self._keep(repository, mount, size)
        name = new_uuid()
        upload = Upload(repository, self._folder / f"upload-{name}")
        digest = query.get("digest")
        if digest:
            return await self._finish(upload, digest, receive)
        self._uploads[name] = upload
        return self._progress(202, name, upload)

    async def _continue(self, method: str, repository: str, name: str, query: dict[str, str], headers: dict[str, str],
                     receive: Receive) -> Answer:
        upload = self._uploads.get(name)
        if upload is None or upload.repository != repository:
            return error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if method == "GET":
            return self._progress(204, name, upload)
        if method == "DELETE":
            self._uploads.pop(name).discard()
            return Answer(204, {})
        match = _CHUNK_RANGE.fullmatch(headers.get("content-range", ""))
        if match and int(match.group(1)) != upload.size:
            return error(416, "BLOB_UPLOAD_INVALID",
                         f"First byte of the layer part is {match.group(1)} instead of {upload.size}")
        if method == "PATCH":
            await _fill(upload, receive)
            return self._progress(202, name, upload)
        digest = query.get("digest")
        if not digest:
            return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        del self._uploads[name]
        return await self._finish(upload, digest, receive)

    async def _finish(self, upload: Upload, digest: str, receive: Receive) -> Answer:
        try:
            await _fill(upload, receive)
            upload.close()
            if not _DIGEST.fullmatch(digest) or digest != f"sha256:{upload.hash.hexdigest()}":
                return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            upload.path.rename(self._path(digest))
            return self._keep(upload.repository, digest, upload.size)
        finally:
            upload.discard()

    def _keep(self, repository: str, digest: str, size: int) -> Answer:
        ecr._layer_blobs.setdefault(repository, {})[digest] = size
        location = f"/v2/{repository}/blobs/{digest}"
        return Answer(201, {"location": location, "docker-content-digest": digest, "content-length": "0"})

    def _progress(self, status: int, name: str, upload: Upload) -> Answer:
        return Answer(status, {
            "location": f"/v2/{upload.repository}/blobs/uploads/{name}",
            "range": f"0-{max(0, upload.size - 1)}",
            "docker-upload-uuid": name,
        } | ({} if status == 204 else {"content-length": "0"}))


async def _fill(upload: Upload, receive: Receive) -> None:
    """Writes the body of a request into the upload."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        upload.add(message.get("body", b""))
        more = message.get("more_body", False)


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_CHUNK):
            yield part


async def send_answer(answer: Answer, method: str, send: Send) -> None:
    """Sends an answer, a file piece by piece."""
    encoded = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    if answer.file and method != "HEAD":
        for part in _parts(answer.file):
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})


def with_files(app: App, blobs: Blobs) -> App:
    """The application with the requests about layers served from files."""

    async def served(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and blobs.handles(scope["path"]):
            with contextlib.suppress(Gone):
                await blobs.answer(scope, receive, send)
        else:
            await app(scope, receive, send)

    return served

"""ECR's images: a manifest is accepted only after its layers, and PutImage makes it available to the registry."""

import json
from collections.abc import Callable

from ministack.services import ecr

from .replacing import Answer, Record, replace, went_well


def _absent(repository: str, manifest: bytes) -> list[str | None]:
    """The digests that a manifest names and that its repository does not have."""
    try:
        document = json.loads(manifest)
    except ValueError:
        return []
    if not isinstance(document, dict):
        return []
    blobs, manifests = ecr._layer_blobs.get(repository, {}), ecr._manifest_blobs.get(repository, {})
    # A layer with `urls` is fetched from there.
    parts = [part for part in [document.get("config"), *(document.get("layers") or [])] if part]
    absent = [part.get("digest") for part in parts if part.get("digest") not in blobs and not part.get("urls")]
    children = [part.get("digest") for part in document.get("manifests") or []]
    return absent + [digest for digest in children if digest not in manifests]


def install() -> None:
    """Puts the corrections in place."""

    @replace(ecr, "_v2_put_manifest")
    def put_manifest(original: Callable[..., Answer], name: str, reference: str, headers: dict[str, str],
                     body: bytes) -> Answer:
        absent = _absent(name, body) if name in ecr._repositories else []
        if absent:
            message = f"{absent} required for pushing image into repository with name '{name}' do not exist"
            refused: Answer = ecr._registry_error(404, "MANIFEST_BLOB_UNKNOWN", message, {})
            return refused
        return original(name, reference, headers, body)

    @replace(ecr, "_put_image")
    def put_image(original: Callable[..., Answer], data: Record) -> Answer:
        answer = original(data)
        if went_well(answer):
            manifest = data.get("imageManifest", "")
            ecr._manifest_blobs.setdefault(data["repositoryName"], {})[ecr._image_digest(manifest)] = manifest.encode()
        return answer

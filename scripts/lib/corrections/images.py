"""ECR's images: what may be pushed, and what the API says about them."""

import json
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, json_response
from ministack.services import ecr

from .replacing import Answer, replace, went_well
from .repositories import in_registry, is_immutable, page


def _parsed(manifest: str | bytes) -> dict[str, Any]:
    """The manifest as a document; empty when it is none."""
    try:
        document = json.loads(manifest)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _descriptors(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The configuration and the layers that a manifest names."""
    named = [manifest.get("config"), *(manifest.get("layers") or [])]
    return [entry for entry in named if isinstance(entry, dict)]


def _absent(repository: str, manifest: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The layers, and the images, that a manifest names and that its repository does not have."""
    blobs, manifests = ecr._layer_blobs.get(repository, {}), ecr._manifest_blobs.get(repository, {})
    # A layer with URLs of its own is fetched from there.
    layers = [entry.get("digest", "") for entry in _descriptors(manifest)
              if entry.get("digest") not in blobs and not entry.get("urls")]
    children = [entry.get("digest", "") for entry in manifest.get("manifests") or []]
    return layers, [digest for digest in children if digest not in manifests]


def _size(repository: str, image: dict[str, Any]) -> int:
    """The size of an image: of its layers and configuration; of an index, that of its images."""
    manifest = _parsed(image.get("imageManifest", ""))
    size = sum(int(entry.get("size", 0)) for entry in _descriptors(manifest))
    for child in manifest.get("manifests") or []:
        found = ecr._find_image(repository, {"imageDigest": child.get("digest")})
        size += _size(repository, found) if found else 0
    return size


def _image_ids(image: dict[str, Any]) -> list[dict[str, str]]:
    """One identifier for each tag, or the digest alone."""
    digest = {"imageDigest": image["imageDigest"]}
    return [digest | {"imageTag": tag} for tag in image.get("imageTags", [])] or [digest]


def _details(repository: str, image: dict[str, Any]) -> dict[str, Any]:
    manifest = _parsed(image.get("imageManifest", ""))
    details = {
        "registryId": get_account_id(),
        "repositoryName": repository,
        "imageDigest": image["imageDigest"],
        "imageTags": image.get("imageTags") or None,
        "imageSizeInBytes": _size(repository, image),
        "imagePushedAt": image.get("imagePushedAt", int(time.time())),
        "imageManifestMediaType": image.get("imageManifestMediaType"),
        "artifactMediaType": (manifest.get("config") or {}).get("mediaType"),
    }
    return {name: value for name, value in details.items() if value is not None}


def _with_status(images: list[dict[str, Any]], data: dict[str, Any]) -> list[dict[str, Any]]:
    status = (data.get("filter") or {}).get("tagStatus", "ANY")
    return [image for image in images if status == "ANY" or bool(image.get("imageTags")) == (status == "TAGGED")]


def _no_repository(data: dict[str, Any]) -> Answer | None:
    name = data.get("repositoryName", "")
    if name in ecr._repositories:
        return None
    message = in_registry(f"The repository with name '{name}' does not exist")
    return error_response_json("RepositoryNotFoundException", message, 400)


def _find(data: dict[str, Any]) -> tuple[list[tuple[dict[str, str], dict[str, Any]]], list[dict[str, Any]]]:
    """The images that a request names, each with the identifier it was named by, and the failures for the others."""
    found, failures = [], []
    for wanted in data.get("imageIds") or []:
        image = ecr._find_image(data["repositoryName"], wanted)
        if image:
            tag = wanted.get("imageTag")
            found.append(({"imageDigest": image["imageDigest"]} | ({"imageTag": tag} if tag else {}), image))
        else:
            failures.append({"imageId": wanted, "failureCode": "ImageNotFound",
                             "failureReason": "Requested image not found"})
    return found, failures


def _install_pushes() -> None:
    @replace(ecr, "_v2_put_manifest")
    def put_manifest(original: Callable[..., Answer], name: str, reference: str, headers: dict[str, str],
                     body: bytes) -> Answer:
        if name not in ecr._repositories:
            return original(name, reference, headers, body)
        layers, children = _absent(name, _parsed(body))
        if layers or children:
            what = (f"Layers with digests '{layers}' required for pushing image into repository with name '{name}'"
                    if layers else f"Images with digests '{children}' required for pushing image into repository with "
                                   f"name '{name}'")
            return ecr._registry_error(404, "BLOB_UPLOAD_UNKNOWN" if layers else "MANIFEST_BLOB_UNKNOWN",
                                       f"{in_registry(what)} do not exist")
        held = None if reference.startswith("sha256:") else ecr._find_image(name, {"imageTag": reference})
        other = held and held["imageDigest"] != ecr._content_digest(body)
        if other and is_immutable(ecr._repositories[name], reference):
            message = (f"The image tag '{reference}' already exists in the '{name}' repository and cannot be "
                       "overwritten because the tag is immutable.")
            return ecr._registry_error(400, "TAG_INVALID", message)
        return original(name, reference, headers, body)

    @replace(ecr, "_put_image")
    def put_image(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        refused = _no_repository(data)
        if refused:
            return refused
        name, manifest, tag = data["repositoryName"], data.get("imageManifest", ""), data.get("imageTag")
        digest = ecr._image_digest(manifest)
        layers, children = _absent(name, _parsed(manifest))
        if layers or children:
            code, what = ("LayersNotFoundException", f"Layers with digests '{layers}'") if layers else (
                "ReferencedImagesNotFoundException", f"Images with digests '{children}'")
            message = in_registry(f"{what} required for pushing image into repository with name '{name}'")
            return error_response_json(code, f"{message} do not exist", 400)
        held = ecr._find_image(name, {"imageTag": tag} if tag else {"imageDigest": digest})
        if held and held["imageDigest"] == digest:
            message = f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}'"
            return error_response_json("ImageAlreadyExistsException", in_registry(message), 400)
        if held and is_immutable(ecr._repositories[name], tag):
            message = (f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten "
                       "because the tag is immutable.")
            return error_response_json("ImageTagAlreadyExistsException", message, 400)
        answer = original(data)
        if went_well(answer):
            # The registry finds it by its digest too.
            ecr._manifest_blobs.setdefault(name, {})[digest] = manifest.encode()
        return answer


def _install_reads() -> None:
    @replace(ecr, "_describe_images")
    def describe(_original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        refused = _no_repository(data)
        if refused:
            return refused
        name = data["repositoryName"]
        if not data.get("imageIds"):
            images = _with_status(ecr._images.get(name, []), data)
            return json_response(page([_details(name, image) for image in images], data, "imageDetails", 100))
        found, failures = _find(data)
        if failures:
            wanted = failures[0]["imageId"]
            identifier = ", ".join(f"{key}:'{wanted.get(key, 'null')}'" for key in ("imageDigest", "imageTag"))
            message = in_registry(f"The image with imageId {{{identifier}}} does not exist within the repository "
                                  f"with name '{name}'")
            return error_response_json("ImageNotFoundException", message, 400)
        return json_response({"imageDetails": [_details(name, image) for _, image in found]})

    @replace(ecr, "_list_images")
    def list_images(_original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        refused = _no_repository(data)
        if refused:
            return refused
        images = _with_status(ecr._images.get(data["repositoryName"], []), data)
        return json_response(page([entry for image in images for entry in _image_ids(image)], data, "imageIds", 100))

    @replace(ecr, "_batch_get_image")
    def batch_get(_original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        refused = _no_repository(data)
        if refused:
            return refused
        found, failures = _find(data)
        images = [{
            "registryId": get_account_id(),
            "repositoryName": data["repositoryName"],
            "imageId": identifier,
            "imageManifest": image.get("imageManifest", ""),
            "imageManifestMediaType": image.get("imageManifestMediaType"),
        } for identifier, image in found]
        return json_response({"images": images, "failures": failures})

    @replace(ecr, "_batch_delete_image")
    def batch_delete(_original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        refused = _no_repository(data)
        if refused:
            return refused
        name, deleted = data["repositoryName"], []
        found, failures = _find(data)
        for identifier, image in found:
            tags = image.setdefault("imageTags", [])
            if "imageTag" in identifier and tags != [identifier["imageTag"]]:
                # A tag that is not the last one: the image stays.
                tags.remove(identifier["imageTag"])
                deleted.append(identifier)
                continue
            deleted.extend(_image_ids(image))
            ecr._images[name].remove(image)
            ecr._manifest_blobs.get(name, {}).pop(image["imageDigest"], None)
        return json_response({"imageIds": deleted, "failures": failures})

    @replace(ecr, "_batch_check_layer_availability")
    def check_layers(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        if data.get("repositoryName") not in ecr._repositories:
            return original(data)
        blobs = ecr._layer_blobs.get(data["repositoryName"], {})
        layers = [{"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": blobs[digest]}
                  if digest in blobs else {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
                  for digest in data.get("layerDigests", [])]
        return json_response({"layers": layers, "failures": []})


def install() -> None:
    """Puts the corrections in place."""
    _install_pushes()
    _install_reads()

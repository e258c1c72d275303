"""ECR's images: what may be pushed, and what the API says about them."""

import json
import time
from collections.abc import Callable

from ministack.core.responses import get_account_id
from ministack.services import ecr

from .replacing import Answer, Record, refuse, replace, reply, went_well
from .repositories import existing_repository, in_registry, is_immutable, page


def _parsed(manifest: str | bytes) -> Record:
    """The manifest as a document; empty when it is none."""
    try:
        document = json.loads(manifest)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _descriptors(manifest: Record) -> list[Record]:
    """The configuration and the layers that a manifest names."""
    named = [manifest.get("config"), *(manifest.get("layers") or [])]
    return [entry for entry in named if isinstance(entry, dict)]


def named_by_an_image(repository: str, digest: str) -> bool:
    """Whether a layer, or a configuration, is one of an image's; ECR may clean up the others at any time."""
    return any(entry.get("digest") == digest for image in ecr._images.get(repository, [])
               for entry in _descriptors(_parsed(image.get("imageManifest", ""))))


def _absent(repository: str, manifest: Record) -> tuple[list[str], list[str]]:
    """The layers, and the images, that a manifest names and that its repository does not have."""
    blobs, manifests = ecr._layer_blobs.get(repository, {}), ecr._manifest_blobs.get(repository, {})
    # A layer with URLs of its own is fetched from there.
    layers = [entry.get("digest", "") for entry in _descriptors(manifest)
              if entry.get("digest") not in blobs and not entry.get("urls")]
    children = [entry.get("digest", "") for entry in manifest.get("manifests") or []]
    return layers, [digest for digest in children if digest not in manifests]


def index_members(images: list[Record]) -> set[str]:
    """The digests of images that are parts of another one."""
    return {child.get("digest", "") for image in images
            for child in _parsed(image.get("imageManifest", "")).get("manifests") or []}


def _size(repository: str, image: Record) -> int:
    """The size of an image: of its layers and configuration; of an index, that of its images."""
    manifest = _parsed(image.get("imageManifest", ""))
    size = sum(int(entry.get("size", 0)) for entry in _descriptors(manifest))
    for child in manifest.get("manifests") or []:
        found = ecr._find_image(repository, {"imageDigest": child.get("digest")})
        size += _size(repository, found) if found else 0
    return size


def image_ids(image: Record) -> list[dict[str, str]]:
    """One identifier for each tag, or the digest alone."""
    digest = {"imageDigest": image["imageDigest"]}
    return [digest | {"imageTag": tag} for tag in image.get("imageTags", [])] or [digest]


def _details(repository: str, image: Record) -> Record:
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


def with_status(images: list[Record], data: Record) -> list[Record]:
    """The images that the filter of a request lets through."""
    status = (data.get("filter") or {}).get("tagStatus", "ANY")
    return [image for image in images if status == "ANY" or bool(image.get("imageTags")) == (status == "TAGGED")]


def _find(name: str, data: Record) -> tuple[list[tuple[dict[str, str], Record]], list[Record]]:
    """The images that a request names, each with the identifier it was named by, and the failures for the others."""
    found, failures = [], []
    for wanted in data.get("imageIds") or []:
        image = ecr._find_image(name, wanted)
        if image:
            tag = wanted.get("imageTag")
            found.append(({"imageDigest": image["imageDigest"]} | ({"imageTag": tag} if tag else {}), image))
        else:
            failures.append({"imageId": wanted, "failureCode": "ImageNotFound",
                             "failureReason": "Requested image not found"})
    return found, failures


def _required(what: str, digests: list[str], repository: str) -> str:
    """ECR's words about parts of an image that were not pushed."""
    pushing = f"required for pushing image into repository with name '{repository}'"
    return in_registry(f"{what} with digests '{digests}' {pushing}") + " do not exist"


def _immutable(repository: str, tag: str) -> str:
    """ECR's words about a tag that must not move."""
    return (f"The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten because "
            "the tag is immutable.")


def _push_fault(repository: str, reference: str, manifest: bytes) -> Answer | None:
    """The registry's refusal of a manifest."""
    fault: Answer | None = None
    layers, children = _absent(repository, _parsed(manifest))
    held = None if reference.startswith("sha256:") else ecr._find_image(repository, {"imageTag": reference})
    other = held and held["imageDigest"] != ecr._content_digest(manifest)
    if layers:
        fault = ecr._registry_error(404, "BLOB_UPLOAD_UNKNOWN", _required("Layers", layers, repository))
    elif children:
        fault = ecr._registry_error(404, "MANIFEST_BLOB_UNKNOWN", _required("Images", children, repository))
    elif other and is_immutable(ecr._repositories[repository], reference):
        fault = ecr._registry_error(400, "TAG_INVALID", _immutable(repository, reference))
    return fault


def _install_pushes() -> None:
    @replace(ecr, "_v2_put_manifest")
    def put_manifest(original: Callable[..., Answer], name: str, reference: str, headers: dict[str, str],
                     body: bytes) -> Answer:
        fault = _push_fault(name, reference, body) if name in ecr._repositories else None
        return fault or original(name, reference, headers, body)

    @replace(ecr, "_put_image")
    def put_image(original: Callable[..., Answer], data: Record) -> Answer:
        name = existing_repository(data)
        manifest, tag = data.get("imageManifest", ""), str(data.get("imageTag") or "")
        digest = ecr._image_digest(manifest)
        layers, children = _absent(name, _parsed(manifest))
        if layers:
            refuse("LayersNotFoundException", _required("Layers", layers, name))
        if children:
            refuse("ReferencedImagesNotFoundException", _required("Images", children, name))
        held = ecr._find_image(name, {"imageTag": tag} if tag else {"imageDigest": digest})
        if held and held["imageDigest"] == digest:
            refuse("ImageAlreadyExistsException", in_registry(
                f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}'"))
        if held and is_immutable(ecr._repositories[name], tag):
            refuse("ImageTagAlreadyExistsException", _immutable(name, tag))
        answer = original(data)
        if went_well(answer):
            # The registry finds it by its digest too.
            ecr._manifest_blobs.setdefault(name, {})[digest] = manifest.encode()
        return answer


def _install_reads() -> None:
    @replace(ecr, "_describe_images")
    def describe(_original: Callable[..., Answer], data: Record) -> Answer:
        name = existing_repository(data)
        if not data.get("imageIds"):
            images = with_status(ecr._images.get(name, []), data)
            return reply(page([_details(name, image) for image in images], data, "imageDetails", 100))
        found, failures = _find(name, data)
        if failures:
            wanted = failures[0]["imageId"]
            identifier = ", ".join(f"{key}:'{wanted.get(key, 'null')}'" for key in ("imageDigest", "imageTag"))
            refuse("ImageNotFoundException", in_registry(
                f"The image with imageId {{{identifier}}} does not exist within the repository with name '{name}'"))
        return reply({"imageDetails": [_details(name, image) for _, image in found]})

    @replace(ecr, "_list_images")
    def list_images(_original: Callable[..., Answer], data: Record) -> Answer:
        images = with_status(ecr._images.get(existing_repository(data), []), data)
        return reply(page([entry for image in images for entry in image_ids(image)], data, "imageIds", 100))

    @replace(ecr, "_batch_get_image")
    def batch_get(_original: Callable[..., Answer], data: Record) -> Answer:
        name = existing_repository(data)
        found, failures = _find(name, data)
        images = [{
            "registryId": get_account_id(),
            "repositoryName": name,
            "imageId": identifier,
            "imageManifest": image.get("imageManifest", ""),
            "imageManifestMediaType": image.get("imageManifestMediaType"),
        } for identifier, image in found]
        return reply({"images": images, "failures": failures})

    @replace(ecr, "_batch_delete_image")
    def batch_delete(_original: Callable[..., Answer], data: Record) -> Answer:
        name, deleted = existing_repository(data), []
        found, failures = _find(name, data)
        for identifier, image in found:
            tags = image.setdefault("imageTags", [])
            if "imageTag" in identifier and tags != [identifier["imageTag"]]:
                # A tag that is not the last one: the image stays.
                tags.remove(identifier["imageTag"])
                deleted.append(identifier)
                continue
            deleted.extend(image_ids(image))
            ecr._images[name].remove(image)
            ecr._manifest_blobs.get(name, {}).pop(image["imageDigest"], None)
        return reply({"imageIds": deleted, "failures": failures})

    @replace(ecr, "_batch_check_layer_availability")
    def check_layers(_original: Callable[..., Answer], data: Record) -> Answer:
        blobs = ecr._layer_blobs.get(existing_repository(data), {})
        layers = [{"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": blobs[digest]}
                  if digest in blobs else {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
                  for digest in data.get("layerDigests", [])]
        return reply({"layers": layers, "failures": []})


def install() -> None:
    """Puts the corrections in place."""
    _install_pushes()
    _install_reads()

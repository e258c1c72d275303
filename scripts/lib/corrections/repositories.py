"""ECR's repositories: names, tag mutability, and the words of the errors."""

import fnmatch
import re
from collections.abc import Callable
from typing import Any, NoReturn

from ministack.core.responses import get_account_id
from ministack.services import ecr

from .replacing import Answer, Record, content, invalid, refuse, replace, reply, went_well

_NAME = r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*"
_MUTABILITIES = ("MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")
_FILTERS = "imageTagMutabilityExclusionFilters"


def in_registry(text: str) -> str:
    """How ECR's errors end that name something."""
    return f"{text} in the registry with id '{get_account_id()}'"


def existing_repository(data: Record) -> str:
    """The name of the repository that a request is about, or ECR's refusal."""
    name = str(data.get("repositoryName", ""))
    if name not in ecr._repositories:
        refuse("RepositoryNotFoundException", in_registry(f"The repository with name '{name}' does not exist"))
    return name


def _violates(parameter: str, constraint: str) -> NoReturn:
    invalid(f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'")


def is_immutable(repository: Record, tag: str) -> bool:
    """Whether the tag, once there, must stay on its image."""
    mutability = repository.get("imageTagMutability", "MUTABLE")
    patterns = [entry.get("filter", "") for entry in repository.get(_FILTERS, [])]
    excluded = any(fnmatch.fnmatchcase(tag, pattern) for pattern in patterns)
    if mutability == "IMMUTABLE_WITH_EXCLUSION":
        return not excluded
    return excluded if mutability == "MUTABLE_WITH_EXCLUSION" else mutability == "IMMUTABLE"


def page(items: list[Any], data: Record, name: str, size: int) -> Record:
    """One page of a list, with the token for the next."""
    start = int(data.get("nextToken") or 0)
    end = start + int(data.get("maxResults") or size)
    return {name: items[start:end]} | ({"nextToken": str(end)} if end < len(items) else {})


def _check_mutability(data: Record) -> None:
    mutability = data.get("imageTagMutability", "MUTABLE")
    if mutability not in _MUTABILITIES:
        _violates("imageTagMutability", f"Member must satisfy enum value set: [{', '.join(_MUTABILITIES)}]")
    if mutability.endswith("_WITH_EXCLUSION") != bool(data.get(_FILTERS)):
        invalid(f"Invalid parameter: {_FILTERS} go with a tag mutability that ends in _WITH_EXCLUSION, and only with "
                "one.")


def install() -> None:
    """Puts the corrections in place."""

    @replace(ecr, "error_response_json")
    def error(original: Callable[..., Answer], code: str, message: str, status: int = 400, **more: Any) -> Answer:
        named = re.fullmatch(r"(The repository with name '.*') (does not exist|already exists|is not empty)", message)
        if named and named[2] == "is not empty":
            registry = f"in registry with id '{get_account_id()}'"
            message = f"{named[1]} {registry} cannot be deleted because it still contains images"
        elif named:
            message = in_registry(message)
        return original(code, message, status, **more)

    @replace(ecr, "_ensure_repo_exists")
    def ensure_repository(original: Callable[..., Any], name: str) -> Any:
        if original(name) is None:
            return None
        message = in_registry(f"The repository with name '{name}' does not exist")
        return ecr._registry_error(404, "NAME_UNKNOWN", message, {"name": name})

    @replace(ecr, "_repo_shape")
    def shape(original: Callable[..., Record], repository: Record) -> Record:
        filters, described = repository.get(_FILTERS), original(repository)
        # SDKs leave out what is false.
        described["imageScanningConfiguration"] = {"scanOnPush": False} | described["imageScanningConfiguration"]
        return described | ({_FILTERS: filters} if filters else {})

    @replace(ecr, "_create_repository")
    def create(original: Callable[..., Answer], data: Record) -> Answer:
        name = data.get("repositoryName", "")
        if not 2 <= len(name) <= 256:
            _violates("repositoryName", "must have length between 2 and 256")
        if not re.fullmatch(_NAME, name):
            _violates("repositoryName", f"must satisfy regular expression '{_NAME}'")
        _check_mutability(data)
        answer = original(data)
        if not went_well(answer):
            return answer
        ecr._repositories[name][_FILTERS] = data.get(_FILTERS, [])
        return reply({"repository": ecr._repo_shape(ecr._repositories[name])})

    @replace(ecr, "_put_image_tag_mutability")
    def put_mutability(original: Callable[..., Answer], data: Record) -> Answer:
        name = existing_repository(data)
        _check_mutability(data)
        answer = original(data)
        filters = data.get(_FILTERS, [])
        ecr._repositories[name][_FILTERS] = filters
        return reply(content(answer) | ({_FILTERS: filters} if filters else {}))

    @replace(ecr, "_describe_repositories")
    def describe(original: Callable[..., Answer], data: Record) -> Answer:
        if data.get("repositoryNames"):
            return original(data)
        shapes = [ecr._repo_shape(ecr._repositories[name]) for name in sorted(ecr._repositories.keys())]
        return reply(page(shapes, data, "repositories", 100))

    @replace(ecr, "_delete_repository")
    def delete(original: Callable[..., Answer], data: Record) -> Answer:
        answer = original(data)
        if went_well(answer):
            # Otherwise a repository of the same name would begin with the old one's layers.
            for store in (ecr._layer_blobs, ecr._manifest_blobs):
                store.pop(data["repositoryName"], None)
        return answer

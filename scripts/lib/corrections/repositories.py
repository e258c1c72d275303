"""ECR's repositories: exclusions from the tag mutability, the defaults of a description, and their end."""

from collections.abc import Callable

from ministack.services import ecr

from .replacing import Answer, Record, content, replace, reply, went_well

_FILTERS = "imageTagMutabilityExclusionFilters"


def install() -> None:
    """Puts the corrections in place."""

    @replace(ecr, "_repo_shape")
    def shape(original: Callable[..., Record], repository: Record) -> Record:
        filters, described = repository.get(_FILTERS), original(repository)
        # SDKs omit members that are false.
        described["imageScanningConfiguration"] = {"scanOnPush": False} | described["imageScanningConfiguration"]
        return described | ({_FILTERS: filters} if filters else {})

    @replace(ecr, "_create_repository")
    def create(original: Callable[..., Answer], data: Record) -> Answer:
        answer = original(data)
        if not went_well(answer):
            return answer
        repository = ecr._repositories[data["repositoryName"]]
        repository[_FILTERS] = data.get(_FILTERS, [])
        return reply({"repository": ecr._repo_shape(repository)})

    @replace(ecr, "_put_image_tag_mutability")
    def put_mutability(original: Callable[..., Answer], data: Record) -> Answer:
        answer = original(data)
        if not went_well(answer):
            return answer
        filters = data.get(_FILTERS, [])
        ecr._repositories[data["repositoryName"]][_FILTERS] = filters
        return reply(content(answer) | ({_FILTERS: filters} if filters else {}))

    @replace(ecr, "_delete_repository")
    def delete(original: Callable[..., Answer], data: Record) -> Answer:
        answer = original(data)
        if went_well(answer):
            # Otherwise a new repository of the same name would start with the layers of the deleted one.
            for store in (ecr._layer_blobs, ecr._manifest_blobs):
                store.pop(data["repositoryName"], None)
        return answer

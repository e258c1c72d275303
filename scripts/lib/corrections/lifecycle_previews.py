"""The dry run of ECR's lifecycle policies, which ministack does not have. A policy itself deletes nothing here."""

import fnmatch
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from ministack.core.responses import get_account_id, get_region
from ministack.services import ecr

from .images import image_ids, index_members, with_status
from .replacing import Answer, Record, answering, invalid, refuse, replace, reply
from .repositories import existing_repository, in_registry, page

_DAY = 24 * 3600

# For account, region and repository: the policy, and what it would do. A restart forgets them, and so does ECR in time.
_PREVIEWS: dict[tuple[str, str, str], tuple[str, list[Record]]] = {}


def _broken(why: str) -> NoReturn:
    invalid("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation "
            f"failure: {why}'")


def _is_number(value: Any) -> bool:
    return type(value) is int and value > 0


def _check_selection(rule: Record) -> None:
    selection = rule.get("selection")
    if not isinstance(selection, dict):
        _broken("object has missing required properties ([\"selection\"])")
    status, count = selection.get("tagStatus"), selection.get("countType")
    if status not in ("tagged", "untagged", "any"):
        _broken("tagStatus is one of tagged, untagged and any")
    names = [selection[key] for key in ("tagPrefixList", "tagPatternList") if key in selection]
    if len(names) != (status == "tagged"):
        _broken("a tagPrefixList or a tagPatternList goes with the tagStatus tagged, and only with it")
    if not all(isinstance(name, list) and name and all(isinstance(part, str) for part in name) for name in names):
        _broken("a tagPrefixList and a tagPatternList hold texts")
    if count not in ("imageCountMoreThan", "sinceImagePushed"):
        _broken("the emulator knows the countType imageCountMoreThan and sinceImagePushed")
    if selection.get("countUnit") != ("days" if count == "sinceImagePushed" else None):
        _broken("the countUnit days goes with sinceImagePushed, and only with it")
    if not _is_number(selection.get("countNumber")):
        _broken("countNumber is a number above 0")


def _rules(text: str) -> list[Record]:
    """The rules of a policy, those that come first first."""
    try:
        policy = json.loads(text)
    except ValueError:
        _broken("could not parse the policy as JSON")
    rules = policy.get("rules") if isinstance(policy, dict) else None
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        _broken("object has missing required properties ([\"rules\"])")
    for rule in rules:
        if not _is_number(rule.get("rulePriority")):
            _broken("rulePriority is a number above 0")
        if rule.get("action") != {"type": "expire"}:
            _broken("the emulator knows the action expire")
        _check_selection(rule)
    rules.sort(key=lambda rule: rule["rulePriority"])
    if len({rule["rulePriority"] for rule in rules}) < len(rules):
        _broken("two rules have the same rulePriority")
    if any(rule["selection"]["tagStatus"] == "any" for rule in rules[:-1]):
        _broken("the rule with the tagStatus any has the highest rulePriority")
    return rules


def _selects(selection: Record, image: Record) -> bool:
    """Whether a rule is about an image. A list of prefixes or patterns wants all of them."""
    tags = image.get("imageTags") or []
    if selection["tagStatus"] != "tagged":
        return selection["tagStatus"] == "any" or not tags
    wanted = selection.get("tagPatternList") or [f"{_literal(prefix)}*" for prefix in selection["tagPrefixList"]]
    return all(any(fnmatch.fnmatchcase(tag, pattern) for tag in tags) for pattern in wanted)


def _literal(text: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in text)


def _expired(rules: list[Record], images: list[Record]) -> list[tuple[Record, int]]:
    """The images that a policy would delete, the newest first, each with the priority of the rule that does it."""
    now = time.time()
    # Of two that came in the same second the later one is the newer one.
    newest = sorted(reversed(images), key=lambda image: image["imagePushedAt"], reverse=True)
    judged: dict[str, int | None] = {}
    for rule in rules:
        selection = rule["selection"]
        # Those that an earlier rule decided about are counted, and left to it.
        for place, image in enumerate(image for image in newest if _selects(selection, image)):
            number = selection["countNumber"]
            goes = (place >= number if selection["countType"] == "imageCountMoreThan"
                    else now - image["imagePushedAt"] > number * _DAY)
            judged.setdefault(image["imageDigest"], rule["rulePriority"] if goes else None)
    return [(image, priority) for image in newest if (priority := judged.get(image["imageDigest"])) is not None]


def _preview(text: str, repository: str) -> list[Record]:
    images = ecr._images.get(repository, [])
    # An image of an index stays as long as the index does.
    members = index_members(images)
    return [{
        "imageTags": image.get("imageTags") or [],
        "imageDigest": image["imageDigest"],
        "imagePushedAt": image["imagePushedAt"],
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": priority,
    } for image, priority in _expired(_rules(text), images) if image["imageDigest"] not in members]


@answering
def _start(data: Record) -> Answer:
    name = existing_repository(data)
    text = data.get("lifecyclePolicyText") or ecr._lifecycle_policies.get(name)
    if not text:
        refuse("LifecyclePolicyNotFoundException", in_registry(
            f"Lifecycle policy does not exist for the repository with name '{name}'"))
    _PREVIEWS[get_account_id(), get_region(), name] = text, _preview(text, name)
    return reply({"registryId": get_account_id(), "repositoryName": name, "lifecyclePolicyText": text,
                  "status": "IN_PROGRESS"})


@answering
def _get(data: Record) -> Answer:
    name = existing_repository(data)
    held = _PREVIEWS.get((get_account_id(), get_region(), name))
    if held is None:
        refuse("LifecyclePolicyPreviewNotFoundException", in_registry(
            f"Lifecycle policy preview does not exist for the repository with name '{name}'"))
    text, results = held
    wanted = data.get("imageIds")
    shown = [result for result in with_status(results, data)
             if not wanted or any(identifier in wanted or {"imageTag": identifier.get("imageTag")} in wanted
                                  or {"imageDigest": identifier["imageDigest"]} in wanted
                                  for identifier in image_ids(result))]
    return reply({"registryId": get_account_id(), "repositoryName": name, "lifecyclePolicyText": text,
                  "status": "COMPLETE", "summary": {"expiringImageTotalCount": len(results)},
                  } | page(shown, data, "previewResults", 100))


def install() -> None:
    """Puts the corrections in place."""
    operations = {"StartLifecyclePolicyPreview": _start, "GetLifecyclePolicyPreview": _get}

    @replace(ecr, "handle_request")
    async def handle(original: Callable[..., Awaitable[Answer]], method: str, path: str, headers: dict[str, str],
                     body: bytes, query: Record) -> Answer:
        operation = operations.get(headers.get("x-amz-target", "").rpartition(".")[2])
        try:
            data = json.loads(body or b"{}")
        except ValueError:
            operation = None
        return operation(data) if operation else await original(method, path, headers, body, query)

    @replace(ecr, "_delete_repository")
    def delete(original: Callable[..., Answer], data: Record) -> Answer:
        answer = original(data)
        if data.get("repositoryName", "") not in ecr._repositories:
            # Another one of this name has none yet.
            _PREVIEWS.pop((get_account_id(), get_region(), data.get("repositoryName", "")), None)
        return answer

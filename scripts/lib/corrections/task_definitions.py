"""ECS describes task definitions with the defaults that it stores; a family is its latest ACTIVE revision."""

import re
from collections.abc import Callable

from ministack.services import ecs

from .replacing import Answer, Record, refuse, replace, went_well

_SIZES = {"cpu": "vcpu", "memory": "gb"}
_HEALTH_CHECK = {"interval": 30, "timeout": 5, "retries": 3}
_EMPTY_LISTS = ("environment", "mountPoints", "volumesFrom", "portMappings", "systemControls")


def _plain_size(value: object, unit: str) -> str:
    """A size as the number that AWS stores: `0.25 vCPU` is 256, `0.5 GB` is 512."""
    match = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*{unit}", str(value).strip(), re.IGNORECASE)
    return str(int(float(match[1]) * 1024)) if match else str(value)


def _fill(data: Record) -> None:
    """The form and the defaults in which AWS stores a task definition."""
    for name, unit in _SIZES.items():
        if data.get(name):
            data[name] = _plain_size(data[name], unit)
    for volume in data.get("volumes") or []:
        volume.setdefault("host", {})
    for container in data.get("containerDefinitions") or []:
        for name in _EMPTY_LISTS:
            container.setdefault(name, [])
        for mapping in container["portMappings"]:
            mapping.setdefault("protocol", "tcp")
            if data.get("networkMode") == "awsvpc":
                mapping["hostPort"] = mapping["containerPort"]
        if container.get("healthCheck"):
            container["healthCheck"] = _HEALTH_CHECK | container["healthCheck"]
        if container.get("logConfiguration"):
            container["logConfiguration"].setdefault("secretOptions", [])


def resolve(reference: str) -> Record | None:
    """The task definition that a reference names."""
    key = ecs._resolve_td_key(reference)
    if key and ":" not in reference.rsplit("/", 1)[-1]:
        family = key.rsplit(":", 1)[0]
        active = [one for one in ecs._task_defs.values() if one["family"] == family and one["status"] == "ACTIVE"]
        return max(active, key=lambda one: one["revision"], default=None)
    found: Record | None = ecs._task_defs.get(key) if key else None
    return found


def install() -> None:
    """Puts the corrections in place."""

    @replace(ecs, "_register_task_definition")
    def register(original: Callable[..., Answer], data: Record) -> Answer:
        _fill(data)
        answer = original(data)
        if not went_well(answer):
            return answer
        key = ecs._resolve_td_key(data["family"])
        definition = ecs._task_defs[key]
        definition["compatibilities"].sort()
        # AWS omits members that are empty.
        for name in [name for name, value in definition.items() if value in ("", None)]:
            del definition[name]
        described: Answer = ecs._describe_task_definition({"taskDefinition": key})
        return described

    @replace(ecs, "_describe_task_definition")
    def describe(original: Callable[..., Answer], data: Record) -> Answer:
        definition = resolve(data.get("taskDefinition", ""))
        if definition is None:
            refuse("ClientException", "Unable to describe task definition.")
        return original({"taskDefinition": definition["taskDefinitionArn"]})

"""ECS refuses the task definitions that Fargate can't run, and describes the others with their defaults."""

import re
from collections.abc import Callable
from typing import Any

from ministack.services import ecs

from .replacing import Answer, Record, refuse, replace, went_well
from .roles import is_role_arn

_FAMILY = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ECR_IMAGE = re.compile(r"\d{12}\.dkr[.-]ecr")
_PORT_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")
# For each CPU value the memory values, in MiB: first, last, step.
_MEMORY = {
    256: (512, 2048, 512), 512: (1024, 4096, 1024), 1024: (2048, 8192, 1024), 2048: (4096, 16384, 1024),
    4096: (8192, 30720, 1024), 8192: (16384, 61440, 4096), 16384: (32768, 122880, 8192),
}
# Bounds and default of each member.
_HEALTH_CHECK = {"interval": (5, 300, 30), "timeout": (2, 60, 5), "retries": (1, 10, 3), "startPeriod": (0, 300, None)}
_EMPTY_LISTS = ("environment", "mountPoints", "volumesFrom", "portMappings", "systemControls")


def _units(value: Any, unit: str) -> int | None:
    """A size as a plain number: "256", "0.25 vCPU", "512", "0.5 GB"."""
    match = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*({unit})?", str(value).strip(), re.IGNORECASE)
    if not match:
        return None
    return int(float(match[1]) * 1024) if match[2] else int(float(match[1]))


def _fargate_fault(data: Record) -> str | None:
    if data.get("networkMode") != "awsvpc":
        return "Fargate only supports network mode 'awsvpc'."
    for name in ("cpu", "memory"):
        if not data.get(name):
            return f"Fargate requires that '{name}' be defined at the task level."
    cpu, memory = _units(data["cpu"], "vcpu"), _units(data["memory"], "gb")
    if cpu not in _MEMORY:
        return ("Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon "
                "ECS Developer Guide.")
    first, last, step = _MEMORY[cpu]
    # 256 CPU alone doubles instead of adding up.
    fits = memory in (512, 1024, 2048) if cpu == 256 else memory in range(first, last + 1, step)
    if not fits:
        return (f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS "
                "documentation for the valid values.")
    data["cpu"], data["memory"] = str(cpu), str(memory)
    for container in data["containerDefinitions"]:
        if container.get("privileged"):
            return "Fargate does not support privileged containers."
        if not data.get("executionRoleArn") and _ECR_IMAGE.match(container["image"]):
            return "Fargate requires task definition to have execution role ARN to support ECR images."
        if not data.get("executionRoleArn") and (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            return "Fargate requires task definition to have execution role ARN to support log driver awslogs."
    for volume in data.get("volumes") or []:
        if (volume.get("host") or {}).get("sourcePath"):
            return "Fargate does not support host.sourcePath in volumes."
    return None


def _health_fault(container: Record) -> str | None:
    check = container.get("healthCheck")
    if check is None:
        return None
    command = check.get("command") or []
    if not command or command[0] not in ("CMD", "CMD-SHELL", "NONE"):
        return f"Container '{container['name']}': the health check command must begin with CMD, CMD-SHELL or NONE."
    for name, (least, most, _default) in _HEALTH_CHECK.items():
        if check.get(name) is not None and not least <= check[name] <= most:
            return f"Container '{container['name']}': health check {name} must be between {least} and {most}."
    return None


def _log_fault(container: Record, fargate: bool) -> str | None:
    logs = container.get("logConfiguration") or {}
    if logs.get("logDriver") != "awslogs":
        return None
    needed = ["awslogs-group", "awslogs-region"] + (["awslogs-stream-prefix"] if fargate else [])
    missing = [name for name in needed if not (logs.get("options") or {}).get(name)]
    return f"Log driver awslogs requires options: {', '.join(missing)}" if missing else None


def _ports_fault(container: Record, data: Record, names: set[str]) -> str | None:
    for mapping in container.get("portMappings") or []:
        if data.get("networkMode") == "awsvpc" and mapping.get("hostPort") not in (None, 0, mapping["containerPort"]):
            return "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
        name = mapping.get("name")
        if name is not None and not _PORT_NAME.fullmatch(name):
            return f"Port mapping name '{name}' must be at most 64 of a-z, 0-9, _ and -, and not begin with a hyphen."
        if name in names:
            return f"Port mapping name '{name}' is used more than once."
        names.update([name] if name else [])
    return None


def _fault(data: Record) -> str | None:
    """Why AWS would refuse the task definition."""
    if not _FAMILY.fullmatch(data.get("family") or ""):
        return "Family contains invalid characters."
    containers = data.get("containerDefinitions") or []
    if any(not container.get("image") or not container.get("name") for container in containers):
        return "Container.name and Container.image should not be null or empty."
    if len({container["name"] for container in containers}) < len(containers):
        return "Container names must be unique."
    if containers and not any(container.get("essential", True) for container in containers):
        return "TaskDefinition must contain at least one essential container."
    for name in ("executionRoleArn", "taskRoleArn"):
        if data.get(name) is not None and not is_role_arn(data[name]):
            return "Role is not valid"
    fargate = "FARGATE" in (data.get("requiresCompatibilities") or [])
    names: set[str] = set()
    for container in containers:
        if container.get("secrets") and not data.get("executionRoleArn"):
            return "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        fault = _health_fault(container) or _log_fault(container, fargate) or _ports_fault(container, data, names)
        if fault:
            return fault
    return _fargate_fault(data) if fargate and containers else None


def _fill(data: Record) -> None:
    """The defaults that AWS stores with a task definition."""
    for volume in data.get("volumes") or []:
        volume.setdefault("host", {})
    for container in data.get("containerDefinitions") or []:
        for name in _EMPTY_LISTS:
            container.setdefault(name, [])
        for mapping in container["portMappings"]:
            mapping.setdefault("protocol", "tcp")
            if data.get("networkMode") == "awsvpc":
                mapping["hostPort"] = mapping["containerPort"]
        check = container.get("healthCheck")
        for name, (_least, _most, default) in _HEALTH_CHECK.items():
            if check is not None and default is not None:
                check.setdefault(name, default)
        if container.get("logConfiguration"):
            container["logConfiguration"].setdefault("secretOptions", [])


def resolve(reference: str) -> Record | None:
    """The task definition that a service or a task may use: of a family the latest one that is ACTIVE."""
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
        fault = _fault(data)
        if fault:
            refuse("ClientException", fault)
        _fill(data)
        answer = original(data)
        key = ecs._resolve_td_key(data["family"])
        if not went_well(answer):
            return answer
        definition = ecs._task_defs[key]
        definition["compatibilities"].sort()
        # Empty members are absent on AWS.
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

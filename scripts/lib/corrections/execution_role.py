"""A task starts with the permissions of its execution role."""

import re

from ministack.core.iam_evaluator import EvalContext, _gather_role_policies, evaluate
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from .registry_login import registry_scope
from .replacing import Record
from .roles import can_be_assumed

_TASKS = "ecs-tasks.amazonaws.com"
_PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_SECRETS = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    "to retrieve {what}: service call has been retried 1 time(s): {denial}"
)
_STREAM = (
    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to "
    "create Cloudwatch log stream: {denial} : exit status 1"
)
_PULL_DENIED = (
    "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {denial}"
)


def _denial(role: str, task: str, action: str, resource: str) -> str | None:
    """AWS's error when the role does not have the permission."""
    account, name = role.split(":")[4], role.rsplit("/", 1)[-1]
    session = f"arn:aws:sts::{account}:assumed-role/{name}/{task}"
    context = EvalContext(
        principal_arn=session, principal_type="AssumedRole", principal_account=account, action=action,
        resource_arn=resource, region=get_region(), source_ip="127.0.0.1", secure_transport=True,
    )
    decision = evaluate(context, _gather_role_policies(name, account)).decision
    if decision == "Allow":
        return None
    because = ("with an explicit deny in an identity-based policy" if decision == "Deny"
               else f"because no identity-based policy allows the {action} action")
    return (f"AccessDeniedException: User: {session} is not authorized to perform: {action} on resource: {resource} "
            f"{because}")


def _secret_arn(reference: str) -> tuple[str, str]:
    """The action that reads a secret, and its resource. A bare name is a parameter of the same region."""
    if "secretsmanager" in reference:
        return "secretsmanager:GetSecretValue", ":".join(reference.split(":")[:7])
    arn = reference if reference.startswith("arn:") else (
        f"arn:aws:ssm:{get_region()}:{get_account_id()}:parameter/{reference.lstrip('/')}")
    return "ssm:GetParameters", arn


def _container_error(container: Record, role: str, task: str) -> str | None:
    def denied(action: str, resource: str) -> str | None:
        return _denial(role, task, action, resource)

    scope = registry_scope(container["image"])
    if scope and (denial := denied("ecr:GetAuthorizationToken", "*")):
        return _SECRETS.format(what="ecr registry auth", denial=denial)
    for secret in container.get("secrets") or []:
        action, arn = _secret_arn(secret["valueFrom"])
        if denial := denied(action, arn):
            what = "secrets from ssm" if action.startswith("ssm") else "secret from asm"
            return _SECRETS.format(what=what, denial=denial)
    logs = ecs._awslogs_config(container, task, task)
    if logs:
        arn = (f"arn:aws:logs:{logs['region'] or get_region()}:{get_account_id()}:log-group:{logs['group']}:log-stream:"
               f"{logs['stream']}")
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            if denial := denied(action, arn):
                return _STREAM.format(denial=denial)
    if scope:
        name = re.split(r"[:@]", container["image"].split("/", 1)[1])[0]
        for action in _PULL:
            if denial := denied(action, f"arn:aws:ecr:{scope[1]}:{scope[0]}:repository/{name}"):
                return _PULL_DENIED.format(image=container["image"], denial=denial)
    return None


def start_error(definition: Record, task: str) -> str | None:
    """Why ECS can't start this task with the roles of its definition."""
    for name in ("executionRoleArn", "taskRoleArn"):
        arn = definition.get(name)
        if arn and not can_be_assumed(arn, _TASKS):
            return (f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that "
                    "the role being passed has the proper trust relationship and permissions and that your IAM user "
                    "has permissions to pass this role.")
    role = definition.get("executionRoleArn")
    errors = (_container_error(container, role, task) for container in definition["containerDefinitions"] if role)
    return next((found for found in errors if found), None)

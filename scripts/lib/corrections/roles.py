"""IAM: a managed policy that ministack lacks, AWS's name of ECS's service-linked role, and who may assume a role."""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.services import iam

from .replacing import Answer, Record, replace

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:.+/)?([\w+=,.@-]{1,64})")

# Ministack's name of ECS's service-linked role, and AWS's.
_LINKED_ROLE = ("AWSServiceRoleForEcs", "AWSServiceRoleForECS")

# The example's task role has this policy of AWS.
_CLOUD_WATCH_FULL_ACCESS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Resource": "*", "Action": [
            "autoscaling:Describe*", "cloudwatch:*", "logs:*", "sns:*", "iam:GetPolicy", "iam:GetPolicyVersion",
            "iam:GetRole", "oam:ListSinks"]},
        {"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole",
         "Resource": "arn:aws:iam::*:role/aws-service-role/events.amazonaws.com/AWSServiceRoleForCloudWatchEvents*",
         "Condition": {"StringLike": {"iam:AWSServiceName": "events.amazonaws.com"}}},
        {"Effect": "Allow", "Action": ["oam:ListAttachedLinks"], "Resource": "arn:aws:oam:*:*:sink/*"},
    ],
}


def _list(value: Any) -> list[Any]:
    """An element of a policy that may be a single value or a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def can_be_assumed(arn: str, service: str) -> bool:
    """Whether the role exists and its trust policy lets the service assume it."""
    match = _ROLE_ARN.fullmatch(arn)
    role = iam._roles.get_scoped(match[1], "", match[2]) if match else None
    if not role:
        return False
    return any(
        statement.get("Effect") == "Allow"
        and isinstance(statement.get("Principal"), dict)
        and service in _list(statement["Principal"].get("Service"))
        and any(action.lower() in ("sts:assumerole", "sts:assumerole*", "sts:*", "*")
                for action in _list(statement.get("Action")))
        for statement in _list(json.loads(role["AssumeRolePolicyDocument"]).get("Statement"))
    )


def install() -> None:
    """Puts the corrections in place."""
    arn = "arn:aws:iam::aws:policy/CloudWatchFullAccess"
    iam._aws_managed_policies.setdefault(arn, iam._make_aws_managed_record(
        "CloudWatchFullAccess", json.dumps(_CLOUD_WATCH_FULL_ACCESS), "Provides full access to CloudWatch."))

    @replace(iam, "_create_service_linked_role")
    def create_linked_role(original: Callable[..., Answer], parameters: Record) -> Answer:
        status, headers, body = original(parameters)
        wrong, name = _LINKED_ROLE
        role = iam._roles.pop(wrong, None)
        if role:
            iam._roles[name] = role | {"RoleName": name, "Arn": role["Arn"].replace(wrong, name)}
        return status, headers, body.replace(wrong.encode(), name.encode())

"""IAM refuses trust policies that are none, and policies that do not exist; service-linked roles have AWS's names."""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.services import iam

from .replacing import Answer, Record, replace

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:.+/)?([\w+=,.@-]{1,64})")
_VERSIONS = ("2012-10-17", "2008-10-17")
_TRUST_ACTIONS = re.compile(r"sts:(AssumeRole\w*|TagSession|SetSourceIdentity|SetContext|\*)", re.IGNORECASE)

# Names of service-linked roles that are not made of the service's as ministack makes them: ministack's, and AWS's.
_LINKED_ROLES = {"ecs.amazonaws.com": ("AWSServiceRoleForEcs", "AWSServiceRoleForECS")}

# A policy of AWS that the job attaches and ministack does not know.
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


def listed(value: Any) -> list[Any]:
    """A policy's element that may stand alone or in a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def is_role_arn(arn: Any) -> bool:
    """Whether it has the form of a role's ARN."""
    return isinstance(arn, str) and _ROLE_ARN.fullmatch(arn) is not None


def can_be_assumed(arn: str, service: str) -> bool:
    """Whether the role exists and lets the service assume it."""
    match = _ROLE_ARN.fullmatch(arn)
    role = iam._roles.get_scoped(match[1], "", match[2]) if match else None
    if not role:
        return False
    return any(
        statement.get("Effect") == "Allow"
        and isinstance(statement.get("Principal"), dict)
        and service in listed(statement["Principal"].get("Service"))
        and any(action.lower() in ("sts:assumerole", "sts:assumerole*", "sts:*", "*")
                for action in listed(statement.get("Action")))
        for statement in listed(json.loads(role["AssumeRolePolicyDocument"]).get("Statement"))
    )


def _trust_fault(text: str) -> str | None:
    """What IAM says against a trust policy."""
    try:
        document = json.loads(text)
    except ValueError:
        return "This policy contains invalid Json"
    if not isinstance(document, dict):
        return "Syntax errors in policy."
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        return "The policy must contain a valid version string"
    statements = listed(document.get("Statement"))
    if not statements or not all(isinstance(statement, dict) for statement in statements):
        return "Syntax errors in policy."
    for statement in statements:
        if statement.get("Effect") not in ("Allow", "Deny"):
            return "Syntax errors in policy."
        if {"Resource", "NotResource"} & statement.keys():
            return "Has prohibited field Resource"
        if "NotPrincipal" not in statement and not statement.get("Principal"):
            return "Missing required field Principal"
        actions = listed(statement.get("Action"))
        if not actions:
            return "Missing required field Action"
        if not all(isinstance(action, str) and _TRUST_ACTIONS.fullmatch(action) for action in actions):
            return "AssumeRole policy may only specify STS AssumeRole actions."
    return None


def _invalid_input(message: str) -> Answer:
    refused: Answer = iam._error(400, "InvalidInput", message, ns="iam")
    return refused


def install() -> None:
    """Puts the corrections in place."""
    arn = "arn:aws:iam::aws:policy/CloudWatchFullAccess"
    iam._aws_managed_policies.setdefault(arn, iam._make_aws_managed_record(
        "CloudWatchFullAccess", json.dumps(_CLOUD_WATCH_FULL_ACCESS), "Provides full access to CloudWatch."))

    # Ministack's own check comes first: it is about NotPrincipal, in IAM's words.
    @replace(iam, "_trust_policy_not_principal_error")
    def trust_error(original: Callable[..., str | None], document: str) -> str | None:
        return original(document) or _trust_fault(document)

    @replace(iam, "_create_service_linked_role")
    def create_linked_role(original: Callable[..., Answer], parameters: Record) -> Answer:
        service = iam._p(parameters, "AWSServiceName")
        if service not in _LINKED_ROLES:
            return original(parameters)
        if iam._p(parameters, "CustomSuffix"):
            return _invalid_input(f"Custom suffix is not allowed for {service}")
        theirs, name = _LINKED_ROLES[service]
        if name in iam._roles:
            return _invalid_input(f"Service role name {name} has been taken in this account, please try a different "
                                  "suffix.")
        # One of an emulator that did not know better.
        iam._roles.pop(theirs, None)
        status, headers, body = original(parameters)
        role = iam._roles.pop(theirs)
        iam._roles[name] = role | {"RoleName": name, "Arn": role["Arn"].replace(theirs, name)}
        return status, headers, body.replace(theirs.encode(), name.encode())

    for operation in ("_attach_role_policy", "_attach_user_policy", "_attach_group_policy"):
        @replace(iam, operation)
        def attach(original: Callable[..., Answer], parameters: Record) -> Answer:
            policy = iam._p(parameters, "PolicyArn")
            if not iam._policy_exists(policy):
                message = f"Policy {policy} does not exist or is not attachable."
                refused: Answer = iam._error(404, "NoSuchEntity", message, ns="iam")
                return refused
            return original(parameters)

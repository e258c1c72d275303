"""SSM refuses what AWS refuses, and a SecureString is not readable without decryption."""

import base64
import re
import secrets
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import kms, ssm

from .replacing import Answer, replace, went_well

_NAME = re.compile(r"/?[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)*")
# Documented for PutParameter.
_LEVELS = 15
_NAME_LENGTH = 1011
_SIZES = {"Standard": 4096, "Advanced": 8192}
_TYPES = ("String", "StringList", "SecureString")
_TIERS = ("Standard", "Advanced", "Intelligent-Tiering")
_VERSIONS = 100


def _refuse(message: str, code: str = "ValidationException") -> Answer:
    return error_response_json(code, message, 400)


def _constraint(value: str, member: str, what: str) -> Answer:
    return _refuse(f"1 validation error detected: Value {value}at '{member}' failed to satisfy constraint: Member must "
                   f"{what}")


def _name_error(name: str) -> Answer | None:
    if not _NAME.fullmatch(name) or "/" in name and not name.startswith("/"):
        # What AWS says about any character it does not take.
        return _refuse(ssm._RESERVED_SSM_PATH_MSG)
    if len(name.strip("/").split("/")) > _LEVELS:
        return _refuse(f"Hierarchy level limit exceeded: at most {_LEVELS} levels",
                       "HierarchyLevelLimitExceededException")
    arn = f"arn:aws:ssm:{get_region()}:{get_account_id()}:parameter/{name.lstrip('/')}"
    if len(arn) > _NAME_LENGTH:
        return _constraint("", "name", f"have length less than or equal to {_NAME_LENGTH}")
    return None


def _tier_error(data: dict[str, Any], existing: dict[str, Any]) -> Answer | None:
    tier = data.get("Tier")
    if tier is not None and tier not in _TIERS:
        return _constraint(f"'{tier}' ", "tier", f"satisfy enum value set: [{', '.join(_TIERS)}]")
    if tier == "Standard" and existing.get("Tier") == "Advanced":
        return _refuse("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
                       "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the "
                       "advanced parameter and recreate it as a standard parameter.")
    return None


def _value_error(data: dict[str, Any], existing: dict[str, Any]) -> Answer | None:
    value = data.get("Value", "")
    if not value:
        return _constraint("'' ", "value", "have length greater than or equal to 1")
    if "{{" in value and "}}" in value:
        return _refuse("Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.")
    size = len(value.encode())
    tier = data.get("Tier") or ssm._default_tier(data, value, existing)
    if tier == "Standard" and size > _SIZES["Standard"]:
        return _refuse(f"Standard tier parameters support a maximum parameter value of {_SIZES['Standard']} characters. "
                       "To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.")
    if size > _SIZES["Advanced"]:
        # Since 2024 without the value itself.
        return _constraint("", "value", f"have length less than or equal to {_SIZES['Advanced']}")
    pattern = data.get("AllowedPattern")
    if pattern:
        try:
            matches = re.search(pattern, value)
        except re.error:
            return _refuse("The request does not meet the regular expression requirement.",
                           "InvalidAllowedPatternException")
        if not matches:
            return _refuse(f"Parameter value, cannot be validated against allowedPattern: {pattern}",
                           "ParameterPatternMismatchException")
    return None


def _type_error(data: dict[str, Any], existing: dict[str, Any]) -> Answer | None:
    kind = data.get("Type") or existing.get("Type")
    if kind is not None and kind not in _TYPES:
        return _constraint(f"'{kind}' ", "type", f"satisfy enum value set: [{', '.join(_TYPES)}]")
    key = data.get("KeyId")
    if key and kind != "SecureString":
        return _refuse("KeyId is required for SecureString type parameter only.")
    # The account's own key comes into being when it is first used.
    if key and key != "alias/aws/ssm" and kms._resolve_key(key) is None:
        return _refuse(f"Unable to find KMS key `{key}`", "InvalidKeyId")
    return None


def _put_error(data: dict[str, Any]) -> Answer | None:
    name = data.get("Name") or ""
    existing = ssm._parameters.get(name) or {}
    return (
        _name_error(name)
        or _tier_error(data, existing)
        or _value_error(data, existing)
        or _type_error(data, existing)
    )


def _conceal(name: str) -> None:
    """What is read without decryption is ciphertext, not the value in base64."""
    ciphertext = base64.b64encode(b"\1\2\2\0" + secrets.token_bytes(150)).decode()
    history = ssm._parameter_history.get(name) or [{}]
    for record in (ssm._parameters[name], history[-1]):
        if record.get("Type") == "SecureString":
            record["Value"] = ciphertext


def _too_many(data: dict[str, Any]) -> Answer | None:
    names = data.get("Names") or []
    if 1 <= len(names) <= 10:
        return None
    bound = "greater than or equal to 1" if not names else "less than or equal to 10"
    return _constraint(f"'[{', '.join(names)}]' ", "names", f"have length {bound}")


def install() -> None:
    """Puts the corrections in place."""

    @replace(ssm, "_put_parameter")
    def put_parameter(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        # The checks of names reserved and of tags beside Overwrite are ministack's own.
        name = data.get("Name") or ""
        refused = (ssm._reserved_name_error(name) if name else None) or _put_error(data)
        if refused:
            return refused
        answer = original(data)
        if went_well(answer):
            _conceal(name)
            # AWS drops the oldest.
            del ssm._parameter_history[name][:-_VERSIONS]
        return answer

    for operation in ("_get_parameters", "_delete_parameters"):
        @replace(ssm, operation)
        def names_checked(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
            return _too_many(data) or original(data)

    @replace(ssm, "_add_tags_to_resource")
    def add_tags(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        resource = data.get("ResourceId", "")
        if data.get("ResourceType") == "Parameter" and ssm._lookup_parameter(resource, flexible_name=True)[1] is None:
            return _refuse(f"The resource ID is not valid: {resource}", "InvalidResourceId")
        return original(data)

    @replace(ssm, "resolve_parameter_value")
    def resolve(original: Callable[..., Any], name: str, version: Any = None, decrypt: bool = True) -> Any:
        """ECS hands secrets to containers decrypted."""
        return original(name, version=version, decrypt=decrypt)

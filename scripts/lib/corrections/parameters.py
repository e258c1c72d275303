"""SSM refuses what AWS refuses, and a SecureString is not readable without decryption."""

import base64
import re
import secrets
from collections.abc import Callable
from typing import Any, NoReturn

from ministack.core.responses import get_account_id, get_region
from ministack.services import kms, ssm

from .replacing import Answer, Record, refuse, replace, went_well

_NAME = re.compile(r"/?[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)*")
# Documented for PutParameter.
_LEVELS = 15
_NAME_LENGTH = 1011
_SIZES = {"Standard": 4096, "Advanced": 8192}
_TYPES = ("String", "StringList", "SecureString")
_TIERS = ("Standard", "Advanced", "Intelligent-Tiering")
_VERSIONS = 100


def _invalid(message: str) -> NoReturn:
    refuse("ValidationException", message)


def _violates(value: str, member: str, what: str) -> NoReturn:
    _invalid(f"1 validation error detected: Value {value}at '{member}' failed to satisfy constraint: Member must "
             f"{what}")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or ("/" in name and not name.startswith("/")):
        # What AWS says about any character it does not take.
        _invalid(ssm._RESERVED_SSM_PATH_MSG)
    if len(name.strip("/").split("/")) > _LEVELS:
        refuse("HierarchyLevelLimitExceededException", f"Hierarchy level limit exceeded: at most {_LEVELS} levels")
    arn = f"arn:aws:ssm:{get_region()}:{get_account_id()}:parameter/{name.lstrip('/')}"
    if len(arn) > _NAME_LENGTH:
        _violates("", "name", f"have length less than or equal to {_NAME_LENGTH}")


def _check_tier(data: Record, existing: Record) -> None:
    tier = data.get("Tier")
    if tier is not None and tier not in _TIERS:
        _violates(f"'{tier}' ", "tier", f"satisfy enum value set: [{', '.join(_TIERS)}]")
    if tier == "Standard" and existing.get("Tier") == "Advanced":
        _invalid("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
                 "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced "
                 "parameter and recreate it as a standard parameter.")


def _check_value(data: Record, existing: Record) -> None:
    value = data.get("Value", "")
    if not value:
        _violates("'' ", "value", "have length greater than or equal to 1")
    if "{{" in value and "}}" in value:
        _invalid("Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.")
    size = len(value.encode())
    tier = data.get("Tier") or ssm._default_tier(data, value, existing)
    if tier == "Standard" and size > _SIZES["Standard"]:
        _invalid(f"Standard tier parameters support a maximum parameter value of {_SIZES['Standard']} characters. To "
                 "create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.")
    if size > _SIZES["Advanced"]:
        # Since 2024 without the value itself.
        _violates("", "value", f"have length less than or equal to {_SIZES['Advanced']}")
    pattern = data.get("AllowedPattern")
    try:
        matches = not pattern or re.search(pattern, value)
    except re.error:
        refuse("InvalidAllowedPatternException", "The request does not meet the regular expression requirement.")
    if not matches:
        refuse("ParameterPatternMismatchException",
               f"Parameter value, cannot be validated against allowedPattern: {pattern}")


def _check_type(data: Record, existing: Record) -> None:
    kind = data.get("Type") or existing.get("Type")
    if kind is not None and kind not in _TYPES:
        _violates(f"'{kind}' ", "type", f"satisfy enum value set: [{', '.join(_TYPES)}]")
    key = data.get("KeyId")
    if key and kind != "SecureString":
        _invalid("KeyId is required for SecureString type parameter only.")
    # The account's own key comes into being when it is first used.
    if key and key != "alias/aws/ssm" and kms._resolve_key(key) is None:
        refuse("InvalidKeyId", f"Unable to find KMS key `{key}`")


def _conceal(name: str) -> None:
    """What is read without decryption is ciphertext, not the value in base64."""
    ciphertext = base64.b64encode(b"\1\2\2\0" + secrets.token_bytes(150)).decode()
    history = ssm._parameter_history.get(name) or [{}]
    for record in (ssm._parameters[name], history[-1]):
        if record.get("Type") == "SecureString":
            record["Value"] = ciphertext


def _check_names(data: Record) -> None:
    names = data.get("Names") or []
    if not 1 <= len(names) <= 10:
        bound = "less than or equal to 10" if names else "greater than or equal to 1"
        _violates(f"'[{', '.join(names)}]' ", "names", f"have length {bound}")


def install() -> None:
    """Puts the corrections in place."""

    @replace(ssm, "_put_parameter")
    def put_parameter(original: Callable[..., Answer], data: Record) -> Answer:
        name = data.get("Name") or ""
        # Ministack's own check; that of tags beside Overwrite is too.
        reserved: Answer | None = ssm._reserved_name_error(name)
        if reserved:
            return reserved
        existing = ssm._parameters.get(name) or {}
        _check_name(name)
        _check_tier(data, existing)
        _check_value(data, existing)
        _check_type(data, existing)
        answer = original(data)
        if went_well(answer):
            _conceal(name)
            # AWS drops the oldest.
            del ssm._parameter_history[name][:-_VERSIONS]
        return answer

    for operation in ("_get_parameters", "_delete_parameters"):
        @replace(ssm, operation)
        def names_checked(original: Callable[..., Answer], data: Record) -> Answer:
            _check_names(data)
            return original(data)

    @replace(ssm, "_add_tags_to_resource")
    def add_tags(original: Callable[..., Answer], data: Record) -> Answer:
        resource = data.get("ResourceId", "")
        if data.get("ResourceType") == "Parameter" and ssm._lookup_parameter(resource, flexible_name=True)[1] is None:
            refuse("InvalidResourceId", f"The resource ID is not valid: {resource}")
        return original(data)

    @replace(ssm, "resolve_parameter_value")
    def resolve(original: Callable[..., Any], name: str, version: Any = None, decrypt: bool = True) -> Any:
        """ECS hands secrets to containers decrypted."""
        return original(name, version=version, decrypt=decrypt)

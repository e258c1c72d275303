"""ECS passes SSM parameters to containers decrypted; ministack passes a SecureString encoded."""

from collections.abc import Callable
from typing import Any

from ministack.services import ssm

from .replacing import replace


def install() -> None:
    """Puts the correction in place."""

    @replace(ssm, "resolve_parameter_value")
    def resolve(original: Callable[..., Any], name: str, version: Any = None, decrypt: bool = True) -> Any:
        return original(name, version=version, decrypt=decrypt)

"""How a function of ministack's is put out of the way, and how an operation is refused."""

import functools
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from ministack.core.responses import error_response_json, json_response

# What a handler of ministack's answers: status, headers, body.
Answer = tuple[int, dict[str, str], bytes]
# A JSON document, or a record of ministack's.
Record = dict[str, Any]


class Refused(Exception):
    """An operation that AWS would refuse."""

    def __init__(self, code: str, message: str) -> None:
        """With the code and the message of AWS's error."""
        super().__init__(message)
        self.code = code
        self.message = message


def refuse(code: str, message: str) -> NoReturn:
    """Ends the operation with an error of AWS's."""
    raise Refused(code, message)


def invalid(message: str) -> NoReturn:
    """Ends the operation with the error that most services have for wrong parameters."""
    raise Refused("InvalidParameterException", message)


def answering(operation: Callable[..., Any]) -> Callable[..., Any]:
    """The operation with a refusal turned into AWS's answer."""

    @functools.wraps(operation)
    def answered(*arguments: Any, **more: Any) -> Any:
        try:
            return operation(*arguments, **more)
        except Refused as refused:
            return error_response_json(refused.code, refused.message, 400)

    return answered


def replace(module: ModuleType, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Puts the decorated function in the place of `module.name`. It gets the original as its first argument."""

    def install(new: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(module, name)
        replacement = answering(functools.update_wrapper(functools.partial(new, original), original))
        setattr(module, name, replacement)
        # Tables of handlers hold the function itself.
        for table in list(vars(module).values()):
            if type(table) is dict:
                for key in [key for key, value in table.items() if value is original]:
                    table[key] = replacement
        return new

    return install


def reply(document: Record) -> Answer:
    """The answer of an operation that went well."""
    answer: Answer = json_response(document)
    return answer


def went_well(answer: Answer) -> bool:
    """Whether the answer is no error."""
    return answer[0] < 300


def content(answer: Answer) -> Record:
    """The JSON document of an answer."""
    document: Record = json.loads(answer[2]) if answer[2] else {}
    return document

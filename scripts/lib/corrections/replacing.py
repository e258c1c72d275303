"""How a function of ministack is replaced, and how an operation is refused."""

import functools
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from ministack.core.responses import error_response_json, json_response

# What a handler of ministack returns: status, headers, body.
Answer = tuple[int, dict[str, str], bytes]
# A JSON document, or a record of ministack.
Record = dict[str, Any]


class Refused(Exception):
    """An operation that AWS would refuse."""

    def __init__(self, code: str, message: str) -> None:
        """With the code and the message of the AWS error."""
        super().__init__(message)
        self.code = code
        self.message = message


def refuse(code: str, message: str) -> NoReturn:
    """Ends the operation with an AWS error."""
    raise Refused(code, message)


def replace(module: ModuleType, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Replaces `module.name` by the decorated function, which gets the original as its first argument."""

    def install(new: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(module, name)

        @functools.wraps(original)
        def replacement(*arguments: Any, **more: Any) -> Any:
            try:
                return new(original, *arguments, **more)
            except Refused as refused:
                return error_response_json(refused.code, refused.message, 400)

        setattr(module, name, replacement)
        # Tables of handlers hold the function itself.
        for table in list(vars(module).values()):
            if type(table) is dict:
                for key in [key for key, value in table.items() if value is original]:
                    table[key] = replacement
        return new

    return install


def reply(document: Record) -> Answer:
    """The answer of a successful operation."""
    answer: Answer = json_response(document)
    return answer


def went_well(answer: Answer) -> bool:
    """Whether an operation succeeded."""
    return answer[0] < 300


def content(answer: Answer) -> Record:
    """The JSON document of an answer."""
    document: Record = json.loads(answer[2]) if answer[2] else {}
    return document

"""How a function of ministack's is put out of the way."""

import functools
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

# What a handler of ministack's answers: status, headers, body.
Answer = tuple[int, dict[str, str], bytes]


def replace(module: ModuleType, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Puts the decorated function in the place of `module.name`. It gets the original as its first argument."""

    def install(new: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(module, name)
        replacement = functools.update_wrapper(functools.partial(new, original), original)
        setattr(module, name, replacement)
        # Tables of handlers hold the function itself.
        for table in list(vars(module).values()):
            if type(table) is dict:
                for key in [key for key, value in table.items() if value is original]:
                    table[key] = replacement
        return new

    return install


def went_well(answer: Answer) -> bool:
    """Whether the answer is no error."""
    return answer[0] < 300


def content(answer: Answer) -> dict[str, Any]:
    """The JSON document of an answer."""
    return json.loads(answer[2]) if answer[2] else {}

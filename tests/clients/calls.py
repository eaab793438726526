"""What a program of a client prints: one JSON line for each call.

`{"call": name, "answer": ...}`, or `{"call": name, "error": class, "text": message}` where the call
raised. All that clients themselves print goes to standard error.
"""

import json
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_lines = sys.stdout
sys.stdout = sys.stderr


def given() -> dict[str, Any]:
    """The arguments of the test that started this program."""
    arguments: dict[str, Any] = json.loads(sys.argv[1])
    return arguments


def call(name: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R | None:
    """Print what a call answered or raised, and return the answer, or None where it raised."""
    try:
        answer = function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001  (a client may raise anything: the test reads it)
        _print({"call": name, "error": type(error).__name__, "text": str(error)})
        return None
    _print({"call": name, "answer": answer})
    return answer


def _print(line: dict[str, Any]) -> None:
    # Clients answer with objects of their own: their attributes are what is compared.
    print(
        json.dumps(line, default=lambda found: getattr(found, "__dict__", str(found))), file=_lines
    )
    _lines.flush()

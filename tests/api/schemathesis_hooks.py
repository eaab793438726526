"""What Schemathesis has to know: a batch is one line and is answered one; nobody is in a hurry."""

import json
from typing import Any

import schemathesis
from schemathesis import DeserializationContext, HookContext, Response, SerializationContext

from app.api.edge.timeout import TIMEOUT_HEADER

_JSON_LINES = "application/x-ndjson"


@schemathesis.serializer(_JSON_LINES)
def one_line(_: SerializationContext, value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


@schemathesis.deserializer(_JSON_LINES)
def its_answer(_: DeserializationContext, response: Response) -> Any:
    lines = [json.loads(line) for line in response.content.splitlines()]
    return lines[0] if len(lines) == 1 else lines


@schemathesis.hook
def before_load_schema(_: HookContext, raw_schema: dict[str, Any]) -> None:
    """Without the timeout, which has tests of its own.

    Who waits for a millisecond is rightly answered 504; and beside one header that is documented,
    Schemathesis wants all others to be refused.
    """
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            operation["parameters"] = [
                parameter
                for parameter in operation.get("parameters", [])
                if parameter["name"] != TIMEOUT_HEADER
            ]

"""What Schemathesis has to know of JSON Lines: it sends one line and is answered one."""

import json
from typing import Any

import schemathesis
from schemathesis import DeserializationContext, Response, SerializationContext

_JSON_LINES = "application/x-ndjson"


@schemathesis.serializer(_JSON_LINES)
def one_line(_: SerializationContext, value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


@schemathesis.deserializer(_JSON_LINES)
def its_answer(_: DeserializationContext, response: Response) -> Any:
    (line,) = response.content.splitlines()
    return json.loads(line)

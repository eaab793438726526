"""A message for a broker."""

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """`retain`: the broker keeps it, and gives it to whoever subscribes later."""

    topic: str
    payload: str
    retain: bool = False


def json_message(topic: str, document: Mapping[str, object], *, retain: bool = False) -> Message:
    return Message(topic, json.dumps(document, separators=(",", ":")), retain)

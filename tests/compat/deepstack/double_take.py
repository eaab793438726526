"""What Double-Take makes of answers of its detectors `deepstack` and `aiserver`, by their rules.

A face is a match from 60 % and 10,000 square pixels, and unknown below 40 %, which are the values
that Double-Take sets by itself.
"""

from dataclasses import dataclass
from typing import Any

_UNKNOWN_BELOW = 40.0
_MATCH_FROM = 60.0
_LEAST_AREA = 10_000
_NO_FACE = "No face found in image"


class UnreadableError(Exception):
    """Its code would end by an exception."""


@dataclass(frozen=True)
class Reading:
    name: str
    confidence: float
    is_match: bool


def read_by_deepstack(body: dict[str, Any]) -> list[Reading]:
    """`success: false` is a photo without faces, with a warning in its log."""
    return [_read(face) for face in body["predictions"]] if body["success"] else []


def read_by_aiserver(status: int, body: dict[str, Any]) -> list[Reading]:
    """Any status but 2xx ends by an exception, and so does a failure that is not the one text."""
    if not 200 <= status < 300:
        raise UnreadableError(f"status {status}")
    if not body["success"]:
        if body.get("code") == 500 and body.get("error") == _NO_FACE:
            return []
        raise UnreadableError(str(body.get("error")))
    return [_read({"userid": "unknown", **face}) for face in body["predictions"]]


def _read(face: dict[str, Any]) -> Reading:
    if not isinstance(face["userid"], str):
        raise UnreadableError("toLowerCase is not a function")
    confidence = round(100 * face["confidence"], 2)
    area = (face["x_max"] - face["x_min"]) * (face["y_max"] - face["y_min"])
    known = confidence >= _UNKNOWN_BELOW
    name = face["userid"].lower() if known else "unknown"
    is_match = known and name != "unknown" and confidence >= _MATCH_FROM and area >= _LEAST_AREA
    return Reading(name, confidence, is_match)

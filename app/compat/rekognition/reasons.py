"""Why a face was not used, by the names that clients know."""

from collections.abc import Iterable
from typing import Final

from app.errors import Reason
from app.operations.enroll.photo_subject import PassedOverReason

_OTHERWISE = "LOW_FACE_QUALITY"
_NAMES: Final[dict[str, str]] = {
    Reason.EXTREME_POSE: "EXTREME_POSE",
    Reason.LOW_BRIGHTNESS: "LOW_BRIGHTNESS",
    Reason.LOW_SHARPNESS: "LOW_SHARPNESS",
    Reason.LOW_DETECTION_SCORE: "LOW_CONFIDENCE",
    Reason.SMALL_FACE: "SMALL_BOUNDING_BOX",
    PassedOverReason.BEYOND_LIMIT: "EXCEEDS_MAX_FACES",
    PassedOverReason.NOT_LARGEST: "FACE_NOT_LARGEST",
    PassedOverReason.MUCH_SMALLER: "FACE_NOT_LARGEST",
}


def reasons_of(codes: Iterable[str]) -> list[str]:
    """Return the names of reasons, each once; other properties than these are a low quality."""
    return list(dict.fromkeys(_NAMES.get(code, _OTHERWISE) for code in codes))

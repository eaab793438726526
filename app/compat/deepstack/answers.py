"""Answers in the form of DeepStack, with the further fields of CodeProject.AI Server.

Clients of DeepStack pass over fields that they do not know.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor
from time import perf_counter
from typing import Any, Final

from app.compat.deepstack.calls import Call
from app.observe.request_scope import Stage, spent
from app.recognition.types import DetectedFace

_MODULE: Final = {"moduleId": "FaceProcessing", "moduleName": "Face Processing"}
_INFERENCE: Final = (Stage.DETECT, Stage.EMBED)
_PROCESS: Final = (Stage.DECODE, *_INFERENCE, Stage.SEARCH)


def box_of(face: DetectedFace) -> dict[str, int]:
    """Whole pixels of the upright photo, at least one wide and high."""
    x1, y1, x2, y2 = (max(0, floor(side)) for side in face.box)
    return {"x_min": x1, "y_min": y1, "x_max": max(x2, x1 + 1), "y_max": max(y2, y1 + 1)}


def succeeded(call: Call, command: str, **content: object) -> dict[str, Any]:
    """The answer to a command: DeepStack's `content` and times."""
    device = call.services.device
    return {
        "success": True,
        **content,
        "duration": 0,
        "code": 200,
        "command": command,
        **_MODULE,
        "executionProvider": "CPU" if device == "cpu" else device.upper(),
        "canUseGPU": device != "cpu",
        **_times(call.began),
        "processedBy": "localhost",
        "timestampUTC": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }


def predicted(call: Call, command: str, predictions: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer with a prediction for each face; none is a success as well."""
    count = len(predictions)
    return succeeded(
        call,
        command,
        predictions=predictions,
        count=count,
        message=f"{count} face{'' if count == 1 else 's'} found",
    )


def _times(began: float) -> Mapping[str, int]:
    """Milliseconds: of the networks, of all stages, and since the request arrived.

    The stages of two photos may overlap: their sum is cut at the last of these.
    """
    stages, all_s = spent(), perf_counter() - began

    def milliseconds(*wanted: Stage) -> int:
        return round(1_000 * min(all_s, sum(stages.get(stage, 0.0) for stage in wanted)))

    return {
        "inferenceMs": milliseconds(*_INFERENCE),
        "processMs": milliseconds(*_PROCESS),
        "analysisRoundTripMs": round(1_000 * all_s),
    }

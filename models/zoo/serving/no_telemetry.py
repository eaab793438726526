"""Runtimes report nothing to their makers.

ONNX Runtime and OpenVINO keep an id of the machine in the user's home, and can send how they are
used. What a service recognises faces with is nobody else's business.
"""

import os
import sys

_ONNX_RUNTIME = "ORT_DISABLE_TELEMETRY"
_OPENVINO = "openvino_telemetry"


def forbid_telemetry() -> None:
    """Call it before one of the runtimes is imported."""
    os.environ.setdefault(_ONNX_RUNTIME, "1")
    # As if the package were not there, for which OpenVINO has a stub that does nothing.
    sys.modules.setdefault(_OPENVINO, None)  # type: ignore[arg-type]

"""What can run a network, and which of it is installed."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final, Literal

Backend = Literal["torch", "onnxruntime", "openvino"]

BackendChoice = Literal["auto", "torch", "onnxruntime", "openvino"]
"""A backend, or for each network the one that is fastest for it."""

_PACKAGES: Final[Mapping[Backend, tuple[str, ...]]] = MappingProxyType(
    {"torch": (), "onnxruntime": ("onnx", "onnxruntime"), "openvino": ("onnx", "openvino")}
)

EXTRAS: Final[Mapping[Backend, str]] = MappingProxyType(
    {"torch": "", "onnxruntime": "onnx", "openvino": "onnx,openvino"}
)
"""The extras of an installation that bring a backend along."""


def missing_packages(backend: Backend) -> tuple[str, ...]:
    """Packages that the backend needs and that are not installed."""
    return tuple(name for name in _PACKAGES[backend] if find_spec(name) is None)


def choose_backend(wanted: BackendChoice, forms: Sequence[Backend]) -> Backend:
    """What runs a network that has these forms, of which the fastest is the first.

    The wanted backend where the network has a form for it, else the fastest that is installed, and
    the last where none is.
    """
    first = [one for one in forms if one == wanted]
    installed = (one for one in (*first, *forms) if not missing_packages(one))
    return next(installed, forms[-1])

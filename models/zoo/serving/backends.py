"""The backends, which run networks, and which of them are installed."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final, Literal

Backend = Literal["torch", "onnxruntime", "openvino"]

BackendChoice = Literal["auto", "torch", "onnxruntime", "openvino"]
"""A backend, or `auto`: the fastest one for each network."""

_PACKAGES: Final[Mapping[Backend, tuple[str, ...]]] = MappingProxyType(
    {"torch": ("torch",), "onnxruntime": ("onnx", "onnxruntime"), "openvino": ("onnx", "openvino")}
)

EXTRAS: Final[Mapping[Backend, str]] = MappingProxyType(
    {"torch": "gpu", "onnxruntime": "onnx", "openvino": "onnx,openvino"}
)
"""The extras of the installation for each backend."""


def missing_packages(backend: Backend) -> tuple[str, ...]:
    """The packages that the backend needs and that are not installed."""
    return tuple(name for name in _PACKAGES[backend] if find_spec(name) is None)


def choose_backend(wanted: BackendChoice, forms: Sequence[Backend]) -> Backend:
    """The backend of a network that has a form for each of `forms`, fastest first.

    This is the wanted backend, if the network has a form for it, else the fastest installed one, or
    the last of `forms` if none is installed.
    """
    first = [one for one in forms if one == wanted]
    installed = (one for one in (*first, *forms) if not missing_packages(one))
    return next(installed, forms[-1])

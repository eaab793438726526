"""SFace in PyTorch (Zhong et al., 2021).

The network is MobileNet (Howard et al., 2017) with PReLU: a 3x3 convolution, then thirteen pairs of
a depthwise 3x3 and a pointwise convolution, then one linear layer on the whole 7x7 map.
"""

from itertools import pairwise

from torch import Tensor, nn

from models.zoo.networks.divisible import Divisible
from models.zoo.networks.sface_weights import HALVING, LAST_SIDE, WIDTHS, SFaceWeights
from models.zoo.weights.module_weights import with_arrays


class SFace(Divisible):
    """Maps crops (N, 3, 112, 112), normalised by 127.5 and 128, to embeddings (N, 128).

    Batch normalisation is folded into the convolutions and the linear map.
    """

    def __init__(self, *, dimension: int = 128) -> None:
        super().__init__()
        self.stem = ConvolutionPrelu(3, WIDTHS[0], size=3)
        self.blocks = nn.Sequential(
            *(
                Separable(inputs, filters, stride=2 if number in HALVING else 1)
                for number, (inputs, filters) in enumerate(pairwise(WIDTHS), start=1)
            )
        )
        self.project = nn.Linear(WIDTHS[-1] * LAST_SIDE**2, dimension)

    @classmethod
    def with_weights(cls, weights: SFaceWeights) -> "SFace":
        """The network with these weights, ready to serve."""
        network = cls(dimension=len(weights.arrays["project.bias"]))
        return with_arrays(network, weights.arrays, "sface")

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

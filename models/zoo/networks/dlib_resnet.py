"""dlib's metric-loss face ResNet in PyTorch.

The network of `dnn_face_recognition_ex.cpp` (Davis E. King, 2017): a ResNet-34 (He et al., 2015)
cut to 29 convolutions with half the filters, trained with a pairwise hinge loss on about three
million photos of 7,485 people.
"""

from torch import Tensor, nn
from torch.nn import functional

from models.zoo.networks.divisible import Divisible
from models.zoo.networks.dlib_weights import BLOCKS, STEM_FILTERS, Block, DlibWeights
from models.zoo.weights.module_weights import with_arrays


class DlibResNet(Divisible):
    """Maps crops (N, 3, 150, 150), normalised by dlib's mean and 256, to embeddings (N, 128).

    dlib's affine layers (the frozen batch normalisation) are folded into the convolutions, so each
    convolution has a bias, and only the addition and the ReLU follow it.
    """

    def __init__(self, *, dimension: int = 128) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, STEM_FILTERS, kernel_size=7, stride=2)
        self.blocks = nn.Sequential(*map(_Block, BLOCKS))
        self.project = nn.Linear(BLOCKS[-1].filters, dimension, bias=False)

    @classmethod
    def with_weights(cls, weights: DlibWeights) -> "DlibResNet":
        """The network with these weights, ready to serve."""
        network = cls(dimension=len(weights.arrays["project.weight"]))
        return with_arrays(network, weights.arrays, "dlib-resnet")

    def parts(self) -> list[nn.Module]:
        stem = nn.Sequential(self.stem, nn.ReLU(), nn.MaxPool2d(kernel_size=3, stride=2))
        return [stem, *self.blocks]

    def embed(self, x: Tensor) -> Tensor:
        return self.project(x.mean(dim=(2, 3)))  # type: ignore[no-any-return]


class _Block(nn.Module):
    def __init__(self, block: Block) -> None:
        super().__init__()
        self.halves = block.halves
        self.conv1 = nn.Conv2d(
            block.inputs,
            block.filters,
            kernel_size=3,
            stride=block.stride,
            padding=block.padding,
        )
        self.conv2 = nn.Conv2d(block.filters, block.filters, kernel_size=3, padding=1)

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

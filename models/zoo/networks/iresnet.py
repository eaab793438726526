"""The residual networks of InsightFace for faces of 112 px (Deng et al., 2019, ArcFace).

Blocks as in "improved residual units" (Han et al., 2017; He et al., 2016): normalise, convolve,
normalise, PReLU, convolve with the stride, normalise, add. The parameters have InsightFace's names,
so that its published weights fit.
"""

from torch import Tensor, nn

from models.zoo.networks.divisible import Divisible

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
"""Blocks of each of the four layers, by the number of layers that names a network."""

_WIDTHS = (64, 128, 256, 512)


class IResNet(Divisible):
    """Maps crops (N, 3, side, side) to embeddings (N, dimension); `side` is a multiple of 16."""

    def __init__(self, depth: int, *, dimension: int = 512, side: int = 112) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        counts = BLOCKS[depth]
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            _layer(before, width, count)
            for before, width, count in zip((64, *_WIDTHS), _WIDTHS, counts, strict=False)
        )
        self.bn2 = nn.BatchNorm2d(_WIDTHS[-1])
        self.dropout = nn.Dropout(0.0)
        self.fc = nn.Linear(_WIDTHS[-1] * (side // 16) ** 2, dimension)
        self.features = nn.BatchNorm1d(dimension)
        nn.init.constant_(self.features.weight, 1.0)
        self.features.weight.requires_grad = False  # a cosine does not depend on its scale
        _initialise(self)

    def parts(self) -> list[nn.Module]:
        stem = nn.Sequential(self.conv1, self.bn1, self.prelu)
        return [stem, self.layer1, self.layer2, self.layer3, self.layer4]

    def embed(self, x: Tensor) -> Tensor:
        x = self.dropout(self.bn2(x).flatten(1))
        return self.features(self.fc(x))  # type: ignore[no-any-return]


class _Block(nn.Module):
    def __init__(self, inputs: int, filters: int, *, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.prelu = nn.PReLU(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, stride=stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(filters)
        self.downsample = (
            nn.Sequential(
                nn.Conv2d(inputs, filters, 1, stride=stride, bias=False), nn.BatchNorm2d(filters)
            )
            if stride != 1 or inputs != filters
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(self.bn1(x))
        y = self.bn3(self.conv2(self.prelu(self.bn2(y))))
        skip = x if self.downsample is None else self.downsample(x)
        return y + skip  # type: ignore[no-any-return]


def _layer(inputs: int, filters: int, count: int) -> nn.Sequential:
    blocks = [_Block(inputs, filters, stride=2)]
    blocks += [_Block(filters, filters, stride=1) for _ in range(count - 1)]
    return nn.Sequential(*blocks)


def _initialise(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, 0.1)

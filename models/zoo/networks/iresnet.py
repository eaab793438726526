"""The residual networks of InsightFace, made for 112 px faces (Deng et al., 2019, ArcFace).

Blocks as in "improved residual units" (Han et al., 2017; He et al., 2016): normalise, convolve,
normalise, PReLU, convolve with the stride, normalise, add. The parameters have InsightFace's names,
so that its published weights fit.
"""

from torch import Tensor, nn

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
"""Blocks of each of the four layers, by the number of layers that names a network."""

_WIDTHS = (64, 128, 256, 512)


class IResNet(nn.Module):
    """Maps (N, 3, side, side) crops to (N, dimension); `side` is a multiple of 16."""

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
        self.features.weight.requires_grad = False  # its scale is not what a cosine depends on
        _initialise(self)

    def forward(self, crops: Tensor) -> Tensor:
        return self.finish(self.begin(crops, 1), 1)

    def begin(self, crops: Tensor, parts: int) -> Tensor:
        """What comes out of the first `parts` parts, the stem being the first of 5."""
        x = self.prelu(self.bn1(self.conv1(crops)))
        for layer in self._layers()[: parts - 1]:
            x = layer(x)
        return x  # type: ignore[no-any-return]

    def finish(self, x: Tensor, parts: int) -> Tensor:
        """Embeddings of what came out of the first `parts` parts."""
        for layer in self._layers()[parts - 1 :]:
            x = layer(x)
        x = self.dropout(self.bn2(x).flatten(1))
        return self.features(self.fc(x))  # type: ignore[no-any-return]

    def parts(self) -> list[nn.Module]:
        """From the crop on, without what makes the embedding."""
        stem = nn.ModuleList([self.conv1, self.bn1, self.prelu])
        return [stem, *self._layers()]

    def _layers(self) -> list[nn.Module]:
        return [self.layer1, self.layer2, self.layer3, self.layer4]


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

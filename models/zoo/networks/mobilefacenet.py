"""MobileFaceNet: a face network of about a million parameters (Chen et al., 2018).

Inverted residuals (Sandler et al., 2018) with PReLU, and a depthwise convolution as large as the
last map, which weighs each place of the face by itself where others average.
"""

from torch import Tensor, nn

_STAGES = (  # expansion, filters, blocks, stride of the first
    (2, 64, 5, 2),
    (4, 128, 1, 2),
    (2, 128, 6, 1),
    (4, 128, 1, 2),
    (2, 128, 2, 1),
)


class MobileFaceNet(nn.Module):
    """Maps (N, 3, side, side) crops to (N, dimension); `side` is a multiple of 16."""

    def __init__(self, *, dimension: int = 128, side: int = 112) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _convolution(3, 64, 3, stride=2), _convolution(64, 64, 3, groups=64)
        )
        stages: list[nn.Module] = []
        width = 64
        for expansion, filters, count, stride in _STAGES:
            blocks = [_Bottleneck(width, filters, expansion=expansion, stride=stride)]
            blocks += [
                _Bottleneck(filters, filters, expansion=expansion, stride=1)
                for _ in range(count - 1)
            ]
            stages.append(nn.Sequential(*blocks))
            width = filters
        self.stages = nn.Sequential(*stages)
        self.widen = _convolution(width, 512, 1)
        self.weigh = nn.Sequential(
            nn.Conv2d(512, 512, side // 16, groups=512, bias=False), nn.BatchNorm2d(512)
        )
        self.project = nn.Linear(512, dimension, bias=False)
        self.features = nn.BatchNorm1d(dimension)

    def forward(self, crops: Tensor) -> Tensor:
        return self.finish(self.begin(crops, 1), 1)

    def begin(self, crops: Tensor, parts: int) -> Tensor:
        """What comes out of the first `parts` parts, the stem being the first of 6."""
        return self.stages[: parts - 1](self.stem(crops))  # type: ignore[no-any-return]

    def finish(self, x: Tensor, parts: int) -> Tensor:
        """Embeddings of what came out of the first `parts` parts."""
        x = self.widen(self.stages[parts - 1 :](x))
        return self.features(self.project(self.weigh(x).flatten(1)))  # type: ignore[no-any-return]

    def parts(self) -> list[nn.Module]:
        """From the crop on, without what makes the embedding."""
        return [self.stem, *self.stages]


class _Bottleneck(nn.Module):
    def __init__(self, inputs: int, filters: int, *, expansion: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.layers = nn.Sequential(
            _convolution(inputs, wide, 1),
            _convolution(wide, wide, 3, stride=stride, groups=wide),
            nn.Conv2d(wide, filters, 1, bias=False),
            nn.BatchNorm2d(filters),
        )
        self.adds = stride == 1 and inputs == filters

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.adds else y


def _convolution(
    inputs: int, filters: int, size: int, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(
            inputs, filters, size, stride=stride, padding=size // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(filters),
        nn.PReLU(filters),
    )

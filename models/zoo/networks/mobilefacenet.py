"""MobileFaceNet: a face network of about a million parameters (Chen et al., 2018).

Inverted residuals (Sandler et al., 2018) with PReLU, and a depthwise convolution as large as the
last map, which has a weight for each position in the face where other networks average.
"""

from torch import Tensor, nn

from models.zoo.networks.divisible import Divisible

_STAGES = (  # expansion, filters, blocks, stride of the first
    (2, 64, 5, 2),
    (4, 128, 1, 2),
    (2, 128, 6, 1),
    (4, 128, 1, 2),
    (2, 128, 2, 1),
)


class MobileFaceNet(Divisible):
    """Maps crops (N, 3, side, side) to embeddings (N, dimension); `side` is a multiple of 16."""

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

    def parts(self) -> list[nn.Module]:
        return [self.stem, *self.stages]

    def embed(self, x: Tensor) -> Tensor:
        x = self.weigh(self.widen(x)).flatten(1)
        return self.features(self.project(x))  # type: ignore[no-any-return]


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

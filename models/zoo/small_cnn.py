"""A convolutional network of three layers, for pictures so simple that a CPU learns them soon."""

from torch import Tensor, nn

_WIDTHS = (16, 32, 64)
_GRID = 2  # where in the picture a thing is still matters, coarsely


class SmallCnn(nn.Module):
    """Maps (N, channels, side, side) pictures, of values about 1, to (N, dimension) embeddings.

    `side` is at least 5 pixels. From its second layer on, each halves the resolution.
    """

    def __init__(self, dimension: int, *, channels: int = 3, side: int) -> None:
        super().__init__()
        if side < 5:
            raise ValueError(f"pictures of {side} pixels are too small; give it 5 or more")
        layers: list[nn.Module] = []
        width = channels
        for index, filters in enumerate(_WIDTHS):
            layers += [
                nn.Conv2d(width, filters, 3, stride=2 if index else 1, padding=1, bias=False),
                nn.BatchNorm2d(filters),
                nn.ReLU(inplace=True),
            ]
            width = filters
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(_GRID), nn.Flatten())
        self.project = nn.Linear(width * _GRID**2, dimension)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.project(self.features(pictures))  # type: ignore[no-any-return]

"""A convolutional network of three layers, for pictures so simple that a CPU learns them soon."""

from torch import Tensor, nn

_LAYERS = ((16, 1), (32, 2), (64, 1))  # filters, stride


class SmallCnn(nn.Module):
    """Maps (N, channels, side, side) pictures, of values about 1, to (N, dimension) embeddings.

    Of each filter only its strongest answer counts, so that it matters little where in the picture
    a thing is. `side` is at least 5 pixels; the network takes pictures of other sides, too.
    """

    def __init__(self, dimension: int, *, channels: int = 3, side: int) -> None:
        super().__init__()
        if side < 5:
            raise ValueError(f"pictures of {side} pixels are too small; give it 5 or more")
        layers: list[nn.Module] = []
        width = channels
        for filters, stride in _LAYERS:
            layers += [
                nn.Conv2d(width, filters, 3, stride=stride, padding=1, bias=False),
                nn.BatchNorm2d(filters),
                nn.ReLU(inplace=True),
            ]
            width = filters
        self.features = nn.Sequential(*layers)
        self.project = nn.Linear(width, dimension)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.project(self.features(pictures).amax(dim=(2, 3)))  # type: ignore[no-any-return]

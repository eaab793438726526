"""A convolutional network of three layers, for pictures that are simple enough for a CPU."""

from torch import Tensor, nn

_LAYERS = ((16, 1), (32, 2), (64, 1))  # filters, stride


class SmallCnn(nn.Module):
    """Maps pictures (N, channels, side, side), of values about 1, to embeddings (N, dimension).

    Only the strongest response of each filter counts, so that the position of a thing in the
    picture matters little. `side` is at least 5 pixels; pictures of other sides work, too.
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

    def parts(self) -> list[nn.Module]:
        """Each convolution with the two layers after it."""
        layers = list(self.features)
        return [nn.Sequential(*layers[start : start + 3]) for start in (0, 3, 6)]

    def forward(self, pictures: Tensor) -> Tensor:
        return self.project(self.features(pictures).amax(dim=(2, 3)))  # type: ignore[no-any-return]

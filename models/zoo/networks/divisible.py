"""Networks as a row of parts, the first of which can be frozen."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Parted(Protocol):
    """A network whose first parts can be frozen."""

    def parts(self) -> Sequence[nn.Module]:
        """The parts from the crop on, without the last layers, which make the embedding."""
        ...


class Divisible(nn.Module, ABC):
    """A network that can be run in two pieces, so that the output of the first can be kept."""

    @abstractmethod
    def parts(self) -> Sequence[nn.Module]:
        """The parts from the crop on; the first is the stem. Each takes the output of the last."""

    @abstractmethod
    def embed(self, x: Tensor) -> Tensor:
        """Embeddings (N, dimension), of any length, from the output of the last part."""

    def begin(self, crops: Tensor, parts: int) -> Tensor:
        """The output of the first `parts` parts, for normalised crops (N, 3, side, side)."""
        for part in self.parts()[:parts]:
            crops = part(crops)
        return crops

    def finish(self, x: Tensor, parts: int) -> Tensor:
        """Embeddings, as `forward` returns them, from the output of the first `parts` parts."""
        for part in self.parts()[parts:]:
            x = part(x)
        return self.embed(x)

    def forward(self, crops: Tensor) -> Tensor:
        return self.finish(crops, 0)

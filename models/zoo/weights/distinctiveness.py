"""A quality measure by the embedding: how well a face can be distinguished from strangers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

_Finite = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class NormScale:
    """The norms, before embeddings are scaled to length 1, that give the values 0 and 1."""

    worst: Annotated[float, Field(ge=0)]
    best: _Finite

    def __post_init__(self) -> None:
        if self.best <= self.worst:
            raise ValueError("the best norm of the distinctiveness must be above the worst")

    def of(self, norms: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray((norms.astype(np.float64) - self.worst) / (self.best - self.worst))


@dataclass(frozen=True, slots=True)
class Distinctiveness:
    """The distinctiveness of a face: how well it can be distinguished from strangers.

    Embeddings of bad photos (dark, blurred, covered, ...) of different people are similar: they
    show the fault more than the face. The value is low for such faces, and at least 1 for most good
    photos; `benchmarks/accuracy/wrong_way.py` prints the shares of good and of bad photos below
    each value.

    `weights` (dimension,) and `offset`: the value is the inner product of the weights and a unit
    embedding, plus the offset. It falls in the direction of the embeddings of bad photos.
    `benchmarks/accuracy/fit_distinctiveness.py` finds the weights.

    `norms`: where the norm is known, the value follows from it instead. Networks trained with a
    softmax over angles give short vectors to faces that they cannot recognise, whatever the reason
    (Meng et al., 2021, MagFace). The norm is sufficient: where it is large, a photo with faults can
    be distinguished as well as a good one.
    """

    weights: tuple[_Finite, ...]
    offset: _Finite
    norms: NormScale | None = None

    def of(
        self, embeddings: NDArray[np.float32], norms: NDArray[np.float32] | None = None
    ) -> NDArray[np.float64]:
        """The values (N,) of embeddings (N, dimension) of unit length.

        `norms` (N,) are those before the scaling; None where they are not known.
        """
        if self.norms is not None and norms is not None:
            return self.norms.of(norms)
        values = embeddings.astype(np.float64) @ np.array(self.weights) + self.offset
        return np.asarray(values, dtype=np.float64)

    @classmethod
    def from_json(cls, read: Mapping[str, Any], *, dimension: int) -> Self:
        """Raises ValueError where the values are not such a measure, or not of the dimension."""
        found = TypeAdapter(cls).validate_python(dict(read))
        if len(found.weights) != dimension:
            raise ValueError(f"the distinctiveness must have {dimension} weights")
        return found

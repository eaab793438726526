"""How far a face can be distinguished from strangers, by its embedding; one JSON file a network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class NormScale:
    """The norms of embeddings, before these are made unit vectors, that have the values 0 and 1."""

    worst: float
    best: float

    def of(self, norms: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray((norms.astype(np.float64) - self.worst) / (self.best - self.worst))


@dataclass(frozen=True, slots=True)
class Distinctiveness:
    """How far a face can be distinguished from strangers, as a network's embeddings show.

    Embeddings of bad photos (dark, blurred, covered, ...) of different people are alike: the
    network sees the fault before the face. The measure is low for such faces. It is 1 and more for
    most good photos; `benchmarks/accuracy/wrong_way.py` says what shares of good and of bad
    photos are below which value.

    `weights` (dimension,) and `offset`: the value is their inner product with a unit embedding,
    plus the offset. It falls in the direction in which embeddings of bad photos lie, and
    `benchmarks/accuracy/fit_distinctiveness.py` finds the weights.

    `norms`: the value follows from the norm instead, where that is known. Networks trained with a
    softmax over angles give short vectors to faces that they cannot make out, whatever the reason
    (Meng et al., 2021, MagFace). Where a network has it, it is enough: photos with faults that
    other measures see can be distinguished as well as good ones if the norm is large.
    """

    weights: tuple[float, ...]
    offset: float
    norms: NormScale | None = None

    def of(
        self, embeddings: NDArray[np.float32], norms: NDArray[np.float32] | None = None
    ) -> NDArray[np.float64]:
        """The value of each embedding of unit length, (N, dimension) to (N,).

        `norms` (N,) are those that the embeddings had; None where they came from elsewhere.
        """
        if self.norms is not None and norms is not None:
            return self.norms.of(norms)
        values = embeddings.astype(np.float64) @ np.array(self.weights) + self.offset
        return np.asarray(values, dtype=np.float64)

    @classmethod
    def from_json(cls, read: Mapping[str, Any], *, dimension: int) -> Self:
        """Raises ValueError where the values do not fit the dimension."""
        weights, offset = read.get("weights"), read.get("offset")
        if not isinstance(weights, list) or len(weights) != dimension:
            raise ValueError(f"the distinctiveness must have {dimension} weights")
        values = np.array([*weights, offset], dtype=np.float64)
        if not np.isfinite(values).all():
            raise ValueError("the distinctiveness must have finite weights")
        return cls(tuple(map(float, weights)), float(values[-1]), _norm_scale(read.get("norms")))


def _norm_scale(read: Mapping[str, Any] | None) -> NormScale | None:
    if read is None:
        return None
    try:
        scale = NormScale(float(read["worst"]), float(read["best"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("norms of the distinctiveness must have worst and best") from error
    if not 0 <= scale.worst < scale.best < np.inf:
        raise ValueError("the best norm of the distinctiveness must be above the worst")
    return scale


def shipped_distinctiveness(name: str, *, dimension: int) -> Distinctiveness:
    """The measure that comes with a network."""
    text = (
        files("models.zoo.weights")
        .joinpath(f"shipped/distinctiveness/{name}.json")
        .read_text(encoding="utf-8")
    )
    return Distinctiveness.from_json(json.loads(text), dimension=dimension)

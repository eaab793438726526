"""How unlike the embeddings of bad photos an embedding is, by one JSON file a network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Distinctiveness:
    """A linear measure of a network's embeddings.

    Embeddings of bad photos (dark, blurred, covered, ...) of different people are alike: the
    network sees the fault before the face. The measure falls in the direction in which such
    embeddings lie. It is 1 and more for most good photos; `benchmarks/wrong_way.py` says what
    shares of good and of bad photos are below which value, and `benchmarks/fit_distinctiveness.py`
    finds the weights.

    `weights` (dimension,) and `offset`: the value is their inner product with a unit embedding,
    plus the offset.
    """

    weights: tuple[float, ...]
    offset: float

    def of(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """The value of each embedding of unit length, (N, dimension) to (N,)."""
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
        return cls(tuple(map(float, weights)), float(values[-1]))


def shipped_distinctiveness(name: str, *, dimension: int) -> Distinctiveness:
    """The measure that comes with a network."""
    text = files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    return Distinctiveness.from_json(json.loads(text), dimension=dimension)

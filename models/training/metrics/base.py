"""Linear maps that make distances separate people better; M = L^T L stays positive."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.training.errors import NothingToLearnError
from models.training.options import Options

Floats = NDArray[np.float64]
Progress = Callable[[int, int, float], None]
"""Steps done, steps in all, and the objective so far."""


class LinearMetric(Protocol):
    """Learns from embeddings that a frozen network gave."""

    def fit(
        self,
        embeddings: NDArray[np.floating[Any]],
        labels: NDArray[np.integer[Any]],
        *,
        progress: Progress | None = None,
    ) -> Floats:
        """L, shape (D', D), of embeddings (N, D) and labels (N,): compare `x @ L.T` by distance.

        L^T L is positive semi-definite whatever L is. The same input gives the same L. Raises
        NothingToLearnError where no two examples are of one person, or all are.
        """
        ...


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A linear metric as its users know it; see LossSpec."""

    name: str
    title: str
    equation: str
    source: str
    options: type[Options]
    build: Callable[[Any], LinearMetric]


def prepared(
    embeddings: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> tuple[Floats, NDArray[np.intp], float]:
    """Centred rows whose root mean square distance is 1, labels from 0 on, and their scale.

    So that options mean the same whatever the network's scale: rows are the embeddings times scale.
    """
    rows = np.asarray(embeddings, dtype=np.float64)
    _, people, counts = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    if len(counts) < 2 or counts.max() < 2:
        raise NothingToLearnError(
            f"{len(rows)} examples of {len(counts)} people; a metric is learned from at least two "
            "people, one of them with two examples"
        )
    rows = rows - rows.mean(axis=0)
    spread = float(np.sqrt(2 * np.square(rows).sum(axis=1).mean()))
    if spread == 0:
        raise NothingToLearnError("all embeddings are equal; look at the network that made them")
    return rows / spread, people, 1 / spread

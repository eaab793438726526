"""The base of linear metrics: maps L, so that M = L^T L stays positive semi-definite."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.training.errors import NothingToLearnError
from models.training.options import Options

Floats = NDArray[np.float64]
Progress = Callable[[int, int, float], None]
"""Steps done, steps in all, and the objective so far."""


class LinearMetric(ABC):
    """A linear map of embeddings from a frozen network, which makes distances separate people.

    A subclass describes itself: `name`, `title`, `equation` in plain text, the paper as `source`,
    and `options` with their bounds, of which `chosen` has the values.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    equation: ClassVar[str]
    source: ClassVar[str]
    options: ClassVar[type[Options]]

    def __init__(self, chosen: Any) -> None:  # noqa: ANN401
        self.chosen = chosen

    def fit(
        self,
        embeddings: NDArray[np.floating[Any]],
        labels: NDArray[np.integer[Any]],
        *,
        progress: Progress | None = None,
    ) -> Floats:
        """L, shape (D', D), of embeddings (N, D) and labels (N,): compare `x @ L.T` by distance.

        L^T L is positive semi-definite whatever L is. The same input gives the same L. Raises
        NothingToLearnError when no person has two examples, or all examples are of one person.
        """
        rows, people, scale = prepared(embeddings, labels)
        with threadpool_limits(1):  # so that sums are made in the same order every time
            return np.asarray(self.learn(rows, people, progress or _ignore) * scale)

    @abstractmethod
    def learn(self, rows: Floats, people: NDArray[np.intp], progress: Progress) -> Floats:
        """L for `prepared` rows (N, D) of people (N,)."""


def _ignore(_done: int, _steps: int, _value: float) -> None:
    pass


def prepared(
    embeddings: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> tuple[Floats, NDArray[np.intp], float]:
    """Centred rows whose root mean square distance is 1, labels from 0 on, and the scale of rows.

    Rows are the centred embeddings times the scale, so that options mean the same for any network.
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

"""The Mahalanobis distance of Xing et al. (2002): people kept near, strangers pushed apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from threadpoolctl import threadpool_limits

from models.training.metrics.base import Floats, MetricSpec, Progress, prepared, root
from models.training.options import Options

_SMALLEST_STEP = 1e-6


class MahalanobisOptions(Options):
    steps: int = Field(100, ge=1, le=10_000, description="of gradient ascent")
    step_size: float = Field(
        0.1, gt=0, le=10, description="of the first one, by the size of M; halved where it fails"
    )
    ridge: float = Field(
        0.1, ge=0, le=100, description="added to the scatter within people, by its mean variance"
    )
    stranger_pairs: int = Field(
        20_000, ge=1, le=10_000_000, description="drawn of all pairs of different people"
    )
    seed: int = Field(0, ge=0, description="of that draw")


class Mahalanobis:
    """Maximises the sum of strangers' distances while one person's squared ones sum up to 1.

    That is the paper's problem with its two sides exchanged, as the paper itself solves it: ascent
    along what leaves the constraint alone, then projection onto both sets. Here the sums are means,
    and M starts as the identity. The ridge keeps directions in which nobody varies from counting
    without bound.
    """

    def __init__(self, options: MahalanobisOptions) -> None:
        self._options = options

    def fit(
        self,
        embeddings: NDArray[np.floating[Any]],
        labels: NDArray[np.integer[Any]],
        *,
        progress: Progress | None = None,
    ) -> Floats:
        rows, people, scale = prepared(embeddings, labels)
        with threadpool_limits(1):  # so that sums are made in the same order every time
            within = _scatter_within(rows, people, ridge=self._options.ridge)
            apart = _strangers(
                rows,
                people,
                self._options.stranger_pairs,
                np.random.default_rng(self._options.seed),
            )
            metric = self._ascend(within, apart, progress)
            return root(metric) * scale

    def _ascend(self, within: Floats, apart: Floats, progress: Progress | None) -> Floats:
        metric = project(np.eye(len(within)), within)
        value = _spread(metric, apart)
        step = self._options.step_size
        for done in range(1, self._options.steps + 1):
            gradient = _gradient(metric, apart)
            # What changes the constraint would only be projected away again.
            gradient -= np.vdot(gradient, within) / np.vdot(within, within) * within
            size = np.linalg.norm(gradient)
            while size > 0 and step > _SMALLEST_STEP:
                moved = metric + step * np.linalg.norm(metric) / size * gradient
                moved = project(moved, within)
                found = _spread(moved, apart)
                if found > value:
                    metric, value, step = moved, found, step * 1.1
                    break
                step /= 2
            if progress is not None:
                progress(done, self._options.steps, value)
            if step <= _SMALLEST_STEP or size == 0:
                break
        return metric


def project(metric: Floats, within: Floats) -> Floats:
    """Onto positive semi-definite matrices, scaled so that <metric, within> is 1."""
    values, vectors = np.linalg.eigh((metric + metric.T) / 2)
    positive = (vectors * np.maximum(values, 0)) @ vectors.T
    return np.asarray(positive / max(float(np.vdot(positive, within)), 1e-300))


def _scatter_within(rows: Floats, people: NDArray[np.intp], *, ridge: float) -> Floats:
    """Mean of (a - b)(a - b)^T over all pairs of one person, without listing them."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    pairs = 0
    for person in range(people.max() + 1):
        own = rows[people == person]
        centred = own - own.mean(axis=0)
        total += len(own) * centred.T @ centred
        pairs += len(own) * (len(own) - 1) // 2
    scatter = total / pairs
    # An absolute part too, for embeddings that do not vary within people at all.
    floor = ridge * np.trace(scatter) / len(scatter) + 1e-12
    return np.asarray(scatter + floor * np.eye(len(scatter)))


def _strangers(
    rows: Floats, people: NDArray[np.intp], count: int, rng: np.random.Generator
) -> Floats:
    """Differences of pairs of different people: all, or as many as asked for."""
    if len(rows) * (len(rows) - 1) // 2 <= count:
        left, right = np.triu_indices(len(rows), k=1)
    else:
        left, right = rng.integers(len(rows), size=(2, 2 * count))
    differ = people[left] != people[right]
    left, right = left[differ][:count], right[differ][:count]
    return np.asarray(rows[left] - rows[right])


def _spread(metric: Floats, apart: Floats) -> float:
    return float(np.sqrt(_squared(metric, apart)).mean())


def _gradient(metric: Floats, apart: Floats) -> Floats:
    distance = np.sqrt(_squared(metric, apart))
    weight = np.where(distance > 0, 0.5 / np.maximum(distance, 1e-12), 0)
    return np.asarray((apart * weight[:, None]).T @ apart / len(apart))


def _squared(metric: Floats, apart: Floats) -> Floats:
    return np.asarray(np.maximum(np.einsum("nd,nd->n", apart @ metric, apart), 0))


MAHALANOBIS = MetricSpec(
    name="mahalanobis",
    title="Mahalanobis (Xing et al.)",
    equation=(
        "maximise mean of |a - b|_M over strangers, with mean of |a - b|_M^2 = 1 within people, "
        "M positive semi-definite"
    ),
    source="Xing, Ng, Jordan, Russell: Distance Metric Learning with Side-Information, 2002",
    options=MahalanobisOptions,
    build=Mahalanobis,
)

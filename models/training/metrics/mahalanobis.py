"""The Mahalanobis distance of Xing et al. (2002): small within people, large to strangers."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import OptimizeResult, minimize

from models.training.metrics.base import Floats, LinearMetric, Progress
from models.training.options import Options


class MahalanobisOptions(Options):
    steps: int = Field(100, ge=1, le=10_000, description="of L-BFGS, at most")
    ridge: float = Field(
        0.1, ge=0, le=100, description="added to the scatter within people, by its mean variance"
    )
    stranger_pairs: int = Field(
        20_000, ge=1, le=10_000_000, description="drawn of all pairs of different people"
    )
    seed: int = Field(0, ge=0, description="of that draw")


class Mahalanobis(LinearMetric):
    """Maximises strangers' mean distance while the mean squared distance within people is 1.

    This is the paper's problem with its two sides exchanged, as the paper itself solves it, with
    means for sums. The paper climbs in M and projects M back. This class climbs in a root of M,
    which begins with the one that whitens the differences within people: M is then always
    positive, and the search does not stop at the border. The ridge bounds the weight of directions
    in which no person varies.
    """

    name = "mahalanobis"
    title = "Mahalanobis (Xing et al.)"
    equation = (
        "maximise mean of |a - b|_M over strangers, with mean of |a - b|_M^2 = 1 within people, "
        "M positive semi-definite"
    )
    source = "Xing, Ng, Jordan, Russell: Distance Metric Learning with Side-Information, 2002"
    options = MahalanobisOptions
    chosen: MahalanobisOptions

    def learn(self, rows: Floats, people: NDArray[np.intp], progress: Progress) -> Floats:
        o = self.chosen
        whitening = _inverse_root(_scatter_within(rows, people, ridge=o.ridge))
        strangers = _strangers(rows, people, o.stranger_pairs, np.random.default_rng(o.seed))
        return _climb(strangers @ whitening, o.steps, progress) @ whitening


def _climb(strangers: Floats, steps: int, progress: Progress) -> Floats:
    """The K of norm 1 that maximises the mean of |K s| over strangers s."""
    size = strangers.shape[1]
    done = 0

    def lower(flat: Floats) -> tuple[float, Floats]:
        value, gradient = spread(flat.reshape(size, size), strangers)
        return -value, -gradient.ravel()

    def report(intermediate_result: OptimizeResult) -> None:
        nonlocal done
        done += 1
        progress(done, steps, -float(intermediate_result.fun))

    begun = np.eye(size) / np.sqrt(size)
    found = minimize(
        lower,
        begun.ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=report,
        options={"maxiter": steps},
    )
    turned = found.x.reshape(size, size)
    return np.asarray(turned / np.linalg.norm(turned))


def spread(turned: Floats, strangers: Floats) -> tuple[float, Floats]:
    """The mean of |K s| over strangers s, divided by the norm of K, and its gradient by K."""
    moved = strangers @ turned.T
    distance = np.linalg.norm(moved, axis=1)
    directions = moved / np.maximum(distance, 1e-12)[:, None]
    norm = np.linalg.norm(turned)
    value = float(distance.mean() / norm)
    gradient = directions.T @ strangers / len(strangers) / norm - value / norm**2 * turned
    return value, np.asarray(gradient)


def _inverse_root(scatter: Floats) -> Floats:
    values, vectors = np.linalg.eigh(scatter)
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def _scatter_within(rows: Floats, people: NDArray[np.intp], *, ridge: float) -> Floats:
    """The mean of (a - b)(a - b)^T over all pairs of one person, without a list of pairs."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    pairs = 0
    for person in range(people.max() + 1):
        own = rows[people == person]
        centred = own - own.mean(axis=0)
        total += len(own) * centred.T @ centred
        pairs += len(own) * (len(own) - 1) // 2
    scatter = total / pairs
    # The constant is for embeddings that do not vary within people at all.
    floor = ridge * np.trace(scatter) / len(scatter) + 1e-12
    return np.asarray(scatter + floor * np.eye(len(scatter)))


def _strangers(
    rows: Floats, people: NDArray[np.intp], count: int, rng: np.random.Generator
) -> Floats:
    """Differences of pairs of different people: all, or at most `count` drawn ones."""
    if len(rows) * (len(rows) - 1) // 2 <= count:
        left, right = np.triu_indices(len(rows), k=1)
    else:
        left, right = rng.integers(len(rows), size=(2, 2 * count))
    differ = people[left] != people[right]
    left, right = left[differ][:count], right[differ][:count]
    return np.asarray(rows[left] - rows[right])

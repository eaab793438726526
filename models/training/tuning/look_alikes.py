"""Batches of people who look alike, on whom a strict threshold depends."""

import numpy as np
from numpy.typing import NDArray

from models.training.tuning.tuning_config import TunedDataOptions

Places = NDArray[np.intp]


class LookAlikes:
    """Draws indices of `labels` (N,), the numbers of people from 0."""

    def __init__(self, labels: NDArray[np.int64], options: TunedDataOptions) -> None:
        order = np.argsort(labels, kind="stable")
        self._places = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
        self._options = options

    def centres(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean embedding of each person, of length 1, (P, D), for embeddings (copies, N, D)."""
        of_photos = embeddings.mean(axis=0)
        means = np.stack([of_photos[places].mean(axis=0) for places in self._places])
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True).clip(1e-12))

    def draw(self, centres: NDArray[np.float32], draw: np.random.Generator) -> Places:
        """Indices of groups of a person and similar people, without repetition.

        The others of a group are drawn from the nearest people, twice as many as needed.
        """
        o = self._options
        count = len(self._places)
        drawn: list[Places] = []
        for person in draw.choice(count, min(o.groups, count), replace=False):
            similarity = centres @ centres[person]
            similarity[person] = np.inf
            nearest = np.argsort(-similarity, kind="stable")[1 : 2 * o.people]
            others = draw.choice(nearest, min(o.people - 1, len(nearest)), replace=False)
            for member in (person, *others):
                places = self._places[member]
                drawn.append(draw.choice(places, min(o.examples, len(places)), replace=False))
        return np.unique(np.concatenate(drawn))

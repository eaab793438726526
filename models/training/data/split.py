"""Shares of people, not of photos: each person is trained on, chosen by or tested on."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.data.crop_store import CropStore
from models.training.errors import TooFewPeopleError

Numbers = NDArray[np.int64]
"""Of crops in a store, (N,)."""


@dataclass(frozen=True, slots=True)
class Split:
    """Crops to train on, to choose the best checkpoint by, and to test it on once, at the end."""

    train: Numbers
    choose: Numbers
    test: Numbers


def split_people(
    store: CropStore, *, choose: float, test: float, min_photos: int, seed: int
) -> Split:
    """Draw the people of each share; the rest are trained on, if they have `min_photos`.

    `choose` and `test` are shares of the people, 0 to 1. A person's place depends on the seed and
    their name alone, so few people change shares when others are added.

    Raises TooFewPeopleError when nobody is left to train on.
    """
    order = sorted(range(len(store.names)), key=lambda person: _draw(store.names[person], seed))
    chosen = round(choose * len(order))
    tested = round(test * len(order))
    kind = np.zeros(len(order), dtype=np.int8)
    kind[order[:chosen]] = 1
    kind[order[chosen : chosen + tested]] = 2
    of_crops = kind[store.labels]
    enough = np.bincount(store.labels, minlength=len(order)) >= min_photos
    train = np.flatnonzero((of_crops == 0) & enough[store.labels])
    if len(np.unique(store.labels[train])) < 2:
        raise TooFewPeopleError(
            f"of {len(store.names)} people, fewer than two are left to train on: add people with "
            f"at least {min_photos} photos, or lower data.choose, data.test or data.min_photos"
        )
    return Split(train, np.flatnonzero(of_crops == 1), np.flatnonzero(of_crops == 2))


def _draw(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}\t{name}".encode()).hexdigest()

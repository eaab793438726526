"""Shares of people: each person is trained on, chosen by or tested on, with all photos."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.config import ShareOptions
from models.training.data.crop_store import CropStore
from models.training.errors import TooFewPeopleError

Numbers = NDArray[np.int64]
"""Numbers of crops in a store, (N,)."""


@dataclass(frozen=True, slots=True)
class Split:
    """Crops to train on, to choose the best checkpoint by, and to test that checkpoint on once."""

    train: Numbers
    choose: Numbers
    test: Numbers


def split_people(store: CropStore, shares: ShareOptions, *, seed: int) -> Split:
    """Draw the people of each share; the rest are trained on, if they have `min_photos`.

    The share of a person depends on the seed and their name alone, so that few people change shares
    when others are added. Raises TooFewPeopleError when fewer than two are left to train on.
    """
    order = sorted(range(len(store.names)), key=lambda person: _draw(store.names[person], seed))
    chosen = round(shares.choose * len(order))
    tested = round(shares.test * len(order))
    kind = np.zeros(len(order), dtype=np.int8)
    kind[order[:chosen]] = 1
    kind[order[chosen : chosen + tested]] = 2
    of_crops = kind[store.labels]
    enough = np.bincount(store.labels, minlength=len(order)) >= shares.min_photos
    train = np.flatnonzero((of_crops == 0) & enough[store.labels])
    if len(np.unique(store.labels[train])) < 2:
        raise TooFewPeopleError(
            f"of {len(store.names)} people, fewer than two are left to train on: add people with "
            f"at least {shares.min_photos} photos, or lower data.choose, data.test or "
            "data.min_photos"
        )
    return Split(train, np.flatnonzero(of_crops == 1), np.flatnonzero(of_crops == 2))


def _draw(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}\t{name}".encode()).hexdigest()

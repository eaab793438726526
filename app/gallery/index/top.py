"""The best rows for each of several probes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.gallery.index.slot_map import Slots


@dataclass(frozen=True, slots=True)
class Top:
    """Both arrays are (Q, M), a line for each probe, most similar first; slot -1 is no face."""

    slots: Slots
    similarities: NDArray[np.float32]

    @classmethod
    def empty(cls, probes: int) -> "Top":
        return cls(np.empty((probes, 0), dtype=np.int64), np.empty((probes, 0), dtype=np.float32))

    def within(self, slots: Slots) -> "Top":
        """The same when slots were counted within some, which are these."""
        return Top(np.where(self.slots < 0, -1, slots[self.slots]), self.similarities)


def best_of(tops: Sequence[Top], count: int) -> Top:
    """The `count` best of all, of which there is one at least; a slot is in one of them at most."""
    filled = [top for top in tops if top.slots.shape[1]]
    if not filled:
        return tops[0]
    if len(filled) == 1 and filled[0].slots.shape[1] <= count:
        return filled[0]
    slots = np.concatenate([top.slots for top in filled], axis=1)
    similarities = np.concatenate([top.similarities for top in filled], axis=1)
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
    lines = np.arange(len(order))[:, None]
    return Top(slots[lines, order], similarities[lines, order])

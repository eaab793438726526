"""Batches of P people with K examples each (Hermans et al., 2017), equal in every run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler


@dataclass(frozen=True, slots=True)
class Draw:
    """`place` is an index of `labels`, drawn as the `number`-th example of its epoch."""

    place: int
    epoch: int
    number: int


class PeopleExamples(Sampler[list[Draw]]):
    """Draws class-balanced batches: each round has every person once, with any number of photos.

    An epoch has `batches` (by default, enough to draw as many examples as there are). A batch
    follows from the seed, the epoch and its number. Training can therefore continue from batch
    `start`, and several processes draw the same batches as one: process `rank` of `ranks` takes an
    equal part of each.
    """

    def __init__(
        self,
        labels: Sequence[int] | NDArray[np.integer],
        *,
        people: int,
        examples: int,
        seed: int,
        epoch: int = 0,
        start: int = 0,
        batches: int | None = None,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if people % ranks:
            raise ValueError(f"{people} people cannot be divided among {ranks} processes")
        order = np.argsort(np.asarray(labels), kind="stable")
        starts = np.unique(np.asarray(labels)[order], return_index=True)[1]
        self._places = np.split(order, starts[1:])
        if len(self._places) < people:
            raise ValueError(f"{people} people a batch, of {len(self._places)}")
        self._people = people
        self._examples = examples
        self._seed = seed
        self._epoch = epoch
        self._start = start
        self.batches = batches or max(1, len(order) // (people * examples))
        self._mine = slice(
            rank * people * examples // ranks, (rank + 1) * people * examples // ranks
        )

    def __len__(self) -> int:
        return self.batches - self._start

    def __iter__(self) -> Iterator[list[Draw]]:
        for batch, people in enumerate(self._rounds()):
            if batch >= self._start:
                yield self._batch(batch, people)[self._mine]

    def _batch(self, batch: int, people: NDArray[np.intp]) -> list[Draw]:
        draw = np.random.default_rng((self._seed, self._epoch, 1, batch))
        size = self._people * self._examples
        places = [place for person in people for place in self._drawn(self._places[person], draw)]
        return [
            Draw(int(place), self._epoch, batch * size + number)
            for number, place in enumerate(places)
        ]

    def _rounds(self) -> Iterator[NDArray[np.intp]]:
        """The people of each batch, from one round after the other."""
        draw = np.random.default_rng((self._seed, self._epoch, 0))
        waiting = draw.permutation(len(self._places))
        for _ in range(self.batches):
            if len(waiting) < self._people:
                following = draw.permutation(len(self._places))
                # The rest of the last round comes first, and comes late in its new round.
                late = np.isin(following, waiting)
                waiting = np.concatenate([waiting, following[~late], following[late]])
            yield waiting[: self._people]
            waiting = waiting[self._people :]

    def _drawn(self, places: NDArray[np.intp], draw: np.random.Generator) -> NDArray[np.intp]:
        """K of a person's photos; a photo is repeated only after all were drawn."""
        times = -(-self._examples // len(places))
        return np.concatenate([draw.permutation(places) for _ in range(times)])[: self._examples]

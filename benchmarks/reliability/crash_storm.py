"""A storm: several clients that enroll and delete people as fast as they are answered."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from random import Random
from threading import Barrier, BrokenBarrierError, Event, Thread
from typing import Protocol

from app.errors import VultusError
from benchmarks.kit.wire import AnswerError
from benchmarks.reliability.crash_doors import Door
from benchmarks.reliability.crash_ledger import Ids, Kind, embedding_of

CLIENTS = 4
_MOST_PEOPLE = 16
"""Most people of a client: four clients and a batch each stay below what a search can list."""
_LARGEST_BATCH = 8
_BATCHES = 0.25
"""Share of enrolments that are of several people at once."""


class Report(Protocol):
    """Is called before each request is sent, and with its answer before the next is sent."""

    def tried(self, client: int, kind: Kind, people: tuple[int, ...]) -> None: ...

    def done(self, client: int, ids: Ids) -> None: ...


@dataclass(slots=True)
class Storm:
    """Each client owns some of the people, so that it knows what became of them.

    They end at the first request of which one of them does not know what became.
    """

    open_door: Callable[[], AbstractContextManager[Door]]
    """Opens that of a client."""
    report: Report
    living: Ids
    seed: int
    """Seed of the random choices and first number of new people: each storm needs its own."""
    _stopped: Event = field(default_factory=Event)
    _begun: Barrier = field(default_factory=lambda: Barrier(CLIENTS + 1))

    def start(self) -> list[Thread]:
        """Return once every client has been answered, and so is past what only a start costs."""
        threads = [Thread(target=self._client, args=(n,), daemon=True) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        with suppress(BrokenBarrierError):
            self._begun.wait()
        return threads

    def stop(self) -> None:
        """End the clients once their present requests are answered."""
        self._stopped.set()

    def _client(self, client: int) -> None:
        own = {p: name for p, name in sorted(self.living.items()) if p % CLIENTS == client}
        random = Random(self.seed * CLIENTS + client)
        numbers = (self.seed * 1_000_000 + n * CLIENTS + client for n in count())
        try:
            with self.open_door() as door:
                for turn in count():
                    if turn == 1:
                        self._begun.wait()
                    if self._stopped.is_set():
                        return
                    self._change(door, client, own, random, numbers)
        except (VultusError, AnswerError, OSError, HTTPException, BrokenBarrierError):
            self._stopped.set()
            self._begun.abort()

    def _change(
        self, door: Door, client: int, own: Ids, random: Random, numbers: Iterator[int]
    ) -> None:
        """Enroll or delete, as is drawn."""
        if len(own) > _MOST_PEOPLE or (own and random.random() < 0.5):
            self._delete(door, client, own, random.choice(list(own)))
        else:
            size = random.randint(2, _LARGEST_BATCH) if random.random() < _BATCHES else 1
            self._enroll(door, client, own, tuple(next(numbers) for _ in range(size)))

    def _enroll(self, door: Door, client: int, own: Ids, people: tuple[int, ...]) -> None:
        self.report.tried(client, "enroll", people)
        ids = door.enroll({person: embedding_of(person) for person in people})
        self.report.done(client, ids)
        own |= ids

    def _delete(self, door: Door, client: int, own: Ids, person: int) -> None:
        self.report.tried(client, "delete", (person,))
        identity_id = own.pop(person)
        door.delete(identity_id)
        self.report.done(client, {person: identity_id})

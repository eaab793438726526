"""Answers that the clients of a storm got, and requests whose answers were lost.

A person is a number: it gives the external_id and, through a seeded generator, the embedding.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from app.recognition.types import Embedding

DIMENSION = 128

Kind = Literal["enroll", "delete"]
Ids = dict[int, str]
"""Identity ids by the person's number."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that was sent; its people are enrolled or deleted together or not at all."""

    kind: Kind
    people: tuple[int, ...]


@dataclass(slots=True)
class Ledger:
    """`living` and `dead` were acknowledged; `open` holds the unanswered attempt of each client."""

    living: Ids = field(default_factory=dict)
    dead: Ids = field(default_factory=dict)
    open: dict[int, Attempt] = field(default_factory=dict)
    acknowledged: int = 0

    def tried(self, client: int, kind: Kind, people: tuple[int, ...]) -> None:
        self.open[client] = Attempt(kind, people)

    def done(self, client: int, ids: Ids) -> None:
        """The client's attempt was acknowledged, with these people."""
        attempt = self.open.pop(client)
        self.acknowledged += 1
        if attempt.kind == "enroll":
            self.living |= ids
        else:
            self._bury(attempt.people)

    def settle(self, present: Ids) -> None:
        """Nothing is open any more: those of `present` were found to be there, the others not."""
        for attempt in self.open.values():
            here = {person: present[person] for person in attempt.people if person in present}
            if attempt.kind == "enroll":
                self.living |= here
            elif not here:
                self._bury(attempt.people)
        self.open.clear()

    def _bury(self, people: tuple[int, ...]) -> None:
        for person in people:
            self.dead[person] = self.living.pop(person)


def tried_line(client: int, kind: Kind, people: tuple[int, ...]) -> bytes:
    return _line({"what": "tried", "client": client, "kind": kind, "people": people})


def done_line(client: int, ids: Ids) -> bytes:
    return _line({"what": "done", "client": client, "ids": list(ids.items())})


def record(ledger: Ledger, entry: dict[str, Any]) -> None:
    """Enter a line of the process."""
    if entry["what"] == "tried":
        ledger.tried(entry["client"], entry["kind"], tuple(entry["people"]))
    else:
        ledger.done(entry["client"], {int(person): name for person, name in entry["ids"]})


def embedding_of(person: int) -> Embedding:
    vector = np.random.default_rng(person).normal(size=DIMENSION).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values).encode("ascii") + b"\n"

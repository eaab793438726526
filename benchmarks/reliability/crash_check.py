"""Compare the answers of a gallery with what was acknowledged to its clients."""

from dataclasses import dataclass, field

from benchmarks.reliability.crash_doors import MOST_FOUND, Door, Found
from benchmarks.reliability.crash_ledger import Attempt, Ids, Ledger, embedding_of

_FEW = 5
_ITSELF = 0.999
"""Cosine above which a person was found by their own embedding; others reach about 0.5."""


@dataclass(slots=True)
class Verdict:
    """`lost`: acknowledged, but not found or not there. `resurrected`: deleted, but found or there.

    `inconsistent`: database and search disagree, or an attempt was done by half. `unaudited`: a
    change without its line in the audit log, a line without its change, or a broken chain.
    `unopened`: a row of an encrypted gallery that does not open, or is not sealed. `present`: those
    of the open attempts who are there. A fault that stays is counted at every
    look.
    """

    lost: int = 0
    resurrected: int = 0
    inconsistent: int = 0
    unaudited: int = 0
    unopened: int = 0
    looked_for: int = 0
    present: Ids = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def note(self, kind: str, problem: str) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.problems) < 5:  # one line of a pipe has to hold them
            self.problems.append(f"{kind}: {problem[:300]}")


def check(door: Door, ledger: Ledger) -> Verdict:
    """Look for all people of the ledger, the deleted ones included."""
    verdict = Verdict()
    database = door.people()
    undecided = {person for attempt in ledger.open.values() for person in attempt.people}
    people = sorted({*ledger.living, *ledger.dead, *undecided})
    found = dict(
        zip(people, door.find([embedding_of(person) for person in people], _FEW), strict=True)
    )
    verdict.looked_for = len(people)
    for person, identity_id in ledger.living.items():
        if person not in undecided:
            _require_found(verdict, door, person, identity_id, found[person])
    for person, identity_id in ledger.dead.items():
        _require_gone(verdict, door, person, identity_id, found[person])
    for attempt in ledger.open.values():
        _require_whole(verdict, door, attempt, database, found)
    for person in database.keys() - ledger.living.keys() - undecided:
        kind = "resurrected" if person in ledger.dead else "inconsistent"
        verdict.note(kind, f"{person} is in the database")
    _require_agreement(verdict, door, database, people)
    return verdict


def _require_found(
    verdict: Verdict, door: Door, person: int, identity_id: str, found: Found
) -> None:
    if not found or found[0][0] != identity_id or found[0][1] < _ITSELF:
        verdict.note("lost", f"{person} is not found by their own embedding but {found[:1]}")
    elif not door.exists(identity_id):
        verdict.note("lost", f"{person} is found, but GET says 404")


def _require_gone(
    verdict: Verdict, door: Door, person: int, identity_id: str, found: Found
) -> None:
    if any(one == identity_id or similarity >= _ITSELF for one, similarity in found):
        verdict.note("resurrected", f"{person} is a candidate")
    elif door.exists(identity_id):
        verdict.note("resurrected", f"GET knows {person}")


def _require_whole(
    verdict: Verdict, door: Door, attempt: Attempt, database: Ids, found: dict[int, Found]
) -> None:
    """Done or not done, but for all of its people, and for the search as for the database."""
    here = {person: database[person] for person in attempt.people if person in database}
    if 0 < len(here) < len(attempt.people):
        verdict.note("inconsistent", f"{attempt} was done by half")
    for person in attempt.people:
        is_found = bool(found[person]) and found[person][0][1] >= _ITSELF
        if is_found != (person in here):
            verdict.note("inconsistent", f"{person} in the database: {person in here}, {is_found=}")
        elif is_found and not door.exists(here[person]):
            verdict.note("inconsistent", f"{person} is found, but GET says 404")
    verdict.present |= here


def _require_agreement(verdict: Verdict, door: Door, database: Ids, people: list[int]) -> None:
    """A search for as many as there are finds exactly those of the database."""
    if len(database) > MOST_FOUND:
        raise RuntimeError(f"{len(database)} people are too many to list by a search")
    if people:
        probe = embedding_of(people[0])
        (listed,) = door.find([probe], MOST_FOUND)
        if {identity_id for identity_id, _ in listed} != set(database.values()):
            verdict.note("inconsistent", "a search for all people finds others than there are")
    if set(door.counts()) != {len(database)}:
        verdict.note("inconsistent", f"{len(database)} people, counted as {door.counts()}")

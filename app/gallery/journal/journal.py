"""Write what a transaction noted, as its last statements: with the change, or not at all."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from sqlalchemy.orm import Session

from app.gallery.journal.actions import Note
from app.gallery.journal.chain import AuditKey, Line, Link
from app.gallery.store.repositories.audit_repository import AuditRepository, Head

_NOTES = "vultus_notes"
_MOST_GUESSED = 100
"""Lines that may be made twice. More wait until the head is held."""


def note_in(session: Session, note: Note) -> None:
    """Note a change that a transaction makes. It is written with the commit."""
    session.info.setdefault(_NOTES, []).append(note)


class WritesNotes(Protocol):
    """What becomes of the notes of a transaction."""

    def prepare(self) -> None:
        """Make sure that lines can be written. Raises StartupError with the remedy."""
        ...

    def write(self, session: Session) -> None:
        """Write the notes of the transaction, which makes no other change afterwards."""
        ...


class NoJournal:
    """Keeps nothing: the audit log is off."""

    def prepare(self) -> None: ...

    def write(self, session: Session) -> None:
        session.info.pop(_NOTES, None)


class Journal:
    """Chains lines, and writes them in the transaction of the change.

    The lock on the head of a chain is the last that a transaction takes, and is held for the commit
    alone: transactions that hold one wait for nothing else.

    Lines are made for the head that this process has written last, and are written if it is still
    the head, in one round trip. If another process has moved it on, or a commit failed, they are
    made again for the head that is there.
    """

    def __init__(self, key: Callable[[], AuditKey]) -> None:
        self._load_key = key
        self._heads: dict[int, Head] = {}
        """The heads that this process expects, by chain."""

    @cached_property
    def _key(self) -> AuditKey:
        return self._load_key()

    def prepare(self) -> None:
        assert self._key.id

    def write(self, session: Session) -> None:
        notes: list[Note] | None = session.info.pop(_NOTES, None)
        if notes:
            self.append(session, notes)

    def append(self, session: Session, notes: Iterable[Note]) -> None:
        """Append lines to their chains, of which the lowest number comes first."""
        audit = AuditRepository(session)
        chain_of = attrgetter("chain")
        for chain, some in groupby(sorted(notes, key=chain_of), chain_of):
            self._append(audit, chain, list(some))

    def _append(self, audit: AuditRepository, chain: int, notes: Sequence[Note]) -> None:
        head = self._heads.get(chain)
        if head is None or len(notes) > _MOST_GUESSED:
            head = audit.hold_head(chain)
        while True:
            lines = self._lines(head, notes)
            last = lines[-1]
            seal = self._key.seal("head", chain, last.sequence, last.mac)
            moved = Link(last.sequence, last.mac, self._key.id, seal)
            there = audit.append(chain, head, lines, moved)
            if there == (last.sequence, last.mac):
                break
            # Held from now on. No row: the chain is new, or its head was removed.
            head = audit.hold_head(chain) if there is None else there
        self._heads[chain] = last.sequence, last.mac

    def _lines(self, head: Head, notes: Sequence[Note]) -> list[Line]:
        sequence, before = head
        lines: list[Line] = []
        for note in notes:
            sequence += 1
            line = self._key.line(note, before, sequence)
            before = line.mac
            lines.append(line)
        return lines

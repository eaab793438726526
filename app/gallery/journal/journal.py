"""Write what a transaction noted, as its last statements: with the change, or not at all."""

from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from sqlalchemy.orm import Session

from app.gallery.journal.actions import Note
from app.gallery.journal.chain import AuditKey, Line
from app.gallery.store.repositories.audit_repository import AuditRepository

_NOTES = "vultus_notes"


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
    """

    def __init__(self, key: Callable[[], AuditKey]) -> None:
        self._load_key = key

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
            sequence, before = audit.hold_head(chain)
            lines: list[Line] = []
            for note in some:
                sequence += 1
                line = self._key.line(note, before, sequence)
                before = line.mac
                lines.append(line)
            audit.add(lines)
            seal = self._key.seal("head", chain, sequence, before)
            audit.set_head(chain, sequence, before, self._key.id, seal)

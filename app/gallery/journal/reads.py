"""Lines about reads of personal data, and about requests that were refused, some at a time.

A read is only noted when it happens; a thread writes what was noted about once a second. A process
that is killed loses the reads of the last second, and no change.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

import structlog

from app.gallery.journal.actions import Action, Note
from app.gallery.journal.journal import NoJournal, note_in
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store

MOST_WAITING = 20_000
"""Reads that wait to be written while the database is away. More are counted, and left out."""
_WRITTEN_AT_ONCE = 1_000
_REFUSED_AGAIN_S = 60.0
"""A caller who is refused again and again for one reason has a line in so many seconds."""
_REFUSED_CALLERS = 1_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was refused. `code` is that of the error.

    `key`: the id of a key that is revoked or has expired, `unknown` for one that is none, `missing`
    without one.
    """

    code: str
    key: str | None = None
    missing_right: str | None = None


class ReadLog:
    """The reads of this process. `note` blocks never, `flush` does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = Store(database)
        self._waiting: deque[tuple[Note, bool]] = deque()
        self._lost = 0
        self._refused: dict[tuple[str, Refusal], float] = {}
        self._lock = Lock()

    @property
    def is_on(self) -> bool:
        return not isinstance(self._database.journal, NoJournal)

    def note(
        self,
        action: Action,
        collection: str | None,
        people: Iterable[str | None] = (),
        *,
        always: bool = False,
        outcome: str = "done",
        **details: object,
    ) -> None:
        """Note a read: a line for each of these people, or one without.

        Without `always`, it counts where the options of the collection ask for it.
        """
        if not self.is_on:
            return
        ids = [identity_id for identity_id in dict.fromkeys(people) if identity_id]
        for identity_id in ids or (None,):
            if len(self._waiting) >= MOST_WAITING:
                self._lost += 1
                continue
            note = Note(
                action,
                collection=collection,
                identity_id=identity_id,
                outcome=outcome,
                details=details,
            )
            self._waiting.append((note, always))

    def note_refusal(self, caller: str, refusal: Refusal, what: str) -> None:
        """Note a request that was refused for want of a key or a right, at most one a minute of
        each caller and reason."""
        if not self.is_on:
            return
        now = monotonic()
        with self._lock:
            again = (caller, refusal)
            if now - self._refused.get(again, -_REFUSED_AGAIN_S) < _REFUSED_AGAIN_S:
                return
            if len(self._refused) >= _REFUSED_CALLERS:
                self._refused.clear()
            self._refused[again] = now
        details = {"key": refusal.key, "missing_right": refusal.missing_right}
        self.note(
            Action.REQUEST_REFUSED,
            None,
            always=True,
            outcome=refusal.code,
            request=what,
            **{name: value for name, value in details.items() if value is not None},
        )

    def flush(self) -> int:
        """Write what was noted; return how many lines.

        Raises DatabaseUnavailable, and keeps the notes for the next time.
        """
        count = 0
        while self._waiting or self._lost:
            some = [
                self._waiting.popleft() for _ in range(min(len(self._waiting), _WRITTEN_AT_ONCE))
            ]
            lost, self._lost = self._lost, 0
            try:
                count += self._write(some, lost)
            except BaseException:
                self._waiting.extendleft(reversed(some))
                self._lost += lost
                raise
        return count

    def _write(self, some: list[tuple[Note, bool]], lost: int) -> int:
        with self._store.reading_all() as collections:
            silent = {one.name for one in collections.everything() if not one.options.audit.reads}
        notes = [note for note, always in some if always or note.collection not in silent]
        if lost:
            notes.append(Note(Action.AUDIT_LOST, details={"reads": lost}))
            _log.warning("audit_reads_lost", reads=lost)
        if notes:
            with self._database.writing() as session:
                for note in notes:
                    note_in(session, note)
                self._database.journal.write(session)
        return len(notes)

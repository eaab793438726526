"""Lines about faces that were refused for their quality: by reasons, never a photo or an embedding.

A rejection is only noted when it happens; a thread writes what was noted about once a second. The
same reasons have a line once a minute for each collection and terminal, in all processes together.
A process that is killed loses those of the last second.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from threading import Lock
from time import monotonic
from typing import NamedTuple

from app.gallery.journal.actions import Action, Note
from app.gallery.journal.journal import NoJournal
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.recent_event_repository import AGAIN_AFTER

_MOST_KNOWN = 10_000
"""Rejections that are told apart in a minute; more are left out."""


class _Rejection(NamedTuple):
    collection: str
    terminal_id: str
    subject: str
    """The reasons, and the operation that refused the face."""


class QualityRejections:
    """The rejections of this process. `note` blocks never, `flush` does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = Store(database)
        self._noted: dict[_Rejection, float] = {}
        self._waiting: dict[_Rejection, Note] = {}
        self._lock = Lock()

    def note(
        self,
        collection: str,
        reasons: Iterable[str],
        *,
        operation: str,
        terminal_id: str | None = None,
    ) -> None:
        """Note that an operation (enroll, identify, verify) refused a face."""
        if isinstance(self._database.journal, NoJournal):
            return
        codes = sorted({str(reason) for reason in reasons})
        key = _Rejection(collection, terminal_id or "", f"{operation}:{','.join(codes)}"[:128])
        now = monotonic()
        with self._lock:
            if not self._is_new(key, now):
                return
            self._noted[key] = now
            self._waiting[key] = Note(
                Action.QUALITY_REJECTED,
                collection=collection,
                details={"operation": operation, "reasons": codes, "terminal_id": terminal_id},
            )

    def flush(self) -> int:
        """Write what was noted; return how many lines.

        Raises DatabaseUnavailable, and keeps the notes for the next time.
        """
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if not waiting:
            return 0
        try:
            return self._write(waiting)
        except BaseException:
            with self._lock:
                self._waiting = waiting | self._waiting
            raise

    def _is_new(self, key: _Rejection, now: float) -> bool:
        again_s = AGAIN_AFTER.total_seconds()
        if now - self._noted.get(key, -again_s) < again_s:
            return False
        if len(self._noted) >= _MOST_KNOWN:
            self._noted = {one: at for one, at in self._noted.items() if now - at < again_s}
        return len(self._noted) < _MOST_KNOWN

    def _write(self, waiting: Mapping[_Rejection, Note]) -> int:
        chains: dict[_Rejection, int] = {}
        """Of those that are written, the number of the collection."""
        with self._store.writing_all() as collections:
            for (name, terminal_id), some in groupby(sorted(waiting), lambda key: key[:2]):
                collection = collections.find(name)
                if collection is None:  # deleted meanwhile
                    continue
                transaction = collections.within(collection)
                keys = {key.subject: key for key in some}
                for subject in transaction.recent_events.claim(keys, terminal_id):
                    chains[keys[subject]] = collection.number
            for key, note in waiting.items():  # as they happened
                if key in chains:
                    collections.add_note(replace(note, chain=chains[key]))
        return len(chains)

"""The readiness of a service to answer requests."""

import asyncio

from app.errors import (
    DatabaseReadOnly,
    DatabaseUnavailable,
    DiskFull,
    NotReady,
    Stopping,
)
from app.gallery.store.database import Database
from app.gallery.store.database_watch import DatabaseWatch, Look
from app.gallery.sync.index_sync import Lag
from app.runtime.stopping import StopSignal

_OF_CHANGES = (DiskFull, DatabaseReadOnly)
"""Problems that do not affect searches."""
_LOOK_WITHIN_S = 0.1
_SILENT_S = 1.0
"""Silence of the database from which on the service is not ready."""


class Readiness:
    """Asks the watch of the database; `has_embedded` once the networks have made an embedding."""

    def __init__(self, database: Database, watch: DatabaseWatch, stop_signal: StopSignal) -> None:
        self.has_embedded = False
        self._database = database
        self._watch = watch
        self._stop_signal = stop_signal

    async def require(self, *, reads_only: bool = False) -> None:
        """Return when requests can be answered, within a fifth of a second.

        With `reads_only`, a full disk or a read-only file does not count. Raises NotReady before
        the first embedding, Stopping, and DatabaseUnavailable with the cause.
        """
        if self._stop_signal.begun:
            raise Stopping
        if not self.has_embedded:
            raise NotReady("the networks have not made an embedding yet")
        try:
            async with asyncio.timeout(_LOOK_WITHIN_S):
                found = await asyncio.wrap_future(self._watch.look())
        except TimeoutError:
            found = self._watch.latest() or Look(None, None)
        silent_s = self._watch.silent_s
        if silent_s > _SILENT_S:
            raise DatabaseUnavailable(f"the database has not answered for {silent_s:.0f} s")
        for problem in self._problems(found):
            if not (reads_only and isinstance(problem, _OF_CHANGES)):
                raise problem.with_traceback(None)

    def look(self) -> tuple[Lag | None, list[str]]:
        """Return the counts of the gallery and the codes of its problems, as far as they are known.

        Blocks for a tenth of a second at most.
        """
        look = self._watch.look_within(_LOOK_WITHIN_S)
        is_silent = self._watch.silent_s > _SILENT_S
        counts = None if look is None or is_silent else look.lag
        return counts, [problem.code for problem in self._problems(look)]

    def _problems(self, look: Look | None) -> list[DatabaseUnavailable]:
        seen = [] if look is None or look.error is None else [look.error]
        return [*seen, *self._database.storage.problems()]

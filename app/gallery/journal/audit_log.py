"""The audit log of a database: list its lines, export them, let old ones go."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from app.gallery.journal.actions import Action
from app.gallery.journal.chain import AuditKey, Line, Link
from app.gallery.records import Page
from app.gallery.retention.clock_guard import SweepMoments
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.audit_repository import LineFilter
from app.gallery.store.statements.page_cursors import decode_cursor, encode_cursor
from app.gallery.store.transaction import Collections

_EXPORTED_AT_ONCE = 1_000
_KEPT_FOR_TARGETS = timedelta(days=7)
"""How much longer lines are kept whose events are still to be delivered."""


class AuditLog:
    """All methods block."""

    def __init__(self, database: Database, key: Callable[[], AuditKey]) -> None:
        self._store = Store(database)
        self._key = key

    @read_again
    def page(self, wanted: LineFilter, *, limit: int, cursor: str | None) -> Page[Line]:
        """Return lines, newest first."""
        before = None if cursor is None else decode_cursor(cursor)
        with self._store.reading_all() as collections:
            found = collections.audit.page(wanted, before=before, limit=limit + 1)
        lines = tuple(line for _, line in found[:limit])
        more = len(found) > limit
        return Page(lines, encode_cursor(found[limit - 1][0]) if more else None)

    def newest_first(self, wanted: LineFilter) -> Iterator[Line]:
        """Yield all lines, a page at a time, so that no transaction stays open."""
        cursor: str | None = None
        while True:
            page = self.page(wanted, limit=_EXPORTED_AT_ONCE, cursor=cursor)
            yield from page.items
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def prune(self, *, kept_s: float, moments: SweepMoments | None = None) -> int:
        """Delete the lines that are older; see `prune_before`.

        `moments`: by which they are; by the system clock if not given.
        """
        moments = moments or SweepMoments.believing(datetime.now(UTC))
        kept = timedelta(seconds=kept_s)

        def due(moment: datetime) -> int:
            with self._store.reading_all() as collections:
                return collections.audit.count_older_than(moment - kept)

        if moments.trusted == moments.claimed:
            return self.prune_before(moments.claimed - kept)
        with self._store.reading_all() as collections:
            total = collections.audit.count_older_than()
        return self.prune_before(moments.moment("audit_lines", None, due, total) - kept)

    def prune_before(self, moment: datetime) -> int:
        """Delete the lines of before, and write a line that says so; return how many.

        Lines whose events a target has still to deliver are kept for another week at most.
        """
        with self._store.reading_all() as collections:
            old = collections.audit.chains_older_than(moment)
        count = 0
        for chain in old:
            with self._store.writing_all() as collections:
                audit = collections.audit
                audit.hold_head(chain)
                last = _last_to_prune(collections, chain, moment)
                if last is None:  # another process was first, or a target needs them
                    continue
                sequence, mac = last
                key = self._key()
                seal = key.seal("start", chain, sequence, mac)
                collections.targets.forget(chain, sequence)
                collections.events.forget(chain, sequence)
                gone = audit.prune(chain, Link(sequence, mac, key.id, seal))
                collections.note(
                    Action.AUDIT_PRUNED, None, of_chain=chain, up_to=sequence, lines=gone
                )
                count += gone
        return count


def _last_to_prune(
    collections: Collections, chain: int, moment: datetime
) -> tuple[int, str] | None:
    """Return the last line of a chain that may go, of those from before a moment."""
    audit = collections.audit
    last = audit.last_before(chain, moment)
    needed = collections.targets.first_needed(chain)
    if last is None or needed is None or needed > last[0]:
        return last
    oldest = audit.last_before(chain, moment - _KEPT_FOR_TARGETS)
    if oldest is not None and oldest[0] >= needed:
        return oldest
    return audit.last_before(chain, moment, below=needed)

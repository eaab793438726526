"""The audit log of a database: list its lines, export them, let old ones go."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from app.gallery.journal.actions import Action
from app.gallery.journal.chain import AuditKey, Line, Link
from app.gallery.records import Page
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.audit_repository import LineFilter
from app.gallery.store.statements.page_cursors import decode_cursor, encode_cursor

_EXPORTED_AT_ONCE = 1_000


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

    def prune(self, *, kept_s: float) -> int:
        """Delete the lines that are older, and write a line that says so; return how many."""
        moment = datetime.now(UTC) - timedelta(seconds=kept_s)
        with self._store.reading_all() as collections:
            old = collections.audit.chains_older_than(moment)
        count = 0
        for chain in old:
            with self._store.writing_all() as collections:
                audit = collections.audit
                audit.hold_head(chain)
                last = audit.last_before(chain, moment)
                if last is None:  # another process was first
                    continue
                sequence, mac = last
                key = self._key()
                seal = key.seal("start", chain, sequence, mac)
                collections.events.forget(chain, sequence)
                gone = audit.prune(chain, Link(sequence, mac, key.id, seal))
                collections.note(
                    Action.AUDIT_PRUNED, None, of_chain=chain, up_to=sequence, lines=gone
                )
                count += gone
        return count

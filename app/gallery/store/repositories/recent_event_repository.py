"""SQL of the events of a collection that are not repeated soon."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.tables import RecentEventTable

AGAIN_AFTER = timedelta(seconds=60)
"""An event about a subject at a terminal comes again after this time at the earliest."""


class RecentEventRepository(ScopedRepository):
    """What was an event lately, at which terminal, whichever process wrote it."""

    def claim(self, subjects: Iterable[str], terminal_id: str | None) -> set[str]:
        """Return the subjects that are an event now, and note that they were.

        Of several transactions at once, only one claims a subject: the others wait for its commit.
        """
        now = datetime.now(UTC)
        rows = [
            {
                "collection_number": self._collection.number,
                "subject": subject,
                "terminal_id": terminal_id or "",
                "at": now,
            }
            for subject in sorted(set(subjects))  # two writers wait for each other in one order
        ]
        if not rows:
            return set()
        insert = self._insert(RecentEventTable).values(rows)
        changed = insert.on_conflict_do_update(
            index_elements=["collection_number", "subject", "terminal_id"],
            set_={"at": insert.excluded.at},
            # Far ahead: the clock was set back.
            where=(RecentEventTable.at <= now - AGAIN_AFTER)
            | (RecentEventTable.at > now + AGAIN_AFTER),
        ).returning(RecentEventTable.subject)
        return set(self._session.scalars(changed))


def forget_recent_events(session: Session) -> None:
    """Delete what no event waits for any more, in all collections."""
    before = datetime.now(UTC) - AGAIN_AFTER
    session.execute(delete(RecentEventTable).where(RecentEventTable.at < before))

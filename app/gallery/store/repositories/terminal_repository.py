"""SQL of the people whom terminals matched lately."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select

from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.tables import IdentityTable, TerminalMatchTable

_KEY = ["collection_number", "terminal_id", "identity_number"]


class TerminalRepository(ScopedRepository):
    """The terminals of one collection, each of which remembers whom it matched."""

    def newest(self, terminal_id: str, most: int) -> dict[int, datetime]:
        """Return when the last few people were matched, by identity number, the latest first."""
        query = (
            select(TerminalMatchTable.identity_number, TerminalMatchTable.matched_at)
            .where(*self._of(terminal_id))
            .order_by(TerminalMatchTable.matched_at.desc())
            .limit(most)
        )
        return {number: at for number, at in self._session.execute(query)}  # noqa: C416

    def has_newcomers(self, terminal_id: str, identity_ids: Sequence[str], since: datetime) -> bool:
        """Return whether one of these people was not matched later than `since`."""
        lately = select(TerminalMatchTable.identity_number).where(
            *self._of(terminal_id), TerminalMatchTable.matched_at > since
        )
        newcomers = select(IdentityTable.number).where(
            self._here(IdentityTable),
            IdentityTable.id.in_(identity_ids),
            IdentityTable.number.not_in(lately),
        )
        return self._session.scalar(newcomers.limit(1)) is not None

    def of_person(self, number: int) -> list[tuple[str, datetime]]:
        """The terminals that remember a person, and when each matched them last, latest first."""
        query = (
            select(TerminalMatchTable.terminal_id, TerminalMatchTable.matched_at)
            .where(self._here(TerminalMatchTable), TerminalMatchTable.identity_number == number)
            .order_by(TerminalMatchTable.matched_at.desc())
        )
        return [(terminal, at) for terminal, at in self._session.execute(query)]

    def remember(
        self,
        terminal_id: str,
        identity_ids: Sequence[str],
        at: datetime,
        *,
        most: int,
        again_after: timedelta,
    ) -> list[str]:
        """Store the people who were matched, and delete all but the `most` latest.

        Returns the ids of those who were not matched there within `again_after`. The others stay as
        they are: of several transactions at once, only one has a person in its answer.
        """
        people = (
            select(IdentityTable.number, IdentityTable.id)
            .where(self._here(IdentityTable), IdentityTable.id.in_(identity_ids))
            .order_by(IdentityTable.number)  # two writers wait for each other in one order
            .with_for_update(read=True, key_share=True)  # no one deletes them until the commit
        )
        ids = {number: identity_id for number, identity_id in self._session.execute(people)}  # noqa: C416
        if not ids:  # all were deleted meanwhile
            return []
        rows = [
            {
                "collection_number": self._collection.number,
                "terminal_id": terminal_id,
                "identity_number": number,
                "matched_at": at,
            }
            for number in ids
        ]
        insert = self._insert(TerminalMatchTable).values(rows)
        matched_at = TerminalMatchTable.matched_at
        changed = insert.on_conflict_do_update(
            index_elements=_KEY,
            set_={"matched_at": insert.excluded.matched_at},
            # Far ahead: the clock was set back.
            where=(matched_at <= at - again_after) | (matched_at > at + again_after),
        ).returning(TerminalMatchTable.identity_number)
        numbers = set(self._session.scalars(changed))
        if numbers:
            self._forget_all_but(terminal_id, most)
        return [identity_id for number, identity_id in ids.items() if number in numbers]

    def hand_over(self, numbers: Sequence[int], to: int) -> None:
        """Have terminals remember another person, `to`, in place of these.

        Of each the latest match counts. Requires the lock on the rows of all these people.
        """
        here = self._here(TerminalMatchTable)
        theirs = TerminalMatchTable.identity_number.in_(numbers)
        terminals = select(TerminalMatchTable.terminal_id).where(here, theirs)
        latest = (
            select(TerminalMatchTable.terminal_id, func.max(TerminalMatchTable.matched_at))
            .where(
                here,
                TerminalMatchTable.identity_number.in_([*numbers, to]),
                TerminalMatchTable.terminal_id.in_(terminals),
            )
            .group_by(TerminalMatchTable.terminal_id)
        )
        rows = [
            {
                "collection_number": self._collection.number,
                "terminal_id": terminal_id,
                "identity_number": to,
                "matched_at": at,
            }
            for terminal_id, at in self._session.execute(latest)
        ]
        self._session.execute(delete(TerminalMatchTable).where(here, theirs))
        if rows:
            self._write(rows)

    def _forget_all_but(self, terminal_id: str, most: int) -> None:
        newest = (
            select(TerminalMatchTable.matched_at)
            .where(*self._of(terminal_id))
            .order_by(TerminalMatchTable.matched_at.desc())
        )
        oldest_kept = self._session.scalar(newest.offset(most - 1).limit(1))
        if oldest_kept is not None:
            self._session.execute(
                delete(TerminalMatchTable).where(
                    *self._of(terminal_id), TerminalMatchTable.matched_at < oldest_kept
                )
            )

    def _of(self, terminal_id: str) -> tuple[ColumnElement[bool], ...]:
        return (
            self._here(TerminalMatchTable),
            TerminalMatchTable.terminal_id == terminal_id,
        )

    def _write(self, rows: Sequence[dict[str, object]]) -> None:
        """Write each row with its moment, in place of the one that is there."""
        insert = self._insert(TerminalMatchTable)
        self._session.execute(
            insert.on_conflict_do_update(
                index_elements=_KEY,
                set_={"matched_at": insert.excluded.matched_at},
            ),
            rows,
        )

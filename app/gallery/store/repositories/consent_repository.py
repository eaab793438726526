"""SQL of the consents of people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update

from app.errors import ConsentNotFound
from app.gallery.people.consent_records import (
    Consent,
    ConsentBasis,
    NewConsent,
    end_of_last,
)
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.row_records import record_of
from app.gallery.store.tables import ConsentTable, IdentityTable
from app.observe.acting import actor


class ConsentRepository(ScopedRepository):
    """The consents of the people of one collection."""

    def add(self, identity: IdentityTable, new: NewConsent) -> ConsentTable:
        """Record a consent of a person, by the present actor."""
        row = ConsentTable(
            identity_number=identity.number,
            collection_number=self._collection.number,
            **consent_columns(new),
        )
        self._session.add(row)
        self._session.flush()
        self.refresh(identity)
        return row

    def get(self, identity: IdentityTable, consent_id: str) -> ConsentTable:
        """Raises ConsentNotFound."""
        query = select(ConsentTable).where(
            ConsentTable.identity_number == identity.number, ConsentTable.id == consent_id
        )
        row = self._session.scalar(query)
        if row is None:
            raise ConsentNotFound(
                f"identity {identity.id} has no consent {consent_id!r}",
                collection=self._collection.name,
                identity_id=identity.id,
            )
        return row

    def page(self, identity: IdentityTable, *, after: int, limit: int) -> Sequence[ConsentTable]:
        query = (
            select(ConsentTable)
            .where(ConsentTable.identity_number == identity.number, ConsentTable.number > after)
            .order_by(ConsentTable.number)
            .limit(limit)
        )
        return self._session.scalars(query).all()

    def of(self, identity_numbers: Sequence[int]) -> dict[int, list[Consent]]:
        """All consents of some people, by number of the person, oldest first."""
        query = (
            select(ConsentTable)
            .where(ConsentTable.identity_number.in_(identity_numbers))
            .order_by(ConsentTable.number)
        )
        found: dict[int, list[Consent]] = {}
        for row in self._session.scalars(query):
            found.setdefault(row.identity_number, []).append(record_of_consent(row))
        return found

    def withdraw(self, identity: IdentityTable, row: ConsentTable, at: datetime) -> None:
        """Note that a consent is withdrawn, by the present actor."""
        row.withdrawn_at = at
        row.withdrawn_by = actor().principal
        self._session.flush()
        self.refresh(identity)

    def refresh(self, identity: IdentityTable) -> None:
        """Store when the last consent of a person ends."""
        own = self.of([identity.number]).get(identity.number, [])
        identity.consent_until = end_of_last(own)
        self._session.flush()

    def hand_over(self, numbers: Sequence[int], to: IdentityTable) -> None:
        """Have the consents of these people be those of `to`, who they become part of."""
        self._session.execute(
            update(ConsentTable)
            .where(ConsentTable.identity_number.in_(numbers))
            .values(identity_number=to.number)
            .execution_options(synchronize_session="fetch")
        )
        self.refresh(to)


def consent_columns(new: NewConsent) -> dict[str, Any]:
    """Return the columns of a new consent, by the present actor, except those of its person."""
    now = datetime.now(UTC)
    return {
        "id": uuid4().hex,
        "purpose": new.purpose,
        "basis": new.basis.value,
        "text_version": new.text_version,
        "source": new.source,
        "given_at": new.given_at or now,
        "until": new.until,
        "withdrawn_at": None,
        "recorded_at": now,
        "recorded_by": actor().principal[:128],
        "withdrawn_by": None,
    }


def consent_rows(
    identity_number: int, collection_number: int, consents: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return columns of consents as rows of a person."""
    owner = {"identity_number": identity_number, "collection_number": collection_number}
    return [{**owner, **consent} for consent in consents]


def record_of_consent(row: ConsentTable) -> Consent:
    return record_of(Consent, row, basis=ConsentBasis(row.basis))

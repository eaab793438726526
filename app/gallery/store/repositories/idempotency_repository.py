"""SQL of the answers that are kept for requests that may come again."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import IdempotencyKeyReused
from app.gallery.store.idempotency import (
    AnsweredBeforeError,
    KeptAnswer,
    Once,
    Ticket,
    without_person,
)
from app.gallery.store.tables import IdempotencyKeyTable

ResultT = TypeVar("ResultT")


class IdempotencyRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, ticket: Ticket) -> KeptAnswer | None:
        """What was answered to this request before.

        Raises IdempotencyKeyReused when the key was sent with another request.
        """
        row = self._session.scalar(select(IdempotencyKeyTable).where(*_of(ticket)))
        if row is None:
            return None
        if row.request_sha256 != ticket.request_sha256:
            raise IdempotencyKeyReused("this Idempotency-Key was sent before with another request")
        return KeptAnswer(row.status, row.body)

    def claim(self, once: Once[ResultT] | None) -> None:
        """Take the key for this transaction, before anything else is changed.

        Another transaction with the same key is waited for. Raises AnsweredBeforeError when that,
        or an earlier one, was committed.
        """
        if once is None:
            return
        ticket = once.ticket
        values = {
            "scope": ticket.scope,
            "key_sha256": ticket.key_sha256,
            "request_sha256": ticket.request_sha256,
            "status": 0,
            "body": {},
        }
        try:
            self._session.execute(insert(IdempotencyKeyTable), values)
        except IntegrityError as error:
            raise AnsweredBeforeError from error

    def keep(
        self,
        once: Once[ResultT] | None,
        result: ResultT,
        collection_number: int,
        identity_id: str | None = None,
    ) -> None:
        """Keep the answer to `once`, and about which collection and perhaps person it is."""
        if once is None:
            return
        answer = once.answer(result)
        self._session.execute(
            update(IdempotencyKeyTable)
            .where(*_of(once.ticket))
            .values(
                status=answer.status,
                body=dict(answer.body),
                collection_number=collection_number,
                identity_id=identity_id,
            )
        )

    def redact_people(self, identity_ids: Sequence[str]) -> None:
        """Remove personal data of people who are erased from kept answers."""
        self._redact(IdempotencyKeyTable.identity_id.in_(identity_ids))

    def redact_collection(self, collection_number: int) -> None:
        self._redact(IdempotencyKeyTable.collection_number == collection_number)

    def forget(self, before: datetime) -> None:
        """Delete older answers, except those that another transaction redacts at this moment."""
        old = select(IdempotencyKeyTable).where(IdempotencyKeyTable.created_at < before)
        for row in self._session.scalars(old.with_for_update(skip_locked=True)):
            self._session.delete(row)
        self._session.flush()

    def _redact(self, condition: ColumnElement[bool]) -> None:
        # In one order, so that two who redact wait for each other; and not beside `forget`.
        rows = self._session.scalars(
            select(IdempotencyKeyTable)
            .where(condition)
            .order_by(IdempotencyKeyTable.scope, IdempotencyKeyTable.key_sha256)
            .with_for_update()
        ).all()
        for row in rows:
            row.body = without_person(row.body)
        self._session.flush()


def _of(ticket: Ticket) -> tuple[ColumnElement[bool], ...]:
    return (
        IdempotencyKeyTable.scope == ticket.scope,
        IdempotencyKeyTable.key_sha256 == ticket.key_sha256,
    )

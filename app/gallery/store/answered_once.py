"""Let a change happen once a ticket: part of the transaction that makes it."""

from typing import TypeVar

from sqlalchemy.orm import Session

from app.errors import IdempotencyKeyReused
from app.gallery.store.idempotency import KeptAnswer, Once, Ticket
from app.gallery.store.repositories.idempotency_repository import IdempotencyRepository

ResultT = TypeVar("ResultT")


def claim(session: Session, once: Once[ResultT] | None) -> None:
    """Before anything else is changed. Raises AnsweredBeforeError."""
    if once is not None:
        IdempotencyRepository(session).claim(once.ticket)


def keep(
    session: Session,
    once: Once[ResultT] | None,
    result: ResultT,
    collection_number: int,
    identity_id: str | None = None,
) -> None:
    """When it is changed: what is answered to it, and of whom that tells."""
    if once is not None:
        IdempotencyRepository(session).keep(
            once.ticket,
            once.answer(result),
            collection_number=collection_number,
            identity_id=identity_id,
        )


def kept_answer(session: Session, ticket: Ticket) -> KeptAnswer | None:
    """Raises IdempotencyKeyReused when the key was sent with another request."""
    found = IdempotencyRepository(session).find(ticket)
    if found is None:
        return None
    request_sha256, answer = found
    if request_sha256 != ticket.request_sha256:
        raise IdempotencyKeyReused("this Idempotency-Key was sent before with another request")
    return answer

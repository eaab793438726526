"""Consents of people."""

from datetime import datetime

from pydantic import Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.consent import BASIS
from app.api.schemas.parts.erasure import ErasureBody, ErasureQuery
from app.api.schemas.parts.pages import NextCursor
from app.gallery.people.consent_records import ConsentBasis, ConsentState


class WithdrawalQuery(ErasureQuery):
    confirm_erasure: bool = Field(
        False,
        description="Withdraw it also if it is the last valid consent of the person, who is erased "
        "then. Without it, such a withdrawal is refused with 409 `withdrawal_erases`.",
    )


class ConsentBody(Answer):
    id: str
    purpose: str
    basis: ConsentBasis = Field(description=BASIS)
    text_version: str | None
    source: str | None
    given_at: datetime
    until: datetime | None
    withdrawn_at: datetime | None
    recorded_at: datetime
    recorded_by: str = Field(description="Who recorded it: `principal` of the audit log.")
    withdrawn_by: str | None
    state: ConsentState = Field(description="As of this answer.")


class ConsentPage(Answer):
    consents: list[ConsentBody] = Field(validation_alias="items")
    next_cursor: NextCursor


class WithdrawalAnswer(Answer):
    """A consent that is withdrawn, and what became of the person."""

    consent: ConsentBody
    erasure: ErasureBody | None = Field(
        description="The receipt, if it was the last valid consent; null: the person stays."
    )
    held: bool = Field(
        description="A legal hold keeps the person from being erased. No search finds them any "
        "more, and they are erased when it is lifted."
    )

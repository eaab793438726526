"""A person: enrolled, or to be enrolled."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from pydantic import Field, model_validator

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.consent import ConsentObject
from app.api.schemas.parts.field_types import (
    AttributesObject,
    Flag,
    FutureMoment,
    IdentityRef,
    Schema,
    ShortText,
    Threshold,
)
from app.gallery.records import IdentityChanges, NewIdentity

OWN_THRESHOLD = (
    "Below this similarity no face matches this person, even if the search has a lower threshold. "
    "Raise it for people who are hard to distinguish: twins, look-alikes."
)

ANONYMOUS = (
    "It is only known that the faces are of one person: without a name and an external_id. "
    "Searches find them; lists and counts of people leave them out. A name makes them known, and "
    "they are deleted with their last face."
)


EITHER = "send either identity_id, or what a new person is called"


class PersonFields(Schema):
    """Fields of a person, for all bodies that describe one."""

    name: ShortText | None = Field(None, examples=["Eileen Collins"])
    external_id: ShortText | None = Field(
        None, description="Your own key; unique in the collection.", examples=["emp-1042"]
    )
    attributes: AttributesObject = Field(default_factory=dict)
    expires_at: FutureMoment | None = Field(
        None, description="From then on no face matches the person, and they are erased."
    )
    threshold: Threshold | None = Field(None, description=OWN_THRESHOLD)
    anonymous: Flag = Field(False, description=ANONYMOUS)

    def new_identity(self) -> NewIdentity:
        return NewIdentity(**{name: getattr(self, name) for name in PersonFields.model_fields})

    def changes(self) -> IdentityChanges:
        """Return the fields that were sent; those that were left out stay as they are."""
        return IdentityChanges(**{name: getattr(self, name) for name in self._sent()})

    def _sent(self) -> set[str]:
        return self.model_fields_set & PersonFields.model_fields.keys()


class NewPersonFields(PersonFields):
    """Fields of a person who is enrolled now."""

    consent: ConsentObject | None = Field(
        None,
        description="On what basis the person is kept. A collection may demand it "
        "(`people.require_consent`). In a form: as JSON text.",
    )

    def new_identity(self) -> NewIdentity:
        new = super().new_identity()
        return new if self.consent is None else replace(new, consent=self.consent.new())

    def _sent(self) -> set[str]:
        sent = super()._sent()
        return sent if self.consent is None else {*sent, "consent"}


class NewOrEnrolledBody(NewPersonFields):
    """A person: an enrolled one by `identity_id`, or what a new one is called."""

    identity_id: IdentityRef | None = None

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.identity_id is not None and self.describes_a_new_person:
            raise ValueError(EITHER)
        return self

    @property
    def describes_a_new_person(self) -> bool:
        return bool(self._sent())

    def who(self) -> NewIdentity | str:
        return self.new_identity() if self.identity_id is None else self.identity_id


class IdentityBody(Answer):
    id: str
    external_id: str | None
    name: str | None
    attributes: dict[str, Any]
    face_count: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    threshold: float | None = Field(description=OWN_THRESHOLD)
    anonymous: bool = Field(description=ANONYMOUS)
    consent_until: datetime | None = Field(
        description="When the last consent ends, which has the effect of `expires_at`; null: it "
        "has no end, or there is none."
    )
    revision: int = Field(
        description="Of the collection when this was read, or written. As `min_revision` of a "
        "search it makes sure that the search sees this."
    )


class HoldBody(Answer):
    """A legal hold: as long as it is there, the person is not erased, and loses no face."""

    reason: str
    principal: str = Field(description="Who set it, as in the audit log.")
    since: datetime


class ShownIdentityBody(IdentityBody):
    """A person, with what stands in the way of erasing them."""

    hold: HoldBody | None = Field(description="Null: the person is not under a legal hold.")

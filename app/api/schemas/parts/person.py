"""A person: enrolled, or to be enrolled."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field, model_validator

from app.api.schemas.parts.field_types import (
    AttributesObject,
    FutureMoment,
    IdentityRef,
    Schema,
    ShortText,
    Threshold,
)
from app.gallery.records import (
    Identity,
    NewIdentity,
)

OWN_THRESHOLD = (
    "Below this similarity nobody is taken for this person, whatever a search asks for. Raise it "
    "for people who are hard to tell apart: twins, look-alikes."
)


EITHER = "send either identity_id, or what a new person is called"


class NewOrEnrolledBody(Schema):
    """A person: an enrolled one by `identity_id`, or what a new one is called."""

    identity_id: IdentityRef | None = None
    name: ShortText | None = None
    external_id: ShortText | None = None
    attributes: AttributesObject = Field(default_factory=dict)
    expires_at: FutureMoment | None = None
    threshold: Threshold | None = Field(None, description=OWN_THRESHOLD)

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.identity_id is not None and self.describes_a_new_person:
            raise ValueError(EITHER)
        return self

    @property
    def describes_a_new_person(self) -> bool:
        of_a_new_person = {"name", "external_id", "attributes", "expires_at", "threshold"}
        return bool(self.model_fields_set & of_a_new_person)

    def who(self) -> NewIdentity | str:
        if self.identity_id is not None:
            return self.identity_id
        return NewIdentity(
            self.name, self.external_id, self.attributes, self.expires_at, self.threshold
        )


class IdentityBody(BaseModel):
    id: str
    external_id: str | None
    name: str | None
    attributes: dict[str, Any]
    face_count: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    threshold: float | None = Field(description=OWN_THRESHOLD)
    revision: int = Field(
        description="Of the collection when this was read, or written. As `min_revision` of a "
        "search it makes sure that the search sees this."
    )

    @classmethod
    def of(cls, identity: Identity) -> "IdentityBody":
        return cls(
            id=identity.id,
            external_id=identity.external_id,
            name=identity.name,
            attributes=dict(identity.attributes),
            face_count=identity.face_count,
            created_at=identity.created_at,
            updated_at=identity.updated_at,
            expires_at=identity.expires_at,
            threshold=identity.threshold,
            revision=identity.revision,
        )

"""Identities: the people of a collection."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AliasPath, ConfigDict, Field, model_validator

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.corrections import CollapsedFace, Count, IfRevision
from app.api.schemas.parts.enrolment import EnrollFields
from app.api.schemas.parts.erasure import ErasureBody, ErasureQuery
from app.api.schemas.parts.field_types import (
    Flag,
    IdentityRef,
    ImageList,
    Moment,
    QualityScore,
    Schema,
    ShortText,
)
from app.api.schemas.parts.pages import NextCursor, NumberedPageQuery, TotalCount
from app.api.schemas.parts.people_filter import (
    BY_NAME,
    Anonymous,
    ConditionsText,
    FilterObject,
    conditions_of,
)
from app.api.schemas.parts.person import (
    IdentityBody,
    NewPersonFields,
    PersonFields,
    ShownIdentityBody,
)
from app.gallery.people.consent_records import ConsentFilter
from app.gallery.records import IdentityFilter


class IdentityQuery(NumberedPageQuery):
    external_id: ShortText | None = Field(None, description="Exactly this one.")
    name: ShortText | None = Field(None, description="Exactly this one.")
    any_case: Flag = Field(
        False,
        description="`name` and `external_id` match also where only the case differs: `ADA` finds "
        "Ada, and `muller` does not find Müller.",
    )
    external_id_prefix: ShortText | None = Field(
        None, description="Begins so; case and accents do not count."
    )
    name_prefix: ShortText | None = Field(
        None,
        description="Begins so; case and accents do not count: `muller` finds Müller.",
        examples=["muller"],
    )
    q: ShortText | None = Field(
        None, description="The name or the external_id begins so; case and accents do not count."
    )

    attributes: ConditionsText | None = Field(
        None,
        description="A JSON object, as `attributes` of the `filter` of identify. " + BY_NAME,
        examples=['{"site": "berlin"}', '{"phone": {"suffix": "4711"}}'],
    )
    expires_before: Moment | None = Field(
        None,
        description="`expires_at` or `consent_until` is earlier; people without any are left out.",
    )

    held: Flag | None = Field(
        None, description="True: people under a legal hold alone; false: those without."
    )
    consent: ConsentFilter | None = Field(
        None,
        description="`missing`: people without a valid consent, as who was enrolled before the "
        "collection demanded one; `valid`: those with one.",
    )

    anonymous: Anonymous | None = Field(
        None,
        description="Anonymous people: as all others, left out, or alone. Without it they are left "
        "out, except with `held`, `consent` or `expires_before`, which concern everybody.",
    )

    @property
    def _anonymous(self) -> Anonymous:
        if self.anonymous is not None:
            return self.anonymous
        concerns_all = (self.held, self.consent, self.expires_before) != (None, None, None)
        return Anonymous.INCLUDE if concerns_all else Anonymous.EXCLUDE

    def wanted(self) -> IdentityFilter:
        return IdentityFilter(
            external_id=self.external_id,
            name=self.name,
            any_case=self.any_case,
            external_id_prefix=self.external_id_prefix,
            name_prefix=self.name_prefix,
            prefix=self.q,
            conditions=conditions_of(self.attributes or {}),
            expires_before=self.expires_before,
            held=self.held,
            consent=self.consent,
            anonymous=self._anonymous.wanted,
        )


class EnrollBody(NewPersonFields, EnrollFields):
    """A person and photos of them, one face a photo."""

    images: ImageList = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_a_face_if_anonymous(self) -> Self:
        if self.anonymous and not self.images:
            raise ValueError("anonymous people need images: without a face nothing is known")
        return self


class PatchIdentityBody(PersonFields):
    """Fields that are left out stay as they are; null empties one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Eileen M. Collins", "external_id": None}]}
    )

    if_revision: IfRevision = None


class BestFaceBody(Answer):
    id: str
    quality: QualityScore | None
    has_crop: bool = Field(description="A crop of it is kept, which `GET .../crop` returns.")


class ListedIdentityBody(ShownIdentityBody):
    """A person in a list, with what a page needs to show them without asking for their faces."""

    best_face: BestFaceBody | None = Field(
        validation_alias=AliasPath("faces", "best_face"),
        description="The face with the highest quality; null without any face.",
    )
    forced_face_count: int = Field(
        validation_alias=AliasPath("faces", "forced_face_count"),
        description="Faces enrolled although a guard advised against it.",
    )


class IdentityPage(Answer):
    identities: list[ListedIdentityBody] = Field(validation_alias="items")
    next_cursor: NextCursor
    total_count: TotalCount


class MergeBody(Schema):
    """People who are one person."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"into": "ext:emp-1042", "from": ["ext:emp-2042"], "if_revision": 17}]
        }
    )

    into: IdentityRef = Field(description="Who stays: an id, or `ext:` and an external_id.")
    sources: Annotated[list[IdentityRef], Field(fail_fast=True)] = Field(
        alias="from",
        min_length=1,
        max_length=100,
        description="Who becomes part of them, and is gone afterwards.",
    )
    if_revision: IfRevision = None


class MergedPersonBody(Answer):
    """A person who became part of `identity`, as they were last. Their external_id is free again
    unless `identity` has it now."""

    identity_id: str
    name: str | None
    external_id: str | None


class MergeAnswer(Answer):
    """The receipt of a merge."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.MERGE]})

    identity: IdentityBody
    merged: list[MergedPersonBody]
    moved_face_ids: list[str] = Field(description="Faces that are `identity`'s now.")
    collapsed: list[CollapsedFace]
    merged_at: datetime


class DeletePeopleBody(Schema):
    """People to delete. Without `confirm_count` they are only counted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"filter": {"attributes": {"site": "berlin"}}, "confirm_count": 12}]
        }
    )

    filter: FilterObject
    confirm_count: Count | None = Field(
        None,
        description="The `count` that was answered without it. Refused with 409 `count_changed` "
        "when the filter finds another number of people by now.",
    )
    if_revision: IfRevision = None
    compact: Flag = Field(
        False, description="Overwrite at once what files still hold of it, as in `DELETE`."
    )

    @property
    def changes_nothing(self) -> bool:
        """Return whether people are only counted; an `Idempotency-Key` is ignored then."""
        return self.confirm_count is None


class DeletePersonQuery(ErasureQuery):
    keep_faces: Flag = Field(
        False,
        description="Keep the faces: each gets an anonymous person of its own, to which it "
        "belongs until it is assigned to somebody.",
    )


class DeletePeopleAnswer(Answer):
    """The number of people whom a filter finds, and the receipt when they were deleted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"count": 12, "face_count": 30, "revision": 17, "receipt": None}]
        }
    )

    count: int = Field(
        validation_alias=AliasPath("found", "people"),
        description="People whom the filter finds, or found.",
    )
    face_count: int = Field(validation_alias=AliasPath("found", "faces"))
    revision: int = Field(
        validation_alias=AliasPath("found", "revision"), description="Of the collection."
    )
    receipt: ErasureBody | None = Field(
        validation_alias="erasure",
        description="Null: nothing was deleted; send `count` as `confirm_count`.",
    )

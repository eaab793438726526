"""Bodies and answers of corrections: merge, move, delete by a filter."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.api.schemas import examples
from app.api.schemas.fields import (
    IdentityRef,
    Schema,
    no_truth,
)
from app.api.schemas.filters import FilterObject
from app.api.schemas.gallery import EITHER, ErasureBody, FaceBody, IdentityBody, NewOrEnrolledBody
from app.gallery.people.correction_records import Collapsed, Merged, MovedFace, PeopleDeletion

_Revision = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(no_truth)]
_Count = Annotated[int, Field(ge=0, le=2**31 - 1), BeforeValidator(no_truth)]
IfRevision = Annotated[
    _Revision | None,
    Field(
        description="A `revision` that you read. Refused with 409 `revision_conflict` when one of "
        "the people concerned, or their faces, changed after it.",
    ),
]


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


class CollapsedFace(BaseModel):
    """A face of the same picture as another one of the person; one of the two is kept."""

    face_id: str = Field(description="Erased.")
    kept_face_id: str

    @classmethod
    def of(cls, collapsed: Collapsed) -> "CollapsedFace":
        return cls(face_id=collapsed.face_id, kept_face_id=collapsed.kept_face_id)


class MergedPersonBody(BaseModel):
    """Somebody who is gone, as they were last; their external_id is free again unless
    `identity` has it now."""

    identity_id: str
    name: str | None
    external_id: str | None


class MergeAnswer(BaseModel):
    """The receipt of a merge."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.MERGE]})

    identity: IdentityBody
    merged: list[MergedPersonBody]
    moved_face_ids: list[str] = Field(description="Faces that are `identity`'s now.")
    collapsed: list[CollapsedFace]
    merged_at: datetime

    @classmethod
    def of(cls, done: Merged) -> Self:
        return cls(
            identity=IdentityBody.of(done.identity),
            merged=[
                MergedPersonBody(
                    identity_id=gone.identity_id, name=gone.name, external_id=gone.external_id
                )
                for gone in done.merged
            ],
            moved_face_ids=list(done.moved_face_ids),
            collapsed=[CollapsedFace.of(one) for one in done.collapsed],
            merged_at=done.merged_at,
        )


class MoveFaceBody(NewOrEnrolledBody):
    """Whose a face is: somebody's by `identity_id`, or a new person's."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"identity_id": "ext:emp-1042"}]})

    force: bool = Field(
        False, description="Move it also when the guards refuse it there; noted on the face."
    )
    if_revision: IfRevision = None

    @model_validator(mode="after")
    def _somebody_or_a_new_person(self) -> Self:
        if self.identity_id is None and not self.describes_a_new_person:
            raise ValueError(EITHER)
        return self


class MoveFaceAnswer(BaseModel):
    """The receipt of a move."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.MOVE]})

    face: FaceBody
    identity: IdentityBody = Field(description="Whose the face is now.")
    previous: IdentityBody = Field(
        description="Whose it was; they stay, also without a face. The same person if it was "
        "`identity`'s already."
    )
    collapsed: list[CollapsedFace] = Field(
        description="When `identity` had the same picture: `face` is the one that is kept."
    )

    @classmethod
    def of(cls, done: MovedFace) -> Self:
        return cls(
            face=FaceBody.of(done.face),
            identity=IdentityBody.of(done.identity),
            previous=IdentityBody.of(done.previous),
            collapsed=[CollapsedFace.of(one) for one in done.collapsed],
        )


class DeletePeopleBody(Schema):
    """Whom to delete. Without `confirm_count` they are only counted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"filter": {"attributes": {"site": "berlin"}}, "confirm_count": 12}]
        }
    )

    filter: FilterObject
    confirm_count: _Count | None = Field(
        None,
        description="The `count` that was answered without it. Refused with 409 `count_changed` "
        "when the filter finds another number of people by now.",
    )
    if_revision: IfRevision = None
    compact: bool = Field(
        False, description="Overwrite at once what files still hold of it, as in `DELETE`."
    )


class DeletePeopleAnswer(BaseModel):
    """How many people a filter finds, and the receipt when they were deleted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"count": 12, "face_count": 30, "revision": 17, "receipt": None}]
        }
    )

    count: int = Field(description="People whom the filter finds, or found.")
    face_count: int
    revision: int = Field(description="Of the collection.")
    receipt: ErasureBody | None = Field(
        description="Null: nothing was deleted; send `count` as `confirm_count`."
    )

    @classmethod
    def of(cls, done: PeopleDeletion) -> Self:
        return cls(
            count=done.found.people,
            face_count=done.found.faces,
            revision=done.found.revision,
            receipt=None if done.erasure is None else ErasureBody.of(done.erasure),
        )

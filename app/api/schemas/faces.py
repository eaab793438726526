"""Faces: the enrolled examples of a person."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.corrections import CollapsedFace, IfRevision
from app.api.schemas.parts.enrolment import EnrollFields
from app.api.schemas.parts.erasure import ErasureBody
from app.api.schemas.parts.field_types import (
    BoxArray,
    Flag,
    IdentityRef,
    ImageList,
    QualityScore,
    RecordId,
    Schema,
)
from app.api.schemas.parts.pages import NextCursor, NumberedPageQuery, TotalCount
from app.api.schemas.parts.people_filter import Anonymous
from app.api.schemas.parts.person import EITHER, IdentityBody, NewOrEnrolledBody
from app.gallery.people.face_deletion import MOST_FACES
from app.gallery.records import FaceFilter


class AddFacesBody(EnrollFields):
    """More photos of a person."""

    images: ImageList = Field(min_length=1)


class FaceBody(Answer):
    id: str
    identity_id: str
    box: BoxArray | None
    detection_score: float | None
    quality: QualityScore | None
    image_sha256: str | None
    image_id: str | None = Field(
        description="The id of the photo, a UUID that follows from `image_sha256`: the same for "
        "all faces of one file."
    )
    image_width: int | None = Field(
        description="Of the upright photo, in pixels, as `box`; null where it is not known: of "
        "embeddings that were sent, and of faces from before it was kept."
    )
    image_height: int | None
    image_label: str | None = Field(description="As it was sent with the photo.")
    forced: bool = Field(description="Enrolled although a guard advised against it.")
    has_crop: bool = Field(description="A crop of it is kept, which `GET .../crop` returns.")
    created_at: datetime


class FacePage(Answer):
    faces: list[FaceBody] = Field(validation_alias="items")
    next_cursor: NextCursor


class FacesQuery(NumberedPageQuery):
    """Which faces of a collection to list; all that is given must hold."""

    identity_id: list[IdentityRef] = Field(
        default_factory=list,
        max_length=100,
        description="Of these people alone: ids, or `ext:` and an external_id. May come several "
        "times.",
    )
    face_id: list[RecordId] = Field(
        default_factory=list,
        max_length=100,
        description="These faces alone, as far as they are there. May come several times.",
    )
    anonymous: Anonymous = Field(
        Anonymous.INCLUDE,
        description="Faces of anonymous people: as all others, left out, or alone.",
    )

    def wanted(self) -> FaceFilter:
        return FaceFilter(
            tuple(self.identity_id) or None,
            tuple(self.face_id) or None,
            self.anonymous.wanted,
        )


class OwnerBody(Answer):
    """Who has a face."""

    id: str
    name: str | None
    external_id: str | None


class OwnedFaceBody(FaceBody):
    identity: OwnerBody


class OwnedFacePage(Answer):
    faces: list[OwnedFaceBody] = Field(validation_alias="items")
    next_cursor: NextCursor
    total_count: TotalCount


class DeleteFacesBody(Schema):
    """Faces to delete, of any people."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"face_ids": [examples.FACE_ID]}]})

    face_ids: Annotated[list[RecordId], Field(fail_fast=True)] = Field(
        min_length=1, max_length=MOST_FACES
    )
    compact: Flag = Field(
        False, description="Overwrite at once what files still hold of them, as in `DELETE`."
    )


class DeletedFaceBody(Answer):
    face_id: str
    identity: OwnerBody


class KeptFaceBody(Answer):
    """A face that was not deleted, and why."""

    face_id: str
    code: Literal["face_not_found", "person_held"] = Field(
        description="`face_not_found`: the collection has no such face; `person_held`: its owner "
        "is under a legal hold."
    )
    identity: OwnerBody | None = Field(description="Its owner; null for `face_not_found`.")


class DeleteFacesAnswer(Answer):
    """What became of each face, in the order of the request; an id that came twice is here once."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.FACES_DELETION]})

    deleted: list[DeletedFaceBody]
    kept: list[KeptFaceBody]
    receipt: ErasureBody | None = Field(
        validation_alias="erasure", description="Null: all of them stayed."
    )


class MoveFaceBody(NewOrEnrolledBody):
    """The person of a face: an enrolled one by `identity_id`, or a new one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"identity_id": "ext:emp-1042"}]})

    force: bool = Field(
        False, description="Move it also when the guards refuse it there; noted on the face."
    )
    if_revision: IfRevision = None

    @model_validator(mode="after")
    def _an_enrolled_or_a_new_person(self) -> Self:
        if self.identity_id is None and not self.describes_a_new_person:
            raise ValueError(EITHER)
        return self


class MoveFaceAnswer(Answer):
    """The receipt of a move."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.MOVE]})

    face: FaceBody
    identity: IdentityBody = Field(description="The person who has the face now.")
    previous: IdentityBody = Field(
        description="The person who had the face; they stay, even without any, unless they are "
        "anonymous. The same person if `identity` had it already."
    )
    collapsed: list[CollapsedFace] = Field(
        description="When `identity` had the same picture: `face` is the one that is kept."
    )

"""Faces: the enrolled examples of a person."""

from datetime import datetime
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.corrections import CollapsedFace, IfRevision
from app.api.schemas.parts.enrolment import EnrollFields
from app.api.schemas.parts.field_types import BoxArray, ImageList, QualityScore
from app.api.schemas.parts.pages import NextCursor
from app.api.schemas.parts.person import EITHER, IdentityBody, NewOrEnrolledBody


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
    forced: bool = Field(description="Enrolled although a guard advised against it.")
    has_crop: bool = Field(description="A crop of it is kept, which `GET .../crop` returns.")
    created_at: datetime


class FacePage(Answer):
    faces: list[FaceBody] = Field(validation_alias="items")
    next_cursor: NextCursor


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
        description="The person who had the face; they stay, even without any. The same "
        "person if `identity` had it already."
    )
    collapsed: list[CollapsedFace] = Field(
        description="When `identity` had the same picture: `face` is the one that is kept."
    )

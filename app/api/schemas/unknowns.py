"""The inbox of unknown faces."""

from datetime import datetime
from typing import Annotated

from pydantic import AliasPath, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer, attributes_of
from app.api.schemas.parts.field_types import (
    BoxArray,
    IdentityRef,
    ImageBytes,
    RecordId,
    Schema,
    ShownFrom,
    Similarity,
    Threshold,
    TopK,
)
from app.api.schemas.parts.pages import NextCursor, PageQuery
from app.api.schemas.parts.person import NewOrEnrolledBody
from app.api.schemas.parts.photo_faces import DetectedFaceBody, PhotoAnswer
from app.api.schemas.parts.remains import COMPACTED, REMAINS, RemainsList
from app.gallery.unknowns.unknown_records import GroupOrder

FaceIds = Annotated[list[RecordId], Field(fail_fast=True, min_length=1, max_length=1_000)]


class UnknownQuery(PageQuery):
    order: GroupOrder = Field(
        GroupOrder.NEWEST, description="`newest`: seen last; `largest`: seen most often."
    )
    min_count: int = Field(
        1, ge=1, le=2**31 - 1, description="Groups that were seen at least so often."
    )


class NameUnknownBody(NewOrEnrolledBody):
    """The person of a group: a new one, or by `identity_id` one who is enrolled."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Eileen Collins", "external_id": "emp-1042"}]}
    )

    identity_id: IdentityRef | None = Field(None, description="Add the faces to this person.")
    face_ids: FaceIds | None = Field(
        None, description="Only these; the others stay in the group. All of them if left out."
    )


class MergeUnknownsBody(Schema):
    """Groups that are one person."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"group_ids": [examples.FACE_ID, examples.GROUP_ID]}]}
    )

    group_ids: Annotated[list[RecordId], Field(fail_fast=True, min_length=2, max_length=100)]


class SplitUnknownBody(Schema):
    """Faces of another person."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"face_ids": [examples.FACE_ID]}]})

    face_ids: FaceIds


class NewestFaceBody(Answer):
    id: str
    has_crop: bool = Field(description="A crop of it is kept, which `GET .../crop` returns.")


class UnknownGroupBody(Answer):
    """Faces that are likely of one person."""

    id: str
    seen_count: int = Field(description="How often it was seen, also by faces no longer kept.")
    face_count: int = Field(description="Faces that are kept.")
    first_seen_at: datetime
    last_seen_at: datetime
    newest_face: NewestFaceBody | None = Field(
        description="The face that was seen last, to show the group by."
    )


class UnknownGroupPage(Answer):
    groups: list[UnknownGroupBody] = Field(validation_alias="items")
    next_cursor: NextCursor


class UnknownFaceBody(Answer):
    """One sighting. The photo is not kept; its SHA-256 finds it among your own."""

    id: str
    seen_at: datetime
    terminal_id: str | None
    box: BoxArray | None
    detection_score: float | None
    image_sha256: str = Field(description="Of the photo, or of an embedding that had none.")
    similarity: Similarity | None = Field(
        description="To the person who was most alike then; null when no person was enrolled, and "
        "below `shown_from`."
    )
    nearest_identity_id: str | None = Field(
        description="This person; null when erased since, and below `shown_from`."
    )
    shown_from: ShownFrom
    has_crop: bool = Field(description="A crop of it is kept, which `GET .../crop` returns.")


class UnknownGroupAnswer(UnknownGroupBody):
    faces: list[UnknownFaceBody] = Field(description="Those that are kept, oldest first.")


class SearchUnknownsBody(Schema):
    """A photo of somebody who may be in the inbox."""

    image: ImageBytes
    top_k: TopK = Field(5, description="Most groups a face.")
    max_faces: int = Field(1, ge=1, le=100, description="Most faces, largest first.")


class AlikeGroupBody(UnknownGroupBody):
    model_config = ConfigDict(alias_generator=attributes_of("group"))

    similarity: Similarity = Field(
        validation_alias="similarity", description="To the most alike of its faces."
    )


class FaceAmongUnknownsBody(DetectedFaceBody):
    threshold: Threshold | None = Field(
        validation_alias=AliasPath("alike", "threshold"),
        description="Faces of the inbox that are so alike are grouped; null where none was kept.",
    )
    groups: list[AlikeGroupBody] = Field(
        validation_alias=AliasPath("alike", "groups"),
        description="Most alike first; those below `shown_from` are left out.",
    )
    shown_from: ShownFrom


class SearchUnknownsAnswer(PhotoAnswer):
    faces: list[FaceAmongUnknownsBody] = Field(description="Largest first.")


class UnknownErasureBody(Answer):
    """The receipt of a dismissal."""

    receipt_id: str = Field(description="Of its line in the audit log.")
    collection: str
    group_ids: list[str] = Field(description="The group, if nothing of it is left.")
    face_ids: list[str]
    erased_at: datetime
    compacted: bool = Field(description=COMPACTED)
    remains: RemainsList = Field(None, description=REMAINS)
    crop_count: int = Field(description="Of how many of the faces a crop was kept, and erased.")

"""Enrolment of every face of a photo, each as an anonymous person; and its answer."""

from pydantic import AliasPath, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import attributes_of
from app.api.schemas.parts.consent import ConsentObject
from app.api.schemas.parts.detection import DetectionFields
from app.api.schemas.parts.field_types import (
    AttributesObject,
    FutureMoment,
    ImageBytes,
    QualityLevel,
    QualityScore,
    ShortText,
)
from app.api.schemas.parts.photo_faces import DetectedFaceBody, ModelBody, PhotoAnswer
from app.gallery.records import NewIdentity
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.policy.face_rules import QualityFilter


class EnrollFacesBody(DetectionFields):
    """A photo whose faces are enrolled; the person of each is given the same fields."""

    image: ImageBytes
    max_faces: int | None = Field(
        None,
        ge=1,
        le=1_000,
        description="Enroll this many faces at most, the largest of those that are good enough. "
        "More than the server's own limit (`max_faces` of GET /v1/info) is refused.",
    )
    quality_filter: QualityLevel = QualityFilter.AUTO
    image_label: ShortText | None = Field(
        None, description="What you call the photo, kept with its faces."
    )
    attributes: AttributesObject = Field(default_factory=dict)
    expires_at: FutureMoment | None = None
    consent: ConsentObject | None = Field(
        None,
        description="On what basis the people of the photo are kept; as for a person. In a form: "
        "as JSON text.",
    )

    def new_identity(self) -> NewIdentity:
        return NewIdentity(
            attributes=self.attributes,
            expires_at=self.expires_at,
            consent=None if self.consent is None else self.consent.new(),
            anonymous=True,
        )

    def options(self) -> EnrollOptions:
        return EnrollOptions(
            quality_filter=self.quality_filter,
            detection=self.detection(),
            image_label=self.image_label,
        )


class FaceOfPhotoBody(DetectedFaceBody):
    model_config = ConfigDict(alias_generator=attributes_of("face"))

    face_id: str = Field(validation_alias=AliasPath("enrolled", "id"))
    identity_id: str = Field(
        validation_alias=AliasPath("identity", "id"),
        description="The anonymous person that has the face alone; of a face that was enrolled "
        "before; it may be another person's by now.",
    )
    anonymous: bool = Field(validation_alias=AliasPath("identity", "anonymous"))
    quality: QualityScore = Field(validation_alias=AliasPath("quality", "unified"))
    already_enrolled: bool = Field(
        description="The face was enrolled before, from this very photo with the same "
        "`image_label`."
    )


class LeftOutFaceBody(DetectedFaceBody):
    quality: QualityScore | None = Field(
        validation_alias="unified",
        description="Null beyond the server's limit of faces, where it is not measured.",
    )
    reasons: list[str] = Field(
        description="What it lacks of `quality_filter`, or `beyond_limit`: others are larger, and "
        "`max_faces` or the server's own limit allows no more.",
        examples=[["low_sharpness"]],
    )
    detail: str | None = Field(
        description="The reasons as a text that says values and remedies; null for `beyond_limit`."
    )


class EnrollFacesAnswer(PhotoAnswer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.FACES_ENROLMENT]})

    image_id: str = Field(description="The id of the photo, as its faces have it.")
    faces: list[FaceOfPhotoBody] = Field(
        description="Those in the collection now, largest first, whether enrolled now or before."
    )
    left_out: list[LeftOutFaceBody] = Field(description="The others, largest first.")
    model: ModelBody

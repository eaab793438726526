"""Problem details, RFC 9457."""

from pydantic import Field, ValidationInfo, model_validator

from app.api.remedies import HTTP
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import BoxArray
from app.errors import RejectedImage


class SeenFace(Answer):
    box: BoxArray
    detection_score: float = Field(description="Probability of a face, 0 to 1.")


class ResemblanceBody(Answer):
    """The person whom a refused face was compared with.

    For `belongs_to_another_identity`, the face looks like this person. For `low_match_confidence`,
    it does not; there are no ids when it was compared with the other photos of the request alone.
    """

    identity_id: str | None
    name: str | None
    external_id: str | None
    similarity: float | None = Field(
        description="Cosine, -1 to 1. Null where it is withheld: see `shown_from` of a decision."
    )
    threshold: float = Field(description="The limit that the similarity was compared with.")


class RejectedImageBody(Answer):
    """An image that was not used, and why."""

    image_index: int | None = Field(
        description="Place in the request, from 0; null for an embedding of a batch."
    )
    embedding_index: int | None = Field(
        None, description="Place among the embeddings of a line of a batch, from 0."
    )
    reasons: list[str] = Field(description="Stable codes.", examples=[["several_faces"]])
    detail: str
    faces: list[SeenFace] = Field(description="Faces found in it, largest first.")
    resemblance: ResemblanceBody | None = Field(None, description="When a guard refused it.")

    @model_validator(mode="before")
    @classmethod
    def _with_remedy(cls, image: object, info: ValidationInfo) -> object:
        """Word an image for its reader, whose remedies are the context."""
        if not isinstance(image, RejectedImage):
            return image
        remedies = info.context or HTTP
        return {
            "image_index": image.image_index,
            "embedding_index": image.embedding_index,
            "reasons": image.reasons,
            "detail": remedies.detail_of_image(image),
            "faces": [{"box": box, "detection_score": score} for box, score in image.faces],
            "resemblance": image.resemblance,
        }


class FieldProblemBody(Answer):
    field: str
    message: str


class ImageProblemBody(Answer):
    """The problem of one image of several: the same as if the image had been sent alone."""

    type: str = Field(examples=["urn:vultus:problem:no_face"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["no_face"])
    request_id: str = Field(description="Also in the x-request-id header and in the log.")


class ProblemBody(ImageProblemBody):
    """A problem. `code` is stable; `detail` is the fact and the remedy, for people to read."""

    errors: list[FieldProblemBody] | None = Field(None, description="Fields that are wrong.")
    rejected: list[RejectedImageBody] | None = Field(None, description="Images not used.")
    missing_right: str | None = Field(
        None, description="The right that the key lacks.", examples=["enroll"]
    )

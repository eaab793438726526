"""Problem details, RFC 9457."""

from pydantic import BaseModel, Field

from app.api.schemas.fields import BoxArray
from app.errors import FieldProblem, RejectedImage


class SeenFace(BaseModel):
    box: BoxArray
    detection_score: float = Field(description="Probability of a face, 0 to 1.")


class RejectedImageBody(BaseModel):
    """An image that was not used, and why."""

    image_index: int = Field(description="Place in the request, from 0.")
    reasons: list[str] = Field(description="Stable codes.", examples=[["several_faces"]])
    detail: str
    faces: list[SeenFace] = Field(description="Faces found in it, largest first.")

    @classmethod
    def of(cls, image: RejectedImage) -> "RejectedImageBody":
        return cls(
            image_index=image.image_index,
            reasons=list(image.reasons),
            detail=image.detail,
            faces=[SeenFace(box=box, detection_score=score) for box, score in image.faces],
        )


class FieldProblemBody(BaseModel):
    field: str
    message: str

    @classmethod
    def of(cls, problem: FieldProblem) -> "FieldProblemBody":
        return cls(field=problem.field, message=problem.message)


class ProblemBody(BaseModel):
    """What went wrong. `code` is stable; `detail` says the fact and the remedy, for people."""

    type: str = Field(examples=["urn:vultus:problem:no_face"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["no_face"])
    request_id: str = Field(description="Also in the x-request-id header and in the log.")
    errors: list[FieldProblemBody] | None = Field(None, description="Fields that are wrong.")
    rejected: list[RejectedImageBody] | None = Field(None, description="Images not used.")

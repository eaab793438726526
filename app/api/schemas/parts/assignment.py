"""Faces that are assigned to a person, or released."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import (
    ErrorRate,
    Flag,
    RecordId,
    Schema,
    Similarity,
    Threshold,
    require_one_at_most,
)
from app.api.schemas.parts.person import IdentityBody
from app.gallery.people.assignment_records import FaceOutcome
from app.operations.face_assigner import AssignOptions

_MOST_FACES = 100
"""Faces of one request: other writers wait meanwhile."""


class ReleaseFacesBody(Schema):
    """Faces by their ids; one that comes twice counts once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"face_ids": [examples.FACE_ID]}]})

    face_ids: Annotated[list[RecordId], Field(fail_fast=True)] = Field(
        min_length=1, max_length=_MOST_FACES
    )


class AssignFacesBody(ReleaseFacesBody):
    """Faces by their ids, and how like the person they must be, once the person has a face."""

    threshold: Threshold | None = Field(
        None, description="Least similarity to the person's template."
    )
    target_fmr: ErrorRate | None = Field(
        None,
        description="Instead of `threshold`: the share of strangers who may be as like the person. "
        "With neither, that of verify.",
        examples=[1e-4],
    )
    force: Flag = Field(
        False, description="Assign faces that are less alike, too; noted on the face."
    )
    most_faces: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Refuse it with 409 `too_many_faces` if the person would have more than these.",
    )

    @model_validator(mode="after")
    def _threshold_or_rate(self) -> Self:
        require_one_at_most(self, "threshold", "target_fmr")
        return self

    @property
    def names_a_threshold(self) -> bool:
        """Return whether the caller chose what the outcomes say of the similarities."""
        return self.threshold is not None or self.target_fmr is not None

    def options(self) -> AssignOptions:
        return AssignOptions(self.threshold, self.target_fmr, self.force, self.most_faces)


class AssignedFaceBody(Answer):
    """What became of a face."""

    face_id: str
    outcome: FaceOutcome = Field(
        description="`assigned`, `released`: done. `already_assigned`, `not_assigned`: it was so "
        "before. `face_not_found`. `of_another_person`: only faces of anonymous people are "
        "assigned; `:move` gives a person's face to another one. `same_picture`: the person has a "
        "face of this picture. `low_match_confidence`: it is not like the person."
    )
    identity_id: str | None = Field(description="Who has the face now; null for `face_not_found`.")
    similarity: Similarity | None = Field(
        description="To the person's template; null where it was not compared, or is withheld."
    )
    threshold: float | None = Field(description="What the similarity was held against.")


class AssignmentAnswer(Answer):
    """The person, and what became of each face, in the order of the request."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ASSIGNMENT]})

    identity: IdentityBody
    faces: list[AssignedFaceBody]

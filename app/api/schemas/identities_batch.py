"""Lines of a batch: people to enroll, and what became of them."""

from typing import Annotated

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from app.api.bodies.base64_text import decode_base64
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.enrolment import PassedOverBody, PhotoRules
from app.api.schemas.parts.field_types import MAX_DIMENSION, ImageList, QualityLevel
from app.api.schemas.parts.person import NewPersonFields
from app.api.schemas.parts.problem_bodies import RejectedImageBody
from app.operations.enroll.batch_enroller import BatchItem, ItemStatus
from app.operations.enroll.enroll_options import EnrollOptions

_MAX_EMBEDDING_TEXT = MAX_DIMENSION * 6
"""Characters: 4 bytes of a number are 5.3 of base64, and there may be white space."""


def _decode_embedding(value: object) -> object:
    """Numbers stay; text is base64 of float32, little-endian."""
    if not isinstance(value, str):
        return value
    if len(value) > _MAX_EMBEDDING_TEXT:  # before it becomes a list of Python's numbers
        raise ValueError(f"must have at most {MAX_DIMENSION} numbers")
    try:
        data = decode_base64(value)
    except ValueError as error:
        raise ValueError(f"must be numbers, or float32 in base64, but {error}") from error
    if len(data) % 4:
        raise ValueError(f"must be float32 in base64, but {len(data)} bytes are no multiple of 4")
    numbers: list[float] = np.frombuffer(data, dtype="<f4").tolist()
    return numbers


_Embedding = Annotated[
    list[float],
    Field(fail_fast=True, max_length=MAX_DIMENSION),
    BeforeValidator(_decode_embedding),
    WithJsonSchema(
        {
            "description": "As POST /v1/embed answers it, or float32, little-endian, in base64.",
            "anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}],
        }
    ),
]


class BatchItemBody(NewPersonFields, PhotoRules):
    """One line: a person with photos, or with embeddings that the same network made elsewhere."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"external_id": "emp-1042", "images": ["/9j/4AAQ..."]}]}
    )

    images: ImageList = Field(default_factory=list, max_length=100)
    embeddings: Annotated[list[_Embedding], Field(fail_fast=True)] = Field(
        default_factory=list, max_length=1_000
    )
    quality_filter: QualityLevel | None = Field(
        None, description="How good a face must be; `auto` when left out."
    )
    guards: bool | None = Field(
        None,
        description="Whether to refuse faces that seem to be of another person; if left out, of a "
        "line with images.",
    )

    def item(self, defaults: EnrollOptions) -> BatchItem:
        """The person of this line; `defaults` count where the line has no level of quality."""
        return BatchItem(
            self.new_identity(),
            tuple(self.images),
            tuple(self.embeddings),
            EnrollOptions(
                self.faces,
                self.quality_filter or defaults.quality_filter,
                self.force,
                self.detection(),
                self.image_label,
            ),
            self.guards,
        )


class BatchResultBody(Answer):
    """One line: what became of the line of the same `index`, from 0."""

    index: int
    status: ItemStatus = Field(description="`exists`: their external_id is enrolled; left alone.")
    external_id: str | None
    identity_id: str | None
    face_count: int = Field(description="Faces enrolled now.")
    revision: int | None = Field(description="Of the collection, with this person.")
    code: str | None = Field(description="Why it was rejected.")
    detail: str | None
    rejected: list[RejectedImageBody] = Field(description="Photos that were not enrolled.")
    passed_over: list[PassedOverBody] = Field(
        description="Other faces on the photos that were used."
    )

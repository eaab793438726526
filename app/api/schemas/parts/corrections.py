"""Parts that corrections of a gallery share."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import no_truth


class CollapsedFace(Answer):
    """A face of the same picture as another one of the person; one of the two is kept."""

    face_id: str = Field(description="Erased.")
    kept_face_id: str


Revision = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(no_truth)]


Count = Annotated[int, Field(ge=0, le=2**31 - 1), BeforeValidator(no_truth)]


IfRevision = Annotated[
    Revision | None,
    Field(
        description="A `revision` that you read. Refused with 409 `revision_conflict` when one of "
        "the people concerned, or their faces, changed after it.",
    ),
]

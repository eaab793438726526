"""Faces of the same picture."""

from pydantic import Field

from app.api.schemas.parts.answer import Answer


class CollapsedFace(Answer):
    """A face of the same picture as another one of the person; one of the two is kept."""

    face_id: str = Field(description="Erased.")
    kept_face_id: str

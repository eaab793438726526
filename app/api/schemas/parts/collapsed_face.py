"""Faces of the same picture."""

from pydantic import BaseModel, Field

from app.gallery.people.correction_records import Collapsed


class CollapsedFace(BaseModel):
    """A face of the same picture as another one of the person; one of the two is kept."""

    face_id: str = Field(description="Erased.")
    kept_face_id: str

    @classmethod
    def of(cls, collapsed: Collapsed) -> "CollapsedFace":
        return cls(face_id=collapsed.face_id, kept_face_id=collapsed.kept_face_id)

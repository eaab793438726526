"""Receipts of deletions."""

from datetime import datetime

from pydantic import BaseModel, Field

from app.api.schemas.parts.field_types import (
    Schema,
)
from app.gallery.records import (
    Erasure,
)


class ErasureQuery(Schema):
    compact: bool = Field(
        False,
        description="Overwrite at once what the database's and the index's files still hold of it. "
        "Takes as long as writing them; without it, they are rewritten in the background.",
    )


class ErasureBody(BaseModel):
    """The receipt of a deletion: all of it is gone, from here on nobody finds it."""

    collection: str
    identity_ids: list[str] = Field(description="The people erased; empty for a collection.")
    face_ids: list[str] = Field(description="The faces erased; empty for a collection.")
    identity_count: int
    face_count: int
    revision: int = Field(description="Of the collection, with this deletion.")
    erased_at: datetime
    compacted: bool = Field(description="Whether files were rewritten as well; see `compact`.")
    unknown_face_count: int = Field(description="Faces erased with it that were kept as unknown.")
    crop_count: int = Field(description="Of how many of the faces a crop was kept, and erased.")

    @classmethod
    def of(cls, erasure: Erasure) -> "ErasureBody":
        return cls(
            collection=erasure.collection,
            identity_ids=list(erasure.identity_ids),
            face_ids=list(erasure.face_ids),
            identity_count=erasure.identity_count,
            face_count=erasure.face_count,
            revision=erasure.revision,
            erased_at=erasure.erased_at,
            compacted=erasure.compacted,
            unknown_face_count=erasure.unknown_face_count,
            crop_count=erasure.crop_count,
        )

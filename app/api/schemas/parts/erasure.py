"""Receipts of deletions."""

from datetime import datetime

from pydantic import Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import Schema


class ErasureQuery(Schema):
    compact: bool = Field(
        False,
        description="Overwrite at once what the database's and the index's files still hold of it. "
        "Takes as long as writing them; without it, they are rewritten in the background.",
    )


class ErasureBody(Answer):
    """The receipt of a deletion: all of it is gone, and no search finds it from now on."""

    receipt_id: str = Field(description="Of its lines in the audit log.")
    collection: str
    identity_ids: list[str] = Field(description="The people erased; empty for a collection.")
    face_ids: list[str] = Field(description="The faces erased; empty for a collection.")
    identity_count: int
    face_count: int
    revision: int = Field(description="Of the collection, with this deletion.")
    erased_at: datetime
    compacted: bool = Field(description="Whether files were rewritten as well; see `compact`.")
    unknown_face_count: int = Field(description="Faces erased with it that were kept as unknown.")
    crop_count: int = Field(
        description="Of how many of the faces, unknown ones included, a crop was kept, and erased."
    )

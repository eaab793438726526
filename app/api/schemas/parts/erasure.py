"""Receipts of deletions."""

from datetime import datetime

from pydantic import Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import Schema
from app.api.schemas.parts.remains import COMPACTED, REMAINS, RemainsList


class ErasureQuery(Schema):
    compact: bool = Field(
        False,
        description="Rewrite at once the files of the database and of the index that hold it, as "
        "far as that is possible; `remains` of the receipt says what is left. Takes as long as "
        "writing them.",
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
    compacted: bool = Field(description=COMPACTED)
    remains: RemainsList = Field(None, description=REMAINS)
    keys_destroyed: int = Field(
        description="Of an encrypted collection: people whose key was destroyed with the deletion, "
        "or replaced, where a face was deleted. Without it, sealed copies do not open."
    )
    unknown_face_count: int = Field(description="Faces erased with it that were kept as unknown.")
    crop_count: int = Field(
        description="Of how many of the faces, unknown ones included, a crop was kept, and erased."
    )

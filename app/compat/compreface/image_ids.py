"""Ids of faces as CompreFace writes them: UUIDs with hyphens."""

import re
from uuid import UUID

_HEX = re.compile(r"[0-9a-f]{32}")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def image_id_of(face_id: str) -> str:
    """Return how this API names a face; an id that is no UUID, of an imported face, as it is."""
    return str(UUID(face_id)) if _HEX.fullmatch(face_id) else face_id


def face_id_of(image_id: str) -> str | None:
    """Return the id of a face by its name here; None for a text that can be no id."""
    bare = image_id.replace("-", "").lower()
    if _HEX.fullmatch(bare):
        return bare
    return image_id if _ID.fullmatch(image_id) else None

"""What becomes of people's fields when they become one person."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.errors import InvalidRequest
from app.gallery.people.attribute_texts import MAX_ATTRIBUTES_BYTES
from app.gallery.records import Attributes
from app.gallery.store.tables import IdentityTable


@dataclass(frozen=True, slots=True)
class JoinedFields:
    name: str | None
    external_id: str | None
    attributes: Attributes
    expires_at: datetime | None
    threshold: float | None


def joined(kept: IdentityTable, others: Sequence[IdentityTable]) -> JoinedFields:
    """The fields of `kept`, and what these lack from the others in their order.

    Attributes are joined by key. Two fields are promises, and the stricter one is kept: the
    earliest `expires_at`, so that no face is kept longer than was said, and the highest
    `threshold`. Raises InvalidRequest when the attributes together are too long.
    """
    people = [kept, *others]
    attributes: dict[str, object] = {}
    for person in people:
        attributes = {**person.attributes, **attributes}
    size = len(json.dumps(attributes, ensure_ascii=False).encode("utf-8"))
    if size > MAX_ATTRIBUTES_BYTES:
        raise InvalidRequest(
            f"the attributes of these people are {size} bytes together, and "
            f"{MAX_ATTRIBUTES_BYTES} are the limit; remove some of them first"
        )
    return JoinedFields(
        name=_first([person.name for person in people]),
        external_id=_first([person.external_id for person in people]),
        attributes=attributes,
        expires_at=min(
            (person.expires_at for person in people if person.expires_at is not None), default=None
        ),
        threshold=max(
            (person.threshold for person in people if person.threshold is not None), default=None
        ),
    )


def _first(texts: Sequence[str | None]) -> str | None:
    return next((text for text in texts if text is not None), None)

"""The fields of one person that is made of several."""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from app.errors import InvalidRequest
from app.gallery.people.attribute_texts import MAX_ATTRIBUTES_BYTES
from app.gallery.records import IdentityChanges
from app.gallery.store.tables import IdentityTable


def joined(kept: IdentityTable, others: Sequence[IdentityTable]) -> IdentityChanges:
    """Return the fields of `kept`; an empty one is taken from the first of `others` that has it.

    Attributes are joined by key. Two fields are promises, and the stricter one is kept: the
    earliest `expires_at`, so that no face is kept for longer than was set, and the highest
    `threshold`. They are anonymous if all of them are. Raises InvalidRequest when the attributes
    together are too long.
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
    given = {field.name: _given(people, field.name) for field in fields(IdentityChanges)}
    values: dict[str, Any] = {name: next(iter(some), None) for name, some in given.items()}
    values["attributes"] = attributes
    values["expires_at"] = min(given["expires_at"], default=None)
    values["anonymous"] = all(given["anonymous"])
    values["threshold"] = max(given["threshold"], default=None)
    return IdentityChanges(**values)


def _given(people: Sequence[IdentityTable], name: str) -> list[Any]:
    """The values of a field of those people who have one."""
    values = (getattr(person, name) for person in people)
    return [value for value in values if value is not None]

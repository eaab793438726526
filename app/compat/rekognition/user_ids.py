"""The users of a collection: its people who are not anonymous."""

import re

from app.gallery.people.identity_ref import PREFIX
from app.gallery.records import Identity

_FITS = re.compile(r"[a-zA-Z0-9_.\-:]{1,128}")


def user_id_of(person: Identity) -> str | None:
    """Return the UserId of a person: their external_id where it can be one, else their id.

    None for an anonymous person, who stands for a face without a user.
    """
    if person.anonymous:
        return None
    external_id = person.external_id
    return external_id if external_id and _FITS.fullmatch(external_id) else person.id


def refs_of(user_id: str) -> tuple[str, ...]:
    """Return by which references the gallery may know a user: their external_id, or their id."""
    by_key = f"{PREFIX}{user_id}"
    return (by_key,) if ":" in user_id else (by_key, user_id)

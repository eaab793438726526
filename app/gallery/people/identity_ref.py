"""A person is addressed by the id that the service gave, or by `ext:` and their external_id.

No id contains a colon, so the two cannot be mistaken for each other.
"""

from app.gallery.people.text_forms import nfc

PREFIX = "ext:"


def by_external_id(external_id: str) -> str:
    """The reference to the person with this external_id."""
    return PREFIX + external_id


def external_id_of(ref: str) -> str | None:
    """The external_id that a reference names, in NFC; None where it is an id."""
    return nfc(ref[len(PREFIX) :]) if ref.startswith(PREFIX) else None


def refers_to(ref: str, *, identity_id: str, external_id: str | None) -> bool:
    """Return whether a reference names this person."""
    key = external_id_of(ref)
    return ref == identity_id if key is None else key == external_id

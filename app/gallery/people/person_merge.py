"""One person that is made of several: their fields, faces, and all that refers to them."""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from app.errors import InvalidRequest
from app.gallery.journal.actions import Action
from app.gallery.people.attribute_texts import MAX_ATTRIBUTES_BYTES
from app.gallery.people.face_handover import HandedOver, hand_over
from app.gallery.records import IdentityChanges
from app.gallery.store.tables import IdentityTable
from app.gallery.store.transaction import Transaction


def absorb(
    transaction: Transaction, kept: IdentityTable, others: Sequence[IdentityTable]
) -> HandedOver:
    """Make people, `others`, part of `kept`, and delete them. Part of a transaction that holds the
    collection and has locked these people."""
    identities = transaction.identities
    changes = joined(kept, others)
    ids = [row.id for row in others]
    numbers = [row.number for row in others]
    faces = [face for row in others for face in transaction.faces.of_identity(row)]
    handed = hand_over(transaction, kept, faces)
    transaction.terminals.hand_over(numbers, kept.number)
    transaction.dismissals.hand_over(numbers, kept.number)
    unknowns = transaction.unknowns
    if unknowns.advance_if_there() is not None:
        unknowns.rename_nearest(ids, kept.id)
    transaction.consents.hand_over(numbers, kept)
    identities.delete(others)
    identities.change(kept, changes)
    identities.note_change(kept)
    # Their answers would outlive who stays, whose erasure empties only their own.
    transaction.answers.redact_people(ids)
    for identity_id in ids:
        transaction.note(Action.IDENTITY_MERGED, identity_id, into=kept.id)
    transaction.note(
        Action.IDENTITY_CHANGED,
        kept.id,
        fields=sorted(changes.given()),
        merged=ids,
        face_ids=list(handed.moved),
    )
    return handed


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

"""SQL that inserts many people at once: what an enrolment writes, in a statement a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.gallery.people.text_forms import folded, nfc
from app.gallery.store.repositories.identity_repository import attribute_rows
from app.gallery.store.tables import (
    AttributeTable,
    FaceTable,
    IdentityTable,
    Table,
)
from app.gallery.store.transaction import Transaction

_IDS_AT_ONCE = 10_000  # SQLite takes at most 32,766 values in a statement


@dataclass(frozen=True, slots=True)
class PersonRows:
    """Columns of a person and of their faces, but for those that tell whose they are.

    `seconds`, by face id: what the faces are to the collection's second embedder, where known;
    `crops`, in the same way, those that are kept of them.
    """

    identity: Mapping[str, Any]
    faces: Sequence[Mapping[str, Any]]
    seconds: Mapping[str, bytes] = field(default_factory=dict)
    crops: Mapping[str, bytes] = field(default_factory=dict)


def insert_people(transaction: Transaction, people: Sequence[PersonRows]) -> None:
    """Write people and their faces, and log these at the collection's current revision.

    Their numbers grow in the order of the people, and lists go by them.
    """
    session, collection = transaction.session, transaction.collection
    here, at = {"collection_number": collection.number}, collection.revision
    identities = [
        {**here, **person.identity, **_text_columns(person.identity), "revision": at}
        for person in people
    ]
    numbers = _insert(session, IdentityTable, identities)
    attributes = [
        row
        for person in people
        for row in attribute_rows(
            numbers[person.identity["id"]], collection.number, person.identity["attributes"]
        )
    ]
    _insert_rows(session, AttributeTable, attributes)
    network = {"embedder": collection.embedder, "digest": collection.digest}
    faces = [
        {**here, **network, "identity_number": numbers[person.identity["id"]], **face}
        for person in people
        for face in person.faces
    ]
    face_numbers = _insert(session, FaceTable, faces)
    seconds = {
        face_numbers[face_id]: embedding
        for person in people
        for face_id, embedding in person.seconds.items()
    }
    transaction.faces.add_by_other(seconds)
    crops = {
        face_numbers[face_id]: crop for person in people for face_id, crop in person.crops.items()
    }
    transaction.crops.add(crops)
    transaction.changes.log("add", face_numbers.values())


def _text_columns(identity: Mapping[str, Any]) -> dict[str, str | None]:
    """Name and external_id as they are stored, and as searches by prefix compare them."""
    columns: dict[str, str | None] = {}
    for name in ("name", "external_id"):
        text = identity[name]
        columns[name] = None if text is None else nfc(text)
        columns[f"{name}_folded"] = None if text is None else folded(text)
    return columns


def _insert(
    session: Session,
    kind: type[IdentityTable] | type[FaceTable],
    rows: Sequence[Mapping[str, Any]],
) -> dict[str, int]:
    """Numbers by id. Asked for afterwards: SQLite takes an insert that returns them row by row."""
    _insert_rows(session, kind, rows)
    found: dict[str, int] = {}
    for start in range(0, len(rows), _IDS_AT_ONCE):
        some = [row["id"] for row in rows[start : start + _IDS_AT_ONCE]]
        query = select(kind.id, kind.number).where(kind.id.in_(some))
        found.update((row.id, row.number) for row in session.execute(query))
    return found


def _insert_rows(session: Session, kind: type[Table], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        # Into the table, not the class: there, every run of rows with the same nulls in them is a
        # statement of its own.
        session.execute(insert(kind.metadata.tables[kind.__tablename__]), rows)

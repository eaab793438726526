"""SQL that inserts people and faces, one or many: a statement a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.gallery.store.repositories.consent_repository import consent_rows
from app.gallery.store.repositories.crop_repository import NewCrop
from app.gallery.store.repositories.identity_repository import attribute_rows, person_columns
from app.gallery.store.tables import (
    AttributeTable,
    ConsentTable,
    FaceTable,
    IdentityTable,
    Table,
)
from app.gallery.store.transaction import Transaction
from app.gallery.vault.contexts import of_embedding

_IDS_AT_ONCE = 10_000  # SQLite takes at most 32,766 values in a statement


@dataclass(frozen=True, slots=True)
class FaceRow:
    """Columns of a face, except those that refer to the owner; `id` is among them.

    `embedding` among them, and `other_embedding` by the collection's other embedder, are in the
    clear. `crop` is sealed, unless it is a ClearCrop.
    """

    columns: Mapping[str, Any]
    other_embedding: bytes | None = None
    crop: bytes | None = None


@dataclass(frozen=True, slots=True)
class PersonRows:
    """Columns of a person, their faces, and columns of their consents."""

    identity: Mapping[str, Any]
    faces: Sequence[FaceRow] = ()
    consents: Sequence[Mapping[str, Any]] = ()


def insert_people(transaction: Transaction, people: Sequence[PersonRows]) -> None:
    """Write people and their faces, and log these at the collection's current revision.

    Their numbers grow in the order of the people, and lists go by them.
    """
    session, collection = transaction.session, transaction.collection
    seals = transaction.seals
    here, at = {"collection_number": collection.number}, collection.revision
    identities = [{**here, **person_columns(person.identity), "revision": at} for person in people]
    numbers = _insert(session, IdentityTable, identities)
    attributes = [
        row
        for person in people
        for row in attribute_rows(
            numbers[person.identity["id"]], collection.number, person.identity["attributes"]
        )
    ]
    _insert_rows(session, AttributeTable, attributes)
    consents = [
        row
        for person in people
        for row in consent_rows(numbers[person.identity["id"]], collection.number, person.consents)
    ]
    _insert_rows(session, ConsentTable, consents)
    if seals.is_on:
        seals.make([numbers[person.identity["id"]] for person in people if person.faces])
    insert_faces(
        transaction,
        [(numbers[person.identity["id"]], face) for person in people for face in person.faces],
    )


def insert_faces(transaction: Transaction, faces: Sequence[tuple[int, FaceRow]]) -> None:
    """Write faces, each with the number of its owner, and log them at the current revision."""
    collection, seals = transaction.collection, transaction.seals
    if seals.is_on:
        seals.require([owner for owner, _ in faces])
        faces = [(owner, _sealed(transaction, owner, face)) for owner, face in faces]
    common = {
        "collection_number": collection.number,
        "embedder": collection.embedder,
        "digest": collection.digest,
    }
    rows = [{**common, "identity_number": owner, **face.columns} for owner, face in faces]
    numbers = _insert(transaction.session, FaceTable, rows)
    by_number = {numbers[face.columns["id"]]: face for _, face in faces}
    transaction.faces.add_other_embeddings(
        {
            number: face.other_embedding
            for number, face in by_number.items()
            if face.other_embedding is not None
        }
    )
    owners = {face.columns["id"]: owner for owner, face in faces}
    transaction.crops.add(
        NewCrop(number, face.columns["id"], owners[face.columns["id"]], face.crop)
        for number, face in by_number.items()
        if face.crop is not None
    )
    transaction.changes.log("add", numbers.values())


def _sealed(transaction: Transaction, owner: int, face: FaceRow) -> FaceRow:
    """Return the face with its embeddings sealed under the key of its owner."""
    collection, seals = transaction.collection, transaction.seals
    face_id = face.columns["id"]
    context = of_embedding(collection.number, face_id, collection.digest)
    embedding = seals.seal_vector(owner, context, face.columns["embedding"])
    other = face.other_embedding
    if other is not None:
        assert collection.other is not None
        context = of_embedding(collection.number, face_id, collection.other.digest)
        other = seals.seal_vector(owner, context, other)
    return FaceRow({**face.columns, "embedding": embedding}, other, face.crop)


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

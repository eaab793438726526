"""SQL of the change log."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import ColumnElement, Select, case, delete, insert, or_, select
from sqlalchemy.orm import Session

from app.gallery.store.repositories.embedding_columns import place_in
from app.gallery.store.repositories.face_repository import from_bytes
from app.gallery.store.tables import ChangeTable, CollectionTable, FaceTable
from app.recognition.types import Embedding

Kind = Literal["add", "remove", "move"]


@dataclass(frozen=True, slots=True)
class Delta:
    """What happened to a collection's faces between two revisions.

    A face that came and went in between is only in `removed`. Those that were `moved` to another
    person are nothing to an index, which does not know whose a face is.
    """

    added: dict[int, Embedding]
    removed: frozenset[int]
    moved: dict[int, Embedding] = field(default_factory=dict)


class ChangeRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def log(
        self,
        collection: CollectionTable,
        kind: Kind,
        face_numbers: Iterable[int],
        *,
        digest: str | None = None,
    ) -> None:
        """Write down a change at the collection's current revision (see `advance`).

        `digest`: of the embedder whose index alone is told.
        """
        rows = [
            {
                "collection_number": collection.number,
                "revision": collection.revision,
                "face_number": number,
                "kind": kind,
                "digest": digest,
            }
            for number in face_numbers
        ]
        if rows:
            self._session.execute(insert(ChangeTable), rows)

    def prune(self, collection: CollectionTable, revisions: int) -> None:
        """Keep the last `revisions`; an index that is further behind is built anew."""
        start = collection.revision - revisions
        if start <= collection.log_start:
            return
        self._session.execute(
            delete(ChangeTable).where(
                ChangeTable.collection_number == collection.number, ChangeTable.revision <= start
            )
        )
        collection.log_start = start

    def since(self, collection: CollectionTable, revision: int) -> Delta:
        """Everything above `revision`. Wants a session that sees one state of the database."""
        return read_changes(self._session, collection, ChangeTable.revision > revision)


def read_changes(
    session: Session, collection: CollectionTable, *within: ColumnElement[bool]
) -> Delta:
    """What the log tells the index of the collection's embedder, of the revisions `within`."""
    place = place_in(collection)
    query: Select[str, int, bytes | None] = place.joined(
        select(
            ChangeTable.kind, ChangeTable.face_number, case((place.present, place.embedding))
        ).outerjoin(FaceTable, FaceTable.number == ChangeTable.face_number)
    ).where(
        ChangeTable.collection_number == collection.number,
        or_(ChangeTable.digest.is_(None), ChangeTable.digest == collection.digest),
        *within,
    )
    added: dict[int, Embedding] = {}
    moved: dict[int, Embedding] = {}
    removed: set[int] = set()
    for kind, number, embedding in session.execute(query, {"digest": collection.digest}):
        if kind == "remove":
            removed.add(number)
        elif embedding is not None:  # else gone again (its removal is in the log too), or not there
            (moved if kind == "move" else added)[number] = from_bytes(embedding)
    return Delta(added, frozenset(removed), moved)

"""SQL of the change log."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.gallery.repositories.faces import from_bytes
from app.gallery.tables import ChangeTable, CollectionTable, FaceTable
from app.recognition.types import Embedding

Kind = Literal["add", "remove"]


@dataclass(frozen=True, slots=True)
class Delta:
    """What happened to a collection's faces between two revisions.

    A face that came and went in between is only in `removed`.
    """

    added: dict[int, Embedding]
    removed: frozenset[int]


class ChangeRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def log(self, collection: CollectionTable, kind: Kind, face_numbers: Iterable[int]) -> None:
        """Write down a change at the collection's current revision (see `advance`)."""
        rows = [
            {
                "collection_number": collection.number,
                "revision": collection.revision,
                "face_number": number,
                "kind": kind,
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
        query = (
            select(ChangeTable.kind, ChangeTable.face_number, FaceTable.embedding)
            .outerjoin(FaceTable, FaceTable.number == ChangeTable.face_number)
            .where(
                ChangeTable.collection_number == collection.number, ChangeTable.revision > revision
            )
        )
        added: dict[int, Embedding] = {}
        removed: set[int] = set()
        for kind, number, embedding in self._session.execute(query):
            if kind == "remove":
                removed.add(number)
            elif embedding is not None:  # else gone again, and its removal is in the log too
                added[number] = from_bytes(embedding)
        return Delta(added, frozenset(removed))

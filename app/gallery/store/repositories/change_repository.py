"""SQL of the change log."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, case, delete, insert, or_, select, update

from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.embedding_columns import place_in
from app.gallery.store.tables import ChangeTable, CollectionTable, FaceTable
from app.gallery.vault.opened_embeddings import OpenedEmbeddings
from app.recognition.types import Embedding

Kind = Literal["add", "remove", "move"]


@dataclass(frozen=True, slots=True)
class Delta:
    """The changes of a collection's faces between two revisions.

    A face that came and went in between is only in `removed`. Those that were `moved` to another
    person are nothing to an index, which does not know whose a face is.
    """

    added: dict[int, Embedding]
    removed: frozenset[int]
    moved: dict[int, Embedding] = field(default_factory=dict)


class ChangeRepository(ScopedRepository):
    """The log of one collection."""

    def log(self, kind: Kind, face_numbers: Iterable[int], *, digest: str | None = None) -> None:
        """Write down a change at the collection's current revision (see `advance`).

        `digest`: of the embedder whose index alone reads it.
        """
        rows = [
            {
                "collection_number": self._collection.number,
                "revision": self._collection.revision,
                "face_number": number,
                "kind": kind,
                "digest": digest,
            }
            for number in face_numbers
        ]
        if rows:
            self._session.execute(insert(ChangeTable), rows)

    def prune(self, revisions: int) -> None:
        """Keep the last `revisions`; an index that is further behind is built anew."""
        start = self._collection.revision - revisions
        if start <= self._collection.log_start:
            return
        self._session.execute(
            delete(ChangeTable).where(self._here(ChangeTable), ChangeTable.revision <= start)
        )
        self._session.execute(
            update(CollectionTable)
            .where(CollectionTable.number == self._collection.number)
            .values(log_start=start)
        )

    def since(self, revision: int) -> Delta:
        """Read all changes above `revision`. Requires one state of the database throughout."""
        return self._read(ChangeTable.revision > revision)

    def next_above(self, revision: int, *, most: int) -> tuple[Delta, int]:
        """Read the next revisions, about `most` faces but one at least, and the last of them."""
        last = self._session.scalar(
            select(ChangeTable.revision)
            .where(self._here(ChangeTable), ChangeTable.revision > revision)
            .order_by(ChangeTable.revision)
            .offset(most - 1)
            .limit(1)
        )
        end = self._collection.revision if last is None else last
        return self._read(ChangeTable.revision > revision, ChangeTable.revision <= end), end

    def _read(self, *within: ColumnElement[bool]) -> Delta:
        """Read what the log has for the index of the collection's embedder."""
        place = place_in(self._collection)
        digest = self._collection.digest
        embedding, *others = place.columns
        query: Select[*tuple[Any, ...]] = place.readable(
            select(
                ChangeTable.kind,
                ChangeTable.face_number,
                case((place.present, embedding)),
                *others,
            ).outerjoin(FaceTable, FaceTable.number == ChangeTable.face_number)
        ).where(
            self._here(ChangeTable),
            or_(ChangeTable.digest.is_(None), ChangeTable.digest == digest),
            *within,
        )
        added: dict[int, Embedding] = {}
        moved: dict[int, Embedding] = {}
        removed: set[int] = set()
        opened = OpenedEmbeddings(self._session, self._collection)
        for kind, number, *columns in self._session.execute(query, {"digest": digest}):
            if kind == "remove":
                removed.add(number)
            elif columns[0] is not None:  # else gone again (its removal is logged), or not there
                (moved if kind == "move" else added)[number] = opened.for_index(columns)
        return Delta(added, frozenset(removed), moved)

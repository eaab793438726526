"""SQL of an export: everything that a collection holds, a little at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Result, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.gallery.store.collection_view import CollectionView
from app.gallery.store.statements.embedding_columns import place_in
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.store.transaction import Collections, Transaction
from app.gallery.transfer.archive_lines import FaceLine, PersonLine
from app.gallery.vault.opened_embeddings import OpenedEmbeddings

_ROWS_AT_ONCE = 1_000

_PERSON = tuple(
    getattr(IdentityTable, name) for name in PersonLine.model_fields if name != "consents"
)
_FACE = tuple(getattr(FaceTable, name) for name in FaceLine.model_fields if name != "identity_id")


def chosen_collections(collections: Collections, names: Sequence[str]) -> list[CollectionView]:
    """Return the collections of these names, or all without names. Raises CollectionNotFound."""
    if not names:
        return sorted(collections.everything(), key=lambda collection: collection.number)
    return [collections.get(name) for name in dict.fromkeys(names)]


class CollectionSource:
    """One collection, as the transaction sees it; `place` is its own in the archive.

    Faces by another embedder than the collection's, should there be any, are left out.
    """

    def __init__(self, transaction: Transaction, place: int) -> None:
        collection = transaction.collection
        self._session = transaction.session
        self._consents = transaction.consents
        self._people_here = IdentityTable.collection_number == collection.number
        self._embedding = place_in(collection)
        self._opened = OpenedEmbeddings(transaction.session, collection)
        self.collection = collection
        self.place = place
        measured = transaction.calibration.find()
        self.calibration: dict[str, Any] | None = None if measured is None else dict(measured)
        """The collection's own, as JSON."""
        self.identities = self._count(self._people_here)
        """How many people there are."""
        self.faces = transaction.faces.embedding_count()
        """How many faces there are."""

    def pages_of_people(self) -> Iterator[Sequence[Mapping[Any, Any]]]:
        """Yield all people, oldest first, as the fields of PersonLine."""
        query = select(IdentityTable.number, *_PERSON).where(self._people_here)
        result = self._stream(query.order_by(IdentityTable.number)).mappings()
        for rows in result.partitions():
            consents = self._consents.of([row["number"] for row in rows])
            yield [
                {
                    **{name: value for name, value in row.items() if name != "number"},
                    "consents": [asdict(own) for own in consents.get(row["number"], ())],
                }
                for row in rows
            ]

    def pages_of_faces(self) -> Iterator[Sequence[Mapping[Any, Any]]]:
        """Faces as the fields of FaceLine: those of the first person, of the second, ..."""
        for identity_ids, result in self._faces_by_person(_FACE):
            for rows in result.mappings().partitions():
                yield [
                    {
                        **{column.key: row[column] for column in _FACE},
                        "identity_id": identity_ids[row[FaceTable.identity_number]],
                    }
                    for row in rows
                ]

    def pages_of_embeddings(self) -> Iterator[tuple[Sequence[str], Sequence[bytes]]]:
        """Ids and embeddings of the faces, in that order, too."""
        columns = (FaceTable.id.expression, *self._embedding.columns)
        for _, result in self._faces_by_person(columns):
            for rows in result.partitions():
                # Last is the owner; see `_faces_by_person`.
                opened = [self._opened.bytes_of(row[1:-1]) for row in rows]
                yield [row[0] for row in rows], opened

    def _faces_by_person(
        self, columns: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]]
    ) -> Iterator[tuple[dict[int, str], Result[Any]]]:
        """Some people at a time, ids by number, and these columns of their faces.

        Not joined with them, and not all at once: no planner then hits on sorting all the faces
        that there are, which takes as much room as they do, or on reading them all for some people.
        """
        people = select(IdentityTable.number, IdentityTable.id).where(self._people_here)
        result = self._stream(people.order_by(IdentityTable.number))
        for some in result.partitions():
            identity_ids = {person.number: person.id for person in some}
            query = (
                self._embedding.readable(select(*columns, FaceTable.identity_number))
                .where(FaceTable.identity_number.in_(identity_ids), self._embedding.present)
                .order_by(FaceTable.identity_number, FaceTable.number)
            )
            yield identity_ids, self._stream(query)

    def _stream(self, query: Select[*tuple[Any, ...]]) -> Result[Any]:
        values = {"digest": self.collection.digest}
        return self._session.execute(query.execution_options(yield_per=_ROWS_AT_ONCE), values)

    def _count(self, *where: ColumnElement[bool]) -> int:
        return self._session.scalar(select(func.count()).where(*where)) or 0

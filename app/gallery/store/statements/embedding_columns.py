"""Place of the embedding of a face by its collection's embedder, for SQL that reads it.

In the face's own row; while the collection has two embedders, perhaps in `second_embeddings`. The
statements take the embedder as the parameter `digest`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, or_

from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.owner_key_repository import PEOPLE
from app.gallery.store.tables import FaceTable, PersonKeyTable, SecondEmbeddingTable

_DIGEST: ColumnElement[str] = bindparam("digest")
_IN_ITS_ROW = FaceTable.digest == _DIGEST


@dataclass(frozen=True, slots=True)
class EmbeddingPlace:
    """The columns of an embedding; `embedding` is valid only where `present` is true."""

    embedding: ColumnElement[bytes]
    present: ColumnElement[bool]
    is_joined: bool
    is_sealed: bool = False

    @property
    def columns(self) -> tuple[ColumnElement[Any], ...]:
        """What `OpenedEmbeddings` opens; the query is `readable`."""
        if not self.is_sealed:
            return (self.embedding,)
        face = FaceTable.id.expression, FaceTable.identity_number.expression
        return self.embedding, *face, *PEOPLE.columns

    def readable(self, query: Any) -> Any:  # noqa: ANN401
        """Join a query from `faces` so that `columns` can be read."""
        query = self.joined(query)
        if not self.is_sealed:
            return query
        return query.outerjoin(
            PersonKeyTable, PersonKeyTable.identity_number == FaceTable.identity_number
        )

    def joined(self, query: Any) -> Any:  # noqa: ANN401  (a select, of whatever columns)
        """Join a query from `faces` so that both columns can be read."""
        if not self.is_joined:
            return query
        return query.outerjoin(
            SecondEmbeddingTable,
            and_(
                SecondEmbeddingTable.face_number == FaceTable.number,
                SecondEmbeddingTable.digest == _DIGEST,
            ),
        )


ONE = EmbeddingPlace(FaceTable.embedding.expression, _IN_ITS_ROW, is_joined=False)
TWO = EmbeddingPlace(
    case((_IN_ITS_ROW, FaceTable.embedding), else_=SecondEmbeddingTable.embedding),
    or_(_IN_ITS_ROW, SecondEmbeddingTable.face_number.is_not(None)),
    is_joined=True,
)
PLACES: Mapping[tuple[bool, bool], EmbeddingPlace] = {
    (is_joined, is_sealed): replace(place, is_sealed=is_sealed)
    for is_joined, place in ((False, ONE), (True, TWO))
    for is_sealed in (False, True)
}
"""By whether the collection has two embedders, and whether it is encrypted."""


def place_in(collection: CollectionView) -> EmbeddingPlace:
    return PLACES[kind_of(collection)]


def kind_of(collection: CollectionView) -> tuple[bool, bool]:
    """Return the key of its place in PLACES."""
    return collection.other is not None, collection.key_generation is not None

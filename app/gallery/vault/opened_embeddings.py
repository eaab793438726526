"""The embeddings of rows that were read: opened where the collection is encrypted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.owner_key_repository import PEOPLE
from app.gallery.store.statements.vector_bytes import FLOAT_BYTES, from_bytes, stacked
from app.gallery.vault.contexts import of_embedding
from app.gallery.vault.row_seals import seals_of
from app.gallery.vault.sealing import SealedOtherwiseError
from app.gallery.vault.vault import vault_of
from app.recognition.types import Embedding


class OpenedEmbeddings:
    """Opens the `columns` of an `EmbeddingPlace`, by the embedder of the collection.

    A row that does not open is reported and counted, and hinders no other: it is a face without
    an embedding. In an index, whose faces are those of the database, it has a vector of zeros,
    which is like none.
    """

    def __init__(self, session: Session, collection: CollectionView) -> None:
        self._seals = seals_of(session, collection, PEOPLE)
        self._unreadable = vault_of(session).unreadable
        self._number = collection.number
        self._digest = collection.digest
        self._dimension = collection.dimension

    def one(self, columns: Sequence[Any]) -> Embedding | None:
        """Return the embedding of a row; None if it does not open."""
        data = self._opened(columns)
        return None if data is None else from_bytes(data)

    def for_index(self, columns: Sequence[Any]) -> Embedding:
        """Return the embedding of a row, or zeros."""
        found = self.one(columns)
        return np.zeros(self._dimension, dtype=np.float32) if found is None else found

    def bytes_of(self, columns: Sequence[Any]) -> bytes:
        """Return the embedding of a row in the clear; b"" if it does not open."""
        return self._opened(columns) or b""

    def stacked(self, rows: Sequence[Sequence[Any]]) -> NDArray[np.float32]:
        """Return the embeddings of rows, (N, dimension), each with its columns from the second
        on; zeros for those that do not open."""
        if not self._seals.is_on:
            return stacked([row[1] for row in rows], self._dimension)
        zeros = bytes(self._dimension * FLOAT_BYTES)
        return stacked([self._opened(row[1:]) or zeros for row in rows], self._dimension)

    def _opened(self, columns: Sequence[Any]) -> bytes | None:
        if not self._seals.is_on:
            clear: bytes = columns[0]
            return clear
        face_id = columns[1]
        try:
            context = of_embedding(self._number, face_id, self._digest)
            return self._seals.open_vector(columns, context)
        except SealedOtherwiseError as error:
            self._seals.report(face_id, error)
            self._unreadable.note(self._number, self._digest, face_id)
            return None

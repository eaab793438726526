"""Faces that Milvus still has, though they are gone, do not take the place of others."""

from uuid import uuid4

import numpy as np

from app.gallery.milvus.connection import Milvus
from app.gallery.milvus.index_view import IndexView
from app.gallery.milvus.milvus_index import MilvusIndex
from app.gallery.store.repositories.change_repository import Delta
from tests.gallery.factories import unit_vectors

VECTORS = unit_vectors(4, seed=1)


def test_as_many_faces_as_there_are_are_found_beside_those_that_are_gone(milvus: Milvus) -> None:
    index = MilvusIndex(milvus, f"test_{uuid4().hex}", VECTORS.shape[1])
    index.create("")
    index.add(np.array([1, 2, 3], dtype=np.int64), VECTORS[:3])
    removed = IndexView(index, "state", None, Delta({}, frozenset({1})))
    replaced = IndexView(index, "state", None, Delta({4: VECTORS[3]}, frozenset({1})))
    for view, there in ((removed, {2, 3}), (replaced, {2, 3, 4})):
        assert len(view) == len(there)
        (hits,) = view.search(VECTORS[:1], len(there))
        assert set(hits.numbers.tolist()) == there
    index.drop()

"""The index that a Milvus collection is made with."""

from collections.abc import Callable
from uuid import uuid4

import numpy as np
import pytest

from app.gallery.milvus.connection import Milvus
from app.gallery.milvus.index_types import INDEX_TYPES, IndexName
from app.gallery.milvus.milvus_index import MilvusIndex
from tests.gallery.factories import unit_vectors

MakeIndex = Callable[[IndexName], MilvusIndex]


@pytest.mark.parametrize("name", ["flat", "hnsw", "auto"])
def test_standalone_makes_the_index_that_was_chosen_and_finds_the_nearest(
    standalone: str, name: IndexName
) -> None:
    milvus = Milvus(standalone, index=name)
    index = MilvusIndex(milvus, f"index_types_{uuid4().hex}", 8)
    index.create("")
    try:
        vectors = unit_vectors(50, seed=1, dimension=8)
        index.add(np.arange(1, 51), vectors)
        (hits,) = index.search(vectors[6:7], 3)
        made = milvus.ask(lambda client: client.describe_index(index.name, "vector"))
    finally:
        index.drop()
        milvus.close()
    assert hits.numbers[0] == 7
    assert made["index_type"] == INDEX_TYPES[name].type


def test_search_of_a_graph_follows_as_many_faces_as_are_asked_for() -> None:
    assert INDEX_TYPES["hnsw"].for_search(5) == {"ef": 256}
    assert INDEX_TYPES["hnsw"].for_search(1_000) == {"ef": 1_000}
    assert INDEX_TYPES["flat"].for_search(1_000) == {}

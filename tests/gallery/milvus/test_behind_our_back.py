"""What other clients do to a Milvus server is noticed and mended. Runs on a real server."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from pymilvus import DataType, MilvusClient

from app.errors import IndexUnavailable
from app.gallery.gallery import Gallery
from app.gallery.milvus import milvus_index
from tests.gallery.conftest import sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    People,
    assert_agrees,
    enroll,
    enroll_people,
    eventually,
    found_ids,
    search_people,
    unit_vector,
    unit_vectors,
)
from tests.gallery.milvus.conftest import Clock, Logs, OpenOnMilvus, sync_of
from tests.kit.breakable_proxy import BreakableProxy

pytestmark = sqlite_only  # what is tested is between the process and Milvus

PROBE = unit_vector(1)
DIMENSION = len(PROBE)

_PATIENCE_S = 20.0

Stranger = Any  # pymilvus has no types
Settle = Callable[..., None]


@pytest.fixture
def settle(clock: Clock) -> Settle:
    """Ask until exactly these people are found, as a client would that is answered 503."""

    def wait(gallery: Gallery, people: People, *, check: bool = False) -> None:
        def agrees() -> bool:
            clock.pass_by(1)
            if check:
                gallery.sync.check()
            with suppress(IndexUnavailable):
                (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=9)
                return {candidate.identity.id for candidate in candidates} == set(people)
            return False

        eventually(agrees)
        (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=9)
        assert_agrees(candidates, people, PROBE, top_k=9)

    return wait


@pytest.fixture
def gallery(open_on_milvus: OpenOnMilvus, standalone: str) -> Iterator[Gallery]:
    gallery = open_on_milvus(uri=standalone, patience_s=_PATIENCE_S)
    yield gallery
    for index in sync_of(gallery)._known.values():
        index.drop()


@pytest.fixture
def stranger(standalone: str) -> Iterator[Stranger]:
    """A client of somebody else."""
    client = MilvusClient(standalone, dedicated=True)
    yield client
    client.close()


def name_of(gallery: Gallery) -> str:
    (index,) = sync_of(gallery)._known.values()
    return index.name


def remake(
    stranger: Stranger, name: str, *, dimension: int = DIMENSION, field: str = "number"
) -> None:
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(field, DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="IP")
    stranger.drop_collection(name)
    stranger.create_collection(name, schema=schema, consistency_level="Strong")
    stranger.create_index(name, indexes, sync=False)
    stranger.load_collection(name)


@pytest.mark.parametrize(
    "remade",
    [{}, {"dimension": DIMENSION * 2, "field": "id"}],
    ids=["empty", "other dimension and field"],
)
def test_collection_that_was_made_again_is_filled_by_searches(
    gallery: Gallery, settle: Settle, stranger: Stranger, remade: dict[str, Any]
) -> None:
    people = enroll_people(gallery, [[vector] for vector in unit_vectors(3, seed=2)])
    settle(gallery, people)
    remake(stranger, name_of(gallery), **remade)
    settle(gallery, people)


def test_collection_that_another_client_made_again_is_told_from_one_of_another_process(
    gallery: Gallery,
    open_on_milvus: OpenOnMilvus,
    standalone: str,
    settle: Settle,
    stranger: Stranger,
    logs: Logs,
) -> None:
    beside = open_on_milvus(uri=standalone, patience_s=_PATIENCE_S)
    people = enroll_people(gallery, [[vector] for vector in unit_vectors(3, seed=2)])
    for one in (gallery, beside):
        settle(one, people, check=True)
    gallery.sync.forget(1)
    for one in (gallery, beside, gallery):
        settle(one, people, check=True)
    assert not untrue(logs), "a process took for lost what the other one had made again"
    remake(stranger, name_of(gallery))
    late, faces = enroll(gallery, PROBE)
    # Of the others, a search alone cannot know.
    settle(beside, {**people, late.id: faces}, check=True)
    assert untrue(logs)
    stranger.drop_collection(name_of(gallery))
    settle(beside, {**people, late.id: faces}, check=True)


def test_collection_that_was_released_is_loaded_again(
    gallery: Gallery, settle: Settle, stranger: Stranger
) -> None:
    identity, faces = enroll(gallery, PROBE)
    settle(gallery, {identity.id: faces})
    stranger.release_collection(name_of(gallery))
    settle(gallery, {identity.id: faces})


def test_connection_that_breaks_leaves_enrolment_and_comes_back(
    open_on_milvus: OpenOnMilvus, proxy: BreakableProxy, settle: Settle
) -> None:
    gallery = open_on_milvus(uri=proxy.uri, patience_s=_PATIENCE_S)
    people = enroll_people(gallery, [[vector] for vector in unit_vectors(4, seed=2)])
    settle(gallery, people)
    proxy.cut()
    late, faces = enroll(gallery, PROBE)
    gone, *_ = people
    gallery.people.delete(COLLECTION, gone)
    people = {**people, late.id: faces}
    del people[gone]
    for _ in range(2):
        with pytest.raises(IndexUnavailable, match="does not answer"):
            found_ids(gallery, PROBE)
    proxy.mend()
    settle(gallery, people, check=True)
    assert gallery.sync.lag().revisions_behind == 0
    (index,) = sync_of(gallery)._known.values()
    index.drop()


def test_stalled_connection_is_given_up_in_time_and_used_again(
    open_on_milvus: OpenOnMilvus,
    proxy: BreakableProxy,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gallery = open_on_milvus(uri=proxy.uri, patience_s=_PATIENCE_S)
    identity, faces = enroll(gallery, PROBE)
    settle(gallery, {identity.id: faces})
    with monkeypatch.context() as patch:
        patch.setattr(milvus_index, "READ_S", 0.3)
        proxy.stall()
        with pytest.raises(IndexUnavailable):
            found_ids(gallery, PROBE)
    proxy.resume()
    settle(gallery, {identity.id: faces})
    (index,) = sync_of(gallery)._known.values()
    index.drop()


def untrue(logs: Logs) -> bool:
    return any(entry["event"] == "index_untrue" for entry in logs)

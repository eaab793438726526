"""While Milvus is away people are enrolled all the same; afterwards it learns of them."""

from collections.abc import Callable

import grpc
import pytest
from pymilvus import MilvusException

from app.errors import IndexUnavailable
from app.gallery.gallery import Gallery
from app.gallery.milvus import milvus_index
from app.gallery.milvus.connection import Milvus
from app.gallery.store.collection_view import CollectionView
from tests.gallery.factories import (
    COLLECTION,
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
from tests.gallery.milvus.lite import LiteServer
from tests.kit.exact_index import ExactIndex

PROBE = unit_vector(1)

Back = Callable[[Gallery], None]


@pytest.fixture
def come_back(breakable: LiteServer, clock: Clock) -> Back:
    """Start the server again, and let the pause pass after which this process asks it."""

    def start(gallery: Gallery) -> None:
        breakable.start()
        eventually(lambda: _reaches_again(gallery))
        clock.pass_by(1)

    return start


def _reaches_again(gallery: Gallery) -> bool:
    """Whether gRPC has connected again, which it does after a pause of its own.

    Asked past the circuit, which does not learn of it.
    """
    client = sync_of(gallery)._milvus._client
    if client is None:  # it was never connected
        return True
    try:
        client.list_collections(timeout=10)
    except (MilvusException, grpc.RpcError):
        return False
    return True


def row_of(gallery: Gallery, name: str = COLLECTION) -> CollectionView:
    with gallery.store.reading(name) as transaction:
        return transaction.collection


def test_enrolment_goes_on_and_is_found_when_milvus_is_back(
    open_on_milvus: OpenOnMilvus,
    breakable: LiteServer,
    clock: Clock,
    come_back: Back,
    logs: Logs,
) -> None:
    gallery = open_on_milvus(uri=breakable.uri)
    people = enroll_people(gallery, [[unit_vector(2)], [unit_vector(3)]])
    breakable.stop()
    late, faces = enroll(gallery, PROBE)
    gone, *_ = people
    gallery.people.delete(COLLECTION, gone)
    del people[gone]
    for _ in range(2):
        with pytest.raises(IndexUnavailable):
            found_ids(gallery, PROBE)
        clock.pass_by(1)
    gallery.sync.follow()
    assert gallery.sync.face_count() == 0
    come_back(gallery)
    gallery.sync.follow()
    (index,) = sync_of(gallery)._known.values()
    assert len(index) == 2
    (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=9)
    assert_agrees(candidates, {**people, late.id: faces}, PROBE, top_k=9)
    told = [entry["event"] for entry in logs]
    assert told.count("milvus_away") == told.count("milvus_back") == 1


def test_search_alone_finds_that_milvus_is_back(
    open_on_milvus: OpenOnMilvus, breakable: LiteServer, come_back: Back
) -> None:
    gallery = open_on_milvus(uri=breakable.uri)
    breakable.stop()
    identity, _ = enroll(gallery, PROBE)
    with pytest.raises(IndexUnavailable):
        found_ids(gallery, PROBE)
    come_back(gallery)
    assert found_ids(gallery, PROBE) == [identity.id]


def test_service_starts_without_milvus(
    open_on_milvus: OpenOnMilvus, breakable: LiteServer, come_back: Back
) -> None:
    breakable.stop()
    gallery = open_on_milvus(uri=breakable.uri)
    identity, _ = enroll(gallery, PROBE)
    with pytest.raises(IndexUnavailable):
        found_ids(gallery, PROBE)
    come_back(gallery)
    gallery.sync.follow()
    assert found_ids(gallery, PROBE) == [identity.id]


def test_fallback_answers_exactly_and_ends_when_milvus_is_back(
    open_on_milvus: OpenOnMilvus, breakable: LiteServer, come_back: Back
) -> None:
    gallery = open_on_milvus(uri=breakable.uri, fallback=ExactIndex)
    fallback = sync_of(gallery)._fallback
    assert fallback is not None
    people = enroll_people(gallery, [[vector] for vector in unit_vectors(6, seed=2)])
    search_people(gallery, COLLECTION, [PROBE], top_k=9)
    assert not fallback.in_use()
    breakable.stop()
    for step in range(3):
        late, faces = enroll(gallery, unit_vector(20 + step))
        people[late.id] = faces
        gone, *_ = people
        gallery.people.delete(COLLECTION, gone)
        del people[gone]
        (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=9)
        assert_agrees(candidates, people, PROBE, top_k=9)
    assert fallback.in_use()
    assert gallery.sync.face_count() == 6
    gallery.sync.follow()
    assert fallback.in_use()
    come_back(gallery)
    gallery.sync.follow()
    assert not fallback.in_use()
    assert gallery.sync.face_count() == 6
    (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=9)
    assert_agrees(candidates, people, PROBE, top_k=9)


def test_fallback_lasts_as_long_as_the_outage_even_if_nothing_changes(
    open_on_milvus: OpenOnMilvus, breakable: LiteServer, clock: Clock
) -> None:
    gallery = open_on_milvus(uri=breakable.uri, fallback=ExactIndex)
    identity, _ = enroll(gallery, PROBE)
    breakable.stop()
    fallback = sync_of(gallery)._fallback
    assert fallback is not None
    for _ in range(3):
        assert found_ids(gallery, PROBE) == [identity.id]
        clock.pass_by(1)
        gallery.sync.follow()
        assert fallback.in_use()


@pytest.mark.parametrize("fallback", [None, ExactIndex])
def test_search_that_fails_half_way_falls_back_too(
    open_on_milvus: OpenOnMilvus, breakable: LiteServer, fallback: type[ExactIndex] | None
) -> None:
    gallery = open_on_milvus(uri=breakable.uri, fallback=fallback)
    enroll(gallery, PROBE, -PROBE)
    index = sync_of(gallery).index_at(row_of(gallery))
    assert len(index) == 2
    breakable.stop()
    if fallback is None:
        with pytest.raises(IndexUnavailable):
            index.search(PROBE[None], 5)
        return
    (hits,) = index.search(PROBE[None], 5)
    assert hits.similarities.tolist() == pytest.approx([1, -1])
    (hits,) = index.search_among(PROBE[None], hits.numbers[1:], 5)
    assert hits.similarities.tolist() == pytest.approx([-1])
    assert len(index) == 2


def test_frozen_milvus_is_waited_for_once(
    open_on_milvus: OpenOnMilvus,
    breakable: LiteServer,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gallery = open_on_milvus(uri=breakable.uri)
    identity, _ = enroll(gallery, PROBE)
    with monkeypatch.context() as patch:
        patch.setattr(milvus_index, "READ_S", 0.5)
        asked = _count_questions(patch)
        breakable.freeze()
        for _ in range(6):
            with pytest.raises(IndexUnavailable):
                found_ids(gallery, PROBE)
        assert len(asked) == 1, "the other searches failed without asking"
    breakable.thaw()
    clock.pass_by(1)
    assert found_ids(gallery, PROBE) == [identity.id]


def _count_questions(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each time that a Milvus is asked anything, from now on."""
    asked: list[object] = []
    connected = Milvus._connected

    def counting(milvus: Milvus) -> object:
        asked.append(milvus)
        return connected(milvus)

    monkeypatch.setattr(Milvus, "_connected", counting)
    return asked


def test_collection_deleted_while_milvus_was_away_is_dropped_when_it_is_back(
    open_on_milvus: OpenOnMilvus, breakable: LiteServer, come_back: Back
) -> None:
    gallery = open_on_milvus(uri=breakable.uri)
    gallery.collections.create("staff", None)
    enroll(gallery, PROBE, collection="staff")
    milvus = sync_of(gallery)._milvus
    before = milvus.names()
    breakable.stop()
    gallery.collections.delete("staff")
    come_back(gallery)
    # Another process, for which none of this happened.
    open_on_milvus(uri=breakable.uri)
    assert len(milvus.names()) == len(before) - 1
    gallery.sync.follow()
    assert len(milvus.names()) == len(before) - 1


def test_only_collection_deleted_while_milvus_was_away_is_dropped_too(
    open_on_milvus: OpenOnMilvus, breakable: LiteServer, come_back: Back
) -> None:
    gallery = open_on_milvus(uri=breakable.uri)
    enroll(gallery, PROBE)
    milvus = sync_of(gallery)._milvus
    (before,) = milvus.names()
    breakable.stop()
    gallery.collections.delete(COLLECTION)
    come_back(gallery)
    gallery.sync.follow()
    assert len(milvus.names()) == 1
    assert before not in milvus.names()

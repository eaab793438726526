"""Milvus answers as the exact index does: Lite, and standalone where it can be had."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import grpc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pymilvus import MilvusException

from app.errors import IndexUnavailable, StartupError
from app.gallery.index.protocol import Hits, VectorIndex
from app.gallery.milvus import milvus_index
from app.gallery.milvus.connection import Milvus, MilvusCollectionMissing
from app.gallery.milvus.milvus_index import MilvusIndex
from tests.gallery.factories import unit_vectors
from tests.gallery.milvus.conftest import Clock
from tests.gallery.milvus.lite import LiteServer
from tests.kit.exact_index import ExactIndex

DIMENSION = 8
VECTORS = unit_vectors(10, seed=1, dimension=DIMENSION)
"""Few, so that faces with the same vector, and so ties, are common."""
PROBES = unit_vectors(2, seed=2, dimension=DIMENSION)

_numbers = st.lists(st.integers(1, 25), max_size=8, unique=True)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), _numbers, st.integers(0, len(VECTORS) - 1)),
        st.tuples(st.just("remove"), _numbers, st.just(0)),
        st.tuples(st.just("search"), st.just([]), st.integers(0, 30)),
        st.tuples(st.just("among"), _numbers, st.integers(0, 30)),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def shared_index(uri: str) -> Iterator[MilvusIndex]:
    """One for all tests, as a server takes 3 s to have a collection ready."""
    milvus = Milvus(uri)
    made = MilvusIndex(milvus, f"test_{uuid4().hex}", DIMENSION)
    made.create("")
    yield made
    made.drop()
    milvus.close()


@pytest.fixture
def milvus(uri: str) -> Iterator[Milvus]:
    """Of each kind."""
    connected = Milvus(uri)
    yield connected
    connected.close()


@pytest.fixture
def index(shared_index: MilvusIndex) -> MilvusIndex:
    """Empty."""
    shared_index._milvus.ask(lambda client: client.delete(shared_index.name, filter="number >= 0"))
    return shared_index


def numbered(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def assert_same(found: list[Hits], expected: list[Hits], index: VectorIndex) -> None:
    """The same similarities; and each is that of the number beside it, as ties may be turned."""
    assert len(found) == len(expected)
    for ours, theirs, probe in zip(found, expected, PROBES, strict=False):
        assert (ours.numbers.dtype, ours.similarities.dtype) == (
            np.dtype(np.int64),
            np.dtype(np.float32),
        )
        np.testing.assert_allclose(ours.similarities, theirs.similarities, rtol=0, atol=1e-6)
        assert len(np.unique(ours.numbers)) == len(ours.numbers)
        own = index.search_among(probe[None], ours.numbers, len(ours.numbers))[0]
        ranks = {number: place for place, number in enumerate(own.numbers.tolist())}
        places = [ranks[number] for number in ours.numbers.tolist()]
        np.testing.assert_allclose(own.similarities[places], ours.similarities, rtol=0, atol=1e-6)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
def test_milvus_agrees_with_the_exact_index_after_any_changes(
    index: MilvusIndex, steps: list[tuple[str, list[int], int]]
) -> None:
    index.remove(np.arange(1, 26, dtype=np.int64))  # of the example before
    exact = ExactIndex(DIMENSION)
    for kind, numbers, argument in steps:
        chosen = numbered(*numbers)
        if kind == "add":
            vectors = VECTORS[(chosen + argument) % len(VECTORS)]
            for one in (index, exact):
                one.add(chosen, vectors)  # also in place of another vector
        elif kind == "remove":
            for one in (index, exact):
                one.remove(chosen)
        elif kind == "search":
            assert_same(index.search(PROBES, argument), exact.search(PROBES, argument), exact)
        else:
            found = index.search_among(PROBES, chosen, argument)
            assert_same(found, exact.search_among(PROBES, chosen, argument), exact)
    assert len(index) == len(exact)
    assert_same(index.search(PROBES, 100), exact.search(PROBES, 100), exact)


def test_milvus_finds_the_same_faces_as_exact_search(milvus: Milvus) -> None:
    index, exact = MilvusIndex(milvus, f"test_{uuid4().hex}", 128), ExactIndex(128)
    index.create("")
    vectors = unit_vectors(5_000, seed=3, dimension=128)
    numbers = np.random.default_rng(3).permutation(10**12 + np.arange(5_000))
    for one in (index, exact):
        one.add(numbers, vectors)
        one.remove(numbers[::3])
    probes = unit_vectors(5, seed=4, dimension=128)
    among = numbers[:4_500]  # more than go into one question
    for found, expected in (
        (index.search(probes, 25), exact.search(probes, 25)),
        (index.search_among(probes, among, 25), exact.search_among(probes, among, 25)),
    ):
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours.numbers, theirs.numbers)
            np.testing.assert_allclose(ours.similarities, theirs.similarities, rtol=0, atol=1e-6)
    index.drop()


def test_more_hits_than_milvus_answers_at_once_are_all_found(
    index: MilvusIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = ExactIndex(DIMENSION)
    vectors = unit_vectors(60, seed=5, dimension=DIMENSION)
    numbers = np.random.default_rng(5).permutation(10**12 + np.arange(60))
    for one in (index, exact):
        one.add(numbers, vectors)
    monkeypatch.setattr(milvus_index, "_MOST_HITS", 8)
    for count in (8, 9, 40, 60, 100):
        found, expected = index.search(PROBES, count), exact.search(PROBES, count)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours.numbers, theirs.numbers)


def test_empty_index_finds_nothing(index: MilvusIndex) -> None:
    assert len(index) == 0
    for hits in (
        *index.search(PROBES, 5),
        *index.search_among(PROBES, numbered(1, 2), 5),
        *index.search_among(PROBES, numbered(), 5),
    ):
        assert (hits.numbers.shape, hits.numbers.dtype) == ((0,), np.dtype(np.int64))
        assert (hits.similarities.shape, hits.similarities.dtype) == ((0,), np.dtype(np.float32))
    assert index.search(PROBES[:0], 5) == []


def test_another_connection_sees_a_change_at_once(index: MilvusIndex, uri: str) -> None:
    other = Milvus(uri)
    theirs = MilvusIndex(other, index.name, DIMENSION)
    for number in range(1, 20):
        index.add(numbered(number), VECTORS[:1])
        assert len(theirs) == 1
        index.remove(numbered(number))
        assert len(theirs.search(PROBES, 5)[0].numbers) == 0
    other.close()


class _SlowToShow:
    """Stands for Milvus Lite: a row that was taken is shown when it is asked for the third time."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def get_server_version(self, **_: object) -> str:
        raise MilvusException(code=grpc.StatusCode.UNIMPLEMENTED)

    def upsert(self, _name: str, _rows: object, **_: object) -> None:
        pass

    def get(self, _name: str, *, ids: list[int], **_: object) -> list[dict[str, int]]:
        self.asked += ids
        return [{"number": ids[0]}] if len(self.asked) > 2 else []


def test_adding_to_milvus_lite_returns_when_the_rows_are_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = _SlowToShow()
    milvus = Milvus("http://127.0.0.1:1")
    monkeypatch.setattr(milvus, "_connected", lambda: client)
    MilvusIndex(milvus, "faces", DIMENSION).add(numbered(3, 4), VECTORS[:2])
    assert client.asked == [4, 4, 4]


def test_milvus_lite_is_known_for_what_it_is(milvus: Milvus, lite: LiteServer, uri: str) -> None:
    assert milvus.is_lite() == (uri == lite.uri)


def test_making_and_dropping_twice_changes_nothing(milvus: Milvus) -> None:
    index = MilvusIndex(milvus, f"test_{uuid4().hex}", DIMENSION)
    index.create("told")
    index.add(numbered(1), VECTORS[:1])
    index.create("told")
    assert len(index) == 1
    assert milvus.description(index.name) == "told"
    index.drop()
    index.drop()
    assert index.name not in milvus.names()


def test_missing_collection_is_told_from_an_outage(milvus: Milvus) -> None:
    index = MilvusIndex(milvus, "test_nobody_made_it", DIMENSION)
    for question in (
        lambda: len(index),
        lambda: index.search(PROBES, 5),
        lambda: index.add(numbered(1), VECTORS[:1]),
        lambda: index.remove(numbered(1)),
    ):
        with pytest.raises(MilvusCollectionMissing):
            question()
    milvus.require()


def test_what_fails_is_not_asked_again_for_a_second(clock: Clock) -> None:
    milvus = Milvus("http://127.0.0.1:1", clock=clock)
    asked: list[float] = []

    def question(_client: object) -> None:
        asked.append(clock.now)

    milvus.require()
    for _ in range(3):
        with pytest.raises(IndexUnavailable, match="does not answer"):
            milvus.ask(question)
    with pytest.raises(IndexUnavailable):
        milvus.require()
    clock.pass_by(1)
    milvus.require()
    assert asked == []


def test_milvus_lite_opens_a_file(tmp_path: Path) -> None:
    from milvus_lite.server_manager import server_manager_instance  # noqa: PLC0415

    uri = str(tmp_path / "lite.db")
    milvus = Milvus(uri)
    index = MilvusIndex(milvus, "faces", DIMENSION)
    index.create("")
    index.add(numbered(1), VECTORS[:1])
    assert index.search(VECTORS[:1], 5)[0].numbers.tolist() == [1]
    milvus.close()
    server_manager_instance.release_server(uri)


def test_address_tells_servers_apart_and_no_secrets() -> None:
    addresses = [
        Milvus(uri).address
        for uri in (
            "http://user:secret@one:19530/",
            "http://one:19530",
            "http://two:19530",
            "http://one:19530/mine",
            "faces.db",
        )
    ]
    assert addresses[0] == addresses[1]
    assert len(set(addresses)) == 4
    assert "secret" not in "".join(addresses)


def test_uri_that_means_nothing_ends_the_start() -> None:
    with pytest.raises(StartupError, match="VULTUS_INDEX__MILVUS_URI"):
        Milvus("nonsense").names()


def test_missing_package_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    monkeypatch.delitem(sys.modules, "app.gallery.milvus.connection")
    with pytest.raises(StartupError, match=r"pip install 'vultus\[milvus\]'"):
        importlib.import_module("app.gallery.milvus.connection")

"""What every vector index promises, whichever it is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.index_options import IndexOptions
from app.gallery.index.protocol import LocalIndex, VectorIndex
from tests.gallery.factories import unit_vector, unit_vectors
from tests.gallery.index.variants import (
    LISTED,
    PACKED,
    SettledIndex,
    assert_true,
    contents,
    each_index,
    numbered,
)
from tests.kit.exact_index import ExactIndex

DIMENSION = 8
VECTORS = unit_vectors(10, seed=1, dimension=DIMENSION)
"""Few, so that faces with the same vector, and so ties, are common."""

MakeIndex = Callable[[int], LocalIndex]
Stored = dict[int, NDArray[np.float32]]

_numbers = st.lists(st.integers(1, 25), max_size=8, unique=True)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), _numbers, st.integers(0, len(VECTORS) - 1)),
        st.tuples(st.just("remove"), _numbers, st.just(0)),
        st.tuples(st.just("search"), st.just([]), st.integers(0, 30)),
        st.tuples(st.just("search among"), _numbers, st.integers(0, 30)),
    ),
    max_size=20,
)


def assert_finds(index: VectorIndex, stored: Stored, probe: NDArray[np.float32], k: int) -> None:
    (hits,) = index.search(probe[None], k)
    assert_true(hits, stored, probe, k)


@each_index
@settings(max_examples=60)
@given(steps=_steps)
def test_index_agrees_with_a_dictionary_after_any_changes(
    make_index: MakeIndex, steps: list[tuple[str, list[int], int]]
) -> None:
    index = make_index(DIMENSION)
    stored: Stored = {}
    probe = unit_vector(2, dimension=DIMENSION)
    for kind, numbers, argument in steps:
        if kind == "add":
            new = {
                number: VECTORS[(number + argument) % len(VECTORS)]
                for number in numbers
                if number not in stored
            }
            stored.update(new)
            index.add(numbered(*new), np.array(list(new.values())).reshape(-1, DIMENSION))
        elif kind == "remove":
            for number in numbers:
                stored.pop(number, None)
            index.remove(numbered(*numbers))
        elif kind == "search":
            assert_finds(index, stored, probe, argument)
        else:
            (hits,) = index.search_among(probe[None], numbered(*numbers), argument)
            among = {number: stored[number] for number in numbers if number in stored}
            assert_true(hits, among, probe, argument)
    assert len(index) == len(stored)
    assert_finds(index, stored, probe, 1)
    assert_finds(index, stored, probe, 100)
    assert contents(index).keys() == stored.keys()


@each_index
def test_every_kind_finds_the_same_faces_as_exact_search(make_index: MakeIndex) -> None:
    exact, index = ExactIndex(128), make_index(128)
    vectors = unit_vectors(1_000, seed=3, dimension=128)
    numbers = np.random.default_rng(3).permutation(10**12 + np.arange(1_000))
    for one in (exact, index):
        one.add(numbers, vectors)
        one.remove(numbers[::3])
    probes = unit_vectors(20, seed=4, dimension=128)
    for found, expected in zip(index.search(probes, 25), exact.search(probes, 25), strict=True):
        np.testing.assert_array_equal(found.numbers, expected.numbers)
        np.testing.assert_allclose(found.similarities, expected.similarities, rtol=0, atol=1e-5)


@each_index
def test_probes_searched_together_find_what_each_finds_alone(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.add(np.arange(100), unit_vectors(100, seed=6, dimension=DIMENSION))
    probes = unit_vectors(9, seed=7, dimension=DIMENSION)
    together = index.search(probes, 5)
    among = index.search_among(probes, np.arange(20, 60), 5)
    for probe, hits, chosen in zip(probes, together, among, strict=True):
        np.testing.assert_array_equal(hits.numbers, index.search(probe[None], 5)[0].numbers)
        (alone,) = index.search_among(probe[None], np.arange(20, 60), 5)
        np.testing.assert_array_equal(chosen.numbers, alone.numbers)


@each_index
def test_no_probes_no_hits(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.add(np.arange(10), VECTORS)
    assert index.search(VECTORS[:0], 5) == []
    assert index.search_among(VECTORS[:0], np.arange(5), 5) == []


@each_index
def test_empty_index_finds_nothing(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    for hits in (
        *index.search(VECTORS[:2], 5),
        *index.search_among(VECTORS[:2], numbered(1, 2), 5),
    ):
        assert (hits.numbers.shape, hits.numbers.dtype) == ((0,), np.dtype(np.int64))
        assert (hits.similarities.shape, hits.similarities.dtype) == ((0,), np.dtype(np.float32))
    assert contents(index) == {}


@each_index
def test_emptied_index_finds_nothing(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.add(np.arange(10), VECTORS)
    index.remove(np.arange(9, -1, -1))
    assert len(index) == 0
    assert len(index.search(VECTORS[:1], 5)[0].numbers) == 0
    assert contents(index) == {}


@each_index
def test_asking_for_none_gives_none(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.add(np.arange(10), VECTORS)
    assert [len(hits.numbers) for hits in index.search(VECTORS[:2], 0)] == [0, 0]
    assert [len(hits.numbers) for hits in index.search_among(VECTORS[:2], numbered(3), 0)] == [0, 0]


@each_index
def test_asking_for_more_than_there_are_gives_all(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.add(numbered(7, 8, 9), VECTORS[:3])
    (hits,) = index.search(VECTORS[1:2], 1_000)
    assert sorted(hits.numbers.tolist()) == [7, 8, 9]
    assert hits.numbers[0] == 8


@each_index
def test_numbers_named_twice_or_unknown_are_found_once_or_not(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.add(np.arange(10), VECTORS)
    (hits,) = index.search_among(VECTORS[:1], numbered(4, 77, 2, 4, -1, 2**62, 2), 100)
    assert_true(hits, {4: VECTORS[4], 2: VECTORS[2]}, VECTORS[0], 100)


@each_index
def test_removing_unknown_faces_changes_nothing(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.remove(numbered(1))
    index.add(numbered(1, 2), VECTORS[:2])
    index.remove(numbered(3, 2**62))
    assert_finds(index, {1: VECTORS[0], 2: VECTORS[1]}, VECTORS[5], 10)


@each_index
def test_removed_number_may_come_back_with_another_vector(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.add(np.arange(8), VECTORS[:8])
    index.remove(numbered(1))
    index.add(numbered(1), VECTORS[8:9])
    assert_finds(index, {**dict(enumerate(VECTORS[:8])), 1: VECTORS[8]}, VECTORS[0], 10)


@each_index
def test_rewriting_what_tells_of_removed_faces_changes_no_answer(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.add(np.arange(10), VECTORS)
    index.remove(numbered(0, 5))
    index.compact()
    stored = {number: VECTORS[number] for number in range(10) if number not in {0, 5}}
    assert_finds(index, stored, VECTORS[0], 10)


@pytest.mark.parametrize("options", [IndexOptions(), PACKED, LISTED])
def test_vectors_that_are_no_numbers_are_near_nobody(options: IndexOptions) -> None:
    index = SettledIndex(DIMENSION, options)
    vectors = VECTORS.copy()
    vectors[4] = np.nan
    index.add(np.arange(10), vectors)
    stored = {number: VECTORS[number] for number in range(10) if number != 4}
    assert_finds(index, stored, VECTORS[0], 100)
    (hits,) = index.search_among(VECTORS[:1], numbered(2, 4), 100)
    assert hits.numbers.tolist() == [2]
    assert index.search(vectors[4:5], 100)[0].numbers.tolist() == []


@pytest.mark.parametrize(
    ("numbers", "vectors"),
    [
        (numbered(5), VECTORS[:1]),
        (numbered(20, 20), VECTORS[:2]),
        (numbered(20, 21), VECTORS[:1]),
        (numbered(20), VECTORS[:1, :4]),
    ],
    ids=["there already", "twice", "more numbers than vectors", "another dimension"],
)
def test_what_cannot_be_added_is_refused_whole(
    numbers: NDArray[np.int64], vectors: NDArray[np.float32]
) -> None:
    index = FaissIndex(DIMENSION)
    index.add(np.arange(10), VECTORS)
    with pytest.raises(ValueError):  # noqa: PT011  (whatever it says)
        index.add(numbers, vectors)
    assert_finds(index, dict(enumerate(VECTORS)), VECTORS[0], 100)


@each_index
@pytest.mark.usefixtures("_threads_take_short_turns")
def test_search_beside_changes_always_finds_those_who_stay(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    probe = VECTORS[:1]
    index.add(numbered(1), probe)
    passing = np.arange(100, 600, dtype=np.int64)
    ever_added = {1, *passing.tolist()}
    vectors = unit_vectors(len(passing), seed=5, dimension=DIMENSION)
    done = Event()

    def come_and_go() -> int:
        turns = 0
        while not turns or not done.is_set():
            index.add(passing, vectors)
            index.remove(passing)
            turns += 1
        return turns

    def look() -> None:
        stop = monotonic() + 0.5
        while monotonic() < stop:
            (hits,) = index.search(probe, 20)
            assert hits.numbers[0] == 1
            assert abs(float(hits.similarities[0]) - 1) < 1e-5
            assert set(hits.numbers.tolist()) <= ever_added
            assert (np.diff(hits.similarities) <= 0).all()
            (hits,) = index.search_among(probe, numbered(1, 300), 20)
            assert hits.numbers[0] == 1

    with ThreadPoolExecutor(4) as pool:
        changing = pool.submit(come_and_go)
        looking = [pool.submit(look) for _ in range(3)]
        try:
            for future in looking:
                future.result(timeout=60)
        finally:
            done.set()
        assert changing.result(timeout=60) > 0
    assert len(index) == 1
    index.close()

"""What every vector index promises, whichever it is."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.gallery.exact_index import ExactIndex
from app.gallery.faiss_index import FaissIndex
from app.gallery.index import VectorIndex
from tests.gallery.factories import unit_vector, unit_vectors

DIMENSION = 8
VECTORS = unit_vectors(10, seed=1, dimension=DIMENSION)
"""Few, so that faces with the same vector, and so ties, are common."""

MakeIndex = Callable[[int], VectorIndex]

each_index = pytest.mark.parametrize("make_index", [ExactIndex, FaissIndex])

_numbers = st.lists(st.integers(1, 25), max_size=8, unique=True)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), _numbers, st.integers(0, len(VECTORS) - 1)),
        st.tuples(st.just("remove"), _numbers, st.just(0)),
        st.tuples(st.just("search"), st.just([]), st.integers(0, 30)),
    ),
    max_size=20,
)


def numbered(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def assert_finds(
    index: VectorIndex, stored: dict[int, NDArray[np.float32]], probe: NDArray[np.float32], k: int
) -> None:
    """A naive loop finds the same similarities, and each is that of the number beside it."""
    numbers, similarities = index.search(probe, k)
    own = {number: float(vector @ probe) for number, vector in stored.items()}
    expected = sorted(own.values(), reverse=True)[:k]
    np.testing.assert_allclose(similarities, expected, rtol=0, atol=1e-5)
    assert len(set(numbers.tolist())) == len(numbers)
    for number, similarity in zip(numbers.tolist(), similarities.tolist(), strict=True):
        assert abs(own[number] - similarity) < 1e-5


@each_index
@settings(deadline=None, derandomize=True, max_examples=60)
@given(steps=_steps)
def test_index_agrees_with_a_dictionary_after_any_changes(
    make_index: MakeIndex, steps: list[tuple[str, list[int], int]]
) -> None:
    index = make_index(DIMENSION)
    stored: dict[int, NDArray[np.float32]] = {}
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
        else:
            assert_finds(index, stored, probe, argument)
    assert len(index) == len(stored)
    assert_finds(index, stored, probe, 1)
    assert_finds(index, stored, probe, 100)


def test_faiss_finds_the_same_faces_as_exact_search() -> None:
    exact, fast = ExactIndex(128), FaissIndex(128)
    vectors = unit_vectors(1_000, seed=3, dimension=128)
    numbers = np.random.default_rng(3).permutation(10**12 + np.arange(1_000))
    for index in (exact, fast):
        index.add(numbers, vectors)
        index.remove(numbers[::3])
    for probe in unit_vectors(20, seed=4, dimension=128):
        expected_numbers, expected = exact.search(probe, 25)
        found_numbers, found = fast.search(probe, 25)
        np.testing.assert_array_equal(found_numbers, expected_numbers)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@each_index
def test_empty_index_finds_nothing(make_index: MakeIndex) -> None:
    numbers, similarities = make_index(DIMENSION).search(VECTORS[0], 5)
    assert (numbers.shape, numbers.dtype) == ((0,), np.int64)
    assert (similarities.shape, similarities.dtype) == ((0,), np.float32)


@each_index
def test_emptied_index_finds_nothing(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.add(numbered(1, 2), VECTORS[:2])
    index.remove(numbered(2, 1))
    assert len(index) == 0
    assert len(index.search(VECTORS[0], 5)[0]) == 0


@each_index
def test_asking_for_more_than_there_are_gives_all(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    index.add(numbered(7, 8, 9), VECTORS[:3])
    numbers, _ = index.search(VECTORS[1], 1_000)
    assert sorted(numbers.tolist()) == [7, 8, 9]
    assert numbers[0] == 8


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
    index.add(numbered(1), VECTORS[:1])
    index.remove(numbered(1))
    index.add(numbered(1), VECTORS[1:2])
    assert_finds(index, {1: VECTORS[1]}, VECTORS[0], 10)


@pytest.fixture
def _threads_take_short_turns() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@each_index
@pytest.mark.usefixtures("_threads_take_short_turns")
def test_search_beside_changes_always_finds_those_who_stay(make_index: MakeIndex) -> None:
    index = make_index(DIMENSION)
    probe = VECTORS[0]
    index.add(numbered(1), probe[None])
    passing = np.arange(100, 600, dtype=np.int64)
    ever_added = {1, *passing.tolist()}
    vectors = unit_vectors(len(passing), seed=5, dimension=DIMENSION)
    done = Event()

    def come_and_go() -> int:
        turns = 0
        while not done.is_set():
            index.add(passing, vectors)
            index.remove(passing)
            turns += 1
        return turns

    def look() -> None:
        stop = monotonic() + 0.7
        while monotonic() < stop:
            numbers, similarities = index.search(probe, 20)
            assert numbers[0] == 1
            assert abs(float(similarities[0]) - 1) < 1e-5
            assert set(numbers.tolist()) <= ever_added
            assert (np.diff(similarities) <= 0).all()

    with ThreadPoolExecutor(4) as pool:
        changing = pool.submit(come_and_go)
        looking = [pool.submit(look) for _ in range(3)]
        try:
            for future in looking:
                future.result(timeout=60)
        finally:
            done.set()
        assert changing.result(timeout=60) > 1
    assert len(index) == 1

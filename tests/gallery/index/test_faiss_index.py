"""From exact to coarse-to-fine search and back, in the background."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from structlog.testing import capture_logs

from app.gallery.index import background, faiss_codes, faiss_index
from app.gallery.index.background import Background
from app.gallery.index.faiss_codes import Codes, ListedCodes, PackedCodes
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.index_options import IndexOptions
from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.index.top import Top
from app.recognition.types import Embedding
from tests.gallery.factories import eventually, unit_vectors
from tests.gallery.index.test_faiss_codes import assert_packed
from tests.gallery.index.variants import (
    LISTED,
    PACKED,
    SettledIndex,
    assert_true,
    contents,
    numbered,
    people,
)

DIMENSION = 8
POOL = unit_vectors(400, seed=1, dimension=DIMENSION)
WAIT_S = 30

Stored = dict[int, NDArray[np.float32]]


def serving(index: FaissIndex) -> type[Codes] | None:
    codes = index._encoder.serving
    return None if codes is None else type(codes)


def add(index: FaissIndex, stored: Stored, numbers: range | list[int]) -> None:
    taken = np.array(numbers, dtype=np.int64)
    index.add(taken, POOL[taken])
    stored.update(zip(taken.tolist(), POOL[taken], strict=True))


def remove(index: FaissIndex, stored: Stored, numbers: range | list[int]) -> None:
    index.remove(np.array(numbers, dtype=np.int64))
    for number in numbers:
        stored.pop(number, None)


def assert_finds(index: FaissIndex, stored: Mapping[int, NDArray[np.float32]]) -> None:
    for probe in POOL[:5]:
        for count in (1, 7, 1_000):
            (hits,) = index.search(probe[None], count)
            assert_true(hits, stored, probe, count)


def assert_codes_fit(index: FaissIndex) -> None:
    """All codes are those of the rows in the slots that they are of."""
    for codes in index._encoder._all():
        slots = np.arange(len(codes))
        numbers, rows = index._rows.numbers_in(slots), index._rows.vectors_in(slots)
        if isinstance(codes, PackedCodes):
            assert_packed(codes, rows)
        else:
            assert isinstance(codes, ListedCodes)
            regions = range(codes._regions.ntotal)
            listed = np.concatenate([codes._numbers_in(region) for region in regions])
            assert sorted(listed.tolist()) == sorted(numbers.tolist())


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens in the background; tests take its steps themselves."""
    monkeypatch.setattr(Background, "wake", lambda _: None)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_codes, "_ENCODED_AT_ONCE", 7 * DIMENSION)
    monkeypatch.setattr(faiss_codes, "_LISTED_AT_ONCE", 5 * DIMENSION)
    monkeypatch.setattr(faiss_codes, "_BLOCK", 64)
    monkeypatch.setattr(faiss_index, "_COPIED_AT_ONCE", 16)
    monkeypatch.setattr(faiss_index, "_REMOVED_AT_ONCE", 3)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (IndexOptions(exact_up_to=1_000), PackedCodes),
        (IndexOptions(exact_up_to=1_000, listed_above=3_000, probed_share=0.5), ListedCodes),
    ],
    ids=["packed", "listed"],
)
def test_coarse_search_takes_the_decisions_of_exact_search(
    options: IndexOptions, kind: type[Codes]
) -> None:
    faces, probes = people(6_000, 3, seed=1)
    owners = np.arange(6_000) // 3
    strangers = unit_vectors(500, seed=2, dimension=128)
    index = SettledIndex(128, options)
    index.add(np.arange(6_000), faces)
    assert serving(index) is kind
    asked = np.concatenate([probes[:500], strangers])
    exact = asked @ faces.T
    found = index.search(asked, 8)
    for person, hits in enumerate(found[:500]):
        assert owners[hits.numbers[0]] == person
    for scores, hits in zip(exact, found, strict=True):
        np.testing.assert_allclose(hits.similarities, scores[hits.numbers], rtol=0, atol=1e-5)
        assert (hits.similarities[0] >= 0.5) == (scores.max() >= 0.5)
        assert len(hits.numbers) == 8


@pytest.mark.parametrize("count", [1, 32])
def test_few_candidates_are_looked_at_unless_nearly_all_are_asked_for(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = IndexOptions(exact_up_to=500, fewest_candidates=50, refine_factor=2)
    index = SettledIndex(DIMENSION, options)
    index.add(np.arange(2_000), unit_vectors(2_000, seed=3, dimension=DIMENSION))
    asked = []
    usual = PackedCodes.candidates

    def counted(codes: PackedCodes, probes: Vectors, wanted: int) -> Top:
        asked.append(wanted)
        return usual(codes, probes, wanted)

    monkeypatch.setattr(PackedCodes, "candidates", counted)
    assert len(index.search(POOL[:1], count)[0].numbers) == count
    assert asked == [max(50, 2 * count)]
    assert len(index.search(POOL[:1], 1_500)[0].numbers) == 1_500
    assert len(asked) == 1


def test_lists_that_have_too_few_candidates_are_made_up_for() -> None:
    options = replace(LISTED, probed_share=0.0, fewest_candidates=1, refine_factor=2)
    index, stored = SettledIndex(DIMENSION, options), Stored()
    add(index, stored, range(400))
    assert serving(index) is ListedCodes
    (hits,) = index.search(POOL[:1], 150)
    assert_true(hits, stored, POOL[0], 150)


def test_kind_of_search_follows_the_number_of_faces_both_ways() -> None:
    index = SettledIndex(DIMENSION, replace(LISTED, exact_up_to=40, listed_above=100))
    stored: dict[int, Embedding] = {}
    kinds = []
    for number in range(200):
        add(index, stored, [number])
        kinds.append((number + 1, serving(index)))
    assert [at for at, kind in kinds if kind is None] == list(range(1, 41))
    assert [at for at, kind in kinds if kind is PackedCodes] == list(range(41, 101))
    assert_finds(index, stored)
    kinds.clear()
    for number in range(200):
        remove(index, stored, [number])
        kinds.append((199 - number, serving(index)))
        if number % 40 == 39:
            assert_finds(index, stored)
    assert [at for at, kind in kinds if kind is ListedCodes] == list(range(199, 50, -1))
    assert [at for at, kind in kinds if kind is PackedCodes] == list(range(50, 20, -1))
    assert index._encoder.memory_bytes == 0


def test_lists_are_made_anew_when_there_are_many_more_faces_or_fewer() -> None:
    index, stored = SettledIndex(DIMENSION, replace(LISTED, listed_above=10)), Stored()
    add(index, stored, range(64))
    first = index._encoder.serving
    add(index, stored, range(64, 250))
    assert index._encoder.serving is first
    add(index, stored, range(250, 300))
    second = index._encoder.serving
    assert isinstance(second, ListedCodes)
    assert second is not first
    assert_finds(index, stored)
    remove(index, stored, range(290))
    assert index._encoder.serving is not second
    assert_finds(index, stored)


@pytest.mark.usefixtures("small_pieces")
def test_search_is_exact_until_all_codes_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, encoded, go_on = PackedCodes.append, Event(), Event()

    def halting(codes: PackedCodes, numbers: FaceNumbers, rows: Vectors) -> None:
        usual(codes, numbers, rows)
        if len(codes) > 100:
            encoded.set()
            go_on.wait(WAIT_S)

    index, stored = FaissIndex(DIMENSION, PACKED), Stored()
    monkeypatch.setattr(index._lock, "_alone", index._lock._shared)  # searches may go beside it
    monkeypatch.setattr(PackedCodes, "append", halting)
    add(index, stored, range(300))
    assert encoded.wait(WAIT_S)
    assert serving(index) is None
    assert_finds(index, stored)
    go_on.set()
    index.settle()
    assert serving(index) is PackedCodes
    assert_finds(index, stored)


def test_few_new_faces_are_searched_without_codes() -> None:
    index, stored = SettledIndex(DIMENSION, replace(PACKED, fresh_at_most=50)), Stored()
    add(index, stored, range(100))
    codes = index._encoder.serving
    assert codes is not None
    coded = len(codes)
    add(index, stored, range(100, 100 + 50 - (100 - coded)))
    assert len(codes) == coded
    assert_finds(index, stored)
    add(index, stored, [399])
    assert coded < len(codes)
    assert_finds(index, stored)


def test_codes_are_made_once_an_index_is_filled() -> None:
    index, stored = SettledIndex(DIMENSION, PACKED), Stored()
    with index.filling():
        add(index, stored, range(100))
        assert index._background._thread is None
        assert serving(index) is None
        assert_finds(index, stored)
    index.settle()
    assert serving(index) is PackedCodes
    assert_finds(index, stored)


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 399), st.integers(1, 60)),
        st.tuples(st.just("remove"), st.integers(0, 399), st.integers(1, 60)),
        st.tuples(st.just("work"), st.just(0), st.integers(1, 30)),
    ),
    max_size=40,
)


@pytest.mark.usefixtures("by_hand", "small_pieces")
@settings(max_examples=80)
@given(steps=_steps)
def test_codes_fit_their_rows_whatever_happens_while_they_are_made(
    steps: list[tuple[str, int, int]],
) -> None:
    options = replace(LISTED, exact_up_to=20, listed_above=90, fresh_at_most=4)
    index, stored = FaissIndex(DIMENSION, options), Stored()
    for kind, first, many in steps:
        some = range(first, min(first + many, len(POOL)))
        if kind == "add":
            add(index, stored, [number for number in some if number not in stored])
        elif kind == "remove":
            remove(index, stored, some)
        else:
            for _ in range(many):
                index._encoder.step()
        assert_codes_fit(index)
    assert_finds(index, stored)
    assert {number: tuple(row) for number, row in contents(index).items()} == {
        number: tuple(row) for number, row in stored.items()
    }


@pytest.mark.usefixtures("_threads_take_short_turns", "small_pieces")
@pytest.mark.parametrize("options", [PACKED, replace(LISTED, listed_above=150)])
def test_changes_searches_and_encoding_go_on_together(options: IndexOptions) -> None:
    index, stored = FaissIndex(DIMENSION, options), Stored()
    add(index, stored, range(50))
    done = Event()

    def change(mine: range) -> Stored:
        """Adds and removes; what is left of `mine` in the end."""
        random = np.random.default_rng(mine.start)
        left: Stored = {}
        for _ in range(60):
            some = random.choice(np.array(mine), size=20, replace=False).tolist()
            add(index, left, [number for number in some if number not in left])
            remove(index, left, some[:12])
        return left

    def look() -> int:
        turns = 0
        while not turns or not done.is_set():
            (hits,) = index.search(POOL[3:4], 10)
            assert hits.numbers[0] == 3
            own = POOL[hits.numbers] @ POOL[3]
            np.testing.assert_allclose(hits.similarities, own, rtol=0, atol=1e-5)
            assert len(set(hits.numbers.tolist())) == 10
            turns += 1
        return turns

    with ThreadPoolExecutor(4) as pool:
        changing = [pool.submit(change, mine) for mine in (range(50, 220), range(220, 400))]
        looking = [pool.submit(look) for _ in range(2)]
        try:
            for future in changing:
                stored.update(future.result(timeout=WAIT_S))
        finally:
            done.set()
        assert all(future.result(timeout=WAIT_S) for future in looking)
    index.settle()
    assert serving(index) is not None
    assert_codes_fit(index)
    assert_finds(index, stored)


@pytest.mark.usefixtures("_threads_take_short_turns", "small_pieces")
def test_copying_out_misses_nobody_who_stays() -> None:
    index = FaissIndex(DIMENSION, PACKED)
    stay, pass_by = range(0, 400, 4), [number for number in range(400) if number % 4]
    add(index, {}, range(400))
    done = Event()

    def come_and_go() -> None:
        while not done.is_set():
            for start in range(0, len(pass_by), 30):
                some = np.array(pass_by[start : start + 30])
                index.remove(some)
                index.add(some[::-1], POOL[some[::-1]])

    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(come_and_go)
        try:
            for _ in range(20):
                found = contents(index)
                assert found.keys() >= set(stay)
                assert found.keys() <= set(range(400))
                for number, vector in found.items():
                    np.testing.assert_array_equal(vector, POOL[number])
        finally:
            done.set()
        changing.result(timeout=WAIT_S)


def test_what_was_copied_out_does_not_change() -> None:
    index = FaissIndex(DIMENSION)
    index.add(np.arange(100), POOL[:100])
    ((numbers, vectors),) = index.pieces()
    index.remove(np.arange(100))
    np.testing.assert_array_equal(vectors, POOL[numbers])


@pytest.mark.parametrize("options", [IndexOptions(), PACKED, LISTED])
def test_nothing_of_a_removed_face_is_left(options: IndexOptions) -> None:
    faces = unit_vectors(500, seed=9, dimension=128)
    index = SettledIndex(128, options)
    index.add(np.arange(500), faces)
    gone = np.random.default_rng(1).permutation(500)[:450]
    index.remove(gone)
    memory = b"".join(chunk.tobytes() for chunk in index._rows._rows._vectors)
    for number in range(500):
        is_there = faces[number].tobytes() in memory
        assert is_there == (number not in gone)
    assert memory.strip(b"\0").count(faces[:1].tobytes()[:8]) <= 1
    assert_codes_fit(index)  # there is none beyond the rows', so none of the removed


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("broken", [PackedCodes, ListedCodes])
def test_searches_stay_right_when_the_background_fails(
    broken: type[PackedCodes] | type[ListedCodes], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(background, "monotonic", lambda: now)
    monkeypatch.setattr(background, "_log", structlog.get_logger())
    usual = broken.append

    def failing(codes: PackedCodes | ListedCodes, *rows: NDArray[np.float32]) -> None:
        if len(codes) > 30:
            raise MemoryError
        usual(codes, *rows)  # type: ignore[arg-type]

    monkeypatch.setattr(broken, "append", failing)
    index, stored = FaissIndex(DIMENSION, replace(LISTED, listed_above=60)), Stored()
    with capture_logs() as logs:
        add(index, stored, range(300))
        index.settle()
    assert "index_background_failed" in [entry["event"] for entry in logs]
    assert serving(index) is (None if broken is PackedCodes else PackedCodes)
    remove(index, stored, range(0, 300, 3))
    assert_finds(index, stored)
    monkeypatch.setattr(broken, "append", usual)
    now += 1000
    remove(index, stored, [1])
    index.settle()
    assert serving(index) is ListedCodes
    assert_codes_fit(index)
    assert_finds(index, stored)


def trace(index: FaissIndex, vector: NDArray[np.float32]) -> float:
    """How near the nearest of what the lists have learnt comes to a vector."""
    codes = index._encoder.serving
    assert isinstance(codes, ListedCodes)
    similarities, _ = codes._regions.search(vector[None], 1)
    return float(similarities[0, 0])


def a_loner() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A crowd of look-alikes, and somebody so unlike them as to be a region of their own."""
    crowd = np.ones((200, DIMENSION)) + np.random.default_rng(3).normal(size=(200, DIMENSION)) / 9
    crowd /= np.linalg.norm(crowd, axis=1, keepdims=True)
    return crowd.astype(np.float32), -np.full(DIMENSION, DIMENSION**-0.5, dtype=np.float32)


def test_erasure_has_lists_forget_what_they_learnt_from_the_removed() -> None:
    crowd, loner = a_loner()
    index = SettledIndex(DIMENSION, LISTED)
    index.add(np.arange(200), crowd)
    index.add(np.arange(200, 232), np.tile(loner, (32, 1)))
    index.compact()  # learns the loner's direction
    assert trace(index, loner) > 0.999
    index.remove(np.arange(200, 232))
    assert trace(index, loner) > 0.999
    index.compact()
    assert trace(index, loner) < 0
    assert index._encoder._outdated is None  # or the old lists would stay in memory
    assert len(index.search(crowd[:1], 300)[0].numbers) == 200


def test_erasure_gives_lists_up_when_they_cannot_be_made_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index, stored = SettledIndex(DIMENSION, LISTED), Stored()
    add(index, stored, range(100))

    def failing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ListedCodes, "__init__", failing)
    index.compact()
    assert serving(index) is None
    assert_finds(index, stored)


def test_erasure_discards_what_is_being_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample may have been taken while the removed face was there."""
    usual, learning, go_on = faiss_codes._regions, Event(), Event()

    def halting(*arguments: object) -> object:
        regions = usual(*arguments)  # type: ignore[arg-type]
        learning.set()
        assert go_on.wait(WAIT_S)
        return regions

    monkeypatch.setattr(faiss_codes, "_regions", halting)
    crowd, loner = a_loner()
    index = FaissIndex(DIMENSION, LISTED)
    index.add(np.arange(232), np.concatenate([crowd, np.tile(loner, (32, 1))]))
    assert learning.wait(WAIT_S)
    index.remove(np.arange(200, 232))
    index.compact()  # no lists serve yet, so there is nothing to wait for
    go_on.set()
    index.settle()
    assert trace(index, loner) < 0


def test_closing_stops_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    index = FaissIndex(DIMENSION, PACKED)
    monkeypatch.setattr(index._background, "_step", lambda: True)  # work without end
    index.add(np.arange(100), POOL[:100])
    eventually(lambda: index._background._thread is not None)
    index.close()
    assert index._background._thread is None
    assert len(index.search(POOL[:1], 3)[0].numbers) == 3


def test_a_face_takes_less_than_600_bytes_at_dimension_128() -> None:
    index = SettledIndex(128, replace(PACKED, fresh_at_most=0))
    index.add(np.arange(1_000), unit_vectors(1_000, seed=4, dimension=128))
    assert serving(index) is PackedCodes
    assert 512 < index.memory_bytes / 1_000 < 600


def test_options_default_to_those_that_were_measured() -> None:
    make: Callable[[int], FaissIndex] = FaissIndex
    assert make(128)._options == IndexOptions()
    assert len(numbered()) == len(make(128))

"""What Faiss computes: exact scores, and codes that are moved about one by one."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.gallery.index import faiss_codes
from app.gallery.index.faiss_codes import ListedCodes, PackedCodes, nearest
from app.gallery.index.slot_map import SlotMap
from tests.gallery.factories import unit_vectors

DIMENSION = 8
POOL = unit_vectors(300, seed=1, dimension=DIMENSION)


def packed_codes(codes: PackedCodes) -> NDArray[np.uint8]:
    """As they stand in the tables, those beyond the last too: (N, bytes of a code)."""
    found = [
        codes._packer.unpack_1(group[None], place)
        for table in codes._tables
        for group in table
        for place in range(codes._packer.nvec)
    ]
    return np.array(found, dtype=np.uint8).reshape(-1, codes._packer.code_size)


def encoded(rows: NDArray[np.float32]) -> NDArray[np.uint8]:
    codes: NDArray[np.uint8] = faiss_codes._trained(rows.shape[1]).pq.compute_codes(rows)
    return codes


def assert_packed(codes: PackedCodes, rows: NDArray[np.float32]) -> None:
    """Each row's code where it should be, and nothing beyond."""
    found = packed_codes(codes)
    assert len(codes) == len(rows)
    np.testing.assert_array_equal(found[: len(rows)], encoded(rows))
    assert not found[len(rows) :].any()


@pytest.mark.parametrize("probes", [1, 3, 4, 64])
@pytest.mark.parametrize("dimension", [8, 128, 512])
def test_nearest_rows_are_those_with_the_greatest_products(probes: int, dimension: int) -> None:
    rows = unit_vectors(500, seed=2, dimension=dimension)
    asked = unit_vectors(probes, seed=3, dimension=dimension)
    top = nearest(asked, rows, 10)
    products = asked @ rows.T
    expected = -np.sort(-products, axis=1)[:, :10]
    np.testing.assert_allclose(top.similarities, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        np.take_along_axis(products, top.slots, axis=1), expected, rtol=0, atol=1e-6
    )


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")  # noqa: PTH112
def test_scanning_stays_on_the_calling_thread() -> None:
    rows = unit_vectors(20_000, seed=2, dimension=64)
    codes = PackedCodes(64)
    codes.append(np.arange(len(rows)), rows)

    def grown() -> int:
        """A thread that never computed before has no team yet."""
        before = len(os.listdir("/proc/self/task"))  # noqa: PTH208
        for probes in (rows[:1], rows[:64]):
            nearest(probes, rows, 10)
            codes.candidates(probes, 100)
        return len(os.listdir("/proc/self/task")) - before  # noqa: PTH208

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(grown).result() == 0


@settings(max_examples=60)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["append", "remove"]), st.integers(0, 400)), max_size=40
    )
)
def test_codes_after_any_changes_are_those_made_from_scratch(steps: list[tuple[str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss_codes, "_BLOCK", 64)
        codes, rows = PackedCodes(DIMENSION), POOL[:0]
        for kind, number in steps:
            if kind == "append":
                new = POOL[number % 200 : number % 200 + number % 90]
                codes.append(np.arange(len(new)), new)
                rows = np.concatenate([rows, new])
            else:
                for _ in range(min(number % 40, len(rows))):
                    slot, last = number % len(rows), len(rows) - 1
                    if slot != last:
                        codes.move(last, slot)
                    codes.pop(0)
                    rows[slot] = rows[last]
                    rows = rows[:last]
        assert_packed(codes, rows)


def test_codes_far_into_a_large_table_are_moved_as_well() -> None:
    """Faiss's Python layer believes that tables end after a few ten thousand codes."""
    rows = np.tile(POOL, (40, 1))
    codes = PackedCodes(DIMENSION)
    codes.append(np.arange(len(rows)), rows)
    codes.move(len(rows) - 1, 11_000)
    codes.pop(0)
    rows[11_000] = rows[-1]
    assert_packed(codes, rows[:-1])


@pytest.mark.parametrize("dimension", [1, 7, 8, 64])
def test_codes_propose_the_nearest_in_every_dimension(dimension: int) -> None:
    rows = unit_vectors(200, seed=5, dimension=dimension)
    codes = PackedCodes(dimension)
    codes.append(np.arange(len(rows)), rows)
    found = codes.candidates(rows[:50], 20).slots
    assert found.shape == (50, 20)
    for probe, slots in zip(rows[:50], found, strict=True):
        assert (rows[slots[slots >= 0]] @ probe).max() > 1 - 1e-4


def test_every_dimension_divides_into_parts() -> None:
    parts = {dimension: faiss_codes._parts(dimension) for dimension in range(1, 1_025)}
    assert all(dimension % count == 0 for dimension, count in parts.items())
    assert (parts[128], parts[256], parts[512]) == (64, 128, 128)


def test_blocks_propose_the_best_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit_vectors(300, seed=6, dimension=64)
    whole = PackedCodes(64)
    whole.append(np.arange(len(rows)), rows)
    expected = whole.candidates(rows[:20], 40)
    monkeypatch.setattr(faiss_codes, "_BLOCK", 64)
    parts = PackedCodes(64)
    parts.append(np.arange(len(rows)), rows)
    found = parts.candidates(rows[:20], 40)
    np.testing.assert_allclose(found.similarities, expected.similarities, rtol=1e-5)


class _Lists:
    """Codes in lists, and the rows that they should be of."""

    def __init__(self, lists: int = 5, probed: int = 5) -> None:
        self.slots = SlotMap()
        self.codes = ListedCodes(POOL, lists, probed, self.slots, made_for=len(POOL))
        self.rows: dict[int, NDArray[np.float32]] = {}

    def add(self, numbers: list[int]) -> None:
        new = [number for number in numbers if number not in self.rows]
        taken = np.array(new, dtype=np.int64)
        self.codes.append(taken, POOL[taken])
        self.slots.add(taken, taken)
        self.rows.update(zip(new, POOL[taken], strict=True))

    def remove(self, numbers: list[int]) -> None:
        for number in numbers:
            if self.rows.pop(number, None) is not None:
                self.slots.remove(number)
                self.codes.pop(number)

    def check(self) -> None:
        codes = self.codes
        assert len(codes) == len(self.rows)
        found = {}
        for region in range(codes._regions.ntotal):
            numbers, table = codes._numbers_in(region).tolist(), codes._table(region)
            places = len(table) * codes._packer.nvec
            unpacked = [faiss_codes._unpack(codes._packer, table, place) for place in range(places)]
            assert not np.array(unpacked[len(numbers) :]).any()
            for number, code in zip(numbers, unpacked, strict=False):
                assert number not in found
                found[number] = code
                assert codes._regions.assign(POOL[number : number + 1], 1)[0, 0] == region
        assert found.keys() == self.rows.keys()
        for number, code in found.items():
            np.testing.assert_array_equal(code, encoded(POOL[number : number + 1])[0])


_numbers = st.lists(st.integers(0, len(POOL) - 1), max_size=60, unique=True)


@settings(max_examples=40)
@given(steps=st.lists(st.tuples(st.sampled_from(["add", "remove"]), _numbers), max_size=20))
def test_lists_hold_the_codes_of_all_and_of_nobody_else(
    steps: list[tuple[str, list[int]]],
) -> None:
    lists = _Lists()
    for kind, numbers in steps:
        lists.add(numbers) if kind == "add" else lists.remove(numbers)
    lists.check()


def test_lists_propose_from_those_looked_at() -> None:
    lists = _Lists(lists=15, probed=15)
    lists.add(list(range(len(POOL))))
    found = lists.codes.candidates(POOL, 30).slots
    assert (found == np.arange(len(POOL))[:, None]).any(axis=1).all()
    few = _Lists(lists=15, probed=1)
    few.add(list(range(len(POOL))))
    nearby = few.codes.candidates(POOL, len(POOL)).slots
    assert (nearby == np.arange(len(POOL))[:, None]).any(axis=1).mean() > 0.9
    assert (nearby[:, -1] == -1).all()  # one list does not have so many

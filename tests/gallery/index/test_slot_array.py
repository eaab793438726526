"""Rows in chunks."""

import numpy as np
import pytest

from app.gallery.index import slot_array
from app.gallery.index.protocol import Vectors
from app.gallery.index.slot_array import SlotArray
from tests.gallery.factories import unit_vectors

DIMENSION = 4


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """4, 4, 8, 16, 16, 16 and so on."""
    monkeypatch.setattr(slot_array, "_SMALLEST_CHUNK", 4)
    monkeypatch.setattr(slot_array, "_LARGEST_CHUNK", 16)


def filled(count: int) -> tuple[SlotArray, Vectors]:
    rows, vectors = SlotArray(DIMENSION), unit_vectors(count, seed=count, dimension=DIMENSION)
    rows.append(np.arange(count) + 1000, vectors)
    return rows, vectors


@pytest.mark.parametrize("step", [1, 3, 100])
def test_rows_come_back_from_their_slots_whatever_the_steps_of_adding(step: int) -> None:
    rows, vectors = SlotArray(DIMENSION), unit_vectors(100, seed=1, dimension=DIMENSION)
    for start in range(0, 100, step):
        rows.append(np.arange(100)[start : start + step], vectors[start : start + step])
    assert [len(chunk) for chunk in rows._numbers] == [4, 4, 8, 16, 16, 16, 16, 16, 16]
    assert len(rows) == 100
    slots = np.array([0, 3, 4, 7, 8, 15, 16, 31, 32, 47, 48, 99])
    np.testing.assert_array_equal(rows.vectors(slots), vectors[slots])
    np.testing.assert_array_equal(rows.numbers(slots[::-1]), slots[::-1])


@pytest.mark.parametrize(("start", "stop"), [(0, 100), (0, 0), (3, 5), (15, 90), (99, 100)])
def test_pieces_are_the_rows_in_order_and_never_empty(start: int, stop: int) -> None:
    rows, vectors = filled(100)
    pieces = list(rows.pieces(start, stop))
    assert all(len(piece.numbers) == len(piece.vectors) > 0 for piece in pieces)
    at = start
    for piece in pieces:
        assert piece.start == at
        at += len(piece.numbers)
    assert at == stop
    np.testing.assert_array_equal(
        np.concatenate([vectors[:0], *(piece.vectors for piece in pieces)]), vectors[start:stop]
    )


def test_moving_copies_a_row_and_its_number() -> None:
    rows, vectors = filled(40)
    assert rows.move(39, 2) == 1039
    np.testing.assert_array_equal(rows.vectors(np.array([2, 39])), vectors[[39, 39]])
    assert rows.numbers(np.array([2])).tolist() == [1039]


def test_given_up_slots_are_wiped_and_their_chunks_freed() -> None:
    rows, _ = filled(100)
    for left in range(99, -1, -1):
        rows.pop()
        assert len(rows) == left
        slots = sum(len(chunk) for chunk in rows._numbers)
        assert left <= slots <= left + 2 * 16  # the chunk in use and an empty one
        beyond = np.concatenate(rows._vectors)[left:]
        assert not beyond.any()
        assert not np.concatenate(rows._numbers)[left:].any()
    rows.append(np.array([7]), unit_vectors(1, seed=2, dimension=DIMENSION))
    assert rows.numbers(np.array([0])).tolist() == [7]


def test_adding_never_moves_what_is_there() -> None:
    rows, _ = filled(10)
    first = rows._vectors[0]
    rows.append(np.arange(500), unit_vectors(500, seed=3, dimension=DIMENSION))
    assert rows._vectors[0] is first

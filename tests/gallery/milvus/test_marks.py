"""A mark has settled a second after it was seen, and is of the upload that there is."""

import pytest

from app.gallery.milvus.marks import Mark, Marks
from app.gallery.store.repositories.position_repository import Position
from tests.gallery.milvus.conftest import Clock


def at(revision: int, timestamp: int | None, filled_at: int = 10) -> Position:
    return Position("a" * 64, revision, None, timestamp, filled_at)


@pytest.fixture
def marks(clock: Clock) -> Marks:
    return Marks(clock)


def test_newest_mark_that_settled_is_used(marks: Marks, clock: Clock) -> None:
    assert marks.settled(at(1, 10)) is None
    clock.pass_by(0.75)
    assert marks.settled(at(2, 20)) is None
    clock.pass_by(0.25)
    assert marks.settled(at(3, 30)) == Mark(1, 10)
    clock.pass_by(0.75)
    assert marks.settled(at(3, 30)) == Mark(2, 20)
    clock.pass_by(0.25)
    assert marks.settled(at(4, 40)) == Mark(3, 30)
    clock.pass_by(60)
    assert marks.settled(at(4, 40)) == Mark(4, 40)
    assert marks.settled(at(5, 50)) == Mark(4, 40)


@pytest.mark.parametrize(
    "position",
    [
        at(9, 90, filled_at=80),
        at(3, 90),
        at(9, None),
        Position("a" * 64, 9, 0, 90, 10),
        Position("b" * 64, 9, None, 90, 10),
    ],
    ids=["uploaded again", "set back", "without a clock", "uploading", "another embedder"],
)
def test_marks_of_before_are_forgotten(marks: Marks, clock: Clock, position: Position) -> None:
    marks.settled(at(5, 50))
    clock.pass_by(1)
    assert marks.settled(at(6, 60)) == Mark(5, 50)
    assert marks.settled(position) is None
    assert marks.settled(at(6, 60)) is None


def test_position_that_was_read_before_anothers_takes_no_mark_away(
    marks: Marks, clock: Clock
) -> None:
    marks.settled(at(5, 50))
    clock.pass_by(1)
    marks.settled(at(7, 70))
    assert marks.settled(at(6, 60)) == Mark(5, 50)
    assert marks.settled(at(7, 70)) == Mark(5, 50)

"""A clock that jumps forward erases nobody without a person's word; time that passes does.

The clocks are fakes: those of the machine are not ours to set.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action
from app.gallery.people.enrolment import NewPerson
from app.gallery.records import NewIdentity
from app.gallery.retention.clock_guard import ClockGuard, Doubt, SweepMoments
from app.gallery.retention.clock_reading import ClockReading, read_clock
from app.gallery.retention.outlook import look_ahead
from app.gallery.store.repositories.audit_repository import LineFilter
from tests.gallery.conftest import postgresql_only, sqlite_only
from tests.gallery.factories import COLLECTION

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Machine:
    """A machine whose clock can be set, and which can be off for a time."""

    at: datetime
    running_s: float = 1_000.0
    boot: int = 1

    def read(self) -> ClockReading:
        return ClockReading(self.at, self.running_s, f"boot {self.boot}")

    def wait(self, time: timedelta) -> None:
        self.at += time
        self.running_s += time.total_seconds()

    def set_clock(self, by: timedelta) -> None:
        self.at += by

    def start_again(self, after: timedelta) -> None:
        self.at += after
        self.running_s, self.boot = 10.0, self.boot + 1


@pytest.fixture
def machine() -> Machine:
    return Machine(datetime.now(UTC))


def people(gallery: Gallery, machine: Machine, count: int, expires: timedelta | None) -> None:
    at = None if expires is None else machine.at + expires
    new = [NewPerson(NewIdentity(expires_at=at), ()) for _ in range(count)]
    gallery.people.enroll_many(COLLECTION, new)


def left(gallery: Gallery) -> int:
    return gallery.collections.get(COLLECTION).identity_count


def sweep(gallery: Gallery, guard: ClockGuard) -> SweepMoments:
    moments = guard.look()
    gallery.people.erase_expired(log_revisions=1_000, moments=moments)
    guard.settle(moments)
    return moments


def guard_on(gallery: Gallery, machine: Machine) -> ClockGuard:
    """A process that starts; the database runs on the same machine."""
    return ClockGuard(gallery.store, machine.read, lambda: machine.at)


@pytest.fixture
def guard(gallery: Gallery, machine: Machine) -> ClockGuard:
    """A guard that has seen a sweep."""
    made = guard_on(gallery, machine)
    sweep(gallery, made)
    return made


def test_all_people_expire_on_one_day_as_it_was_meant(
    gallery: Gallery, machine: Machine, guard: ClockGuard
) -> None:
    people(gallery, machine, 100, DAY)
    machine.wait(DAY - HOUR)
    sweep(gallery, guard)
    assert left(gallery) == 100
    machine.wait(2 * HOUR)  # of a sweep that takes so long, or of a laptop that sleeps
    assert sweep(gallery, guard).doubt is None
    assert left(gallery) == 0


@pytest.mark.parametrize("count", [1, 100])
def test_jump_erases_nobody_until_it_is_confirmed(
    gallery: Gallery, machine: Machine, guard: ClockGuard, count: int
) -> None:
    people(gallery, machine, count, 300 * DAY)
    people(gallery, machine, 5, HOUR)
    machine.set_clock(365 * DAY)
    moments = sweep(gallery, guard)
    assert (moments.doubt, left(gallery)) == (Doubt.CLOCK_JUMPED, count + 5)
    assert [(one.what, one.count) for one in moments.waiting] == [("people", count + 5)]
    assert look_ahead(gallery.store, guard_on(gallery, machine)).waiting
    machine.wait(2 * HOUR)
    assert sweep(gallery, guard).doubt is Doubt.CLOCK_JUMPED
    assert left(gallery) == count  # those whose time is over by the trusted time
    guard_on(gallery, machine).confirm()  # by another process
    assert sweep(gallery, guard).doubt is None
    assert left(gallery) == 0


def test_clock_that_is_set_right_again_needs_no_word(
    gallery: Gallery, machine: Machine, guard: ClockGuard
) -> None:
    people(gallery, machine, 3, 300 * DAY)
    for by in (365 * DAY, -365 * DAY):
        machine.set_clock(by)
        moments = sweep(gallery, guard)
    assert (moments.doubt, left(gallery)) == (None, 3)
    people(gallery, machine, 1, HOUR)
    machine.wait(2 * HOUR)
    sweep(gallery, guard)
    assert left(gallery) == 3


def test_jump_while_the_process_is_away_is_seen_by_the_next_one(
    gallery: Gallery, machine: Machine, guard: ClockGuard
) -> None:
    del guard
    people(gallery, machine, 3, 2 * DAY)
    machine.set_clock(3 * DAY)
    machine.wait(HOUR)
    assert sweep(gallery, guard_on(gallery, machine)).doubt is Doubt.CLOCK_JUMPED
    assert left(gallery) == 3


def test_process_that_was_away_for_long_erases_who_expired(
    gallery: Gallery, machine: Machine, guard: ClockGuard
) -> None:
    del guard
    people(gallery, machine, 100, 2 * DAY)
    machine.wait(30 * DAY)
    sweep(gallery, guard_on(gallery, machine))
    assert left(gallery) == 0


@pytest.mark.parametrize(
    ("off", "expiring", "others", "stay"),
    [
        (DAY, 10, 0, 0),  # few
        (DAY, 11, 100, 0),  # a tenth at most
        (DAY, 40, 100, 40),
        (30 * DAY, 10, 100, 10),
    ],
)
def test_machine_that_was_off_erases_few_people_without_a_word(
    gallery: Gallery,
    machine: Machine,
    guard: ClockGuard,
    off: timedelta,
    expiring: int,
    others: int,
    stay: int,
) -> None:
    del guard
    people(gallery, machine, expiring, HOUR)
    people(gallery, machine, others, None)
    machine.start_again(after=off)
    started = guard_on(gallery, machine)
    for _ in range(2):
        moments = sweep(gallery, started)
        assert left(gallery) == others + stay
        assert bool(moments.waiting) is bool(stay)
        machine.wait(timedelta(seconds=30))
    why = Doubt.MANY_EXPIRED if off == DAY else Doubt.LONG_STOP
    assert moments.doubt is (why if stay else None)
    started.confirm()
    sweep(gallery, started)
    assert left(gallery) == others


@sqlite_only
def test_long_stop_in_which_nobody_expired_needs_no_word(
    gallery: Gallery, machine: Machine, guard: ClockGuard
) -> None:
    del guard
    people(gallery, machine, 20, 300 * DAY)
    machine.start_again(after=100 * DAY)
    started = guard_on(gallery, machine)
    assert sweep(gallery, started).waiting == []
    machine.wait(201 * DAY)
    assert sweep(gallery, started).doubt is None
    assert left(gallery) == 0


@sqlite_only
def test_clock_that_begins_in_the_past_is_not_taken_for_the_newest(
    gallery: Gallery, machine: Machine, guard: ClockGuard
) -> None:
    """A machine without a battery starts in 1970 until its clock is set."""
    del guard
    people(gallery, machine, 3, 300 * DAY)
    machine.start_again(after=-50 * 365 * DAY)
    started = guard_on(gallery, machine)
    sweep(gallery, started)
    machine.set_clock(50 * 365 * DAY + HOUR)
    assert sweep(gallery, started).waiting == []
    assert left(gallery) == 3


@sqlite_only
def test_clock_that_was_confirmed_wrongly_is_given_up_after_a_day(
    gallery: Gallery, machine: Machine, guard: ClockGuard
) -> None:
    machine.set_clock(3_650 * DAY)
    guard.confirm()
    machine.set_clock(-3_650 * DAY)
    for _ in range(30):
        machine.wait(HOUR)
        sweep(gallery, guard)
    people(gallery, machine, 3, 300 * DAY)
    machine.set_clock(365 * DAY)
    assert sweep(gallery, guard_on(gallery, machine)).waiting
    assert left(gallery) == 3


@sqlite_only
def test_clock_behind_the_newest_that_was_believed_is_reported_until_it_is_confirmed(
    gallery: Gallery, machine: Machine, guard: ClockGuard
) -> None:
    machine.set_clock(3_650 * DAY)
    assert sweep(gallery, guard).behind is None  # believed, as nobody expires
    machine.set_clock(-3_650 * DAY)
    people(gallery, machine, 3, 300 * DAY)
    for _ in range(3):  # the machine starts again before the clock went evenly for a day
        machine.start_again(after=20 * HOUR)
        started = guard_on(gallery, machine)
        behind = sweep(gallery, started).behind
        assert behind is not None
        assert behind - machine.at > 3_640 * DAY
    assert look_ahead(gallery.store, guard_on(gallery, machine)).behind == behind
    guard_on(gallery, machine).confirm()  # by another process
    assert sweep(gallery, started).behind is None
    machine.set_clock(365 * DAY)
    assert sweep(gallery, started).doubt is Doubt.CLOCK_JUMPED
    assert left(gallery) == 3


@sqlite_only
@pytest.mark.parametrize(("by", "is_reported"), [(HOUR / 2, False), (2 * HOUR, True)])
def test_clock_that_is_set_back_by_over_an_hour_is_reported(
    gallery: Gallery, machine: Machine, guard: ClockGuard, by: timedelta, is_reported: bool
) -> None:
    machine.set_clock(-by)
    assert (sweep(gallery, guard).behind is not None) is is_reported


@sqlite_only
def test_first_sweep_of_an_older_database_goes_by_its_newest_line(
    gallery: Gallery, machine: Machine
) -> None:
    people(gallery, machine, 3, 300 * DAY)
    machine.start_again(after=365 * DAY)
    assert sweep(gallery, guard_on(gallery, machine)).doubt is Doubt.LONG_STOP
    assert left(gallery) == 3


@postgresql_only
def test_clock_ahead_of_the_servers_erases_not_even_a_few(
    gallery: Gallery, machine: Machine, guard: ClockGuard
) -> None:
    del guard
    people(gallery, machine, 1, HOUR)
    machine.start_again(after=DAY)  # says the machine; the server's clock has not moved
    moments = sweep(gallery, ClockGuard(gallery.store, machine.read))
    assert (moments.doubt, left(gallery)) == (Doubt.CLOCK_JUMPED, 1)


@sqlite_only
def test_confirmation_has_a_line(gallery: Gallery, guard: ClockGuard) -> None:
    guard.confirm()
    with gallery.store.reading_all() as collections:
        ((_, line),) = collections.audit.page(
            LineFilter(action=Action.CLOCK_CONFIRMED), before=None, limit=2
        )
    assert line.principal == "service"


def test_the_clocks_of_this_machine_go_at_one_pace() -> None:
    first, second = read_clock(), read_clock()
    assert abs(first.later(second.running_s) - second.at) < timedelta(minutes=1)


@pytest.mark.parametrize("nobody_waits", [True, False])
def test_clock_that_jumps_during_a_sweep_is_not_believed_by_the_next(
    gallery: Gallery, machine: Machine, guard: ClockGuard, nobody_waits: bool
) -> None:
    people(gallery, machine, 20, 30 * DAY)
    if not nobody_waits:
        people(gallery, machine, 20, DAY)
        machine.set_clock(2 * DAY)
    moments = guard.look()
    gallery.people.erase_expired(log_revisions=1_000, moments=moments)
    assert bool(moments.waiting) is not nobody_waits
    before = left(gallery)
    machine.set_clock(365 * DAY)
    guard.settle(moments)
    for process in (guard, guard_on(gallery, machine)):
        machine.wait(timedelta(seconds=30))
        assert sweep(gallery, process).doubt is Doubt.CLOCK_JUMPED
        assert left(gallery) == before

"""What is done now and then goes on whatever happens, and ends at once when told to."""

from collections.abc import Callable, Iterator
from threading import Event
from threading import enumerate as threads
from time import monotonic

import pytest
from structlog.testing import capture_logs

from app.errors import DatabaseUnavailable
from app.gallery.sync.periodic import Periodic

SOON_S = 0.001


@pytest.fixture
def periodic() -> Iterator[Periodic]:
    made = Periodic()
    yield made
    made.stop()


class Job:
    """Fails with each of these, one after the other, then goes well."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.went_well = Event()

    def __call__(self) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self.went_well.set()


def test_job_is_done_again_and_again(periodic: Periodic) -> None:
    turns: list[int] = []
    enough = Event()

    def job() -> None:
        turns.append(1)
        if len(turns) == 5:
            enough.set()

    periodic.every(SOON_S, job, name="job")
    assert enough.wait(60)


def test_failing_job_is_logged_and_goes_on(periodic: Periodic) -> None:
    job = Job(DatabaseUnavailable("the database is away"), ZeroDivisionError("by zero"))
    with capture_logs() as logs:
        periodic.every(SOON_S, job, name="sweep")
        assert job.went_well.wait(60)
        periodic.stop()
    put_off, failed = [entry for entry in logs if entry.get("job") == "sweep"]
    assert (put_off["event"], put_off["log_level"]) == ("job_put_off", "warning")
    assert (put_off["job"], put_off["cause"]) == ("sweep", "the database is away")
    assert (failed["event"], failed["log_level"]) == ("job_failed", "error")
    assert failed["exc_info"]


def test_one_failing_job_holds_up_no_other(periodic: Periodic) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    other = Job()
    periodic.every(SOON_S, fails, name="fails")
    periodic.every(SOON_S, other, name="other")
    assert other.went_well.wait(60)


def never() -> None:
    raise AssertionError


@pytest.mark.parametrize("seconds", [3_600, 1e6])
def test_stop_does_not_wait_for_the_next_turn(periodic: Periodic, seconds: float) -> None:
    for _ in range(3):
        periodic.every(seconds, never, name="never")
    started = monotonic()
    periodic.stop()
    assert monotonic() - started < 60
    assert not [thread for thread in threads() if thread.name.startswith("vultus-never")]


def test_stop_waits_for_a_job_that_is_under_way(periodic: Periodic) -> None:
    begun, go_on, ended = Event(), Event(), Event()

    def job() -> None:
        begun.set()
        go_on.wait(60)
        ended.set()

    periodic.every(SOON_S, job, name="long")
    assert begun.wait(60)
    go_on.set()
    periodic.stop()
    assert ended.is_set()


def test_stopping_twice_is_stopping_once(periodic: Periodic) -> None:
    job = Job()
    periodic.every(SOON_S, job, name="once")
    assert job.went_well.wait(60)
    stop: Callable[[], bool] = periodic.stop
    assert [stop(), stop()] == [True, True]
    assert not [thread for thread in threads() if thread.name.startswith("vultus-once")]

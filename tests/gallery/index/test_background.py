"""The thread that works while there is something to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from threading import enumerate as all_threads

import pytest
from structlog.testing import capture_logs

from app.gallery.index import background
from app.gallery.index.background import Background

NAME = "test-background"
WAIT_S = 60


def is_running() -> bool:
    return any(thread.name == NAME for thread in all_threads())


class Work:
    """Some steps to do; each waits to be allowed."""

    def __init__(self) -> None:
        self.left = 0
        self.done = 0
        self.begun = Event()
        self.allowed = Event()
        self.allowed.set()
        self.error: Exception | None = None

    def step(self) -> bool:
        self.begun.set()
        assert self.allowed.wait(WAIT_S)
        if self.error is not None:
            raise self.error
        if self.left == 0:
            return False
        self.left -= 1
        self.done += 1
        return True


@contextmanager
def background_of(work: Work) -> Iterator[Background]:
    running = Background(work.step, NAME)
    try:
        yield running
    finally:
        work.allowed.set()
        running.close()
        running.settle()


def test_all_work_is_done_and_the_thread_ends() -> None:
    work = Work()
    with background_of(work) as running:
        assert not is_running()
        for _ in range(3):
            work.left = 5
            running.wake()
            running.settle()
            assert work.left == 0
    assert work.done == 15
    for thread in all_threads():
        if thread.name == NAME:  # it has said that it is done, and has only to return
            thread.join(WAIT_S)
    assert not is_running()


def test_work_that_comes_while_it_ends_is_done() -> None:
    work = Work()
    with background_of(work) as running:
        work.allowed.clear()
        running.wake()
        assert work.begun.wait(WAIT_S)
        running.wake()  # the step it is in may find nothing still
        work.left = 1
        work.allowed.set()
        running.settle()
    assert work.left == 0


def test_failure_is_logged_and_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(background, "monotonic", lambda: now)
    work = Work()
    with background_of(work) as running:
        work.left, work.error = 1, RuntimeError("broken")
        with capture_logs() as logs:
            for _ in range(3):
                running.wake()
                running.settle()
        assert [entry["event"] for entry in logs].count("index_background_failed") == 1
        work.error = None
        running.wake()
        running.settle()
        assert work.left == 1
        now += background._PAUSE_AFTER_FAILURE_S
        running.wake()
        running.settle()
    assert work.left == 0


def test_closing_ends_it_after_the_step_it_is_at() -> None:
    work = Work()
    work.left = 10**9
    with background_of(work) as running:
        running.wake()
        assert work.begun.wait(WAIT_S)
        running.close()
        assert work.left > 0
        done = work.done
        running.wake()
        running.settle()
        assert work.done == done

"""The readers-writer lock."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from app.gallery.index.shared_lock import SharedLock
from tests.gallery.factories import eventually

WAIT_S = 60

pytestmark = pytest.mark.usefixtures("_threads_take_short_turns")


def test_readers_go_together() -> None:
    lock, together = SharedLock(), Barrier(3)

    def read() -> None:
        with lock.reading():
            together.wait(timeout=WAIT_S)  # breaks unless all three are inside

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(read) for _ in range(3)]:
            future.result(timeout=WAIT_S)


def test_writer_is_alone() -> None:
    lock, inside = SharedLock(), list[str]()

    def write() -> None:
        for _ in range(200):
            with lock.writing():
                inside.append("writer")
                assert inside == ["writer"]
                inside.remove("writer")

    def read() -> None:
        for _ in range(200):
            with lock.reading():
                inside.append("reader")
                assert "writer" not in inside
                inside.remove("reader")

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(task) for task in (write, read) * 3]:
            future.result(timeout=WAIT_S)
    assert inside == []


def test_changes_one_after_the_other_keep_no_search_out() -> None:
    lock, done = SharedLock(), Event()

    def write() -> None:
        while not done.is_set():
            with lock.writing():
                pass

    def read() -> None:
        for _ in range(50):
            with lock.reading():
                pass

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write) for _ in range(2)]
        try:
            pool.submit(read).result(timeout=WAIT_S)
        finally:
            done.set()
        for writer in writers:
            writer.result(timeout=WAIT_S)


def test_turns_are_taken_in_order() -> None:
    """Readers who come while a writer waits, wait: it gets in however many searches overlap.

    They go before the next writer, and writers in the order of coming.
    """
    lock, order = SharedLock(), list[str]()

    def write(name: str) -> None:
        with lock.writing():
            order.append(name)

    def read() -> None:
        with lock.reading():
            order.append("reader")

    with ThreadPoolExecutor(4) as pool:
        with lock.reading():
            futures = []
            for place, name in enumerate(("first", "second", "third")):
                futures.append(pool.submit(write, name))
                eventually(lambda place=place: lock._came == place + 1)  # type: ignore[misc]
            futures.append(pool.submit(read))
            eventually(lambda: lock._waiting_readers == 1)
            assert order == []
        for future in futures:
            future.result(timeout=WAIT_S)
    assert order == ["first", "reader", "second", "third"]


def test_lock_is_free_after_an_error() -> None:
    lock = SharedLock()
    for hold in (lock.reading(), lock.writing()):
        with pytest.raises(RuntimeError), hold:
            raise RuntimeError
    with lock.writing():
        pass
    with lock.reading():
        pass

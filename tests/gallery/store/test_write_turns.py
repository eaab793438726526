"""Writers of one process go in the order in which they came, and hear of a stop."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from app.errors import DatabaseLocked, Stopping
from app.gallery.store.write_turns import WriteTurns


def test_who_comes_first_is_served_first() -> None:
    turns, served = WriteTurns(), []

    def write(number: int) -> None:
        with turns.turn(monotonic() + 60):
            served.append(number)

    with ThreadPoolExecutor(5) as pool:
        with turns.turn(monotonic() + 60):
            waiting = []
            for number in range(5):
                waiting.append(pool.submit(write, number))
                while turns.waiting < number + 1:
                    sleep(0.001)
        for one in waiting:
            one.result()
    assert served == [0, 1, 2, 3, 4]


def test_who_waits_for_too_long_is_refused_and_leaves_the_queue() -> None:
    turns = WriteTurns()
    with turns.turn(monotonic()):
        with pytest.raises(DatabaseLocked), turns.turn(monotonic() + 0.01):
            pass
    with turns.turn(monotonic()):
        assert turns.waiting == 0


def test_a_stop_ends_the_wait() -> None:
    turns = WriteTurns()

    def write() -> None:
        with turns.turn(monotonic() + 60):
            pass

    with ThreadPoolExecutor(1) as pool, turns.turn(monotonic()):
        waiting = pool.submit(write)
        while turns.waiting < 1:
            sleep(0.001)
        turns.stop()
        with pytest.raises(Stopping):
            waiting.result()

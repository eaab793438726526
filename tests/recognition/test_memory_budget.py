"""Threads share a budget of memory; what is larger than all of it gets all of it."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait

from app.recognition.memory_budget import MemoryBudget

_LONG_S = 60.0


def test_what_does_not_fit_waits_until_enough_is_given_back() -> None:
    budget = MemoryBudget(100)
    assert budget.try_take(60)
    assert not budget.try_take(41)
    assert budget.try_take(40)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(budget.take, 70)
        budget.give_back(40)
        assert not wait([waiting], timeout=0.05).done
        budget.give_back(60)
        waiting.result(_LONG_S)
    assert not budget.try_take(31)
    assert budget.try_take(30)


def test_what_is_larger_than_the_budget_is_given_when_nothing_else_is() -> None:
    budget = MemoryBudget(100)
    assert budget.try_take(1_000)
    assert not budget.try_take(1)
    budget.give_back(1_000)
    assert budget.try_take(1)
    assert not budget.try_take(1_000)


def test_never_more_is_taken_than_there_is() -> None:
    budget = MemoryBudget(10)
    taken, most = 0, 0
    lock = threading.Lock()

    def use(count: int) -> None:
        nonlocal taken, most
        budget.take(count)
        with lock:
            taken += count
            most = max(most, taken)
        with lock:
            taken -= count
        budget.give_back(count)

    with ThreadPoolExecutor(8) as threads:
        for future in [threads.submit(use, 1 + number % 7) for number in range(500)]:
            future.result(_LONG_S)
    assert 0 < most <= 10

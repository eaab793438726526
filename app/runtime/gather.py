"""Await several things at once."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")
T = TypeVar("T")


async def together(coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results in order. When one raises, cancel the others and raise its error as it is.

    (A TaskGroup would wrap it in an ExceptionGroup.)
    """
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def in_turns(
    items: Iterable[Item],
    do: Callable[[Item], Coroutine[Any, Any, T]],
    *,
    at_once: int,
    progress: Callable[[], None] = lambda: None,
) -> list[T]:
    """Return the results of `do` in order, `at_once` at a time; call `progress` after each."""
    turns = asyncio.Semaphore(at_once)

    async def one(item: Item) -> T:
        async with turns:
            result = await do(item)
        progress()
        return result

    return await together(one(item) for item in items)

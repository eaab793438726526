"""Call what blocks from the event loop of the deliveries."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def blocking(do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call what blocks in a thread that does not keep the process from ending."""
    loop, context = asyncio.get_running_loop(), copy_context()
    future: asyncio.Future[T] = loop.create_future()

    def resolve(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, failed = None, None
        try:
            result = context.run(do, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  (the caller gets it)
            failed = error
        with suppress(RuntimeError):  # the loop has ended: the caller is gone
            loop.call_soon_threadsafe(resolve, result, failed)

    Thread(target=work, name="vultus-delivery-call", daemon=True).start()
    return await future

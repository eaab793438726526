"""Heavy work off the event loop: a fixed crew of threads behind a bounded queue.

This is the seam where requests can later be gathered into batches: callers hand in a job and
await its result, and do not know what thread or batch it ran in.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from app.errors import Overloaded

T = TypeVar("T")


class WorkerPool:
    """Runs jobs on `workers` threads; at most `max_waiting` more may wait.

    `prepare` runs once in each thread before its first job.
    """

    def __init__(
        self, *, workers: int, max_waiting: int, prepare: Callable[[], None] | None = None
    ) -> None:
        self.workers = workers
        self._capacity = workers + max_waiting
        self._pending = 0
        self._lock = Lock()
        self._executor = ThreadPoolExecutor(
            workers, thread_name_prefix="recognition", initializer=prepare
        )

    @property
    def pending(self) -> int:
        """Jobs running or waiting."""
        return self._pending

    async def run(self, job: Callable[[], T]) -> T:
        """Run a job in a worker thread.

        A job whose caller was cancelled while it waited never runs. Raises Overloaded when
        the queue is full, and what the job raises.
        """
        with self._lock:
            if self._pending >= self._capacity:
                raise Overloaded(
                    f"{self._pending} photos are already waiting; try again in a second, or raise "
                    "VULTUS_WORKERS__MAX_WAITING"
                )
            self._pending += 1
        future = self._executor.submit(job)
        # Counted until it ends: a job that runs on after its caller has gone still takes a place.
        future.add_done_callback(self._ended)
        return await asyncio.wrap_future(future)

    def _ended(self, _: Future[T]) -> None:
        with self._lock:
            self._pending -= 1

    def stop(self) -> None:
        """Finish the running jobs, drop the waiting ones and end the threads."""
        self._executor.shutdown(wait=True, cancel_futures=True)

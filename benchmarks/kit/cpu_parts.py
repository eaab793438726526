"""CPU time of a process by its parts: which threads, and which functions on them, took it.

A function is wrapped by `measure`, and counts what its thread computes in it, without what other
wrapped functions compute inside. The rest of a thread is that of its group. What no thread of
Python computed was computed by the threads of libraries: those of the networks' runtimes.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any

NATIVE = "threads of libraries"


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """CPU seconds so far: of the process, of each thread of Python by its name, and of each part
    with its group, as (group, part)."""

    process_s: float
    threads_s: dict[str, float]
    parts_s: dict[tuple[str, str], float]

    def since(self, before: "CpuTimes") -> dict[tuple[str, str], float]:
        """Seconds by (group, part) since then. The rest of a group is the part of an empty name."""
        parts = {
            name: seconds - before.parts_s.get(name, 0.0) for name, seconds in self.parts_s.items()
        }
        groups: dict[str, float] = {}
        for thread, seconds in self.threads_s.items():
            group = group_of(thread)
            more = max(0.0, seconds - before.threads_s.get(thread, 0.0))
            groups[group] = groups.get(group, 0.0) + more
        native = self.process_s - before.process_s - sum(groups.values())
        for (group, _), seconds in parts.items():
            groups[group] = groups.get(group, 0.0) - seconds
        rests = {(group, ""): seconds for group, seconds in groups.items()}
        return {**parts, **rests, (NATIVE, ""): native}


def group_of(thread: str) -> str:
    """The group of a thread, by its name."""
    if thread == "MainThread":
        return "event loop"
    if thread.startswith("recognition-"):
        return "recognition"
    return "search" if thread.startswith("vultus-read") else "other threads"


@dataclass(slots=True)
class _Running:
    """A wrapped function that runs on a thread, and what others inside of it took."""

    inside_s: float = 0.0


@dataclass(slots=True)
class _OfThread(threading.local):
    stack: list[_Running] = field(default_factory=list)


class CpuParts:
    """Counts what wrapped functions compute, in the process that it is made in."""

    def __init__(self) -> None:
        self._of_thread = _OfThread()
        self._lock = threading.Lock()
        self._parts_s: dict[tuple[str, str], float] = {}

    def measure(self, owner: Any, name: str, part: str) -> None:  # noqa: ANN401  (class or module)
        """Wrap the function `name` of a class or module, which is not a coroutine."""
        function: Callable[..., Any] = getattr(owner, name)

        @wraps(function)
        def measured(*args: object, **kwargs: object) -> object:
            with self._running(part):
                return function(*args, **kwargs)

        setattr(owner, name, measured)

    def now(self) -> CpuTimes:
        threads: dict[str, float] = {}
        for thread in threading.enumerate():
            if thread.ident is not None:
                clock = time.pthread_getcpuclockid(thread.ident)
                key = (
                    f"{thread.name} {thread.ident}" if thread.name != "MainThread" else "MainThread"
                )
                threads[key] = time.clock_gettime(clock)
        with self._lock:
            return CpuTimes(time.process_time(), threads, dict(self._parts_s))

    def serve(self, address: Path) -> None:
        """Answer `CpuTimes` to each that asks at a Unix socket, on a thread of its own."""
        listener = Listener(str(address), family="AF_UNIX")

        def answer() -> None:
            while True:
                with listener.accept() as connection:
                    connection.send(self.now())

        threading.Thread(target=answer, name="cpu-parts", daemon=True).start()

    @contextmanager
    def _running(self, part: str) -> Iterator[None]:
        stack = self._of_thread.stack
        running = _Running()
        stack.append(running)
        began = time.thread_time()
        try:
            yield
        finally:
            took = time.thread_time() - began
            stack.pop()
            if stack:
                stack[-1].inside_s += took
            key = group_of(threading.current_thread().name), part
            with self._lock:
                self._parts_s[key] = self._parts_s.get(key, 0.0) + took - running.inside_s


def ask_cpu_times(address: Path) -> CpuTimes:
    """The times of the process that serves them there."""
    with Client(str(address), family="AF_UNIX") as connection:
        times: CpuTimes = connection.recv()
        return times

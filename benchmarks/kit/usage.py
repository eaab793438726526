"""Resources that a process and all its children use together."""

import time
from collections.abc import Callable

import psutil


def cpu_s(pid: int) -> float:
    """CPU time so far, of the processes that live."""
    times = [process.cpu_times() for process in tree(pid)]
    return float(sum(one.user + one.system for one in times))


def resident_mb(pid: int) -> float:
    """Pages that processes share count for each of them."""
    return float(sum(process.memory_info().rss for process in tree(pid))) / 1e6


def descriptors(pid: int) -> int:
    return int(sum(process.num_fds() for process in tree(pid)))


def threads(pid: int) -> int:
    return int(sum(process.num_threads() for process in tree(pid)))


def idle_share(pid: int, seconds: float) -> float:
    """Share of one core that it takes in these seconds, in which no request is sent."""
    before = cpu_s(pid)
    time.sleep(seconds)
    return (cpu_s(pid) - before) / seconds


def settled(read: Callable[[], int], *, within_s: float = 10.0) -> int:
    """A value that stayed the same for a second, or the last one when the time is over."""
    ends = time.monotonic() + within_s
    value = read()
    while time.monotonic() < ends:
        time.sleep(1.0)
        if (now := read()) == value:
            break
        value = now
    return value


def tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]
